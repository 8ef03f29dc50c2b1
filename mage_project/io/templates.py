"""Renders the Jinja of a YAML file in such a way that no value of a variable is ever read as YAML or Jinja.

Each value leaves a token in the rendered text, and takes its place after the text was parsed. So a password may
hold any character, an error about the YAML cannot show one, and a variable that is not set only matters to whoever
needs the field that it stands in.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from typing import Any

import yaml

from mage_project.errors import ConfigError
from mage_project.io import mage_secrets

_HINT = "a value comes from outside by {{ env_var('NAME') }}, {{ env_var('NAME', 'default') }} or mage_secret_var"


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Why a field has no value: what to set, for a person to read."""

    reason: str


class Template:
    """One file's text: `render`, parse the result as YAML, then `resolve` its nodes."""

    def __init__(self, text: str, *, where: str) -> None:
        self._text = text
        self._where = where
        self._mark = f"slot{secrets.token_hex(8)}n"
        self._pattern = re.compile(rf"{self._mark}(\d+)x", re.IGNORECASE)
        self._values: list[str | Absent] = []

    def render(self) -> str:
        """The text with tokens. Raises ConfigError with the line where the Jinja is wrong."""
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import SandboxedEnvironment

        environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        environment.globals = self._functions()
        try:
            return environment.from_string(self._text).render()
        except TemplateError as error:
            line = getattr(error, "lineno", None) or template_line(error)
            where = f"{self._where}:{line}"
            raise ConfigError(f"the template is wrong: {error}", where=where, hint=_HINT) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            line = template_line(error)
            raise ConfigError(f"the template fails: {error}", where=f"{self._where}:{line}", hint=_HINT) from error

    def resolve(self, node: yaml.ScalarNode) -> list[Absent]:
        """Put the values into the node. Where one is absent the node becomes null, and the reasons are returned."""
        found = [self._values[int(number)] for number in self._pattern.findall(node.value)]
        if not found:
            return []
        absent = [value for value in found if isinstance(value, Absent)]
        if absent:
            node.value, node.tag = "", "tag:yaml.org,2002:null"
            return absent
        whole = self._pattern.fullmatch(node.value)
        node.value = self._pattern.sub(lambda match: str(self._values[int(match[1])]), node.value)
        if whole and node.style is None:  # unquoted, as if the value stood in the file
            resolver: Any = yaml.SafeLoader("")
            node.tag = resolver.resolve(yaml.ScalarNode, node.value, (True, False))
        return []

    def _token(self, value: str | Absent) -> str:
        self._values.append(value)
        return f"{self._mark}{len(self._values) - 1}x"

    def _functions(self) -> dict[str, Any]:
        return {
            "env_var": self._env_var,
            "json_value": self._json_value,
            "mage_secret_var": self._mage_secret,
            "aws_secret_var": self._elsewhere("aws_secret_var", "it is kept in AWS"),
            "azure_secret_var": self._elsewhere("azure_secret_var", "it is kept in Azure"),
        }

    def _env_var(self, name: str, default: Any = None) -> Any:
        value = os.environ.get(name)
        if value is None and default is not None:
            value = str(default)
        if value is None:
            return self._undefined(f"the environment variable {name}, which is not set")
        return _slotted(value, self._token(value))

    def _json_value(self, text: Any, key: str) -> Any:
        """A part of a JSON text, `key` as in `a.b`; the text itself where it is not JSON, as in Mage."""
        if not text:
            return text
        content = str.__str__(text)
        try:
            part = json.loads(content)
        except ValueError:
            return text
        for name in key.split("."):
            part = part.get(name) if isinstance(part, dict) else None
        if part is None:
            return self._undefined(f"'{key}' of a JSON value, which has no such key")
        plain = part if isinstance(part, str) else json.dumps(part)
        return _slotted(plain, self._token(plain))

    def _mage_secret(self, name: str = "", *_args: Any, **_kwargs: Any) -> Any:
        value = mage_secrets.find(name)
        if value is not None:
            return _slotted(value, self._token(value))
        why = f"Mage keeps it in its own database): set {mage_secrets.variable_of(name)}, or use env_var"
        return self._undefined(f"the secret '{name}' of mage_secret_var, which is not here ({why}")

    def _elsewhere(self, function: str, why: str) -> Any:
        def secret(name: str = "", *_args: Any, **_kwargs: Any) -> Any:
            return self._undefined(f"the secret '{name}' of {function}, which is not here ({why}): use env_var")

        return secret

    def _undefined(self, reason: str) -> Any:
        """False in conditions, replaced by `| default(...)`, and a token where it is written out."""
        from jinja2 import Undefined

        token = self._token(Absent(reason=reason))

        class Unset(Undefined):
            __slots__ = ()

            def __str__(self) -> str:
                return token

        return Unset(hint=f"it needs {reason}")


class _Slotted(str):
    """A value that filters and methods see as it is, and that is written out as its token."""

    token: str

    def __str__(self) -> str:
        return self.token

    def __format__(self, spec: str) -> str:
        return format(self.token, spec)


def _slotted(value: str, token: str) -> _Slotted:
    slotted = _Slotted(value)
    slotted.token = token
    return slotted


def template_line(error: BaseException) -> int:
    """The template's line that was being rendered. Jinja gives its frames the template's line numbers."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
