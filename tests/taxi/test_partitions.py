"""A stream of trips as files by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from taxi import partitions
from taxi.partitions import write_partitions

SCHEMA = pa.schema({"at": pa.timestamp("us"), "n": pa.int64(), "ehail_fee": pa.float64(), "day": pa.date32()})


def frame(*days: date | None, start: int = 0) -> pd.DataFrame:
    times = [datetime(day.year, day.month, day.day, 12, 0, 0, 5) if day else None for day in days]
    columns = [times, range(start, start + len(days)), [None] * len(days), days]
    return pa.table(columns, schema=SCHEMA).to_pandas(types_mapper=pd.ArrowDtype)


def read(folder: Path) -> pa.Table:
    partitioning = ds.partitioning(pa.schema({"day": pa.date32()}), flavor="hive")
    return ds.dataset(folder, partitioning=partitioning).to_table().sort_by("n").select(SCHEMA.names)


def test_every_row_is_in_the_folder_of_its_day(tmp_path: Path) -> None:
    first, second = date(2020, 10, 1), date(2020, 10, 2)
    write_partitions([frame(first, second, None), frame(second, start=3)], tmp_path, "day")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")) == [
        "day=2020-10-01/part-0.parquet",
        "day=2020-10-02/part-0.parquet",
        "day=__HIVE_DEFAULT_PARTITION__/part-0.parquet",
    ]
    assert read(tmp_path)["day"].to_pylist() == [first, second, None, second]
    assert read(tmp_path).schema.equals(SCHEMA)


def test_files_hold_no_column_of_the_folder_and_no_notes_of_pandas(tmp_path: Path) -> None:
    write_partitions([frame(date(2020, 10, 1))], tmp_path, "day")
    schema = pq.read_schema(tmp_path / "day=2020-10-01" / "part-0.parquet")
    assert schema.equals(SCHEMA.remove(3), check_metadata=True)


def days(count: int) -> Iterator[pd.DataFrame]:
    for start in range(0, count, 100):
        yield frame(*[date.fromordinal(737_000 + n % 37) for n in range(start, start + 100)], start=start)


@pytest.mark.parametrize("limit", ["WAITING_ROWS", "GROUP_ROWS", "OPEN_FILES"])
def test_limits_change_the_files_and_not_the_rows(tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, limit, 10)
    write_partitions(days(2000), tmp_path, "day")
    assert read(tmp_path)["n"].to_pylist() == list(range(2000))


def test_a_day_of_many_row_groups_is_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "GROUP_ROWS", 10)
    monkeypatch.setattr(partitions, "FILE_GROUPS", 3)
    write_partitions((frame(*[date(2020, 10, 1)] * 5, start=start) for start in range(0, 70, 5)), tmp_path, "day")
    files = sorted((tmp_path / "day=2020-10-01").iterdir())
    assert [pq.read_metadata(file).num_row_groups for file in files] == [3, 3, 1]
    assert [row for file in files for row in pq.read_table(file)["n"].to_pylist()] == list(range(70))


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_partitions(days(1000), tmp_path / name, "day")
    files = sorted((tmp_path / "one").rglob("*.parquet"))
    assert [file.read_bytes() for file in files] == [
        (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes() for file in files
    ]


def test_how_the_name_ends_is_enough(tmp_path: Path) -> None:
    write_partitions([frame(date(2020, 10, 1))], tmp_path, "ay")
    assert [path.name for path in tmp_path.iterdir()] == ["day=2020-10-01"]
    with pytest.raises(ValueError, match="none of at, n, ehail_fee, day ends in 'date'"):
        write_partitions([frame(date(2020, 10, 1))], tmp_path, "date")


def test_no_frames_give_no_files(tmp_path: Path) -> None:
    write_partitions([], tmp_path, "day")
    write_partitions([frame()], tmp_path, "day")
    assert list(tmp_path.iterdir()) == []
