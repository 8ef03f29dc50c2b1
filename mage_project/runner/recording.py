"""Keeps a run in the history of its project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from mage_project import masking
from mage_project.history import starters
from mage_project.history.facts import RunFacts
from mage_project.history.ledger import Ledger
from mage_project.history.logs import path_of
from mage_project.history.stores import store_of
from mage_project.observers.configured import observers_of
from mage_project.observers.observation import Observation
from mage_project.project.command import command
from mage_project.runner import beginnings
from mage_project.runner.interrupts import Interrupted
from mage_project.runner.log import Log, Logged
from mage_project.runner.observing import Clocked
from mage_project.runner.run import Run
from mage_project.runner.variables import plain


@contextmanager
def recorded(run: Run, given: Mapping[str, Any], *, alert: bool = False) -> Iterator[None]:
    """Inside, the run goes on, and the history says so; then it says how the run ended, and observers are told.

    `alert`: whether people are to hear how it ended though no trigger has started it.
    """
    store = store_of(run.pipeline.root, lambda line: run.reporter.said(None, line))
    if run.part.resumes:
        from mage_project.runner import resumptions

        resumptions.claim(run.pipeline.root, run.part.resumes, run.record.run_id)
    log = _begun_log(run) if store is not None else None
    run.alerts = alert or _has_alerts(run)
    facts = _facts(run, given)
    run.trigger = None if facts.backfill_id else facts.trigger_name
    ledger = Ledger(store, facts, lambda line: run.reporter.said(None, line))
    observed = Observation(
        observers_of(facts.root, alerts=run.alerts),
        facts,
        again=_again(run, given, alert=alert),
        upstream={block.uuid: block.upstream for block in run.pipeline.blocks},
    )
    clocked = Clocked(run.reporter)
    if observed:
        run.reporter = clocked
    ledger.start()
    if log is not None and not log.trouble:
        beginnings.write(run)
    try:
        yield
    finally:
        # What comes only now finds a run that has ended already, and its entry should say how.
        with suppress(Interrupted), run.interrupts.shielded():
            ledger.end(run.record.as_dict(), run.record.exit_code)
            beginnings.remove(facts.root, facts.run_id)
        with suppress(Interrupted):  # nobody has to wait for those who are told
            for line in observed.end(run.record.as_dict(), run.record.exit_code, clocked.spans()):
                _note(run, log, line)
        if log is not None:
            _end_log(run, log)


def _begun_log(run: Run) -> Log:
    """From now on everything that is told of the run is in its log too."""
    root, run_id = run.pipeline.root, run.record.run_id
    log = Log(path_of(root, run_id), given_up=lambda: beginnings.remove(root, run_id))
    run.reporter = Logged(run.reporter, log)
    return log


def _note(run: Run, log: Log | None, line: str) -> None:
    """Say what did not work; what did is in the log only, for the last that is said of a run is how it ended."""
    if line.startswith("warning: "):
        run.reporter.said(None, line)
    elif log is not None:
        log.write("info", None, line)


def _end_log(run: Run, log: Log) -> None:
    log.end(run.record)
    if log.trouble:
        run.reporter.said(None, f"warning: the log of this run is not whole: {log.trouble}")


def _has_alerts(run: Run) -> bool:
    """Whether people hear of it unasked: a trigger has started it, or the run that it resumes had alerts."""
    if run.part.resumes:
        return run.part.alerts
    return starters.TRIGGER in os.environ and starters.BACKFILL not in os.environ


def _facts(run: Run, given: Mapping[str, Any]) -> RunFacts:
    pipeline = run.pipeline
    return RunFacts(
        run_id=run.record.run_id,
        pipeline=pipeline.uuid,
        root=pipeline.root,
        variables={**plain(pipeline.variables), **given, **_sample(run)},
        execution_date=run.variables["execution_date"],
        interval_end=run.variables["interval_end_datetime"],
        files={block.uuid: block.path for block in pipeline.blocks if block.runs and block.path},
        trigger_name=run.part.trigger if run.part.resumes else os.environ.pop(starters.TRIGGER, None),
        resumes=run.part.resumes,
        backfill_id=os.environ.pop(starters.BACKFILL, None),
        parent_run_id=os.environ.pop(starters.PARENT, None),
        alerts=os.environ.pop(starters.TELLS, None) is None and run.alerts,
    )


def _sample(run: Run) -> dict[str, Any]:
    """What tells the history that it is not a run of the whole."""
    if not run.limits.sample_rows:
        return {}
    from mage_project.runner.sampling import VARIABLE

    return {VARIABLE: run.limits.sample_rows}


def _again(run: Run, given: Mapping[str, Any], *, alert: bool) -> str:
    """The command for the same run once more, with `***` for secrets."""
    words = [
        word
        for name, value in given.items()
        for word in ("--var", f"{name}={masking.STARS if masking.is_private(name) else _text(value)}")
    ]
    options = [*(["--alert"] if alert else []), *(["--local"] if run.local else [])]
    env = os.environ.get("ENV") if run.trigger else None
    return command(run.pipeline.root, "run", run.pipeline.uuid, *options, *words, env=env)


def _text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value, default=str)
    except (TypeError, ValueError):  # Python's own callers may give anything
        return str(value)
