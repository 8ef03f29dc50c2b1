"""Evaluates rules on batches of rows as they pass.

Measured on 1.4 million rows of 14 columns in batches of 40,000 (the figures are in docs/checks.md): pandera, pointblank
and DuckDB cost several times what the same rules cost as kernels of Arrow and numpy, and only these stay below 5 % of
a load. SQL is DuckDB's, since it is a language of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa

from mage_project.errors import ConfigError, did_you_mean
from mage_project.quality import row_checks, whole_checks
from mage_project.quality.conditions import Conditions
from mage_project.quality.results import EXAMPLES, CheckResult
from mage_project.quality.row_checks import Reference, RowCheck
from mage_project.quality.rows import Rows
from mage_project.quality.rules import Rule
from mage_project.quality.uniqueness import Unique
from mage_project.quality.whole_checks import WholeCheck


class Check(Protocol):
    """The state of one rule."""

    rule: Rule

    def take(self, rows: Rows) -> None:
        """Look at one batch."""

    def result(self) -> CheckResult:
        """The verdict, after the last batch."""

    def offending(self) -> pa.Table | None:
        """Rows that break the rule, where it is about rows."""

    def close(self) -> None:
        """Let go of what is held, on disk too."""


#: What a rule's offending rows are handed to when the rows have ended; returns the command that shows more of them.
Keep = Callable[[Rule, pa.Table], str | None]


class Checks:
    """Rules that are evaluated together. Feed them with `take`, ask for `results` once, and `close` in any case."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        reference: Reference,
        now: datetime | None = None,
        examples: int = EXAMPLES,
        kept: int | None = None,
        keep: Keep | None = None,
    ) -> None:
        """`reference` gives the values that a `relationships` rule allows, `now` is the time that freshness is from.

        A result has `examples` offending rows at most; `kept` (as many, by default) are handed to `keep`.
        """
        self._examples = examples
        self._keep = keep
        most = max(examples, kept or 0)
        self._checks = [_check(rule, reference, now or datetime.now(UTC), most) for rule in rules]
        self._conditions = Conditions(())
        self._seen = False

    def take(self, batch: Any) -> None:
        """Look at one frame or table. Raises ConfigError for a rule that does not fit its columns."""
        rows = Rows(batch)
        if not self._seen:
            self._look(rows.names)
            self._seen = True
        rows.masks = self._conditions.masks(rows)
        for check in self._checks:
            check.take(rows)

    def results(self) -> list[CheckResult]:
        """One result for each rule, in their order."""
        return [self._result(check) for check in self._checks]

    def close(self) -> None:
        self._conditions.close()
        for check in self._checks:
            check.close()

    def _look(self, names: Sequence[str]) -> None:
        """Pass over the rules whose needs are not met; the columns of every other one must be there."""
        for check in self._checks:
            if not check.rule.needs_met(names):
                check.close()
        self._checks = [check for check in self._checks if check.rule.needs_met(names)]
        rules = [check.rule for check in self._checks]
        self._conditions = Conditions(rules)
        for rule in rules:
            for column in rule.columns:
                if column not in names:
                    what = f"check '{rule.name}' is about the column '{column}', which is not there."
                    raise ConfigError(what + did_you_mean(column, names), hint=f"columns: {', '.join(names)}")
                if names.count(column) > 1:
                    raise ConfigError(f"check '{rule.name}' is about the column '{column}', which is there twice")

    def _result(self, check: Check) -> CheckResult:
        result = check.result()
        offending = check.offending()
        if offending is None or not len(offending):
            return result
        more = self._keep(check.rule, offending) if self._keep else None
        return replace(result, examples=_examples(offending.slice(0, self._examples), check.rule.columns), more=more)


def _check(rule: Rule, reference: Reference, now: datetime, keep: int) -> Check:
    if rule.word in row_checks.WORDS:
        return RowCheck(rule, keep=keep, reference=reference)
    if rule.word in whole_checks.WORDS:
        return WholeCheck(rule, now=now)
    return Unique(rule, keep=keep)


def _examples(rows: pa.Table, first: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """As {column: value}, what the rule is about first."""
    names = [*first, *(name for name in rows.column_names if name not in first)]
    with suppress(pa.ArrowInvalid):  # nanoseconds are more than Python's times hold
        return tuple(rows.select(names).to_pylist())
    return tuple(rows.select(names).to_pandas().to_dict("records"))
