"""The beginning of each output of the last run, kept so that one block can be tried alone.

Frames are kept as Arrow files (the first batch of a stream, at most 50,000 rows), plain data as JSON. Anything else is
not kept. They lie in `.mage_project/last_run/<pipeline>/`; a new run of the pipeline replaces them when it ends.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mage_project.errors import UsageError
from mage_project.project import Pipeline
from mage_project.project.command import command
from mage_project.runner import values

#: Rows of each output that are kept at most.
KEPT_ROWS = 50_000


class Kept:
    """Keeps the outputs of a run, and finds those of the last one."""

    def __init__(self, pipeline: Pipeline, variables: Mapping[str, Any] | None = None, run_id: str = "") -> None:
        self._folder = pipeline.root / ".mage_project" / "last_run" / pipeline.uuid
        self._fresh = self._folder.with_name(f"{pipeline.uuid}.{run_id}")
        self._pipeline, self._root = pipeline.uuid, pipeline.root
        self._run = {"run_id": run_id, "variables": dict(variables or {})}
        self._seen: set[str] = set()

    def keep(self, uuid: str, value: Any) -> None:
        """Write the value's beginning; only the first one of a block. A full disk costs the copy, never the run."""
        if uuid in self._seen or value is None:
            return
        self._seen.add(uuid)
        with suppress(OSError):
            self._fresh.mkdir(parents=True, exist_ok=True)
            _write(self._fresh, _file_name(uuid), value)

    def close(self, rows: Mapping[str, int | None]) -> None:
        """Put what was kept in the place of the run before; what killed runs have left goes after a day.

        `rows`: how many rows each block's output had in all; None where it did not come to its end.
        """
        if not self._seen:
            return
        with suppress(OSError):
            note = self._fresh / "run.json"
            note.touch(mode=0o600)  # a variable may hold a secret, such as an address with a password
            note.write_text(json.dumps({**self._run, "rows": rows}, default=str))
            shutil.rmtree(self._folder, ignore_errors=True)
            self._fresh.rename(self._folder)
        for left in self._folder.parent.glob(f"{self._pipeline}.*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > 86_400:
                    shutil.rmtree(left, ignore_errors=True)

    def variables(self) -> dict[str, Any]:
        """The variables that the last run was given."""
        return dict(self._last()["variables"])

    def _last(self) -> dict[str, Any]:
        path = self._folder / "run.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {"variables": {}, "rows": {}}

    def output(self, uuid: str) -> tuple[Any, bool]:
        """What the last run kept of a block's output, and whether that is all of it. `UsageError` for nothing."""
        name = _file_name(uuid)
        arrow, plain = self._folder / f"{name}.arrow", self._folder / f"{name}.json"
        if arrow.is_file():
            frame = _read_frame(arrow)
            complete = len(frame) == self._last()["rows"].get(uuid)
            if not complete:
                frame.attrs = {}  # they are said of the whole
            return frame, complete
        if plain.is_file():
            return json.loads(plain.read_text()), True
        raise UsageError(
            f"nothing of block '{uuid}' was kept by a run of '{self._pipeline}'",
            hint=f"run it first: {command(self._root, 'run', self._pipeline)}; or give the input: --input FILE",
        )


def _file_name(uuid: str) -> str:
    return uuid.replace("/", "__")


def _write(folder: Path, name: str, value: Any) -> None:
    if values.is_frame(value):
        import pyarrow as pa

        try:
            table = pa.Table.from_pandas(value.head(KEPT_ROWS), preserve_index=False)
        except (pa.ArrowException, ValueError, TypeError):
            return  # columns that no file format holds
        with (
            pa.OSFile(str(folder / f"{name}.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
        return
    if (values.rows(value) or 0) > KEPT_ROWS:
        return
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        return
    (folder / f"{name}.json").write_text(text)


def _read_frame(path: Path) -> Any:
    """The frame with the types it had: Arrow's file keeps pandas' own description of them."""
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        return pa.ipc.open_file(source).read_all().to_pandas()
