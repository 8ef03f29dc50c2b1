"""What a run writes down as it begins, so that it can be resumed though its process dies.

That is what it was given. How far it came is in its log; what it had in memory is lost, and made again. The file lies
in `.mage_project/begun/` as long as the run goes on.
"""

from __future__ import annotations

import json
import math
import pickle
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.history import private
from mage_project.history.leases import Holder, this_process
from mage_project.history.logs import block_statuses, path_of
from mage_project.project import Block, Pipeline
from mage_project.project.command import command
from mage_project.runner.records import BlockRecord
from mage_project.runner.variables import plain

if TYPE_CHECKING:
    from mage_project.history.stores import Store
    from mage_project.runner.run import Run


def write(run: Run) -> None:
    """Put it down. Not of a run of chosen blocks, whose others are not known to have run, or of a sample.

    A run never fails for it: where nothing can be written, or a variable cannot, it can only be run again.
    """
    is_whole = all(block.uuid in run.part.running for block in run.pipeline.blocks)
    if run.limits.sample_rows or not (is_whole or run.part.resumes):
        return
    with suppress(Exception):  # any class may refuse to be pickled in its own way
        content = pickle.dumps({**facts_of(run), **_of_now(run.pipeline)})
        private.folder(folder_of(run.pipeline.root))
        private.file(path_in(run.pipeline.root, run.record.run_id)).write_bytes(content)


def remove(root: Path, run_id: str) -> None:
    """The run has ended, and said how; or another one has gone on with it."""
    with suppress(OSError):
        path_in(root, run_id).unlink(missing_ok=True)


def begun_runs(root: Path) -> list[str]:
    """Those that have not said how they ended, newest first. `UsageError` where they are another user's."""
    private.check(folder_of(root))
    return sorted((path.stem for path in folder_of(root).glob("*.pickle")), reverse=True)


def read(root: Path, run_id: str) -> dict[str, Any]:
    """What it was given, and how each of its blocks stood when it was heard of last.

    Raises what a broken file does; OSError where its log is gone, which alone tells how far it came.
    """
    content = path_in(root, run_id).read_bytes()
    begun: dict[str, Any] = pickle.loads(content)  # noqa: S301 - who can write there can write the blocks
    told = block_statuses(path_of(root, run_id))
    went_down, _ = begun.pop("boot") != _boot(), begun.pop("holder")
    return {**begun, **_reached(begun["statuses"], told), "went_down": went_down}


def goes_on(root: Path, run_id: str, store: Store | None) -> bool:
    """Whether the run, of which there is a beginning, has not ended. Of a process elsewhere only the history knows."""
    from mage_project.history.runs import named

    run = named(store, run_id) if store else None
    if run is not None:
        return run.is_running
    holder: Holder = pickle.loads(path_in(root, run_id).read_bytes())["holder"]  # noqa: S301 - see above
    return not holder.is_here or holder.lives(0, math.inf)


def resuming(root: Path, run_id: str) -> str | None:
    """The command that goes on with a run that has crashed. None where it would do everything, or nothing is known."""
    try:
        begun = read(root, run_id)
    except Exception:  # noqa: BLE001 - there is none, or it is broken: the run can be run again
        return None
    is_begun = begun["partly"] or "completed" in begun["statuses"].values()
    return command(root, "resume", run_id) if is_begun else None


def facts_of(run: Run) -> dict[str, Any]:
    """What a run was given, and how its blocks stand: of one that resumes another, also those that need not run."""
    pipeline, before = run.pipeline, run.part.statuses
    records = [record for record in run.record.blocks if pipeline.block(record.uuid).runs]
    stand = {record.uuid: record.status for record in records}
    return {
        "run_id": run.record.run_id,
        "pipeline": pipeline.uuid,
        "local": run.local,
        "given": run.given,
        "variables": {**plain(pipeline.variables), **run.given},
        "execution_date": run.variables["execution_date"],
        "environment": run.environment.get("ENV"),
        "statuses": stand | {uuid: before[uuid] for uuid in stand if uuid not in run.part.running and uuid in before},
        "partly": {record.uuid: part for record in records if record.status != "completed" and (part := _part(record))},
        "limits": run.limits,
        "trigger": run.trigger,
        "alerts": run.alerts,
    }


def configured(block: Block) -> str:
    """What the pipeline says of a block: what makes it what it is, beside its file."""
    return json.dumps([block.upstream, plain(block.configuration), block.language], default=str)


def _of_now(pipeline: Pipeline) -> dict[str, Any]:
    code = {block.uuid: configured(block) for block in pipeline.blocks if block.runs}
    return {"code": code, "began": time.time(), "holder": this_process(), "boot": _boot()}


def _part(record: BlockRecord) -> str:
    """What a block has done that has not come to its end."""
    done = sum(child.status == "completed" for child in record.children or ())
    return ", ".join([*record.written, *record.published, *([f"{done} of its runs"] if done else [])])


def _reached(blocks: Mapping[str, str], told: Mapping[str, str]) -> dict[str, Any]:
    """How the blocks stand of which the log tells. A dynamic child has begun when the first of its runs has."""
    statuses = {uuid: told.get(uuid, status) for uuid, status in blocks.items()}
    done: Counter[str] = Counter()
    for uuid, status in told.items():
        parent = uuid.partition(":")[0]
        if uuid not in blocks and statuses.get(parent) != "completed":
            statuses[parent] = "running"
            done[parent] += status == "completed"
    return {"statuses": statuses, "partly": {uuid: f"{count} of its runs" for uuid, count in done.items() if count}}


def _boot() -> str:
    """Which start of the machine this is, where it can be known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return ""


def folder_of(root: Path) -> Path:
    return root / private.TOP / "begun"


def path_in(root: Path, run_id: str) -> Path:
    return folder_of(root) / f"{run_id}.pickle"
