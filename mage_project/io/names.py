"""Names of tables, schemas and columns: what Mage makes of them, and what Postgres can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mage_project.errors import StoreError

MAX_BYTES = 63

_DROPPED = re.compile('[\ufeff"$\n\r\t]')
_PLAIN = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"', re.DOTALL)
_ASCII_UPPER = re.compile("[A-Z]")


def column_name(name: object, *, allow_reserved_words: bool = False, case_sensitive: bool = False) -> str:
    """The name that Mage gives a column: `VendorID` is `vendorid`, `2nd fare` is `letter_2nd_fare`, `date` is `_date`.

    What is no letter, digit or underscore becomes an underscore; quotes, dollar signs and line ends go. A word that
    SQL reserves gets an underscore in front, unless `allow_reserved_words`.
    """
    cleaned = re.sub(r"\W", "_", _DROPPED.sub("", str(name)))
    if re.match(r"\d", cleaned):
        cleaned = f"letter_{cleaned}"
    if not case_sensitive:
        cleaned = cleaned.lower()
    if not allow_reserved_words and cleaned.lower() in reserved_words():
        cleaned = f"_{cleaned}"
    return cleaned


@cache
def reserved_words() -> frozenset[str]:
    """The words before which Mage puts an underscore, in lower case."""
    return frozenset(Path(__file__).with_name("reserved_words.txt").read_text("utf-8").split())


def column_names(
    names: Iterable[object], *, clean: bool = True, allow_reserved_words: bool = False, case_sensitive: bool = False
) -> list[str]:
    """The columns' names in the table. Raises StoreError where two become one, or Postgres cannot hold one."""
    taken: dict[str, object] = {}
    for name in names:
        result = str(name)
        if clean:
            result = column_name(name, allow_reserved_words=allow_reserved_words, case_sensitive=case_sensitive)
        if result in taken:
            what = f"columns '{taken[result]}' and '{name}' would both be '{result}' in the table"
            raise StoreError(what, hint="rename one of them, or pass case_sensitive=True or auto_clean_name=False")
        taken[checked(result, "column", given=name)] = name
    return list(taken)


def identifier(name: str, kind: str) -> str:
    """The schema or table that `name` means.

    As in SQL, and so as in Mage, a plain name is folded to lower case and a name in double quotes is taken as it
    stands within them. Any other name (spaces, semicolons, quotes...), which Mage cannot use, is taken as it is.
    """
    quoted = _QUOTED.fullmatch(name)
    if quoted:
        return checked(quoted[1].replace('""', '"'), kind, given=name)
    if _PLAIN.fullmatch(name):
        name = _ASCII_UPPER.sub(lambda match: match[0].lower(), name)
    return checked(name, kind)


def split(name: str) -> tuple[str | None, str]:
    """`schema.table` of plain names taken apart; anything else is the name of a table."""
    schema, dot, table = name.partition(".")
    if dot and _PLAIN.fullmatch(schema) and _PLAIN.fullmatch(table):
        return schema, table
    return None, name


def checked(name: str, kind: str, *, given: object = None) -> str:
    """The name itself. Raises StoreError if Postgres cannot hold it: empty, with a NUL, or too long."""
    size = len(name.encode("utf-8", "replace"))
    shown = f"{name if given is None else given!s:.80}"
    if not name:
        raise StoreError(f"the name of the {kind} is empty" + (f" once '{given}' is cleaned" if given else ""))
    if "\0" in name:
        raise StoreError(f"the name of the {kind} has a NUL in it: {shown!r}")
    if size > MAX_BYTES:
        what = f"the name of the {kind} is too long for Postgres: {size} bytes, at most {MAX_BYTES}: '{shown}'"
        raise StoreError(what, hint="give it a shorter name")
    return name


def beside(table: str, suffix: str) -> str:
    """A name that starts like `table`, ends in `suffix` and is not too long."""
    room = MAX_BYTES - len(suffix) - 1
    return f"{table.encode('utf-8')[:room].decode('utf-8', 'ignore')}_{suffix}"
