"""The log of a run: JSON lines with time, block, level and text, in `.mage_project/logs/<run>.jsonl`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mage_project.errors import UsageError
from mage_project.history import private

#: The last line of a log has this key: what the run's status was.
ENDED = "status"
#: The lines that tell that a block has begun, and that it has ended, have this one: how it stands.
BLOCK_STATUS = "block_status"
_STATUS_KEY = BLOCK_STATUS.encode()
LEVELS = ("debug", "info", "warning", "error", "critical")
#: How often a log that is followed is looked at.
_LOOK_S = 0.2

Line = dict[str, Any]


def folder_of(root: Path) -> Path:
    return root / ".mage_project" / "logs"


def path_of(root: Path, run_id: str) -> Path:
    return folder_of(root) / f"{run_id}.jsonl"


def find(root: Path, run_id: str) -> Path:
    """The log of a run, by its name or the beginning of it. `UsageError` for none, several, and another user's."""
    private.check(folder_of(root))
    found = sorted(path for path in folder_of(root).glob("*.jsonl") if path.name.startswith(run_id))
    exact = [path for path in found if path.stem == run_id]
    if not found:
        raise UsageError(f"there is no log of a run '{run_id}'", hint="mage-project runs list")
    if len(found) > 1 and not exact:
        raise UsageError(f"the logs of several runs begin with '{run_id}'", hint="give more of the run's name")
    return (exact or found)[0]


def lines(path: Path) -> Iterator[Line]:
    """The lines of a log, as far as it is written."""
    with path.open("rb") as file:
        yield from _complete(file.readlines())


def block_statuses(path: Path) -> dict[str, str]:
    """How the blocks stand that have begun, of a run that may go on. Logs are long, and few of their lines say so."""
    with path.open("rb") as file:
        found = _complete([line for line in file if _STATUS_KEY in line])
        return {line["block"]: line[BLOCK_STATUS] for line in found if line.get("block") and BLOCK_STATUS in line}


def follow(path: Path, lives: Callable[[], bool], *, wait: Callable[[float], None] = time.sleep) -> Iterator[Line]:
    """The lines of a log as they come, until the run has said how it ended, or no longer `lives`."""
    rest = b""
    with path.open("rb") as file:
        while True:
            goes_on = lives()  # asked first: what it wrote before it died is read all the same
            *whole, rest = (rest + file.read()).split(b"\n")
            for line in _complete(whole):
                yield line
                goes_on = goes_on and ENDED not in line
            if not goes_on:
                return
            wait(_LOOK_S)


def _complete(whole: list[bytes]) -> Iterator[Line]:
    """A run that was killed may have left half a line."""
    for text in whole:
        try:
            yield json.loads(text)
        except ValueError:
            continue
