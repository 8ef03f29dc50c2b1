"""What a run writes down as it begins, so that it can be resumed though its process dies.

That is what it was given. How far it came is in its log; what it had in memory is lost, and made again. The file lies
in `.mage_project/begun/` as long as the run goes on.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.history import private
from mage_project.history.logs import block_statuses, path_of
from mage_project.project.command import command
from mage_project.runner.variables import plain

if TYPE_CHECKING:
    from mage_project.runner.run import Run


def write(run: Run) -> None:
    """Put it down. Not of a run of chosen blocks, whose others are not known to have run, or of a sample.

    A run never fails for it: where nothing can be written, or a variable cannot, it can only be run again.
    """
    is_whole = all(block.uuid in run.part.running for block in run.pipeline.blocks)
    if run.limits.sample_rows or not (is_whole or run.part.resumes):
        return
    with suppress(Exception):  # any class may refuse to be pickled in its own way
        content = pickle.dumps({**facts_of(run), "began": time.time()})
        private.folder(folder_of(run.pipeline.root))
        private.file(_path(run.pipeline.root, run.record.run_id)).write_bytes(content)


def remove(root: Path, run_id: str) -> None:
    """The run has ended, and said how; or another one has gone on with it."""
    with suppress(OSError):
        _path(root, run_id).unlink(missing_ok=True)


def begun_runs(root: Path) -> list[str]:
    """Those that have not said how they ended, newest first. `UsageError` where they are another user's."""
    private.check(folder_of(root))
    return sorted((path.stem for path in folder_of(root).glob("*.pickle")), reverse=True)


def read(root: Path, run_id: str) -> dict[str, Any]:
    """What it was given, and how each of its blocks stood when it was heard of last. Raises what a broken file does."""
    content = _path(root, run_id).read_bytes()
    begun: dict[str, Any] = pickle.loads(content)  # noqa: S301 - who can write there can write the blocks
    return {**begun, "statuses": begun["statuses"] | _reached(root, run_id, begun["statuses"])}


def resuming(root: Path, run_id: str) -> str | None:
    """The command that goes on with a run that has crashed. None where nothing of it was done, or is known of it.

    What is known of a run that nobody can go on with goes.
    """
    try:
        begun = read(root, run_id)
    except Exception:  # noqa: BLE001 - there is none, or it is broken: the run can be run again
        return None
    if "completed" not in begun["statuses"].values():
        remove(root, run_id)
        return None
    return command(root, "resume", run_id, *(["--local"] if begun["local"] else []))


def facts_of(run: Run) -> dict[str, Any]:
    """What a run was given, and how its blocks stand: of one that resumes another, also those that need not run."""
    pipeline, before = run.pipeline, run.part.statuses
    stand = {block.uuid: block.status for block in run.record.blocks if pipeline.block(block.uuid).runs}
    return {
        "run_id": run.record.run_id,
        "pipeline": pipeline.uuid,
        "local": run.local,
        "given": run.given,
        "variables": {**plain(pipeline.variables), **run.given},
        "execution_date": run.variables["execution_date"],
        "statuses": stand | {uuid: before[uuid] for uuid in stand if uuid not in run.part.running and uuid in before},
        "limits": run.limits,
        "trigger": run.trigger,
        "alerts": run.alerts,
    }


def _reached(root: Path, run_id: str, blocks: Collection[str]) -> dict[str, str]:
    """How the blocks stand of which the log tells. A dynamic child has begun when the first of its runs has."""
    try:
        told = block_statuses(path_of(root, run_id))
    except OSError:  # its log is gone: nothing is known to have been done
        return {}
    begun = {uuid.partition(":")[0] for uuid in told if uuid not in blocks}
    return {uuid: told.get(uuid, "running") for uuid in blocks if uuid in told or uuid in begun}


def folder_of(root: Path) -> Path:
    return root / private.TOP / "begun"


def _path(root: Path, run_id: str) -> Path:
    return folder_of(root) / f"{run_id}.pickle"
