"""The Jinja of a SQL block, rendered so that a place in the SQL is found again in the file.

Each piece of literal text is marked with its offset in the file before it is rendered, and the marks are taken out
again afterwards. `{{ block_output('x', parse=lambda data, variables: ...) }}` is Python in Mage, and so it is here.
"""

from __future__ import annotations

import bisect
import datetime
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.errors import ConfigError, closest
from mage_project.io import mage_secrets
from mage_project.io.templates import template_line
from mage_project.runner.sql.marking import MARK, marked

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

#: A query in the place of a table: the query, then the name that it gets where the SQL gives it none.
_QUERY = re.compile("\1(.*?)\2(.*?)\3", re.DOTALL)
_ALIAS = re.compile(r"(?:\0\d+\0)?\s+(?:as\b|[\"`]|([a-z_]\w*))", re.IGNORECASE)
_AFTER_TABLE = frozenset(
    """
    anti asof cross except fetch for full group having inner intersect join lateral left limit natural offset on order
    outer pivot positional qualify right semi tablesample union unpivot using where window
    """.split()
)
_FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, NameError)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The SQL of a block. `secrets` must not be shown.

    `anchors`: for each piece of literal text its offset in `text`, its offset in `source`, and its length.
    """

    text: str
    source: str
    path: Path
    anchors: Sequence[tuple[int, int, int]] = ()
    secrets: frozenset[str] = frozenset()

    def origin(self, offset: int) -> int:
        """The offset in the file for one in the SQL; inside a rendered expression, where the expression begins."""
        place = bisect.bisect_right(self.anchors, offset, key=lambda anchor: anchor[0]) - 1
        if place < 0:
            return 0
        start, origin, length = self.anchors[place]
        return min(origin + min(offset - start, length), len(self.source))

    def hidden(self, message: str) -> str:
        """The message without the values that came from the environment."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            message = message.replace(secret, "***")
        return message


@dataclass(kw_only=True)
class Template:
    """One block's file. `tables` are the names for `df_1`..., `output` gives an upstream block's output."""

    path: Path
    variables: Mapping[str, Any]
    tables: Mapping[str, str] = field(default_factory=dict)
    output: Callable[[str | None], Any] = lambda uuid: None
    _secrets: set[str] = field(default_factory=set)
    _expressions: list[str] = field(default_factory=list)

    def render(self, source: str | None = None) -> Rendered:
        """The block's SQL. Raises ConfigError with the line where a name is not defined or the Jinja is wrong."""
        from jinja2 import TemplateError

        source = read(self.path) if source is None else source
        environment = _environment()
        environment.globals = self._names()
        try:
            text, lengths = marked(environment, source, self._expressions)
            text = environment.from_string(text).render()
        except TemplateError as error:
            line = getattr(error, "lineno", None) or template_line(error)
            raise self._wrong(str(error.message or error), line) from error
        except _FAILURES as error:
            raise self._wrong(f"{type(error).__name__}: {error}", template_line(error)) from error
        return self._unmarked(_QUERY.sub(_subquery, text), source, lengths)

    def _wrong(self, message: str, line: int) -> ConfigError:
        for secret in self._secrets:
            message = message.replace(secret, "***")
        undefined = re.match(r"'(\w+)' is undefined", message)
        hint = None
        if undefined:
            name, meant = undefined[1], closest(undefined[1], self._names().keys() - _library().keys())
            message += f". Did you mean '{meant}'?" if meant else "."
            tables = ", ".join(self.tables) or "none: the block has no upstream_blocks"
            other = (
                f"write {meant}; if {name} is meant, give it: --var {name}=…" if meant else f"give it: --var {name}=…"
            )
            hint = f"tables here: {tables}" if re.fullmatch(r"df_\d+", name) else other
        return ConfigError(f"the SQL's template fails: {message}", where=f"{self.path}:{line}", hint=hint)

    def _unmarked(self, text: str, source: str, lengths: Mapping[int, int]) -> Rendered:
        parts, anchors, length, end = [], [], 0, 0
        for mark in MARK.finditer(text):
            parts.append(text[end : mark.start()])
            length += len(parts[-1])
            origin = int(mark[1])
            anchors.append((length, origin, lengths[origin]))
            end = mark.end()
        parts.append(text[end:])
        secrets = frozenset(self._secrets)
        return Rendered(text="".join(parts), source=source, path=self.path, anchors=anchors, secrets=secrets)

    def _names(self) -> dict[str, Any]:
        elsewhere = {name: _elsewhere(name) for name in ("aws_secret_var", "azure_secret_var")}
        return {
            **_library(),
            **self.variables,
            **self.tables,
            "variables": self._variable,
            "block_output": self._block_output,
            "env_var": self._env_var,
            "mage_secret_var": self._mage_secret,
            "json_value": _json_value,
            "evaluated": self._evaluated,
            **elsewhere,
        }

    def _variable(self, name: str, parse: Any = None) -> Any:
        """A variable of the run, or what `parse` (the text of a function) makes of it."""
        value = self.variables.get(name)
        return self._python(parse)(value) if parse else value

    def _block_output(self, block_uuid: str | None = None, parse: Any = None) -> Any:
        value = self.output(block_uuid)
        if parse is None:
            return value
        function = self._python(parse) if isinstance(parse, str) else parse
        return function(value, dict(self.variables))

    def _evaluated(self, number: int) -> Any:
        return self._python(self._expressions[number])

    def _python(self, expression: str) -> Any:
        names = {**_library(), "block_output": self._block_output, "env_var": self._env_var, "json_value": _json_value}
        return eval(compile(expression.strip(), str(self.path), "eval"), names)  # noqa: S307 - the project's own code

    def _env_var(self, name: str, default: Any = None) -> Any:
        value = os.environ.get(name, default)
        if value is None:
            raise LookupError(f"the environment variable {name} is not set")
        return self._secret(value)

    def _mage_secret(self, name: str = "", *_args: Any, **_kwargs: Any) -> Any:
        value = mage_secrets.find(name)
        if value is None:
            why = f"Mage keeps it in its own database: set the environment variable {mage_secrets.variable_of(name)}"
            raise LookupError(f"the secret '{name}' of mage_secret_var is not here ({why})")
        return self._secret(value)

    def _secret(self, value: Any) -> Any:
        if len(str(value)) > 2:
            self._secrets.add(str(value))
        return value


def read(path: Path) -> str:
    """The text of a block's file, its line ends as Jinja has them. Raises ConfigError if it is not UTF-8."""
    try:
        return path.read_text("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise ConfigError("the file is not UTF-8 text", where=f"{path}:{line}", hint=hint) from error


def names_used(source: str, path: Path) -> set[str]:
    """The names that the template asks for. Raises ConfigError with the line where the Jinja is wrong."""
    from jinja2 import TemplateSyntaxError, meta

    environment = _environment()
    expressions: list[str] = []
    try:
        text, _ = marked(environment, source, expressions)
        names: set[str] = meta.find_undeclared_variables(environment.parse(text))
        return names - {"evaluated"} | ({"block_output"} if expressions else set())
    except TemplateSyntaxError as error:
        what = f"the SQL's template is wrong: {error.message}"
        raise ConfigError(what, where=f"{path}:{error.lineno}") from error


def outputs_used(source: str) -> Iterator[tuple[str, int]]:
    """The blocks that `block_output` names in so many letters, each with the line; of a template that is right."""
    from jinja2 import nodes

    environment = _environment()
    expressions: list[str] = []
    text, _ = marked(environment, source, expressions)
    for call in environment.parse(text).find_all(nodes.Call):
        given = [*call.args[:1], *(pair.value for pair in call.kwargs if pair.key == "block_uuid")]
        names = [node.value for node in given if isinstance(node, nodes.Const) and isinstance(node.value, str)]
        if isinstance(call.node, nodes.Name) and call.node.name == "block_output":
            yield from ((name, call.lineno) for name in names)
    for expression in expressions:
        line = source[: source.index(expression)].count("\n") + 1
        for name in re.findall(r"block_output\(\s*(?:block_uuid\s*=\s*)?['\"]([^'\"]+)['\"]", expression):
            yield name, line


def in_place_of_a_table(query: str, name: str) -> str:
    """What stands for a query among `Template.tables`: the query in parentheses, as `name` if it has no other alias."""
    return f"\1{query}\2{name}\3"


def _subquery(match: re.Match[str]) -> str:
    alias = _ALIAS.match(match.string, match.end())
    is_named = alias is not None and (alias[1] is None or alias[1].lower() not in _AFTER_TABLE)
    return f"(\n{match[1].strip()}\n)" + ("" if is_named else f" AS {match[2]}")


def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


def _library() -> dict[str, Any]:
    """The modules that Mage gives to templates."""
    return {"datetime": datetime, "json": json, "math": math}


def _json_value(text: Any, key: str) -> Any:
    """A part of a JSON text, `key` as in `a.b`."""
    value = json.loads(text)
    for name in key.split("."):
        value = value[name]
    return value


def _elsewhere(function: str) -> Callable[..., Any]:
    def secret(name: str = "", *_args: Any, **_kwargs: Any) -> Any:
        raise LookupError(f"the secret '{name}' of {function} is not here: use env_var('{name}')")

    return secret
