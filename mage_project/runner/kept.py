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
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.errors import UsageError
from mage_project.history import private
from mage_project.project import Pipeline
from mage_project.project.command import command
from mage_project.runner import values
from mage_project.runner.spilling import as_frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Rows of each output that are kept at most.
KEPT_ROWS = 50_000
#: In the description of a file: that missing texts were NaN.
_NAN = b"nan"
#: And which of its columns had a type of Arrow's, and which were of Python's objects: pandas takes the texts in both
#: for its own.
_ARROW, _OBJECTS = b"arrow", b"objects"


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
            if _write(self._fresh, _file_name(uuid), value):
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
            whole |= {uuid for uuid in others if uuid in last.get("whole", ())}
            note.write_text(_as_text({**self._run, "rows": kept_rows, "whole": sorted(whole)}))
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
        return self._last().get("execution_date")

    def exists(self) -> bool:
        """Whether a run has kept anything. `UsageError` where it is another user's."""
        private.check(self._folder)
        return self._folder.is_dir()

    def is_whole(self, uuid: str) -> bool:
        """Whether the last run kept all of the block's output, as it was."""
        return uuid in self._last().get("whole", ())

    def whole(self, uuid: str) -> Any:
        """The output that is whole; None where the block had none."""
        name = _file_name(uuid)
        return self.output(uuid)[0] if list(self._folder.glob(f"{glob.escape(name)}.*")) else None

    def _last(self) -> dict[str, Any]:
        path = self._folder / "run.json"
        with suppress(OSError, ValueError):  # there is none, or the machine went down while it was written
            return dict(json.loads(path.read_text()))
        return {"variables": {}, "rows": {}}

    def output(self, uuid: str) -> tuple[Any, bool]:
        """What the last run kept of a block's output, and whether that is all of it.

        `UsageError` for nothing, and another user's.
        """
        private.check(self._folder)
        name = _file_name(uuid)
        arrow, plain = self._folder / f"{name}.arrow", self._folder / f"{name}.pickle"
        if arrow.is_file():
            frame = _read_frame(arrow)
            complete = len(frame) == self._last()["rows"].get(uuid)
            if not complete:
                frame.attrs = {}  # they are said of the whole
            return frame, complete
        if plain.is_file():
            import pickle

            return pickle.loads(plain.read_bytes()), True  # noqa: S301 - who can write there can write the blocks
        raise UsageError(
            f"nothing of block '{uuid}' was kept by a run of '{self._pipeline}'",
            hint=f"run it first: {command(self._root, 'run', self._pipeline)}; or give the input: --input FILE",
        )


def _as_text(note: Mapping[str, Any]) -> str:
    """The note as JSON; without the variables where they are things that a program has passed, and no JSON has."""
    try:
        return json.dumps(note, default=str)
    except (TypeError, ValueError):
        return json.dumps({**note, "variables": {}}, default=str)


def _file_name(uuid: str) -> str:
    return uuid.replace("/", "__")


def _write(folder: Path, name: str, value: Any) -> bool:
    """Whether what is read again is what was written."""
    if values.is_frame(value):
        import pyarrow as pa

        try:
            head = value.head(KEPT_ROWS)
            table = pa.Table.from_pandas(head, preserve_index=False)
        except (pa.ArrowException, ValueError, TypeError):
            return False  # columns that no file format holds
        missing = _missing_texts(head, table)
        said = {**_places(head), **({_NAN: b"true"} if missing == {float} else {})}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **said})
        with (
            pa.OSFile(str(private.file(folder / f"{name}.arrow")), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
        return _is_exact(head, table) and missing in (set(), {float}, {type(None)})
    if (values.rows(value) or 0) > KEPT_ROWS:
        return False
    import pickle

    try:
        json.dumps(value)  # what JSON holds is plain, and small enough
        content = pickle.dumps(value)  # JSON makes a list of a tuple, and a text of a number that is a key
    except (TypeError, ValueError, AttributeError, RecursionError, pickle.PicklingError):
        return False
    private.file(folder / f"{name}.pickle").write_bytes(content)
    return True


def _is_exact(frame: pd.DataFrame, table: pa.Table) -> bool:
    """Whether the file holds the frame as it is: its index is not kept, and of Python objects only texts are sure."""
    import pandas as pd
    import pyarrow as pa

    counted = isinstance(frame.index, pd.RangeIndex) and (frame.index.start, frame.index.step) == (0, 1)
    if not counted or frame.index.name is not None or not all(type(name) is str for name in frame.columns):
        return False
    objects = [table.columns[place] for place, dtype in enumerate(frame.dtypes) if _is_object(dtype)]
    return all(pa.types.is_string(column.type) for column in objects)


def _is_object(dtype: Any) -> bool:
    """Whether its values are Python's: Arrow's own types come back as they were."""
    return dtype.kind == "O" and not hasattr(dtype, "pyarrow_dtype")


def _places(frame: pd.DataFrame) -> dict[bytes, bytes]:
    """Of the columns whose types pandas would take for its own."""
    dtypes = list(enumerate(frame.dtypes))
    of_arrow = [place for place, dtype in dtypes if hasattr(dtype, "pyarrow_dtype")]
    objects = [place for place, dtype in dtypes if dtype.name == "object"]
    return {_ARROW: json.dumps(of_arrow).encode(), _OBJECTS: json.dumps(objects).encode()}


def _missing_texts(frame: pd.DataFrame, table: pa.Table) -> set[type]:
    """What stands for missing texts in columns of Python objects: None, or the NaN of older pandas."""
    columns = [frame.iloc[:, place] for place, column in enumerate(table.columns) if column.null_count]
    return {type(value) for column in columns if _is_object(column.dtype) for value in column[column.isna()]}


def _read_frame(path: Path) -> Any:
    """The frame with the types it had: Arrow's file keeps pandas' own description of them."""
    import pandas as pd
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    said = table.schema.metadata or {}
    of_arrow = json.loads(said.get(_ARROW, b"[]"))
    dtypes = [pd.ArrowDtype(type_) if place in of_arrow else None for place, type_ in enumerate(table.schema.types)]
    frame: Any = as_frame(table, dtypes)
    missing = float("nan") if _NAN in said else None
    for place in json.loads(said.get(_OBJECTS, b"[]")):  # newer pandas make their own texts of them
        column = frame.iloc[:, place].astype(object)
        frame.isetitem(place, column.where(column.notna(), missing))
    return frame
