"""What a failed run leaves, so that it can be resumed: the values that were in memory and that what is left reads.

They lie in `.mage_project/resume/<run_id>/`, written when the run has failed, not before. A stream is not kept: it is
read again from its loader. Values are pickled, for they must come back as they were, whatever they are; whoever can
write to that folder can write the blocks themselves.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.errors import UsageError
from mage_project.history import private
from mage_project.project import Block, Pipeline
from mage_project.project.command import command
from mage_project.project.modules import modules
from mage_project.runner import beginnings
from mage_project.runner.limits import Limits
from mage_project.runner.parts import needed, what_runs
from mage_project.runner.resumptions import folder_of

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: Days after which nobody resumes a run any more.
KEPT_DAYS = 14
#: What a failure has that an older version has kept.
_UNLIMITED = Limits()
_FAILURE = "failure.pickle"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that failed. `given` are the variables that it was given, `variables` those with the pipeline's own.

    `limits` are those it ran within, `trigger` what had started it, `alerts` says whether people hear of it.
    `kept` names the blocks whose outputs are kept, `lost` those whose outputs could not be. `code` has a hash of each
    block: its file, the project's modules that it imports, and how the pipeline configures it.

    `environment` is what ENV was. `partly` says what blocks have done that have not come to their end.

    `began`: when a run began (seconds since 1970) that has crashed, and `went_down` whether the machine did so. Nothing
    is kept then of what it had in memory, `sources` and `context` included; `code` is without the files.
    """

    run_id: str
    pipeline: str
    local: bool
    given: Mapping[str, Any]
    variables: Mapping[str, Any]
    execution_date: Any
    statuses: Mapping[str, str]
    code: Mapping[str, str]
    sources: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = _UNLIMITED
    trigger: str | None = None
    alerts: bool = False
    kept: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    environment: str | None = None
    partly: Mapping[str, str] | None = None
    began: float | None = None
    went_down: bool = False


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
    return command(run.pipeline.root, "resume", failure.run_id)


def resuming(root: Path, run_id: str) -> str | None:
    """The command that goes on with a run that failed; None where nothing is kept of it."""
    return command(root, "resume", run_id) if run_id in kept_runs(root) else None


def _failure(run: Run) -> Failure:
    pipeline = run.pipeline
    code = {block.uuid: _fingerprint(pipeline, block) for block in pipeline.blocks if block.runs}
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
    _put(folder, failure)
    _sweep(run.pipeline.root)
    return failure


def _put(folder: Path, failure: Failure) -> None:
    private.file(folder / _FAILURE).write_bytes(pickle.dumps(failure))


def _sweep(root: Path) -> None:
    """Remove what nobody resumes any more."""
    for old in (*folder_of(root).iterdir(), *beginnings.folder_of(root).glob("*")):
        if time.time() - old.stat().st_mtime > KEPT_DAYS * 86_400:
            if old.is_dir():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)


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


def differs(pipeline: Pipeline, block: Block, failure: Failure) -> bool:
    """Whether the block is another one than in the run that failed; its place in the file does not count.

    Of a run that crashed only the files' times are known.
    """
    before = failure.code.get(block.uuid)
    if failure.began is None:
        return before != _fingerprint(pipeline, block)
    files = [path for path in _files(pipeline, block) if path.is_file()]
    return before != beginnings.configured(block) or any(path.stat().st_mtime > failure.began for path in files)


def _fingerprint(pipeline: Pipeline, block: Block) -> str:
    found = hashlib.sha256(beginnings.configured(block).encode())
    for path in _files(pipeline, block):
        with suppress(OSError):
            found.update(path.read_bytes())
    return found.hexdigest()


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


def value_of(root: Path, failure: Failure, uuid: str) -> Any:
    """An output that was kept, as it was in memory. `UsageError` where it cannot be read; then it is kept no more."""
    path = folder_of(root, failure.run_id) / _file_name(uuid)
    try:
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 - see the top
    except Exception as error:
        if failure.run_id in kept_runs(root):
            kept = tuple(each for each in failure.kept if each != uuid)
            _put(folder_of(root, failure.run_id), replace(failure, kept=kept, lost=(*failure.lost, uuid)))
        raise UsageError(
            f"what was kept of block '{uuid}' cannot be read: {type(error).__name__}: {error}",
            where=str(path),
            hint=f"resume it again, and the block runs again: {command(root, 'resume', failure.run_id)}",
        ) from error


def forget(root: Path, run_id: str) -> None:
    """Drop the values: another run has gone on with it."""
    with suppress(OSError):
        for path in folder_of(root, run_id).glob("*.pickle"):
            path.unlink()
