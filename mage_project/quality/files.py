"""Rows in files and folders: Parquet by batches, CSV by blocks, anything else as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from mage_project.errors import StoreError, did_you_mean
from mage_project.io import formats, frames
from mage_project.io.formats import FileFormat

BATCH_ROWS = 65_536
#: Types are told by the first block of a CSV file, so it is a large one.
_BLOCK_BYTES = 8 << 20
_READ_BYTES = 1 << 16  # of each column at a time: a row group can be as large as the file
#: What Hive writes for a partition whose value is null.
_NULL = "__HIVE_DEFAULT_PARTITION__"


def tables(path: Path) -> Iterator[pa.Table]:
    """The rows of a file, or of all files below a folder, whose names may give columns: `day=2020-10-01/part.parquet`.

    Raises StoreError where there is no such file, or it is not what its ending says.
    """
    look_for(path)
    return in_folder(path) if path.is_dir() else in_file(path, path.name)


def look_for(path: Path) -> None:
    """Raises StoreError where there is no such file or folder."""
    if not path.is_dir() and not path.is_file():
        beside = [str(each) for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise StoreError(f"there is no file {path}.{did_you_mean(str(path), beside)}")


def in_folder(folder: Path) -> Iterator[pa.Table]:
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not is_hidden(path.relative_to(folder))]
    if not found:
        raise StoreError(f"there are no files below {folder}")
    for path in found:
        columns = partition_of(str(path.relative_to(folder).parent))
        for table in in_file(path, path.name):
            yield with_columns(table, columns)


def in_file(path: Path, name: str, where: str | None = None) -> Iterator[pa.Table]:
    """The rows of the file at `path`, in the format of the ending of `name`; `where` is what messages call it."""
    kind = formats.format_of(name)
    try:
        if kind is FileFormat.PARQUET:
            yield from _parquet(path)
        elif kind is FileFormat.CSV and not name.endswith((".xz", ".zip")):
            yield from _csv(path, name)
        else:
            yield from frames.tables(formats.read(path, name))
    except (pa.ArrowException, OSError) as error:  # Arrow has no class of its own for a damaged file
        reason = " ".join(str(error).split())
        raise StoreError(f"cannot be read: {reason}", where=where or str(path)) from error


def is_hidden(path: Path) -> bool:
    """Whether it is no data: what begins with a dot or an underscore, as `_SUCCESS` does."""
    return any(part.startswith((".", "_")) and "=" not in part for part in path.parts)


def partition_of(folder: str) -> dict[str, str | None]:
    """The columns in a folder's name."""
    pairs = (part.partition("=") for part in folder.split("/"))
    return {name: None if value == _NULL else unquote(value) for name, equals, value in pairs if equals}


def with_columns(table: pa.Table, columns: Mapping[str, str | None]) -> pa.Table:
    """The table with the columns that the place of its file gives, as text or whole numbers, where it lacks them."""
    for name, value in columns.items():
        if name not in table.column_names:
            given = int(value) if value is not None and value.isdecimal() and not value.startswith("0") else value
            table = table.append_column(name, pa.array([given] * len(table), None if value else pa.string()))
    return table


def _parquet(path: Path) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    # In nanoseconds, as Arrow would have them, times in INT96 beyond 2261 come out as other ones, without a word.
    with pq.ParquetFile(path, buffer_size=_READ_BYTES, coerce_int96_timestamp_unit="us") as file:
        if not file.metadata.num_rows:
            yield file.schema_arrow.empty_table()  # rules want their columns, with rows or without
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield pa.table(batch)


def _csv(path: Path, name: str) -> Iterator[pa.Table]:
    from pyarrow import csv

    with pa.input_stream(str(path), compression=_COMPRESSIONS.get(Path(name).suffix)) as source:
        blocks, empty = csv.ReadOptions(block_size=_BLOCK_BYTES), csv.ConvertOptions(strings_can_be_null=True)
        for batch in csv.open_csv(source, read_options=blocks, convert_options=empty):
            yield pa.table(batch)


_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2"}
