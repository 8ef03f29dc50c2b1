"""Any Parquet at all: a month lands with every row and the declared types, or nothing lands and the error says why."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import secrets
import shutil
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mage_project.errors import MageProjectError
from taxi.columns import PARQUET, key_of
from taxi.services import SERVICES, columns_of, service_of
from taxi.trips import month_frames, one_frame
from tests.blocks.conftest import Block

MONTHS = ("2009-01", "2010-02", "2013-08", "2015-01", "2019-02", "2022-12", "2024-01", "2025-03")
SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

TIMES = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1))
WORDS = st.sampled_from(["", " ", "1", "1.0", "-3", "N", "CMT", "Cash", "2024-01-31 23:59:58", "é", "nan", "1e400"])
#: Types that a column may have in a file, and values that they can hold.
WRITTEN: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.null(): st.none(),
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-(2**7), 2**7 - 1),
    pa.uint16(): st.integers(0, 2**16 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-9, 9) | st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 9) | st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.integers(-9, 9).map(float) | st.floats(),
    pa.decimal128(12, 2): st.decimals(-(10**9), 10**9, places=2),
    pa.string(): WORDS,
    pa.large_string(): WORDS,
    pa.dictionary(pa.int32(), pa.string()): WORDS,
    pa.binary(): st.binary(max_size=3),
    pa.date32(): st.dates(dt.date(1700, 1, 1), dt.date(2250, 1, 1)),
    pa.time64("us"): st.times(),
    pa.timestamp("ms"): TIMES.map(lambda time: time.replace(microsecond=0)),
    pa.timestamp("us"): TIMES,
    pa.timestamp("ns"): TIMES,
    pa.timestamp("us", "UTC"): TIMES,
    pa.duration("us"): st.timedeltas(dt.timedelta(-9), dt.timedelta(9)),
    pa.list_(pa.int32()): st.lists(st.integers(0, 9), max_size=2),
    pa.struct([("a", pa.int32())]): st.fixed_dictionaries({"a": st.integers(0, 9)}),
}
ODD_NAMES = st.sampled_from(
    ["", " ", "mood", "Mood", "select", "a b", "a_b", "é", "x" * 70, '"; DROP TABLE', "source_month", "outside_month",
     "VendorID ", "PICKUP_DATETIME", "__index_level_0__", "1st", "a\nb"]
)  # fmt: skip


@st.composite
def months(draw: st.DrawFn) -> tuple[str, str, pa.Table]:
    """A service, a month, and a table that has most of the month's columns, some of them in another way."""
    service, month = draw(st.sampled_from(sorted(SERVICES))), draw(st.sampled_from(MONTHS))
    rows = draw(st.integers(0, 4))
    kept_texts = {column.name for column in service_of(service).columns if column.text_of}
    declared = {name: kind for name, kind in columns_of(service, month, PARQUET).items() if name not in kept_texts}
    columns: list[tuple[str, pa.Array]] = []
    odd = draw(st.sets(st.sampled_from(sorted(declared)), max_size=4))
    for name, kind in declared.items():
        if name not in odd:
            columns.append((name, values(draw, kind, rows)))
        elif draw(st.integers(0, 3)):
            spelled = draw(st.sampled_from([name, name.lower(), name.upper(), f" {name}"]))
            columns.append((spelled, values(draw, draw(st.sampled_from(list(WRITTEN))), rows)))
    for name in draw(st.lists(ODD_NAMES, max_size=2)):
        columns.append((name, values(draw, draw(st.sampled_from(list(WRITTEN))), rows)))
    columns = draw(st.permutations(columns))
    return service, month, pa.Table.from_arrays([array for _, array in columns], [name for name, _ in columns])


def values(draw: st.DrawFn, kind: pa.DataType, rows: int) -> pa.Array:
    return pa.array(draw(st.lists(st.none() | WRITTEN[kind], min_size=rows, max_size=rows)), kind)


def loaded(folder: Path, service: str, month: str, table: pa.Table) -> pd.DataFrame | str:
    """The month's trips, or the message of the error; nothing else may be raised."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pq.write_table(table, folder / f"{service}_tripdata_{month}.parquet", row_group_size=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # findings
        try:
            return one_frame(month_frames(service, month, str(folder), project=folder, file_format=PARQUET))
        except ValueError as refusal:
            return str(refusal)


def nothings(array: pa.Array) -> int:
    """How many values say nothing: nulls and blank texts."""
    return sum(value is None or (isinstance(value, str) and not value.strip()) for value in array.to_pylist())


def same(found: object, written: object) -> bool:
    """Whether the values mean the same: numbers and times may have been text, and text a code."""
    if isinstance(written, decimal.Decimal | int | float) and isinstance(found, int | float):
        if isinstance(written, decimal.Decimal):  # the float that is next to it, which says the same
            return decimal.Decimal(repr(found)) == written
        return found == written or (found != found and written != written)
    if isinstance(written, float) and isinstance(found, str):  # a whole number has no .0 as text
        return found == str(written) or float(found) == written
    return isinstance(written, str | dt.date) or str(found) == str(written)


@settings(SETTINGS, max_examples=80)
@given(month=months())
def test_a_month_is_read_whole_in_the_declared_types_or_refused_by_name(
    tmp_path: Path, month: tuple[str, str, pa.Table]
) -> None:
    service, name, table = month
    trips = loaded(tmp_path / "months", service, name, table)
    if isinstance(trips, str):
        assert re.match(rf"\S*{service}_tripdata_{name}\.parquet[:,].* column", trips), trips
        return
    assert len(trips) == table.num_rows
    known = service_of(service).names()
    for column in table.schema:
        declared = known.get(key_of(column.name))
        if column.name == "__index_level_0__":
            continue
        if not declared and pa.types.is_null(column.type):  # waits for the month that has values
            assert column.name not in trips
            continue
        frame_name = declared.name if declared else column.name
        found = pa.array(trips[frame_name])
        if declared:
            assert found.type == declared.kind
        if not declared or declared.text_of is None:
            before = table[column.name]
            before = before.cast(pa.string()) if pa.types.is_binary(column.type) else before
            if not (declared and declared.codes and nothings(found) > nothings(before)):  # kept as text beside
                assert nothings(found) == nothings(before), frame_name
                assert all(map(same, found.to_pylist(), before.to_pylist())), frame_name


@pytest.mark.filterwarnings("ignore:.*a new column:UserWarning")
@pytest.mark.parametrize("name", ["source_month", "Outside Month"])
def test_a_column_with_the_name_of_an_added_one_is_not_written_over(tmp_path: Path, block: Block, name: str) -> None:
    declared = columns_of("green", "2024-01", PARQUET)
    table = pa.table({**{column: pa.nulls(1, kind) for column, kind in declared.items()}, name: pa.array([1])})
    trips = loaded(tmp_path / "months", "green", "2024-01", table)
    with pytest.raises(ValueError, match=f"green_tripdata_2024-01.parquet: columns '{name}' and '.*' would both be"):
        block("transformers/conform_taxi_trips").conform_taxi_trips(trips)


@pytest.fixture
def connection(postgres_env: dict[str, str]) -> Iterator[Any]:
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DBNAME"}
    with closing(psycopg2.connect(**{word: postgres_env[f"POSTGRES_{name}"] for word, name in names.items()})) as found:
        found.autocommit = True
        yield found


@settings(SETTINGS, max_examples=15)
@given(month=months())
def test_a_month_lands_in_postgres_with_every_row_or_not_at_all(
    tmp_path: Path, connection: Any, block: Block, month: tuple[str, str, pa.Table]
) -> None:
    service, name, table = month
    trips = loaded(tmp_path / "months", service, name, table)
    if isinstance(trips, str):
        return
    schema = f"fuzz_{secrets.token_hex(4)}"
    try:
        conformed = block("transformers/conform_taxi_trips").conform_taxi_trips(trips)
        block("data_exporters/month_to_postgres").month_to_postgres(conformed, schema=schema)
        landed = len(trips)
    except (AssertionError, ValueError, MageProjectError):
        landed = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{schema}.{service}_trips",))
        if cursor.fetchone()[0]:
            cursor.execute(f"SELECT count(*), count(source_month) FROM {schema}.{service}_trips")
            assert cursor.fetchone() == (landed, landed)
        else:
            assert not landed
        cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
