"""Runs that a block starts: each in a process of its own that ends with the run it belongs to, or by a scheduler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project.errors import BlockError, HistoryUnavailable
from mage_project.history import occasions, schedules, starters
from mage_project.history.occasions import Occasion
from mage_project.history.stores import Store, store_of
from mage_project.mage_ai.parentage import parent, started

#: A pipeline that has led to itself so often would do so for ever; and no chain is longer than that.
_SELVES, _LONGEST = 3, 10
#: How long a run that is told to stop may take to roll back, or to finish its commit.
_FAREWELL_S = 120.0
_PAUSE_S = 0.1
#: Lines at the end of what a run says, where it does not say that it failed.
_TAIL = 5


class ChildRun:
    """A run that a block has started, in a process of its own."""

    def __init__(self, root: Path, pipeline: str, variables: Mapping[str, Any], trigger: str, *, local: bool) -> None:
        self.pipeline = pipeline
        self.run_id = starters.new_run_id()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the run
        alive, self._alive = os.pipe()
        words = ["run", pipeline, "--project", str(root), *(["--local"] if local else []), *_sample()]
        names = {
            starters.TRIGGER: trigger,
            starters.RUN: self.run_id,
            starters.ALIVE: str(alive),
            **_of_parent(),
        }
        try:
            with starters.handed_over(variables) as handed:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "mage_project", *words],
                    env={
                        **starters.own_environment(),
                        **names,
                        "ENV": starters.env_of_trigger(),
                        starters.VARIABLES: str(handed),
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=self._said,
                    stderr=self._said,
                    pass_fds=[alive, handed],
                    start_new_session=True,
                )
        except BaseException:
            self._close()
            raise
        finally:
            os.close(alive)

    @property
    def status(self) -> str:
        """running, completed or failed."""
        code = self._process.poll()
        return "running" if code is None else "failed" if code else "completed"

    def stop(self) -> None:
        """Let it roll back, or finish its commit, and wait until it has."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def last_words(self) -> str:
        """What the run said of its failure, a line each, and lets go of it. It must have ended."""
        self._said.seek(0)
        text = self._said.read().decode(errors="replace")
        self._close()
        lines = [line for line in text.splitlines() if line.strip()]
        ends = [place for place, line in enumerate(lines) if line.startswith(f"✗ {self.pipeline} ")]
        told = lines[ends[-1] + 1 :] if ends else []
        told = [line for line in told if not line.startswith("  next:")] or lines[-_TAIL:]
        return "\n".join(f"    {line}" for line in told) or f"    exit code {self._process.returncode}"

    def _close(self) -> None:
        """The write end of the pipe is how the run knows that we are here."""
        if self._alive >= 0:
            os.close(self._alive)
            self._alive = -1
        self._said.close()


def start(root: Path, pipeline: str, variables: Mapping[str, Any], trigger: str, *, local: bool) -> ChildRun:
    """Begin a run. `BlockError` where pipelines start each other without an end."""
    _check_line(pipeline)
    child = ChildRun(root, pipeline, _with_date(variables), trigger, local=local)
    started.append(child)
    return child


def wait(child: ChildRun, seconds: float | None, *, every_s: float, told: Callable[[str], None]) -> str:
    """Wait until the run has ended, and say how; `told` hears how it stands, at most every `every_s`.

    `TimeoutError` when it has taken longer than `seconds`: then, and when the wait is interrupted, the run is stopped.
    """
    began = heard = time.monotonic()
    try:
        while child.status == "running":
            now = time.monotonic()
            if seconds and now - began > seconds:
                raise TimeoutError
            if now - heard >= every_s:
                heard = now
                told(child.status)
            time.sleep(min(_PAUSE_S, every_s) if every_s > 0 else _PAUSE_S)
    except BaseException:
        started.remove(child)
        child.stop()
        raise
    started.remove(child)
    return child.status


def leave_to_scheduler(root: Path, pipeline: str, variables: Mapping[str, Any], trigger: str) -> Occasion | None:
    """Put the run down for the scheduler that leads; None where there is none, or this run is a sample."""
    _check_line(pipeline)
    store = history(root)
    if store is None or _sample():
        return None
    given = {**variables}
    above = parent()
    date = given.pop("execution_date", None) or (above.execution_date if above else None)
    occasion = Occasion(
        pipeline=pipeline,
        trigger_name=trigger,
        kind="pipeline",
        variables=json.loads(json.dumps(given, default=str)),
        execution_date=date.isoformat() if isinstance(date, datetime) else date,
        parent_run_id=above.run_id if above else None,
        line=above.line if above else (),
    )
    try:
        if schedules.leader(store) is None:
            return None
        with store.transaction(write=True) as transaction:
            return occasions.put(store, transaction, occasion)[0]
    except HistoryUnavailable:
        return None


def history(root: Path) -> Store | None:
    """The history of the project, unless it is switched off."""
    return store_of(root, lambda _line: None)


def _check_line(pipeline: str) -> None:
    above = parent()
    line = above.line if above else ()
    if line.count(pipeline) < _SELVES and len(line) < _LONGEST:
        return
    raise BlockError(
        f"pipelines start each other without an end: {' → '.join((*line, pipeline))}",
        hint="start the next one only where there is more to do; many dates in a row: mage-project backfill",
    )


def _sample() -> list[str]:
    """What makes the run a sample where its parent is one: nothing of the whole is written for a try."""
    above = parent()
    return ["--sample", str(above.sample_rows)] if above and above.sample_rows else []


def _of_parent() -> dict[str, str]:
    if (above := parent()) is None:
        return {}
    return {starters.PARENT: above.run_id, starters.LINE: json.dumps(above.line)}


def _with_date(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The parent's execution date, unless another one is given."""
    above = parent()
    date = {"execution_date": above.execution_date.isoformat()} if above else {}
    return {**date, **variables}
