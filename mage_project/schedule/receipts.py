"""What a backfill has done: one outcome for each interval, and their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mage_project.schedule.intervals import Interval

Status = Literal["completed", "failed", "crashed", "not_published", "skipped", "not_yet", "interrupted", "not_started"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one interval ended. `why` says it of one that this backfill did not run; `log` is the run's own output.

    `warnings` are what checks have found, a line each.
    """

    interval: Interval
    status: Status
    run_id: str | None = None
    rows: int | None = None
    seconds: float | None = None
    error: str | None = None
    why: str | None = None
    log: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_failure(self) -> bool:
        return self.status in ("failed", "crashed")

    def as_dict(self) -> dict[str, Any]:
        return {
            "interval": self.interval.name,
            "execution_date": self.interval.start.isoformat(),
            "interval_end": self.interval.end.isoformat(),
            "status": self.status,
            "run_id": self.run_id,
            "rows": self.rows,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "error": self.error,
            "why": self.why,
            "log": self.log,
        }


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`status` is `interrupted` where a signal ended it; exit code 0: nothing failed, 1: something did, 128 + n."""

    backfill_id: str
    pipeline: str
    outcomes: Sequence[Outcome]
    seconds: float
    signum: int | None = None

    @property
    def status(self) -> str:
        if self.signum is not None:
            return "interrupted"
        return "failed" if any(outcome.is_failure for outcome in self.outcomes) else "completed"

    @property
    def exit_code(self) -> int:
        if self.signum is not None:
            return 128 + self.signum
        return 1 if self.status == "failed" else 0

    @property
    def totals(self) -> dict[str, int]:
        return dict(Counter(outcome.status for outcome in self.outcomes))

    @property
    def rows(self) -> int:
        """The rows of the runs that were completed."""
        return sum(outcome.rows or 0 for outcome in self.outcomes if outcome.status == "completed")

    def as_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "backfill_id": self.backfill_id,
            "pipeline": self.pipeline,
            "seconds": round(self.seconds, 3),
            "totals": self.totals,
            "rows": self.rows,
            "intervals": [outcome.as_dict() for outcome in self.outcomes],
        }
