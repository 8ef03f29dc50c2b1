"""`mage-project schedule` and `mage-project scheduler`: the triggers of a project, and who starts their runs."""

from __future__ import annotations

import heapq
import json
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from mage_project.characters import visible
from mage_project.cli.options import AT_ONCE, project_option
from mage_project.cli.runs import MARKS
from mage_project.cli.schedule_reporters import PlainWatcher, moment_text
from mage_project.cli.trigger_showing import called, show
from mage_project.errors import ConfigError, UsageError
from mage_project.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mage_project.history.schedules import DueRun, TriggerState
    from mage_project.schedule.catalogue import Catalogue, Entry


@click.group()
def schedule() -> None:
    """The triggers of the project: when their runs are due, and what became of them."""


schedule.add_command(show)


def trigger_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """NAME and `--pipeline`."""
    named = click.argument("name")(command)
    return click.option("--pipeline", "-p", help="The pipeline, where several have a trigger of that name.")(named)


@schedule.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@project_option
def list_triggers(project: Project, as_json: bool) -> None:
    """List the triggers: the last due run of each, what became of it, and the next one."""
    from mage_project.cli.runs import store_of_project
    from mage_project.cli.tables import aligned
    from mage_project.history.schedules import leader

    found = catalogue_of(project)
    rows = [row_of(entry, state, last) | called(project, entry) for entry, state, last in known_of(project, found)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    lines = [
        (row["trigger"], row["pipeline"], row["schedule"], _status(row), _last(row), _short(row["next"]))
        for row in rows
    ]
    header = ("trigger", "pipeline", "schedule", "status", "last", "next")
    click.echo(aligned(header, _visible(lines)) if lines else "no triggers")
    for problem in [*(row["problem"] for row in rows if row["problem"]), *_mistakes(found)]:
        click.echo(f"warning: {problem}", err=True)
    if leader(store_of_project(project)) is None:
        click.echo("no scheduler is running: mage-project scheduler", err=True)


@schedule.command(name="next")
@click.option("--count", "-n", default=10, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@project_option
def next_runs(project: Project, count: int, as_json: bool) -> None:
    """Show which runs are due next, in the time of each trigger's zone and in UTC."""
    from mage_project.cli.tables import aligned

    now = datetime.now(UTC)
    coming = [
        _coming(entry, state, now)
        for entry, state, _ in known_of(project, catalogue_of(project))
        if entry.is_due_at_times and entry.status(state) == "active"
    ]
    found = list(islice(heapq.merge(*coming, key=lambda pair: pair[0]), count))
    if as_json:
        rows = [{"due": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "pipeline": e.pipeline, "trigger": e.trigger.name}
                for moment, e in found]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    clock = "%H:%M:%S" if any(moment.second for moment, _ in found) else "%H:%M"
    lines = [(f"{moment:%Y-%m-%d {clock}}", _local(entry, moment, clock), entry.trigger.name, entry.pipeline)
             for moment, entry in found]  # fmt: skip
    click.echo(aligned(("UTC", "there", "trigger", "pipeline"), _visible(lines)) if lines else "nothing is due")


@schedule.command(name="run-once")
@trigger_options
@click.option("--local", is_flag=True, help="Use the local stack, whatever io_config.yaml names.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@project_option
def run_once(project: Project, name: str, pipeline: str | None, local: bool, as_json: bool) -> None:
    """Run the pipeline of trigger NAME now, with the trigger's variables and settings, whatever its schedule says.

    Exit codes as of `run`.
    """
    from mage_project.history.starters import TRIGGER, VARIABLES, env_of_trigger, handed_over
    from mage_project.runner.variables import plain
    from mage_project.schedule.launches import settings_of

    entry = catalogue_of(project).find(name, pipeline)
    words = [*settings_of(entry.trigger), *(["--local"] if local else []), *(["--json"] if as_json else [])]
    run = [sys.executable, "-m", "mage_project", "run", entry.pipeline, "--project", str(project.root), *words]
    sys.stdout.flush()
    with handed_over(plain(entry.trigger.variables)) as variables:  # nobody sees them among the processes
        os.set_inheritable(variables, True)
        told = {TRIGGER: entry.trigger.name, VARIABLES: str(variables)}
        os.execve(run[0], run, {**os.environ, "ENV": env_of_trigger(), **told})  # noqa: S606 - our own command


@schedule.command()
@trigger_options
@project_option
def pause(project: Project, name: str, pipeline: str | None) -> None:
    """Let no run of trigger NAME come due until `resume`. What has begun goes on."""
    state = _changed(project, name, pipeline, paused=True)
    click.echo(f"{visible(state.trigger_name)} of {state.pipeline} is paused")


@schedule.command()
@trigger_options
@project_option
def resume(project: Project, name: str, pipeline: str | None) -> None:
    """Let runs of trigger NAME come due again, from now on. What was due in between is not made up for."""
    state = _changed(project, name, pipeline, paused=False)
    click.echo(f"{visible(state.trigger_name)} of {state.pipeline} is active")


@click.command()
@click.option("--jobs", "-j", default=4, show_default=True, type=AT_ONCE, help="How many runs at once.")
@click.option("--listen", metavar="HOST:PORT", help="Answer HTTP there: API triggers, /healthz, /metrics.")
@click.option("--local", is_flag=True, help="Use the local stack, whatever io_config.yaml names.")
@project_option
def scheduler(project: Project, jobs: int, listen: str | None, local: bool) -> None:
    """Start the runs of the project's triggers when they are due, until Ctrl-C or SIGTERM.

    It may be started twice: one leads, the other stands by, and takes over when the first one is gone.

    With --listen :6789 it can be asked for runs from this machine, with a token: docs/triggers.md.
    """
    from mage_project.schedule.signals import handled

    with handled(lambda *_: sys.exit(0)):  # until it begins to work: what it needs takes a moment to be imported
        _schedule(project, jobs, listen, local=local)


def _schedule(project: Project, jobs: int, listen: str | None, *, local: bool) -> None:
    from mage_project.cli.runs import store_of_project
    from mage_project.cli.serving import served
    from mage_project.schedule.alerting import Alerted
    from mage_project.schedule.scheduler import Scheduler

    store, plain = store_of_project(project), PlainWatcher()
    watcher = Alerted(plain, project.root)
    work = Scheduler(project.root, store, watcher, jobs=jobs, local=local)
    try:
        with served(project.root, store, work, listen, plain) if listen else nullcontext():
            work.run()
    finally:
        work.close()
        watcher.close()


def catalogue_of(project: Project) -> Catalogue:
    """The triggers that can be read; the rest is told. The error of a file where there are no others."""
    from mage_project.schedule.catalogue import catalogue

    found = catalogue(project.root)
    errors = list(found.unreadable.values())
    last = errors.pop() if errors and not found.entries else None
    for error in errors:
        click.echo(f"warning: {error}", err=True)
    if last is not None:
        raise last
    return found


def known_of(project: Project, found: Catalogue) -> list[tuple[Entry, TriggerState | None, DueRun | None]]:
    """Every trigger with what the history knows of it, and how its last due run stands: its scheduler may be gone."""
    from mage_project.cli.runs import store_of_project
    from mage_project.history import schedules
    from mage_project.schedule.recovery import recovered

    store = store_of_project(project)
    with store.transaction() as transaction:
        known = schedules.states(transaction)
        lasts = [schedules.due_runs(transaction, *entry.key, limit=1) for entry in found.entries]
    stand = [[recovered(store, run, may_still_begin=True) if run.status == "running" else run for run in last]
             for last in lasts]  # fmt: skip
    return [
        (entry, known.get(entry.key), last[0] if last else None)
        for entry, last in zip(found.entries, stand, strict=True)
    ]


def _changed(project: Project, name: str, pipeline: str | None, *, paused: bool) -> TriggerState:
    from mage_project.cli.runs import store_of_project
    from mage_project.history import schedules
    from mage_project.history.schedules import TriggerState

    entry = catalogue_of(project).find(name, pipeline)
    if entry.problem:
        raise entry.problem
    if not entry.is_active:
        what = f"trigger '{name}' is {entry.status(None)}: it has no runs that come due"
        where = f"{entry.trigger.path}:{entry.trigger.line}"
        raise UsageError(what, where=where, hint="write `status: active` there")
    store, now = store_of_project(project), datetime.now(UTC).timestamp()
    with store.transaction(write=True) as transaction:
        state = schedules.states(transaction).get(entry.key)
        if not paused and (state is None or state.paused_at is None):
            raise UsageError(f"trigger '{name}' is not paused", hint="mage-project schedule list")
        handled = now if entry.table else state.handled_at if state else None
        state = TriggerState(
            pipeline=entry.pipeline,
            trigger_name=entry.trigger.name,
            schedule=entry.schedule,
            handled_at=handled,
            paused_at=now if paused else None,
        )
        schedules.pause(transaction, state)
    return state


def _coming(entry: Entry, state: TriggerState | None, now: datetime) -> Iterator[tuple[datetime, Entry]]:
    from mage_project.schedule.due import upcoming

    handled = datetime.fromtimestamp(state.handled_at, UTC) if state and state.handled_at is not None else None
    return ((moment, entry) for moment in upcoming(entry.trigger, entry.table, handled, now))


def row_of(entry: Entry, state: TriggerState | None, last: DueRun | None) -> dict[str, Any]:
    """A trigger for `--json`: moments in ISO's format, UTC."""
    status, trigger = entry.status(state), entry.trigger
    coming = _coming(entry, state, datetime.now(UTC)) if entry.is_due_at_times and status == "active" else iter(())
    following = next(coming, None)
    return {
        "trigger": trigger.name,
        "pipeline": entry.pipeline,
        "type": trigger.schedule_type,
        "schedule": trigger.schedule_interval or trigger.schedule_type,
        "timezone": trigger.timezone or "UTC",
        "catch_up": trigger.catch_up,
        "status": status,
        "mistakes": trigger.flaws,
        "last": last and {"due": moment_text(last.due_until), "status": last.status, "reason": last.reason,
                          "run_id": last.run_id},
        "next": f"{following[0]:%Y-%m-%dT%H:%M:%SZ}" if following else None,
        "problem": str(entry.problem) if entry.problem else None,
    }  # fmt: skip


def _last(row: dict[str, Any]) -> str:
    last = row["last"]
    return f"{MARKS.get(last['status'], '·')} {_short(last['due'])} {last['status']}" if last else ""


def _short(moment: str | None) -> str:
    """To the minute, where the seconds say nothing."""
    return (moment or "").removesuffix("Z").removesuffix(":00").replace("T", " ")


def _local(entry: Entry, moment: datetime, clock: str) -> str:
    from mage_project.schedule.timetable import zone_of

    zone = zone_of(entry.trigger)
    return f"{moment.astimezone(zone):%a %Y-%m-%d {clock} %Z}"


def _visible(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Names come from files: none of them moves the cursor."""
    return [[visible(cell) for cell in line] for line in lines]


def _mistakes(found: Catalogue) -> Iterator[str]:
    """What is wrong in the files and does not count, each with its place."""
    for mistake in (mistake for mistakes in found.mistakes.values() for mistake in mistakes):
        yield str(ConfigError(mistake.message, where=mistake.place(found.root), hint=mistake.hint))


def _status(row: dict[str, Any]) -> str:
    flaws = row["mistakes"]
    return f"{row['status']}, {flaws} mistake{'s' if flaws > 1 else ''}" if flaws else str(row["status"])
