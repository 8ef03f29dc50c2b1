"""Keeps a run in the history of its project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from mage_project.history.facts import RunFacts
from mage_project.history.ledger import Ledger
from mage_project.history.stores import store_of
from mage_project.runner.interrupts import Interrupted
from mage_project.runner.run import Run
from mage_project.runner.variables import plain

#: Set for the runs that a backfill starts. A run takes them out again: what its blocks start is not the backfill's.
TRIGGER, BACKFILL = "MAGE_PROJECT_TRIGGER", "MAGE_PROJECT_BACKFILL"


@contextmanager
def recorded(run: Run, given: Mapping[str, Any]) -> Iterator[None]:
    """Inside, the run goes on, and the history says so; then it says how the run ended."""
    ledger = _ledger(run, given, lambda line: run.reporter.said(None, line))
    ledger.start()
    try:
        yield
    finally:
        # What comes only now finds a run that has ended already, and its entry should say how.
        with suppress(Interrupted), run.interrupts.shielded():
            ledger.end(run.record.as_dict(), run.record.exit_code)


def _ledger(run: Run, given: Mapping[str, Any], told: Callable[[str], None]) -> Ledger:
    pipeline = run.pipeline
    facts = RunFacts(
        run_id=run.record.run_id,
        pipeline=pipeline.uuid,
        root=pipeline.root,
        variables={**plain(pipeline.variables), **given},
        execution_date=run.variables["execution_date"],
        interval_end=run.variables["interval_end_datetime"],
        files={block.uuid: block.path for block in pipeline.blocks if block.runs and block.path},
        trigger_name=os.environ.pop(TRIGGER, None),
        backfill_id=os.environ.pop(BACKFILL, None),
    )
    return Ledger(store_of(pipeline.root, told), facts, told)
