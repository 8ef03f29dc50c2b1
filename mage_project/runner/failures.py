"""What a failed run leaves, so that it can be resumed: the values that were in memory and that what is left reads.

They lie in `.mage_project/resume/<run_id>/`, written when the run has failed, not before. A stream is not kept: it is
read again from its loader. Values are pickled, for they must come back as they were, whatever they are; whoever can
write to that folder can write the blocks themselves.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mage_project.history import private
from mage_project.project import Block, Pipeline
from mage_project.project.command import command
from mage_project.project.modules import modules
from mage_project.runner import beginnings
from mage_project.runner.limits import Limits
from mage_project.runner.parts import needed, what_runs
from mage_project.runner.variables import plain

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: Days after which nobody resumes a run any more.
KEPT_DAYS = 14
#: What a failure has that an older version has kept.
_UNLIMITED = Limits()
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_FAILURE, _DONE = "failure.pickle", "resumed.json"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that failed. `given` are the variables that it was given, `variables` those with the pipeline's own.

    `limits` are those it ran within, `trigger` what had started it, `alerts` says whether people hear of it.
    `kept` names the blocks whose outputs are kept, `lost` those whose outputs could not be. `code` has a hash of each
    block: its file, the project's modules that it imports, and how the pipeline configures it.

    `began`: when a run began (seconds since 1970) that has crashed. Nothing is kept then of what it had in memory,
    `sources` and `context` included.
    """

    run_id: str
    pipeline: str
    local: bool
    given: Mapping[str, Any]
    variables: Mapping[str, Any]
    execution_date: Any
    statuses: Mapping[str, str]
    code: Mapping[str, str] = _NOTHING
    sources: Mapping[str, Any] = _NOTHING
    context: Mapping[str, Any] = _NOTHING
    limits: Limits = _UNLIMITED
    trigger: str | None = None
    alerts: bool = False
    kept: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    began: float | None = None


def folder_of(root: Path, run_id: str = "") -> Path:
    return root / ".mage_project" / "resume" / run_id


def keep(run: Run, at_hand: Mapping[str, Any]) -> str | None:
    """Keep what the rest of the run needs of the values `at_hand`. Returns the command that resumes the run.

    None where everything would run again anyway, or nothing can be written.
    """
    folder = folder_of(run.pipeline.root, run.record.run_id)
    fresh = folder.with_name(f"{folder.name}.new")
    try:
        failure = _failure(run)
        if not _saves_work(failure, _left(run, failure, at_hand, ())):
            return None
        private.folder(fresh)
        failure = _written(run, failure, at_hand, fresh)
        if not _saves_work(failure, _left(run, failure, at_hand, failure.lost)):
            shutil.rmtree(fresh)
            return None
        fresh.rename(folder)
    except Exception as error:  # noqa: BLE001 - whatever a value does when it is pickled, the run has an error to tell
        shutil.rmtree(fresh, ignore_errors=True)
        run.warned(None, f"what was done could not be kept to resume this run: {error}")
        return None
    return command(run.pipeline.root, "resume", failure.run_id, *(["--local"] if failure.local else []))


def _failure(run: Run) -> Failure:
    pipeline = run.pipeline
    code = {block.uuid: fingerprint(pipeline, block) for block in pipeline.blocks if block.runs}
    return Failure(**beginnings.facts_of(run), code=code, sources=run.sources, context=run.context)


def _saves_work(failure: Failure, left: set[str]) -> bool:
    return any(status == "completed" and uuid not in left for uuid, status in failure.statuses.items())


def _left(run: Run, failure: Failure, at_hand: Mapping[str, Any], lost: tuple[str, ...]) -> set[str]:
    kept = at_hand.keys() - {*lost}
    return set(what_runs(run.pipeline, failure.statuses, kept=kept, tables=failure.sources))


def _written(run: Run, failure: Failure, at_hand: Mapping[str, Any], folder: Path) -> Failure:
    """Write the values, then the failure. What cannot be pickled is lost: its block will run again."""
    kept: set[str] = set()
    lost: tuple[str, ...] = ()
    while True:
        left = _left(run, failure, at_hand, lost)
        wanted = [uuid for uuid in needed(run.pipeline, left) if uuid in at_hand and uuid not in (*kept, *lost)]
        if not wanted:
            break
        for uuid in wanted:
            if _pickled(at_hand[uuid], folder / _file_name(uuid)):
                kept.add(uuid)
            else:
                lost = (*lost, uuid)
    failure = replace(failure, kept=tuple(sorted(kept)), lost=lost)
    private.file(folder / _FAILURE).write_bytes(pickle.dumps(failure))
    _sweep(run.pipeline.root)
    return failure


def _sweep(root: Path) -> None:
    """Remove what nobody resumes any more."""
    for old in (*folder_of(root).iterdir(), *beginnings.folder_of(root).glob("*")):
        if time.time() - old.stat().st_mtime > KEPT_DAYS * 86_400:
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)


def _pickled(value: Any, path: Path) -> bool:
    try:
        with private.file(path).open("wb") as file:
            pickle.dump(value, file, protocol=5)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - any class may refuse in its own way: told in the plan
        path.unlink()
        return False
    return True


def _file_name(uuid: str) -> str:
    return f"{uuid.replace('/', '__')}.pickle"


def fingerprint(pipeline: Pipeline, block: Block) -> str:
    """A hash of what makes the block what it is. Its place in the file does not."""
    of_pipeline = json.dumps([block.upstream, plain(block.configuration), block.language], default=str, sort_keys=True)
    found = hashlib.sha256(of_pipeline.encode())
    for path in _files(pipeline, block):
        with suppress(OSError):
            found.update(path.read_bytes())
    return found.hexdigest()


def is_newer(pipeline: Pipeline, block: Block, moment: float) -> bool:
    """Whether a file of the block, or of the project's modules that it imports, has changed since then."""
    return any(path.stat().st_mtime > moment for path in _files(pipeline, block) if path.is_file())


def _files(pipeline: Pipeline, block: Block) -> list[Path]:
    return sorted({block.path, *modules(pipeline.root, block.path)}) if block.path else []


# -- what was kept


def kept_runs(root: Path) -> list[str]:
    """The runs of which something is kept, newest first. `UsageError` where they are another user's."""
    private.check(folder_of(root))
    found = [path.parent for path in folder_of(root).glob(f"*/{_FAILURE}")]
    return sorted((path.name for path in found if path.suffix != ".new"), reverse=True)  # that one was cut short


def failure_of(root: Path, run_id: str) -> Failure:
    """The failure that was kept. Raises what a file raises that is broken, or of another version."""
    found = pickle.loads((folder_of(root, run_id) / _FAILURE).read_bytes())  # noqa: S301 - see the top
    if not isinstance(found, Failure):
        raise pickle.UnpicklingError("it is none")
    return found


def value_of(root: Path, run_id: str, uuid: str) -> Any:
    with (folder_of(root, run_id) / _file_name(uuid)).open("rb") as file:
        return pickle.load(file)  # noqa: S301 - see the top


def forget(root: Path, run_id: str, resumed_by: str) -> None:
    """Drop the values: another run has gone on with it."""
    with suppress(OSError):
        folder = private.folder(folder_of(root, run_id))  # there is none of a run that crashed
        (folder / _DONE).write_text(json.dumps({"by": resumed_by}))
        for path in folder.glob("*.pickle"):
            path.unlink()


def resumed_by(root: Path) -> Iterator[tuple[str, str]]:
    """The runs that have been resumed, each with the run that did it."""
    for path in folder_of(root).glob(f"*/{_DONE}"):
        yield path.parent.name, json.loads(path.read_text())["by"]
