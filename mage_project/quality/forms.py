"""How each rule word is written: what stands after it, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mage_project.errors import did_you_mean
from mage_project.quality import row_sql
from mage_project.quality.rules import WORDS, Rule, age

_KINDS = {bool: "truth", int: "number", float: "number", Decimal: "number", str: "text", date: "time", datetime: "time"}


class Mistake(Exception):
    """What is wrong in the value of a rule word; `key` is the key that it stands under."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, kw_only=True)
class Form:
    """`of_column`: the key of Bruin's `value`, for a word that can be said of one column; None where it cannot."""

    read: Callable[[Any], list[Rule]]
    example: str
    of_column: str | None = "value"


def columns_of(value: Any) -> tuple[str, ...]:
    """One column, or a list of them."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise Mistake(f"names a column or a list of columns, not {value!r}")
    return tuple(names)


def _not_null(value: Any) -> list[Rule]:
    return [_rule(columns=(name,)) for name in columns_of(value)]


def _unique(value: Any) -> list[Rule]:
    return [_rule(columns=columns_of(value))]


def _accepted_values(value: Any) -> list[Rule]:
    given = _mapping("accepted_values", value, ("values",))
    values = given["values"]
    if not isinstance(values, list) or not values or not all(type(each) in _KINDS for each in values):
        raise Mistake("'values' must be a list of numbers, texts or dates", "values")
    kinds = {_KINDS[type(each)] for each in values}
    if len(kinds) > 1:
        raise Mistake(f"'values' has {' and '.join(sorted(kinds))}: quote them all, or none", "values")
    return [_rule(columns=_one_column(given), values=tuple(values))]


def _relationships(value: Any) -> list[Rule]:
    given = _mapping("relationships", value, ("to", "field"))
    for key in ("to", "field"):
        if not isinstance(given[key], str):
            raise Mistake(f"'{key}' must be text, not {given[key]!r}", key)
    return [_rule(columns=_one_column(given), to=given["to"], field=given["field"])]


def _bound(word: str) -> Callable[[Any], list[Rule]]:
    def read(value: Any) -> list[Rule]:
        given = _mapping(word, value, ("value",))
        side = {"minimum" if word == "min" else "maximum": _comparable(given, "value")}
        return [_rule(columns=_one_column(given), **side)]

    return read


def _between(value: Any) -> list[Rule]:
    given = _mapping("between", value, ("min", "max"))
    return [_rule(columns=_one_column(given), **_range(given))]


def _row_count(value: Any) -> list[Rule]:
    if type(value) is int and value >= 0:
        return [_rule(minimum=value, maximum=value)]
    given = {"": value} if isinstance(value, (int, float)) else _mapping("row_count", value, (), column=False)
    for key, bound in given.items():
        if type(bound) is not int or bound < 0:
            raise Mistake(f"counts whole rows, not {bound!r}", key or None)
    return [_rule(**_range(given))]


def _sum(value: Any) -> list[Rule]:
    given = _mapping("sum", value, ())
    for key in WORDS["sum"]:
        if key in given and (isinstance(given[key], bool) or not isinstance(given[key], (int, float))):
            raise Mistake(f"'{key}' must be a number, not {given[key]!r}", key)
    if "equals" in given:
        if "min" in given or "max" in given:
            raise Mistake("either 'equals' or 'min' and 'max'", "equals")
        return [_rule(columns=_one_column(given), minimum=given["equals"], maximum=given["equals"])]
    return [_rule(columns=_one_column(given), **_range(given))]


def _null_share(value: Any) -> list[Rule]:
    given = _mapping("null_share", value, ("max",))
    limit = given["max"]
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 <= limit <= 1:
        raise Mistake(f"'max' is a share from 0 to 1, not {limit!r}", "max")
    return [_rule(columns=_one_column(given), maximum=limit)]


def _freshness(value: Any) -> list[Rule]:
    given = _mapping("freshness", value, ("max_age",))
    oldest = age(given["max_age"])
    if oldest is None:
        raise Mistake(f"'max_age' is a time such as 40 days or 12 hours, not {given['max_age']!r}", "max_age")
    return [_rule(columns=_one_column(given), max_age=oldest)]


def _expression(value: Any) -> list[Rule]:
    if not isinstance(value, str) or not value.strip():
        raise Mistake(f"is SQL that is true for good rows, not {value!r}")
    if wrong := row_sql.flaw(value.strip()):
        raise Mistake(f"'{value.strip()}' is no condition on a row: {wrong}")
    return [_rule(sql=value.strip())]


def _rule(**more: Any) -> Rule:
    """The word and the name come from who reads the item."""
    return Rule(word="", name="", **more)


def _mapping(word: str, value: Any, needed: Sequence[str], *, column: bool = True) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Mistake(f"needs a mapping, not {value!r}")
    known = (*(["column"] if column else []), *WORDS[word])
    for key in value:
        if key not in known:
            raise Mistake(f"unknown key '{key}'.{did_you_mean(str(key), known)}", key)
    for key in (*(["column"] if column else []), *needed):
        if value.get(key) is None:
            raise Mistake(f"needs '{key}'")
    return value


def _one_column(given: Mapping[str, Any]) -> tuple[str]:
    if not isinstance(given["column"], str):
        raise Mistake(f"'column' must be the name of one column, not {given['column']!r}", "column")
    return (given["column"],)


def _comparable(given: Mapping[str, Any], key: str) -> Any:
    if _KINDS.get(type(given[key]), "truth") == "truth":
        raise Mistake(f"'{key}' must be a number or a date, not {given[key]!r}", key)
    if (isinstance(given[key], str) and not _is_time(given[key])) or given[key] != given[key]:
        raise Mistake(f"'{key}' is neither a number nor a date: {given[key]!r}", key)
    return given[key]


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _range(given: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds that are given: at least one, in order, of one kind."""
    found = {
        side: _comparable(given, key)
        for key, side in (("min", "minimum"), ("max", "maximum"))
        if given.get(key) is not None
    }
    if not found:
        raise Mistake("needs 'min' or 'max'")
    if len(found) == 2:
        if {_KINDS[type(bound)] for bound in found.values()} == {"text", "time"}:  # YAML's dates need no quotes
            found = {side: datetime.fromisoformat(str(bound)) for side, bound in found.items()}
        low, high = found["minimum"], found["maximum"]
        if _KINDS[type(low)] != _KINDS[type(high)]:
            raise Mistake(f"'min' and 'max' cannot be compared: {low} and {high}", "max")
        if str(low) > str(high) if _KINDS[type(low)] != "number" else low > high:
            raise Mistake(f"'min' is above 'max': {low} and {high}", "min")
    return found


FORMS: Mapping[str, Form] = {
    "not_null": Form(read=_not_null, example="not_null: [vendor_id, pickup_datetime]"),
    "unique": Form(read=_unique, example="unique: [vendor_id, pickup_datetime]"),
    "accepted_values": Form(
        read=_accepted_values, example="accepted_values: {column: flag, values: [Y, N]}", of_column="values"
    ),
    "relationships": Form(
        read=_relationships, example="relationships: {column: zone_id, to: data/zones.csv, field: id}"
    ),
    "min": Form(read=_bound("min"), example="min: {column: amount, value: 0}"),
    "max": Form(read=_bound("max"), example="max: {column: amount, value: 1000}"),
    "between": Form(read=_between, example="between: {column: amount, min: 0, max: 1000}"),
    "row_count": Form(read=_row_count, example="row_count: {min: 1000}", of_column=None),
    "sum": Form(read=_sum, example="sum: {column: amount, equals: 1234.56}", of_column="equals"),
    "null_share": Form(read=_null_share, example="null_share: {column: vendor_id, max: 0.05}", of_column="max"),
    "freshness": Form(
        read=_freshness, example="freshness: {column: updated_at, max_age: 40 days}", of_column="max_age"
    ),
    "expression": Form(read=_expression, example='expression: "started_at <= ended_at"', of_column=None),
}
