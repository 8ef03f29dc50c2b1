"""Tells people how a backfill ended: once about the whole, not of each of its runs."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from mage_project.alerts.channels import Alerts
from mage_project.alerts.sending import send
from mage_project.alerts.settings import read_alerts
from mage_project.alerts.words import Occasion
from mage_project.history.crashes import WHY
from mage_project.history.stores import Row
from mage_project.project.command import command
from mage_project.project.model import Problem
from mage_project.schedule.receipts import Outcome, Receipt

#: So many intervals are named with what was wrong; the receipt has all of them.
_NAMED = 12


def tell(root: Path, receipt: Receipt, again: str) -> Iterator[str]:
    """Send the alert, if one is asked for, and say what did not work, a line each. Never raises, and ends in time.

    `again`: the command that goes on with what is not completed.
    """
    alerts, problems = read_alerts(root, receipt.pipeline)
    event = event_of(receipt, alerts)
    occasion = occasion_of(root, receipt, event, again) if event is not None else None
    yield from _told(root, alerts, problems, occasion)


def tell_of_crash(root: Path, row: Row) -> Iterator[str]:
    """The same of one whose process is gone, by its row of the history: whoever has taken notice of it does so."""
    alerts, problems = read_alerts(root, row["pipeline"])
    yield from _told(root, alerts, problems, _crash(root, row) if "failure" in alerts.on else None)


def reaches_somebody(root: Path, pipeline: str) -> bool:
    """Whether this process can tell anybody that one has crashed: addresses may come from the environment."""
    alerts, _ = read_alerts(root, pipeline)
    return bool(alerts.channels) and "failure" in alerts.on


def _told(root: Path, alerts: Alerts, problems: Sequence[Problem], occasion: Occasion | None) -> Iterator[str]:
    yield from (f"warning: alerts: {each.message} ({each.place(root)})" for each in problems)
    if occasion is not None and alerts.channels:
        yield from (str(outcome) for outcome in send(alerts, occasion) if outcome.why is not None)


def event_of(receipt: Receipt, alerts: Alerts) -> str | None:
    """Which of the events that are asked for this is; None for one that a signal has ended: somebody meant that."""
    if receipt.signum is not None:
        return None
    if receipt.status == "failed":
        found = ["failure"]
    else:
        found = [*(["warning"] if any(outcome.warnings for outcome in receipt.outcomes) else []), "success"]
    return next((event for event in found if event in alerts.on), None)


def occasion_of(root: Path, receipt: Receipt, event: str, again: str) -> Occasion:
    names = [outcome.interval.name for outcome in receipt.outcomes]
    totals = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in receipt.totals.items())
    return Occasion(
        event=event,
        subject="backfill",
        pipeline=receipt.pipeline,
        status=receipt.status,
        run_id=receipt.backfill_id,
        execution_time=names[0] if len(names) == 1 else f"{min(names)} to {max(names)}",
        error="\n".join([totals, *_shown(_warned(receipt) if event == "warning" else _failed(receipt))]),
        resume=again if event == "failure" else None,
        log=command(root, "runs", "list", "--backfill", receipt.backfill_id),
        host=socket.gethostname(),
        rows=receipt.rows,
        seconds=receipt.seconds,
    )


def _crash(root: Path, row: Row) -> Occasion:
    request = json.loads(row["request"])
    runs = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in row["runs"].items())
    return Occasion(
        event="failure",
        subject="backfill",
        pipeline=row["pipeline"],
        status="crashed",
        run_id=row["backfill_id"],
        execution_time=f"{request['start']} to {request['end'] or 'now'}",
        error=f"{WHY}\nits runs: {runs or 'none'}",
        resume=row["again"],
        log=command(root, "runs", "list", "--backfill", row["backfill_id"]),
        host=row["host"].split()[0],
        seconds=row["ended_at"] - row["started_at"],
    )


def _failed(receipt: Receipt) -> Iterator[str]:
    for outcome in receipt.outcomes:
        if outcome.is_failure:
            yield f"{outcome.interval.name}: {outcome.status}: {_first_line(outcome)}"


def _warned(receipt: Receipt) -> Iterator[str]:
    for outcome in receipt.outcomes:
        yield from (f"{outcome.interval.name}: {warning}" for warning in outcome.warnings)


def _shown(lines: Iterator[str]) -> list[str]:
    every = list(lines)
    more = len(every) - _NAMED
    return every if more <= 0 else [*every[:_NAMED], f"and {more} more"]


def _first_line(outcome: Outcome) -> str:
    return (outcome.error or outcome.why or "it said nothing").splitlines()[0]
