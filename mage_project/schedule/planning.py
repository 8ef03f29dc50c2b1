"""What a backfill will do with each interval, and why: decided from the history, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mage_project.history.facts import moment_text
from mage_project.history.runs import StoredRun
from mage_project.schedule.intervals import Interval

Action = Literal["run", "skip", "not_yet"]
#: `missing`: what has not been completed; `failed`: only what has been tried in vain; `all`: everything again.
Reprocess = Literal["missing", "failed", "all"]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One interval of a plan. `last` is the run that the history has of it."""

    interval: Interval
    action: Action
    why: str
    last: StoredRun | None = None

    def as_dict(self) -> dict[str, Any]:
        last = self.last and self.last.run_id
        return {"interval": self.interval.name, "action": self.action, "why": self.why, "last_run": last}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked of a backfill. `code`: a hash of each block; `resumed`: the backfill that is gone on with."""

    variables_key: str
    code: Mapping[str, str]
    reprocess: Reprocess = "missing"
    resumed: str | None = None


def plan(found: Sequence[Interval], runs: Sequence[StoredRun], wish: Wish, now: datetime) -> list[Planned]:
    """The plan for the intervals. `runs` are those of the pipeline in these dates, newest first."""
    return [_planned(interval, last_run(interval, runs, wish.variables_key), wish, now) for interval in found]


def last_run(interval: Interval, runs: Sequence[StoredRun], key: str) -> StoredRun | None:
    """The newest run of this very interval with the same variables; one by hand has no end, and counts."""
    date, end = moment_text(interval.start), moment_text(interval.end)
    same = (run for run in runs if run.execution_date == date and run.variables_key == key)
    return next((run for run in same if run.interval_end in (None, end)), None)


def _planned(interval: Interval, last: StoredRun | None, wish: Wish, now: datetime) -> Planned:
    if interval.end > now:
        return Planned(interval=interval, action="not_yet", why=f"ends {interval.end:%Y-%m-%d %H:%M} UTC", last=last)
    runs, why = _decision(last, wish)
    return Planned(interval=interval, action="run" if runs else "skip", why=why, last=last)


def _decision(last: StoredRun | None, wish: Wish) -> tuple[bool, str]:
    if last is None:
        return wish.reprocess != "failed", "never run"
    if last.status == "completed":
        changed = sorted(uuid for uuid, code in wish.code.items() if last.code.get(uuid) not in (None, code))
        why = f"completed by {last.run_id}"
        if changed:
            why += f"; since then the code of {', '.join(changed)} has changed"
        if wish.reprocess == "all" and wish.resumed and last.backfill_id == wish.resumed:
            return False, f"{why}, in this backfill"
        return wish.reprocess == "all", why
    words = {
        "failed": "failed",
        "crashed": "crashed",
        "not_published": "was not published",
        "running": "is running",
    }
    is_interrupted = last.status == "failed" and (last.exit_code or 0) > 128
    why = f"{'interrupted' if is_interrupted else words.get(last.status, last.status)} in {last.run_id}"
    return wish.reprocess != "failed" or last.status in ("failed", "crashed", "running"), why
