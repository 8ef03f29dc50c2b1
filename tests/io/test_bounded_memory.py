from __future__ import annotations

import subprocess
import sys
import weakref
from collections.abc import Iterator

import pandas as pd
import pytest

from mage_project.io.file import FileIO

EXPORT = """
import resource, sys
import pandas as pd
from mage_project.io.config import EnvironmentVariableLoader
from mage_project.io.postgres import Postgres

frame = pd.DataFrame({f"n{i}": pd.Series(range(20_000), dtype="int64[pyarrow]") for i in range(10)})
with Postgres.with_config(EnvironmentVariableLoader()) as loader:
    for frames in (3, int(sys.argv[2])):
        loader.export((frame.copy(deep=True) for _ in range(frames)), sys.argv[1], "trips")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class Frames:
    """Makes frames and counts how many of them are alive at once."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.most = 0

    def __iter__(self) -> Iterator[pd.DataFrame]:
        made: list[weakref.ref[pd.DataFrame]] = []
        for number in range(self.count):
            frame = pd.DataFrame({"n": [number]})
            made.append(weakref.ref(frame))
            self.most = max(self.most, sum(reference() is not None for reference in made))
            yield frame
            del frame


@pytest.mark.parametrize("ending", ["csv", "json", "ndjson", "parquet"])
def test_a_file_is_written_holding_few_frames(tmp_path, ending):
    frames = Frames(50)
    FileIO().export(iter(frames), tmp_path / f"trips.{ending}")
    assert frames.most <= 3


@pytest.mark.parametrize("options", [{}, {"unique_constraints": ["n"], "unique_conflict_method": "UPDATE"}])
def test_a_table_is_written_holding_few_frames(database, options):
    frames = Frames(50)
    database.export(iter(frames), **options)
    assert frames.most <= 3
    assert len(database.rows()) == 50


def test_ten_times_the_rows_take_the_same_memory(database):
    command = [sys.executable, "-c", EXPORT, database.schema, "60"]
    small, large = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert large < small * 1.15
    assert database.one("SELECT count(*) FROM $.trips") == 1_200_000
