"""The triggers of a project as its files say at the moment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from mage_project.characters import visible
from mage_project.errors import ConfigError, MageProjectError, UsageError, did_you_mean
from mage_project.history.schedules import TriggerState
from mage_project.project import Project, Trigger
from mage_project.project.checking import Checker
from mage_project.project.concurrency import Concurrency, of_pipeline
from mage_project.project.model import Problem
from mage_project.project.triggers import read_triggers
from mage_project.schedule.timetable import Timetable, place, timetable

#: The trigger that Mage itself writes for the runs that global data products start: no time makes it due.
_OF_DATA_PRODUCTS = "GLOBAL_DATA_PRODUCT_TRIGGER"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A trigger of a pipeline. `problem` says why it can never be due."""

    pipeline: str
    trigger: Trigger
    table: Timetable | None = None
    problem: MageProjectError | None = None
    concurrency: Concurrency = field(default_factory=Concurrency)

    @property
    def key(self) -> tuple[str, str]:
        return self.pipeline, self.trigger.name

    @property
    def is_watching(self) -> bool:
        """Whether something that appears makes it due."""
        return self.trigger.schedule_type == "event" and self.is_active

    @property
    def number(self) -> int:
        """What stands for it in an address."""
        return number_of(*self.key)

    @property
    def schedule(self) -> str:
        """What its due moments come from: when that changes, it begins anew."""
        if self.trigger.watch:
            return f"{self.trigger.watch.lookback} of {' '.join(self.trigger.watch.addresses)}"
        return f"{self.trigger.schedule_interval} {self.trigger.timezone or 'UTC'} from {self.trigger.start_time}"

    def status(self, state: TriggerState | None) -> str:
        """Whether runs of it come due, or why not."""
        if self.problem:
            return "broken"
        if self.trigger.status != "active":
            return "inactive"
        if self.trigger.envs and _environment() not in self.trigger.envs:
            return f"not in {_environment()}"
        return "paused" if state and state.paused_at is not None else "active"

    @property
    def is_active(self) -> bool:
        """Whether runs of it come due, unless it is paused."""
        return self.status(None) == "active"

    @property
    def is_due_at_times(self) -> bool:
        """Whether a timetable makes it due."""
        return self.trigger.schedule_type == "time" and self.is_active


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Every trigger of the project in `root`; `unreadable` are the pipelines whose triggers.yaml cannot be read now.

    `mistakes`: what is wrong in the others' files, and does not count, by pipeline.
    """

    root: Path
    entries: Sequence[Entry]
    unreadable: dict[str, MageProjectError]
    mistakes: dict[str, list[Problem]] = field(default_factory=dict)

    def find(self, name: str, pipeline: str | None = None) -> Entry:
        """The trigger of that name. `UsageError` for none, or for several in different pipelines."""
        found = [entry for entry in self.entries if entry.trigger.name == name and pipeline in (None, entry.pipeline)]
        if not found:
            names = [entry.trigger.name for entry in self.entries]
            unread = f"; those of {', '.join(self.unreadable)} cannot be read now" if self.unreadable else ""
            hint = f"triggers here: {visible(', '.join(sorted(set(names))) or 'none')}{unread}"
            raise UsageError(f"there is no trigger '{name}'.{did_you_mean(name, names)}", hint=hint)
        if len(found) > 1:
            pipelines = ", ".join(entry.pipeline for entry in found)
            raise UsageError(f"several pipelines have a trigger '{name}': {pipelines}", hint="--pipeline says which")
        return found[0]


def catalogue(root: Path) -> Catalogue:
    """Read them. What is wrong with one keeps no other from its work."""
    entries: list[Entry] = []
    unreadable: dict[str, MageProjectError] = {}
    mistakes: dict[str, list[Problem]] = {}
    for uuid in Project(root).uuids:
        path = root / "pipelines" / uuid / "triggers.yaml"
        try:
            checker = Checker(path)
            triggers = list(read_triggers(path, checker))
            limits = _limits(path) if triggers else Concurrency()
        except ConfigError as error:
            unreadable[uuid] = error.within(root)
            continue
        if wrong := [each for each in checker.problems if not each.warning]:
            mistakes[uuid] = wrong
        entries += [replace(entry_of(root, uuid, each), concurrency=limits) for each in triggers if each.name]
    return Catalogue(root=root, entries=_first_of_each_name(entries), unreadable=unreadable, mistakes=mistakes)


def number_of(pipeline: str, name: str) -> int:
    """A number that is the same wherever the trigger has the same name: Mage's are those of a database."""
    digest = hashlib.sha256(f"{pipeline}\n{name}".encode()).digest()
    return int.from_bytes(digest[:6])  # JavaScript knows no larger ones


def asked_for(root: Path, pipeline: str, name: str) -> Entry:
    """The trigger of a run that no file speaks of: somebody has asked for it."""
    trigger = Trigger(name=name, schedule_type="api", status="active")
    return Entry(
        pipeline=pipeline, trigger=trigger, concurrency=_limits(root / "pipelines" / pipeline / "triggers.yaml")
    )


def stamp(root: Path) -> frozenset[tuple[str, int, int]]:
    """Differs when a file has changed that the catalogue comes from."""
    found = []
    for name in ("metadata.yaml", "triggers.yaml"):
        for path in (root / "pipelines").glob(f"*/{name}"):
            with suppress(FileNotFoundError):  # gone in between
                status = path.stat()
                found.append((str(path), status.st_mtime_ns, status.st_size))
    return frozenset(found)


def entry_of(root: Path, uuid: str, trigger: Trigger) -> Entry:
    """The trigger with its timetable, or with what is wrong with it."""
    if trigger.schedule_type == "event" and not trigger.watch:
        return Entry(pipeline=uuid, trigger=trigger, problem=_blind(trigger).within(root))
    if trigger.schedule_type != "time":
        return Entry(pipeline=uuid, trigger=trigger)
    if trigger.name == _OF_DATA_PRODUCTS and not trigger.schedule_interval:
        return Entry(pipeline=uuid, trigger=replace(trigger, status="inactive"))
    try:
        return Entry(pipeline=uuid, trigger=trigger, table=timetable(trigger))
    except ConfigError as error:
        return Entry(pipeline=uuid, trigger=trigger, problem=error.within(root))


def _blind(trigger: Trigger) -> ConfigError:
    hint = f"mage_project: {{{trigger.name}: {{watch: an address, a file or a folder}}}}"
    what = f"event trigger '{trigger.name}' watches nothing here: the events that Mage gets from AWS do not come"
    return ConfigError(what, where=place(trigger), hint=hint)


def _limits(triggers: Path) -> Concurrency:
    """The pipeline's; what is wrong with them keeps its runs from beginning, and they say so."""
    path = triggers.with_name("metadata.yaml")
    return of_pipeline(path, Checker(path))


def _first_of_each_name(entries: Sequence[Entry]) -> list[Entry]:
    """By its name the history knows a trigger; `check` tells of a second one."""
    return list({entry.key: entry for entry in reversed(entries)}.values())[::-1]


def _environment() -> str:
    """As Mage names it: `ENV`, or dev."""
    return os.environ.get("ENV", "dev")
