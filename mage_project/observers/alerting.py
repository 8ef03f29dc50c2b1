"""Tells people how a run ended."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from mage_project.alerts.channels import Alerts
from mage_project.alerts.sending import send
from mage_project.alerts.settings import read_alerts
from mage_project.alerts.words import Occasion
from mage_project.history import testament
from mage_project.history.facts import RunFacts
from mage_project.observers.check_warnings import check_warnings
from mage_project.observers.course import Course
from mage_project.project.command import command


class Alerting:
    """The alerts of one run. What is configured is read when it has ended: a run that is well needs none of it."""

    name = "alerts"

    def began(self, facts: RunFacts, at: float) -> None: ...

    def ended(self, course: Course) -> Sequence[str]:
        alerts, problems = read_alerts(course.facts.root, course.facts.pipeline)
        wrong = [f"warning: alerts: {each.message} ({each.place(course.facts.root)})" for each in problems]
        event = event_of(course, alerts)
        if event is None or not alerts.channels:
            return wrong
        return [*wrong, *(str(outcome) for outcome in send(alerts, occasion_of(course, event)))]


def event_of(course: Course, alerts: Alerts) -> str | None:
    """Which of the events that are asked for this is. None for a run that a signal has ended: somebody meant that."""
    status = course.record["status"]
    if status == "crashed" or (status == "failed" and (not course.is_interrupted or _is_left_alone(course))):
        found = ["failure"]
    elif status == "completed":
        found = [*(["warning"] if any(check_warnings(course.record["blocks"])) else []), "success"]
    else:
        found = []
    return next((event for event in found if event in alerts.on), None)


def tell_of_none(root: Path, pipeline: str, why: str, again: str) -> Iterator[str]:
    """Tell people of a run that could not begin, and say what did not work, a line each. Never raises, ends in time."""
    alerts, problems = read_alerts(root, pipeline)
    yield from (f"warning: alerts: {each.message} ({each.place(root)})" for each in problems)
    if "failure" in alerts.on and alerts.channels:
        status, host = "could not begin", socket.gethostname()
        told = Occasion(event="failure", pipeline=pipeline, status=status, error=why, resume=again, host=host)
        yield from (str(outcome) for outcome in send(alerts, told) if outcome.why is not None)


def _is_left_alone(course: Course) -> bool:
    """Whether the run has stopped because its command was killed, which no scheduler has started."""
    return course.facts.alerts and testament.mine is not None and testament.mine.is_alone


def _error(course: Course) -> str | None:
    said: str | None = course.record["error"]
    return f"its command is gone (killed), so it has stopped\n{said}" if _is_left_alone(course) else said


def occasion_of(course: Course, event: str) -> Occasion:
    facts, record = course.facts, course.record
    given = [block["rows_in"] for block in record["blocks"] if block["type"] == "data_exporter"]
    rows = [rows for rows in given if rows is not None]
    return Occasion(
        event=event,
        pipeline=facts.pipeline,
        status=record["status"],
        run_id=facts.run_id,
        trigger=facts.trigger_name,
        resumes=facts.resumes,
        execution_time=str(facts.execution_date),
        error="\n".join(check_warnings(record["blocks"])) if event == "warning" else _error(course),
        resume=(record["resume"] or course.again) if event == "failure" else None,
        log=command(facts.root, "runs", "logs", facts.run_id),
        host=socket.gethostname(),
        rows=max(rows) if rows else None,
        seconds=record["seconds"],
    )
