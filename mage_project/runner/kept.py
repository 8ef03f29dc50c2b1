"""The beginning of each output of the last run, kept so that one block can be tried alone.

Frames are kept as Arrow files (the first batch of a stream, at most 50,000 rows), and plain data. Anything else is
not kept. They lie in `.mage_project/last_run/<pipeline>/`; a new run of the pipeline replaces them when it ends. A run
of some of the blocks leaves those of the others. What is there in full, and comes back as it was, is whole.
"""

from __future__ import annotations

import glob
import json
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project.errors import UsageError
from mage_project.history import private
from mage_project.project import Pipeline
from mage_project.project.command import command
from mage_project.runner import values
from mage_project.runner.kept_files import KEPT_ROWS, read_frame, read_plain, write

#: What the note of a run says that kept nothing: whatever is not formed like it counts as none.
_NOTHING: dict[str, Any] = {
    "run_id": "", "execution_date": None, "variables": {}, "rows": {}, "whole": [], "earlier": {},
}  # fmt: skip


class Kept:
    """Keeps the outputs of a run, and finds those of the last one."""

    def __init__(
        self,
        pipeline: Pipeline,
        variables: Mapping[str, Any] | None = None,
        run_id: str = "",
        execution_date: datetime | None = None,
    ) -> None:
        self._folder = pipeline.root / ".mage_project" / "last_run" / pipeline.uuid
        self._fresh = self._folder.with_name(f"{pipeline.uuid}.{run_id}")
        self._pipeline, self._root = pipeline.uuid, pipeline.root
        self._run = {"run_id": run_id, "variables": dict(variables or {}), "execution_date": execution_date}
        self._seen: set[str] = set()
        #: Rows of the outputs that come back as they were; None for those that are no frames.
        self._exact: dict[str, int | None] = {}

    def keep(self, uuid: str, value: Any) -> None:
        """Write the value's beginning; only the first one of a block. A full disk costs the copy, never the run."""
        if uuid in self._seen or value is None:
            return
        self._seen.add(uuid)
        try:
            private.folder(self._fresh)
            if write(self._fresh, _file_name(uuid), value):
                self._exact[uuid] = min(len(value), KEPT_ROWS) if values.is_frame(value) else None
        except OSError:  # half a file is none, and takes room that others want
            for half in self._fresh.glob(f"{glob.escape(_file_name(uuid))}.*"):
                half.unlink(missing_ok=True)

    def close(self, rows: Mapping[str, int | None], completed: Collection[str], ran: Collection[str]) -> None:
        """Put what was kept in the place of the run before; what killed runs have left goes after a day.

        `rows`: how many rows each block's output had in all; None where it did not come to its end. `ran`: the blocks
        that this run was to run.
        """
        if not completed:
            return
        whole = {uuid for uuid, kept in self._exact.items() if uuid in completed and kept in (None, rows[uuid])}
        whole |= {uuid for uuid in completed if uuid not in self._seen}  # there was no output
        last = self._last()
        others = [uuid for uuid in last["rows"] if uuid not in ran]
        moved: list[Path] = []
        try:
            private.folder(self._fresh)
            note = private.file(self._fresh / "run.json")  # a variable may hold a secret, such as a password
            kept_rows = {**rows, **{uuid: last["rows"][uuid] for uuid in others}}
            whole |= {uuid for uuid in others if uuid in last["whole"]}
            earlier = {uuid: self.origin(uuid) for uuid in others}
            note.write_text(_as_text({**self._run, "rows": kept_rows, "whole": sorted(whole), "earlier": earlier}))
            for uuid in others:
                for left in self._folder.glob(f"{glob.escape(_file_name(uuid))}.*"):
                    moved.append(left.rename(self._fresh / left.name))
            shutil.rmtree(self._folder, ignore_errors=True)
            self._fresh.rename(self._folder)
        except OSError:
            with suppress(OSError):  # what cannot go back stays, and goes after a day
                for path in moved:
                    path.rename(self._folder / path.name)
                shutil.rmtree(self._fresh)
        for left in self._folder.parent.glob(f"{self._pipeline}.*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > 86_400:
                    shutil.rmtree(left, ignore_errors=True)

    def variables(self) -> dict[str, Any]:
        """The variables that the last run was given."""
        return dict(self._last()["variables"])

    def moment(self) -> str | None:
        """The execution date of the last run; None where there was none."""
        moment: str | None = self._last()["execution_date"]
        return moment

    def origin(self, uuid: str) -> tuple[str, str | None]:
        """The id of the run that the block's output is of, and its execution date: the last run, or one before it."""
        last = self._last()
        match last["earlier"].get(uuid):
            case [str(run_id), str() | None as moment]:
                return run_id, moment
        return last["run_id"], last["execution_date"]

    def exists(self) -> bool:
        """Whether a run has kept anything. `UsageError` where it is another user's."""
        private.check(self._folder)
        return self._folder.is_dir()

    def is_whole(self, uuid: str) -> bool:
        """Whether the last run kept all of the block's output, as it was."""
        return uuid in self._last()["whole"]

    def whole(self, uuid: str) -> Any:
        """The output that is whole; None where the block had none."""
        name = _file_name(uuid)
        return self.output(uuid)[0] if list(self._folder.glob(f"{glob.escape(name)}.*")) else None

    def _last(self) -> dict[str, Any]:
        path = self._folder / "run.json"
        with suppress(OSError, ValueError, RecursionError):  # none, or the machine went down while it was written
            if isinstance(read := json.loads(path.read_text()), dict):
                note = _NOTHING | read
                date = note["execution_date"]
                if all(type(note[key]) is type(none) for key, none in _NOTHING.items() if none is not None):
                    return {**note, "execution_date": date if isinstance(date, str) else None}
        return _NOTHING

    def output(self, uuid: str) -> tuple[Any, bool]:
        """What the last run kept of a block's output, and whether that is all of it.

        `UsageError` for nothing, what is broken, and another user's.
        """
        private.check(self._folder)
        name = _file_name(uuid)
        arrow, plain = self._folder / f"{name}.arrow", self._folder / f"{name}.pickle"
        if arrow.is_file():
            frame = self._read(uuid, arrow, read_frame)
            complete = len(frame) == self._last()["rows"].get(uuid)
            if not complete:
                frame.attrs = {}  # they are said of the whole
            return frame, complete
        if plain.is_file():
            return self._read(uuid, plain, read_plain), True
        raise UsageError(
            f"nothing of block '{uuid}' was kept by a run of '{self._pipeline}'",
            hint=f"run it first: {command(self._root, 'run', self._pipeline)}; or give the input: --input FILE",
        )

    def _read(self, uuid: str, path: Path, reading: Callable[[Path], Any]) -> Any:
        try:
            return reading(path)
        except Exception as error:  # a file that is cut or changed gives errors of many kinds
            raise UsageError(
                f"what was kept of block '{uuid}' cannot be read: {type(error).__name__}: {error}",
                where=str(path.relative_to(self._root)),
                hint=f"run it again: {command(self._root, 'run', self._pipeline, '--from', uuid)}",
            ) from error


def _as_text(note: Mapping[str, Any]) -> str:
    """The note as JSON; without the variables where they are things that a program has passed, and no JSON has."""
    try:
        return json.dumps(note, default=str)
    except (TypeError, ValueError):
        return json.dumps({**note, "variables": {}}, default=str)


def _file_name(uuid: str) -> str:
    return uuid.replace("/", "__")
