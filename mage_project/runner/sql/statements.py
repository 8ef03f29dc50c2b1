"""The statements of a SQL text: where each begins, what it does, and to which table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mage_project.errors import ConfigError

#: Words between CREATE and TABLE, and between TABLE and the name.
_TABLE_KINDS = frozenset("or replace temp temporary unlogged global local external".split())
_BEFORE_NAME = frozenset("if not exists only into overwrite ignore or replace table".split())


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement without its semicolon. `start` is its offset in the whole text, `words` its first words.

    `target` is the table that it makes or fills, as it is written there.
    """

    text: str
    start: int
    number: int
    words: tuple[str, ...]
    dialect: str = ""
    target: str | None = None

    @property
    def verb(self) -> str:
        """`select`, `insert`, ...: what the statement begins with."""
        return self.words[0] if self.words else ""

    @property
    def makes_table(self) -> bool:
        return self.verb == "create" and self.target is not None

    @property
    def gives_rows(self) -> bool:
        """Whether it is a query, so that its rows are the block's output."""
        verbs = ("select", "with", "values", "table", "from", "show", "describe", "explain", "pragma", "(")
        return self.verb in verbs or "returning" in self.words

    @property
    def is_script(self) -> bool:
        """Whether it is a part of a script, which only makes sense as a whole (BigQuery)."""
        return self.dialect == "bigquery" and self.verb in ("declare", "begin", "if", "loop", "while", "for", "repeat")

    @property
    def is_bracket(self) -> bool:
        """Whether it only begins or commits a transaction, as all statements of a block are in one anyway."""
        return self.verb in ("begin", "commit") or self.words[:2] == ("start", "transaction") or self.words == ("end",)


def split(text: str, dialect: str) -> list[Statement]:
    """The statements of the text. Semicolons in strings, comments, quotes and function bodies end none.

    Raises ConfigError where a string or a comment does not end.
    """
    return [
        _statement(text, tokens, number, dialect)
        for number, tokens in enumerate(_groups(_tokens(text, dialect)), start=1)
    ]


def _tokens(text: str, dialect: str) -> list[Any]:
    from sqlglot import tokenize
    from sqlglot.errors import TokenError

    try:
        return list(tokenize(text, read=dialect))
    except TokenError as error:
        hint = "a quote or a comment does not end"
        raise ConfigError(f"the SQL cannot be taken apart: {_first_line(error)}", hint=hint) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _groups(tokens: Sequence[Any]) -> Iterator[list[Any]]:
    """The tokens of each statement. `BEGIN ATOMIC ... END` of a function has semicolons of its own."""
    group: list[Any] = []
    depth = 0
    for place, token in enumerate(tokens):
        word = token.text.upper()
        following = tokens[place + 1].text.upper() if place + 1 < len(tokens) else ""
        if (word == "BEGIN" and following == "ATOMIC") or (depth and word == "CASE"):
            depth += 1
        elif depth and word == "END":
            depth -= 1
        if token.token_type.name == "SEMICOLON" and not depth:
            if group:
                yield group
            group = []
        else:
            group.append(token)
    if group:
        yield group


def _statement(text: str, tokens: Sequence[Any], number: int, dialect: str) -> Statement:
    start, end = tokens[0].start, tokens[-1].end + 1
    words = tuple(token.text.lower() for token in tokens[:6])
    return Statement(
        text=text[start:end],
        start=start,
        number=number,
        words=words,
        dialect=dialect,
        target=_target(text, tokens, words),
    )


def _target(text: str, tokens: Sequence[Any], words: Sequence[str]) -> str | None:
    """The name after CREATE TABLE, INSERT INTO or UPDATE."""
    if words[0] not in ("create", "insert", "update"):
        return None
    place = 1
    if words[0] == "create":
        while place < len(words) and words[place] in _TABLE_KINDS:
            place += 1
        if place >= len(words) or words[place] != "table":
            return None
    while place < len(tokens) and tokens[place].text.lower() in _BEFORE_NAME and not _is_quoted(text, tokens[place]):
        place += 1
    return _name(text, tokens[place:])


def _is_quoted(text: str, token: Any) -> bool:
    return text[token.start] in '"`['


def _name(text: str, tokens: Sequence[Any]) -> str | None:
    """The tokens of a dotted name, as they are written: they stand together, or a dot stands between them."""
    if not tokens:
        return None
    end = tokens[0].end
    for before, token in pairwise(tokens):
        touches = token.start == before.end + 1 and token.text not in ("(", ")", ",", ";")
        if not (touches or token.text == "." or before.text == "."):
            break
        end = token.end
    return text[tokens[0].start : end + 1]
