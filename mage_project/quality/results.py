"""What a check has found: the result of one rule on the rows it looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from mage_project.quality.rules import Severity

#: Offending rows that a result carries.
EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of one rule.

    `rule` is the rule word and `name` the rule's id, the same in every run. `rows` are those it looked at (with
    `where`, those selected). `failing` of them break the rule, and `share` is their part from 0 to 1; both are None for
    rules about all rows together (`row_count`, `sum`, `freshness`), whose figure is `value`.
    `examples` are offending rows as {column: value}; `more` is the command that shows more of them.
    """

    rule: str
    name: str
    passed: bool
    rows: int
    column: str | None = None
    severity: Severity = "fail"
    failing: int | None = None
    share: float | None = None
    value: Any = None
    examples: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    message: str | None = None
    more: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the run must not go on: broken, and not only a warning."""
        return not self.passed and self.severity == "fail"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: times as ISO text, decimals as numbers in text."""
        return {
            "rule": self.rule,
            "name": self.name,
            "column": self.column,
            "severity": self.severity,
            "passed": self.passed,
            "rows": self.rows,
            "failing": self.failing,
            "share": self.share,
            "value": plain(self.value),
            "examples": [{name: plain(value) for name, value in row.items()} for row in self.examples],
            "message": self.message,
            "more": self.more,
        }


def exit_code(results: Iterable[CheckResult]) -> int:
    """3 if a rule failed whose severity is `fail`, else 0."""
    return 3 if any(result.failed for result in results) else 0


def plain(value: Any) -> Any:
    """A value of a column as JSON can hold it. What is not finite is text, since JSON has no NaN."""
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return str(value)
