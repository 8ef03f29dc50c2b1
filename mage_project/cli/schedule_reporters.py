"""How a scheduler is shown: lines for a terminal, a log file or a journal."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mage_project.characters import visible
from mage_project.cli.runs import MARKS
from mage_project.masking import masked

if TYPE_CHECKING:
    from mage_project.history.schedules import DueRun
    from mage_project.history.stores import Row
    from mage_project.schedule.children import Child
    from mage_project.web.listening import Address


class PlainWatcher:
    """A line for everything that happens, with the moment."""

    def leading(self) -> None:
        self._say("leading")

    def listening(self, address: Address) -> None:
        self._say(f"listening at {address.url}")
        if not address.is_loopback:
            what = "other machines can reach it: put it behind a proxy that speaks TLS, for tokens are sent in clear"
            self._say(f"warning: {what}")

    def standing_by(self) -> None:
        self._say("standing by: another scheduler leads")

    def started(self, run: DueRun, child: Child) -> None:
        self._say(f"{_name(run)}: started")

    def ended(self, run: DueRun) -> None:
        times = "" if run.due_count == 1 else f" to {moment_text(run.due_until)}, {run.due_count:,} of them"
        why = f": {run.reason}" if run.reason else ""
        self._say(f"{MARKS.get(run.status, '·')} {_name(run)}{times}: {run.status.replace('_', ' ')}{why}")

    def late(self, run: DueRun, sla_s: int) -> None:
        self._say(f"! {_name(run)}: has not ended {sla_s:,} s after it was due (sla)")

    def crashed(self, run: Row) -> None:
        self._say(f"{MARKS['crashed']} {run['run_id']} of {run['pipeline']}: crashed: {run['error']}")

    def backfill_crashed(self, backfill: Row) -> None:
        self._say(f"{MARKS['crashed']} backfill {backfill['backfill_id']} of {backfill['pipeline']}: crashed")

    def trouble(self, what: str) -> None:
        self._say(f"warning: {what}")

    def stopping(self, signum: int) -> None:
        self._say(f"{signal.Signals(signum).name}: the runs that have begun roll back, or finish their commit")

    def _say(self, line: str) -> None:
        shown = "\n".join(map(visible, masked(line).splitlines()))
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}  {shown}", flush=True)


def moment_text(seconds: float) -> str:
    """In ISO's format, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _name(run: DueRun) -> str:
    return f"{run.pipeline}.{visible(run.trigger_name)} due {moment_text(run.due_at)}"
