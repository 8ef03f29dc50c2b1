"""What runs leave in `.mage_project` beside the history, and what of it has been there long enough."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

#: What lies where, in `.mage_project`: the name of the last part begins with the run's, or is the backfill's.
_PLACES: Mapping[str, str] = {
    "log": "logs/*",
    "profile": "profiles/*",
    "failed rows": "failed_rows/*/*",
    "kept inputs": "resume/*",
    "crashed run": "begun/*",
    "backfill's logs": "backfills/*",
    "trigger's logs": "schedules/*/*/*",
    "broken history": "history.db.broken-*",
    "last outputs": "last_run/*",
}
_OF_RUNS = ("log", "profile", "failed rows", "kept inputs", "crashed run")
#: What a pipeline has only of its last run: it goes by age and size, and not for newer runs of other pipelines.
_LAST = "last outputs"


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A file or folder. `owner` is the run or backfill that it is of; `changed_at` is in seconds since 1970."""

    kind: str
    path: Path
    owner: str
    changed_at: float
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What stays; None where there is no limit."""

    keep_days: float | None = None
    keep_runs: int | None = None
    max_bytes: int | None = None


def leftovers(root: Path) -> list[Leftover]:
    """All there are, the newest first."""
    found = [_leftover(kind, path) for kind, place in _PLACES.items() for path in (root / ".mage_project").glob(place)]
    return sorted(found, key=lambda each: (each.changed_at, each.path), reverse=True)


def superfluous(
    every: Sequence[Leftover], limits: Limits, now: float, used: Collection[str]
) -> Iterator[tuple[Leftover, str]]:
    """Those that may go, and why. `every` has the newest first; what is of the runs and backfills in `used` stays."""
    runs = sorted({each.owner for each in every if each.kind in _OF_RUNS}, reverse=True)
    beyond = set() if limits.keep_runs is None else set(runs[limits.keep_runs :])
    total = 0
    for each in every:
        why = None if each.owner in used else _reason(each, limits, now, beyond, total + each.size_bytes)
        if why is None:
            total += each.size_bytes
        else:
            yield each, why


def remove(gone: Iterable[Leftover]) -> list[OSError]:
    """Remove them; what could not be removed."""
    trouble = []
    for each in gone:
        try:
            shutil.rmtree(each.path) if each.path.is_dir() else each.path.unlink(missing_ok=True)
        except OSError as error:
            trouble.append(error)
    return trouble


def _reason(each: Leftover, limits: Limits, now: float, beyond: Collection[str], total: int) -> str | None:
    if limits.keep_days is not None and now - each.changed_at > timedelta(days=limits.keep_days).total_seconds():
        return f"older than {limits.keep_days:g} days"
    if each.owner in beyond and each.kind != _LAST:
        return f"not of the last {limits.keep_runs} runs"
    if limits.max_bytes is not None and total > limits.max_bytes:
        return f"with newer ones more than {limits.max_bytes / 1e6:,.0f} MB"
    return None


def _leftover(kind: str, path: Path) -> Leftover:
    states = [each.lstat() for each in (path, *(path.rglob("*") if path.is_dir() else ()))]
    return Leftover(
        kind=kind,
        path=path,
        owner=_last_run(path) if kind == _LAST else path.name.split(".")[0],
        changed_at=max(state.st_mtime for state in states),
        size_bytes=sum(state.st_size for state in states),
    )


def _last_run(folder: Path) -> str:
    """The run that has left it: in its note, or still in the folder's name."""
    try:
        return str(json.loads((folder / "run.json").read_text())["run_id"])
    except (OSError, ValueError, KeyError):
        return folder.name.rpartition(".")[2]
