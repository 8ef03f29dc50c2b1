"""Tells the observers of a run that crashed, in its place: whoever has taken notice of it does so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project.history.facts import RESUMES, RunFacts
from mage_project.history.logs import path_of
from mage_project.history.patience import MOST
from mage_project.observers import observation
from mage_project.observers.configured import observers_of
from mage_project.observers.observation import Observation
from mage_project.project.command import command
from mage_project.runner import beginnings
from mage_project.runner.log import Log

#: So many runs are told of at once.
AT_ONCE = 8


def tell(root: Path, row: Mapping[str, Any], *, alerts: bool, again: str | None = None) -> list[str]:
    """Tell of the run of that row of the history, and say what did not work, a line each. Never raises, ends in time.

    `alerts`: whether people hear of it. `again`: the command that does the same again, where it is known.
    """
    facts = _facts(root, row)
    observers = observers_of(root, alerts=alerts, has_begun=True)
    next_ = again or beginnings.resuming(root, facts.run_id) or command(root, "runs", "show", facts.run_id)
    observed = Observation(observers, facts, again=next_, upstream={}, began=row["started_at"])
    lines = list(observed.end(_record(row), row["exit_code"] or 0, {}, at=row["ended_at"]))
    _note(root, facts.run_id, lines)
    return [line for line in lines if line.startswith("warning: ")]


def tell_side_by_side(root: Path, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell of all these runs, at most `AT_ONCE`, in the time of one. What did not work is said with the run's name."""
    said: dict[str, list[str]] = {}

    def tell_of(row: Mapping[str, Any]) -> None:
        try:
            said[row["run_id"]] = tell(root, row, alerts=bool(row["alerts"]))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one row, the others are told of
            said[row["run_id"]] = [f"warning: nobody is told: {type(error).__name__}: {error}"]

    threads = [threading.Thread(target=tell_of, args=(row,), name="crash", daemon=True) for row in rows]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + MOST * observation.PATIENCE_S + 1
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = [f"warning: no end within {observation.PATIENCE_S:g} s"]
    lines = [(row["run_id"], line) for row in rows for line in said.get(row["run_id"], silent)]
    return [f"warning: {run_id} crashed: {line.removeprefix('warning: ')}" for run_id, line in lines]


def reaches_somebody(root: Path, row: Mapping[str, Any]) -> bool:
    """Whether this process can tell anybody, as it is configured: addresses may come from the environment."""
    if any(True for _ in observers_of(root, alerts=False)):
        return True
    if not row["alerts"]:
        return False
    from mage_project.alerts.settings import read_alerts

    alerts, _ = read_alerts(root, row["pipeline"])
    return bool(alerts.channels) and "failure" in alerts.on


def _facts(root: Path, row: Mapping[str, Any]) -> RunFacts:
    trigger, end = row["trigger_name"] or "", row["interval_end"]
    resumes = trigger.removeprefix(RESUMES) if trigger.startswith(RESUMES) else None
    return RunFacts(
        run_id=row["run_id"],
        pipeline=row["pipeline"],
        root=root,
        variables=json.loads(row["variables"]),
        execution_date=datetime.fromisoformat(row["execution_date"]),
        interval_end=datetime.fromisoformat(end) if end else None,
        trigger_name=None if resumes else trigger or None,
        resumes=resumes,
        backfill_id=row["backfill_id"],
        parent_run_id=row["parent_run_id"],
        alerts=bool(row["alerts"]),
    )


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    """What `run --json` would print: nothing is known of the blocks."""
    known = {name: row[name] for name in ("status", "run_id", "pipeline", "seconds", "peak_rss_bytes", "error")}
    return {**known, "cpu_seconds": None, "blocks": [], "warnings": [], "resume": None}


def _note(root: Path, run_id: str, lines: list[str]) -> None:
    """Put it down in the log of the run, if there is one."""
    path = path_of(root, run_id)
    if not lines or not path.is_file():
        return
    log = Log(path)
    for line in lines:
        text = line.removeprefix("warning: ")
        log.write("info" if text == line else "warning", None, text, always=True)
    log.close()
