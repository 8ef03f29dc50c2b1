"""The batches of a stream, gathered for a reader that wants the whole; on disk where memory would not hold them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.runner import spilling, values
from mage_project.runner.spilling import Nameless, Spilled

if TYPE_CHECKING:
    import pyarrow as pa

    from mage_project.runner.budget import Budget


class Gathering:
    """Batches in their order."""

    def __init__(self, block: str, budget: Budget | None) -> None:
        self._block, self._budget = block, budget
        self._batches: list[Any] = []
        self._size_bytes = 0
        self._files: list[_File] = []
        self._attrs: dict[Any, Any] = {}

    def append(self, batch: Any) -> None:
        if not self._batches and not self._files:
            self._attrs = batch.attrs
        self._batches.append(batch)
        if self._budget is None:
            return
        self._size_bytes += spilling.size(batch)
        if (self._files or self._size_bytes > self._budget.share_bytes) and spilling.fits_arrow(batch):
            self._size_bytes -= self._budget.spilled(self._block, self._write)

    def whole(self) -> Any:
        """All of them as one frame, on disk (`Spilled`) where they are there already; None where there were none."""
        if not self._files:
            return values.gathered(self._batches)
        parts = [file.close(self._attrs) for file in self._files]
        if len(parts) == 1 and not self._batches:
            return parts[0]
        whole = values.gathered([*(part.load() for part in parts), *self._batches])
        whole.attrs = self._attrs
        return whole

    def _write(self) -> int:
        """Write the batches that are in memory. Returns how many bytes that were."""
        import pyarrow as pa

        assert self._budget is not None  # noqa: S101 - asked before
        written = 0
        while self._batches:
            table = pa.Table.from_pandas(self._batches[0])
            kind = [table.schema, *map(str, self._batches[0].dtypes)]
            if not self._files or self._files[-1].kind != kind:
                self._files.append(_File(table.schema, self._batches[0].dtypes, kind, self._budget.folder))
            written += self._files[-1].write(table)
            self._batches.pop(0)
        return written


class _File:
    """Batches of one kind: Arrow's types and pandas'."""

    def __init__(self, schema: pa.Schema, dtypes: Sequence[Any], kind: list[Any], folder: Path) -> None:
        self.kind, self._dtypes = kind, dtypes
        self._file = Nameless(folder)
        self._writer = self._file.writer(schema)

    def write(self, table: pa.Table) -> int:
        before = self._file.file.tell()
        self._writer.write_table(table)
        return self._file.file.tell() - before

    def close(self, attrs: Any) -> Spilled:
        self._writer.close()
        return Spilled(self._file, form="frame", dtypes=self._dtypes, attrs=attrs)
