"""The check that a key occurs once: exact, in bounded memory, whatever the number of rows.

A hash of each key goes to a file, eight bytes a row, and the key itself to another one where a hash can stand for two
keys. In the end the hashes are looked through part by part; of those that occur twice the keys are compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mage_project.quality.hashing import Hashes, hashes, is_exact, undone
from mage_project.quality.results import CheckResult
from mage_project.quality.row_checks import percent
from mage_project.quality.rows import Rows, together
from mage_project.quality.rules import Rule

#: Different hashes that are looked at together (16 bytes each), and rows that are read at once.
_PART_ROWS = 2_000_000
_BLOCK_ROWS = 1_000_000


class Unique:
    """The rows whose key another row has too. A key of which a part is null is no key."""

    def __init__(self, rule: Rule, *, keep: int) -> None:
        self.rule = rule
        self._keep = keep
        self._rows = self._keyed = self._failing = 0
        self._kinds: list[pa.DataType] = []
        self._repeated: list[pa.Table] = []
        self._folder = tempfile.TemporaryDirectory(prefix="mage-project-keys-")
        self._hashes = (Path(self._folder.name) / "hashes").open("wb")
        self._keys: Any = None

    def take(self, rows: Rows) -> None:
        columns = {name: _one_zero(rows.column(name)) for name in self.rule.columns}
        batch = pa.table(columns)
        if self.rule.where:
            batch = batch.filter(rows.masks[self.rule.where])
        self._rows += len(batch)
        batch = batch.drop_null() if any(column.null_count for column in columns.values()) else batch
        if not len(batch):
            return
        self._settle(batch)
        if batch.schema.types != self._kinds:  # a batch whose pandas types differ from those of the first
            batch = batch.cast(pa.schema(list(zip(self.rule.columns, self._kinds, strict=True))))
        batch = batch.combine_chunks()
        self._keyed += len(batch)
        self._hashes.write(memoryview(hashes([column.chunk(0) for column in batch.columns])).cast("B"))
        if self._keys is not None:
            self._keys.write_table(batch)

    def result(self) -> CheckResult:
        rule = self.rule
        self._hashes.flush()
        if self._keys is not None:
            self._keys.close()
        for repeated in self._all_repeated():
            self._failing += int(pc.sum(repeated.column("rows")).as_py() or 0)
            left = self._keep - sum(map(len, self._repeated))
            self._repeated.append(repeated.slice(0, max(left, 0)))
        share = self._failing / self._rows if self._rows else 0.0
        said = f"{self._failing:,} of {self._rows:,} rows ({percent(share)}) have the {rule.column} of another row"
        return CheckResult(
            rule=rule.word,
            name=rule.name,
            column=rule.column,
            severity=rule.severity,
            passed=not self._failing,
            rows=self._rows,
            failing=self._failing,
            share=share,
            message=said if self._failing else None,
        )

    def offending(self) -> pa.Table | None:
        """Keys that occur more than once; the column `rows` says how often."""
        return together(self._repeated)

    def close(self) -> None:
        if self._keys is not None:
            self._keys.close()
        self._hashes.close()
        self._folder.cleanup()

    def _settle(self, batch: pa.Table) -> None:
        """The first batch says what the key consists of."""
        if self._kinds:
            return
        self._kinds = batch.schema.types
        if not is_exact(self._kinds):
            self._keys = pa.ipc.new_file(str(Path(self._folder.name) / "keys"), batch.schema)

    # -- the end

    def _all_repeated(self) -> Iterator[pa.Table]:
        """Tables of keys that occur more than once, with `rows`."""
        if not self._keyed:
            return
        written = np.memmap(Path(self._folder.name) / "hashes", dtype=np.uint64, mode="r")
        bits = max(0, (self._keyed // _PART_ROWS).bit_length())
        for part in range(1 << bits):
            found, counts = _repeated(written, part, bits)
            if not len(found):
                continue
            if self._keys is None:
                key = undone(found, self._kinds[0])
                yield pa.table({self.rule.columns[0]: key, "rows": pa.array(counts, pa.int64())})
            else:
                yield self._compared(written, found)

    def _compared(self, written: Hashes, repeated: Hashes) -> pa.Table:
        """The keys behind the hashes, where it is really one key that occurs twice."""
        groups: list[pa.Table] = []
        with pa.memory_map(str(Path(self._folder.name) / "keys")) as source:
            keys, start = pa.ipc.open_file(source), 0
            for place in range(keys.num_record_batches):
                batch = keys.get_batch(place)
                here = np.asarray(written[start : start + len(batch)])
                start += len(batch)
                among = repeated[np.minimum(np.searchsorted(repeated, here), len(repeated) - 1)] == here
                if among.any():
                    groups.append(_counted(pa.table(batch.filter(pa.array(among)))))
                if sum(map(len, groups)) > _BLOCK_ROWS:
                    groups = [_summed(groups)]
        whole = _summed(groups)
        return whole.filter(pc.greater(whole.column("rows"), 1))


def _repeated(written: Hashes, part: int, bits: int) -> tuple[Hashes, Any]:
    """The hashes of one part that occur more than once, sorted, and how often."""
    found, counts = np.array([], np.uint64), np.array([], np.int64)
    blocks: list[Hashes] = []
    for start in range(0, len(written), _BLOCK_ROWS):
        block = written[start : start + _BLOCK_ROWS]
        blocks.append(block[block >> np.uint64(64 - bits) == part] if bits else block)
        if sum(map(len, blocks)) > 2 * _PART_ROWS:  # more than the part's share: there are few keys, many times each
            found, counts = _merged(found, counts, np.concatenate(blocks))
            blocks = []
    rest = np.concatenate(blocks) if blocks else found[:0]
    if not len(found):
        rest.sort()
        if not (rest[1:] == rest[:-1]).any():
            return found, counts
    found, counts = _merged(found, counts, rest)
    return found[counts > 1], counts[counts > 1]


def _merged(found: Hashes, counts: Any, more: Hashes) -> tuple[Hashes, Any]:
    """The different hashes, sorted, and how often each occurs."""
    mine, numbers = np.unique(np.concatenate([found, more]), return_counts=True)
    numbers[np.searchsorted(mine, found)] += counts - 1
    return mine, numbers


def _one_zero(column: pa.Array) -> pa.Array:
    """Floats without -0.0, which equals 0.0 and has other bits."""
    return pc.add(column, pa.scalar(0.0, column.type)) if pa.types.is_floating(column.type) else column


def _counted(keys: pa.Table) -> pa.Table:
    return _named(keys.group_by(keys.column_names).aggregate([([], "count_all")]), "count_all")


def _summed(groups: list[pa.Table]) -> pa.Table:
    whole = pa.concat_tables(groups)
    keys = [name for name in whole.column_names if name != "rows"]
    return _named(whole.group_by(keys).aggregate([("rows", "sum")]), "rows_sum")


def _named(table: pa.Table, counted: str) -> pa.Table:
    return table.rename_columns(["rows" if name == counted else name for name in table.column_names])
