"""What a run did: one record a block, one a run, and the JSON that `--json` prints."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Status = Literal["pending", "running", "completed", "failed", "cancelled", "skipped"]


@dataclass(kw_only=True)
class TestRecord:
    """One `@test` function: whether it has run, whether it passed, and what it said."""

    __test__ = False

    name: str
    ran: bool = False
    passed: bool = True
    message: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "passed": self.passed, "message": self.message}


@dataclass(kw_only=True)
class BlockRecord:
    """One block of a run. Rows are None where the values are not counted in rows; seconds are wall time."""

    uuid: str
    type: str
    status: Status = "pending"
    rows_in: int | None = None
    rows_out: int | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    peak_rss_bytes: int | None = None
    tests: list[TestRecord] = field(default_factory=list)
    error: str | None = None

    def reset(self) -> None:
        """Back to the start, for another attempt."""
        self.status, self.rows_in, self.rows_out, self.seconds = "pending", None, None, 0.0
        self.dropped, self.tests, self.error = {}, [], None

    def count_in(self, rows: int | None) -> None:
        if rows is not None:
            self.rows_in = (self.rows_in or 0) + rows

    def count_out(self, rows: int | None) -> None:
        if rows is not None:
            self.rows_out = (self.rows_out or 0) + rows

    def drop(self, reasons: dict[str, int]) -> None:
        for reason, rows in reasons.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + int(rows)

    def as_dict(self) -> dict[str, Any]:
        return {
            "uuid": self.uuid,
            "type": self.type,
            "status": self.status,
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "dropped": self.dropped,
            "seconds": round(self.seconds, 4),
            "peak_rss_bytes": self.peak_rss_bytes,
            "tests": [test.as_dict() for test in self.tests if test.ran],
            "error": self.error,
        }


@dataclass(kw_only=True)
class RunRecord:
    """One run of a pipeline."""

    pipeline: str
    run_id: str
    blocks: list[BlockRecord]
    status: Literal["running", "completed", "failed"] = "running"
    seconds: float = 0.0
    peak_rss_bytes: int = 0
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    exit_code: int = 0

    def block(self, uuid: str) -> BlockRecord:
        return next(record for record in self.blocks if record.uuid == uuid)

    def as_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "seconds": round(self.seconds, 4),
            "peak_rss_bytes": self.peak_rss_bytes,
            "blocks": [block.as_dict() for block in self.blocks],
            "warnings": self.warnings,
            "error": self.error,
        }


def new_run_id() -> str:
    """Sorts by time; unique among runs that start in the same second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
