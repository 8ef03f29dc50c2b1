"""Rules about the rows of a block, in the words of dbt and Bruin: what can be said, and how the YAML is read.

A rule is about columns of the block's output. `reading.py` makes rules from YAML and names every mistake with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

Severity = Literal["fail", "warn"]

#: The rule words, with the keys that each takes beside `column`.
WORDS: Mapping[str, tuple[str, ...]] = {
    "not_null": (),
    "unique": (),
    "accepted_values": ("values",),
    "relationships": ("to", "field"),
    "min": ("value",),
    "max": ("value",),
    "between": ("min", "max"),
    "row_count": ("min", "max"),
    "sum": ("equals", "min", "max"),
    "null_share": ("max",),
    "freshness": ("max_age",),
    "expression": (),
}
#: What an item may say beside its rule word.
OPTIONS = ("severity", "name", "where", "needs")

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(minute|hour|day|week)s?")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule. `name` tells it from the others of its block, and is the same in every run.

    `columns` is empty for `row_count` and `expression`, and only `unique` has more than one. `minimum` and `maximum`
    are inclusive, and the same for `row_count: N` and `sum: {equals: N}`. `where` and `sql` are conditions in SQL.
    Where one of the columns that it `needs` is not there, the rule is passed over. `given` are the variables of a run,
    each with its value, that the rule is for.
    """

    word: str
    name: str
    columns: tuple[str, ...] = ()
    severity: Severity = "fail"
    where: str | None = None
    needs: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
    values: tuple[Any, ...] = ()
    minimum: Any = None
    maximum: Any = None
    to: str | None = None
    field: str | None = None
    sql: str | None = None
    max_age: timedelta | None = None
    line: int = 1

    def is_for(self, variables: Mapping[str, Any]) -> bool:
        """Whether a run with these variables is one that the rule is for."""
        return all(str(variables.get(name)) == value for name, value in self.given)

    def needs_met(self, names: Sequence[str]) -> bool:
        """Whether rows with these columns are rows that the rule is about."""
        return set(self.needs) <= set(names)

    @property
    def is_of_rows(self) -> bool:
        """Whether it can be told of a part of the rows."""
        return self.word not in ("row_count", "sum", "null_share", "freshness")

    @property
    def column(self) -> str | None:
        """The column, or the columns together, as a person would write them."""
        return ", ".join(self.columns) or None


def default_name(word: str, columns: tuple[str, ...], sql: str | None, where: str | None) -> str:
    """What a rule without a name is called: `not_null(vendor_id)`, `between(fare_amount) where payment_type = 1`."""
    inside = " ".join(sql.split()) if sql else ", ".join(columns)
    condition = f" where {' '.join(where.split())}" if where else ""
    return f"{word}({inside}){condition}" if inside else f"{word}{condition}"


def age(text: Any) -> timedelta | None:
    """`40 days`, `12 hours`, `30 minutes` or `2 weeks`; None for anything else."""
    found = _AGE.fullmatch(str(text).strip())
    return timedelta(**{f"{found[2]}s": float(found[1])}) if found else None
