"""Reads rules from YAML: a list of rules, or `columns:` with rules for each, as dbt and Bruin write them.

Every mistake is a `Flaw` with its line; nothing is guessed, and a rule with a mistake is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mage_project.errors import did_you_mean
from mage_project.quality import row_sql
from mage_project.quality.forms import FORMS, Mistake, columns_of
from mage_project.quality.rules import OPTIONS, WORDS, Rule, Severity, default_name

_SEVERITIES: dict[str, Severity] = {"fail": "fail", "error": "fail", "warn": "warn"}
_LISTS = ("checks", "tests", "data_tests")
#: Bruin's words that are another one's special case, as SQL about the column.
_SIGNS = {"positive": "> 0", "non_negative": ">= 0", "negative": "< 0"}


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """Something wrong in the YAML of rules."""

    message: str
    line: int
    hint: str | None = None


def read_rules(content: Any, line: int = 1) -> tuple[list[Rule], list[Flaw]]:
    """The rules that `content` (what stands under `checks:`) spells out, and every mistake in it.

    `line`: of the key itself, for what has no line of its own.
    """
    reader = _Reader()
    reader.read(content, line)
    return reader.named(), reader.flaws


class _Reader:
    """Collects rules and flaws."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self._rules: list[Rule] = []

    def read(self, content: Any, line: int) -> None:
        if isinstance(content, Mapping) and not set(content) <= {"columns", *_LISTS}:
            self._flaw("'checks' must be a list of rules", line, "- not_null: vendor_id")
        elif isinstance(content, Mapping):
            self._columns(content.get("columns") or [], _line(content, "columns", line))
            for key in _LISTS:
                self.read(content.get(key) or [], _line(content, key, line))
        elif isinstance(content, Sequence) and not isinstance(content, str):
            for item in content:
                self._item(item, _line(item, None, line))
        else:
            self._flaw(f"'checks' must be a list of rules, not {content!r}", line, "- not_null: vendor_id")

    def named(self) -> list[Rule]:
        """The rules, each with a name of its own."""
        taken: Counter[str] = Counter()
        found = []
        for rule in self._rules:
            taken[rule.name] += 1
            again = taken[rule.name]
            found.append(rule if again == 1 else replace(rule, name=f"{rule.name} #{again}"))
        return found

    def _flaw(self, message: str, line: int, hint: str | None = None) -> None:
        self.flaws.append(Flaw(message=message, line=line, hint=hint))

    # -- a list of rules

    def _item(self, item: Any, line: int) -> None:
        if isinstance(item, str) and item in WORDS:
            self._flaw(f"the check '{item}' says nothing of what it is about", line, FORMS[item].example)
        elif not isinstance(item, Mapping):
            self._flaw(
                f"a check must be a rule word with what it is about, not {item!r}", line, "- not_null: vendor_id"
            )
        elif "columns" in item and set(item) <= {"columns"}:
            self._columns(item["columns"], _line(item, "columns", line))
        else:
            words = [word for word in item if word in WORDS]
            unknown = [key for key in item if key not in WORDS and key not in OPTIONS]
            for key in unknown:
                meant = did_you_mean(str(key), (*WORDS, *OPTIONS))
                self._flaw(f"unknown key '{key}' of a check.{meant}", _line(item, key, line), _known())
            if len(words) > 1:
                self._flaw(
                    f"one check has two rules: {' and '.join(words)}", line, "write them as two items of the list"
                )
            elif words:
                self._rule(words[0], item[words[0]], item, _line(item, words[0], line))
            elif not unknown:
                self._flaw("a check has no rule", line, _known())

    def _rule(self, word: str, value: Any, options: Mapping[Any, Any], line: int) -> None:
        """`not_null` of several columns is a rule for each, so that each has its own result."""
        severity = _SEVERITIES.get(str(options.get("severity", "fail")))
        where, name, needs = options.get("where"), options.get("name"), options.get("needs")
        if severity is None:
            wrong = options["severity"]
            meant = did_you_mean(str(wrong), _SEVERITIES)
            self._flaw(f"unknown severity '{wrong}'.{meant}", _line(options, "severity", line), "fail or warn")
        elif where is not None and not (isinstance(where, str) and where.strip()):
            self._flaw(f"'where' must be a condition in SQL, not {where!r}", _line(options, "where", line))
        elif where is not None and (wrong := row_sql.flaw(where)):
            self._flaw(f"'{where}' is no condition on a row: {wrong}", _line(options, "where", line))
        elif name is not None and not (isinstance(name, str) and name.strip()):
            self._flaw(f"'name' must be text, not {name!r}", _line(options, "name", line))
        else:
            try:
                made = FORMS[word].read(value)
                needed = columns_of(needs) if needs is not None else ()
            except Mistake as mistake:
                place = _line(value, mistake.key, line)
                self._flaw(f"{word}: {mistake}", place, FORMS[word].example)
                return
            for rule in made:
                own = default_name(word, rule.columns, rule.sql, where)
                if name:
                    own = name if len(made) == 1 else f"{name} ({rule.column})"
                self._rules.append(
                    replace(rule, word=word, name=own, severity=severity, where=where, needs=needed, line=line)
                )

    # -- columns with rules

    def _columns(self, columns: Any, line: int) -> None:
        if not isinstance(columns, list):
            self._flaw("'columns' must be a list", line, "columns: [{name: vendor_id, checks: [not_null]}]")
            return
        for entry in columns:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
                self._flaw(f"an entry of 'columns' needs 'name': {entry!r}", _line(entry, None, line))
                continue
            for key in _LISTS:
                checks = entry.get(key) or []
                if not isinstance(checks, list):
                    self._flaw(f"'{key}' must be a list", _line(entry, key, line), "checks: [not_null]")
                    continue
                for check in checks:
                    self._of_column(entry["name"], check, _line(check, None, _line(entry, key, line)))

    def _of_column(self, column: str, check: Any, line: int) -> None:
        """`not_null`, dbt's `{accepted_values: {values: …}}` or Bruin's `{name: accepted_values, value: …}`."""
        if isinstance(check, str):
            check = {check: {}}
        if not isinstance(check, Mapping):
            self._flaw(f"a check of column '{column}' must be a rule word or a mapping, not {check!r}", line)
            return
        word, given, options = _taken_apart(check)
        if word in _SIGNS:
            self._rule(
                "expression", f"{_quoted(column)} {_SIGNS[word]}", {"name": f"{word}({column})", **options}, line
            )
        elif word not in WORDS or not FORMS[word].of_column:
            meant = did_you_mean(str(word), [known for known in WORDS if FORMS[known].of_column])
            self._flaw(f"unknown check '{word}' of column '{column}'.{meant}", line, _known())
        elif word in ("not_null", "unique"):
            self._rule(word, column, options, line)
        else:
            self._rule(word, _Lined({"column": column, **given}, given, line), options, line)


class _Lined(dict[str, Any]):
    """A mapping made from one that knows its lines."""

    def __init__(self, content: dict[str, Any], original: Any, line: int) -> None:
        super().__init__(content)
        self._original, self.line = original, line

    def line_of(self, key: str) -> int:
        return _line(self._original, key, self.line)


def _taken_apart(check: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], dict[str, Any]]:
    """The rule word of a check of a column, its keys, and its options."""
    options = {key: check[key] for key in ("severity", "where") if key in check}
    if check.get("blocking") is False:  # Bruin's word for a warning
        options["severity"] = "warn"
    word = next((key for key in check if key in WORDS or key in _SIGNS), None)
    if word is None and "name" in check:
        word = str(check["name"])
        form = FORMS.get(word)
        return word, {form.of_column or "value": check["value"]} if form and "value" in check else {}, options
    if word is None:
        word = str(next((key for key in check if key not in OPTIONS), ""))
    given = check.get(word)
    given = dict(given) if isinstance(given, Mapping) else {} if given is None else {"value": given}
    config = given.pop("config", None) or {}
    options |= {key: given.pop(key) for key in OPTIONS if key in given}
    options |= {key: config[key] for key in OPTIONS if key in config}
    if "name" in check:
        options["name"] = check["name"]
    return word, given.pop("arguments", None) or given, options


def _line(content: Any, key: Any, otherwise: int) -> int:
    """The line of a key where the YAML was read with lines."""
    if not hasattr(content, "line_of"):
        return otherwise
    return int(content.line if key is None else content.line_of(key))


def _known() -> str:
    return f"rules: {', '.join(WORDS)}; beside one: {', '.join(OPTIONS)}"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
