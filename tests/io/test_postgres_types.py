from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import Json, execute_values

from mage_project.errors import StoreError

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    largest = 10**precision - 1
    return st.integers(-largest, largest).map(lambda number: Decimal(number) / Decimal(10) ** scale)


def stamps(unit: str) -> st.SearchStrategy[dt.datetime]:
    cut = {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]
    return st.datetimes().map(lambda t: t.replace(microsecond=t.microsecond // cut * cut))


utc = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.just(dt.UTC))

TYPES: list[tuple[pa.DataType, str, st.SearchStrategy[Any]]] = [
    (pa.bool_(), "boolean", st.booleans()),
    (pa.int8(), "smallint", integers(8)),
    (pa.int16(), "smallint", integers(16)),
    (pa.int32(), "integer", integers(32)),
    (pa.int64(), "bigint", integers(64)),
    (pa.uint8(), "smallint", st.integers(0, 2**8 - 1)),
    (pa.uint16(), "integer", st.integers(0, 2**16 - 1)),
    (pa.uint32(), "bigint", st.integers(0, 2**32 - 1)),
    (pa.uint64(), "numeric(20,0)", st.integers(0, 2**64 - 1)),
    (pa.float16(), "real", st.floats(width=16)),
    (pa.float32(), "real", st.floats(width=32)),
    (pa.float64(), "double precision", st.floats()),
    (pa.decimal128(10, 2), "numeric(10,2)", decimals(10, 2)),
    (pa.decimal128(18, 18), "numeric(18,18)", decimals(18, 18)),
    (pa.decimal128(25, 0), "numeric(25,0)", decimals(25, 0)),
    (pa.string(), "text", text),
    (pa.large_string(), "text", text),
    (pa.string_view(), "text", text),
    (pa.dictionary(pa.int32(), pa.string()), "text", text),
    (pa.binary(), "bytea", st.binary()),
    (pa.large_binary(), "bytea", st.binary()),
    (pa.binary(4), "bytea", st.binary(min_size=4, max_size=4)),
    (pa.date32(), "date", st.dates()),
    (pa.date64(), "date", st.dates()),
    (pa.time32("s"), "time without time zone", st.times().map(lambda t: t.replace(microsecond=0))),
    (pa.time64("us"), "time without time zone", st.times()),
    (pa.time64("ns"), "time without time zone", st.times()),
    (pa.timestamp("s"), "timestamp without time zone", stamps("s")),
    (pa.timestamp("ms"), "timestamp without time zone", stamps("ms")),
    (pa.timestamp("us"), "timestamp without time zone", stamps("us")),
    (pa.timestamp("us", "UTC"), "timestamp with time zone", utc),
    (pa.timestamp("us", "America/New_York"), "timestamp with time zone", utc),
    (pa.list_(pa.int64()), "jsonb", st.lists(integers(32), max_size=3)),
    (pa.struct({"a": pa.int64(), "b": pa.string()}), "jsonb", st.fixed_dictionaries({"a": integers(32), "b": text})),
    (pa.null(), "text", st.none()),
]


@pytest.mark.parametrize(("arrow", "sql", "values"), TYPES, ids=[str(arrow) for arrow, _, _ in TYPES])
def test_every_type_arrives_as_psycopg2_would_have_written_it(database, arrow, sql, values):
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.none() | values, min_size=1, max_size=20))
    def arrives(column: list[Any]) -> None:
        frame = pd.DataFrame({"x": pd.Series(pa.array(column, arrow), dtype=pd.ArrowDtype(arrow))})
        loader.export(frame, database.schema, "trips")
        assert database.types() == {"x": sql}
        assert differences(database, column, sql) == []

    with database.connector() as loader:
        arrives()


def differences(database: Any, column: list[Any], sql: str) -> list[Any]:
    """The rows that are in only one of the exported table and one that psycopg2 filled."""
    database.run("DROP TABLE IF EXISTS $.expected")
    database.run("CREATE TABLE $.expected AS SELECT * FROM $.trips WITH NO DATA")
    values = [(Json(value) if sql == "jsonb" and value is not None else value,) for value in column]
    with database._outside.cursor() as cursor:
        execute_values(
            cursor, f"INSERT INTO {database.schema}.expected VALUES %s", values, template=f"(CAST(%s AS {sql}))"
        )
    return database.rows(
        "(TABLE $.trips EXCEPT ALL TABLE $.expected) UNION ALL (TABLE $.expected EXCEPT ALL TABLE $.trips)"
    )


@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.none() | st.dictionaries(text, json, max_size=3) | st.lists(json, max_size=3), min_size=1))
def test_dicts_and_lists_become_jsonb(database, column):
    if all(value is None for value in column):
        column = [*column, {}]
    database.export(pd.DataFrame({"x": pd.Series(column, dtype=object)}))
    assert database.types() == {"x": "jsonb"}
    assert differences(database, column, "jsonb") == []


def test_the_whole_range_of_times_arrives(database):
    times = [dt.datetime(1, 1, 1), dt.datetime(1900, 1, 1), dt.datetime(3019, 5, 4, 3, 2, 1, 999999), None]
    times.append(dt.datetime(9999, 12, 31, 23, 59, 59))
    database.export(pd.DataFrame({"t": pd.Series(times, dtype=pd.ArrowDtype(pa.timestamp("us")))}))
    assert [t for (t,) in database.rows()] == [*sorted(t for t in times if t), None]


@pytest.mark.parametrize(
    ("series", "sql"),
    [
        (pd.Series([1, 2], dtype="int16"), "smallint"),
        (pd.Series([1, None], dtype="Int64"), "bigint"),
        (pd.Series([1.5, None]), "double precision"),
        (pd.Series([True, None], dtype="boolean"), "boolean"),
        (pd.Series(["a", None]), "text"),
        (pd.Series(["a", None], dtype="category"), "text"),
        (pd.Series([1, None], dtype="category"), "bigint"),
        (pd.Series(pd.to_datetime(["2020-01-01", None])), "timestamp without time zone"),
        (pd.Series(pd.to_datetime(["2020-01-01", None], utc=True)), "timestamp with time zone"),
        (pd.Series(pd.to_timedelta(["1s", None])), "bigint"),
        (pd.Series([dt.date(2020, 1, 1), None]), "date"),
        (pd.Series([dt.time(1, 2), None]), "time without time zone"),
        (pd.Series([Decimal("1.25"), None]), "numeric"),
        (pd.Series([2**70, None], dtype=object), "numeric"),
        (pd.Series([b"x", None]), "bytea"),
        (pd.Series([1, "a", None], dtype=object), "text"),
        (pd.Series([True, 2, None], dtype=object), "text"),
        (pd.Series([{"a": 1}, "b"], dtype=object), "text"),
        (pd.Series([1j, None]), "text"),
        (pd.Series([None, None], dtype=object), "text"),
        (pd.Series(pd.period_range("2020-01", periods=2, freq="M")), "bigint"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value.dtype),
)
def test_columns_of_numpy_and_objects_have_a_type_too(database, series, sql):
    database.export(pd.DataFrame({"x": series}))
    assert database.types() == {"x": sql}
    assert len(database.rows()) == len(series)


def test_a_type_follows_the_column_never_its_values(database):
    small = pd.DataFrame({"n": pd.Series([1, 2], dtype="int64[pyarrow]"), "s": pd.Series([None], dtype="str")})
    database.export(small)
    assert database.types() == {"n": "bigint", "s": "text"}


def test_nan_of_numpy_is_null_and_nan_of_arrow_stays(database):
    arrow = pd.Series(pa.array([math.nan, None]), dtype=pd.ArrowDtype(pa.float64()))
    database.export(pd.DataFrame({"numpy": [math.nan, 1.0], "arrow": arrow}))
    (numpy, nan), (one, none) = sorted(database.rows(), key=lambda row: row[0] is not None)
    assert (numpy, one, none) == (None, 1.0, None)
    assert math.isnan(nan)


def test_decimals_of_any_scale_arrive_from_a_stream(database):
    frames = [pd.DataFrame({"x": [Decimal(text)]}) for text in ("1.5", "123456.789", "2")]
    database.export(iter(frames))
    assert [str(x) for (x,) in database.rows()] == ["1.5", "2", "123456.789"]


def test_a_text_with_a_nul_is_refused_with_its_column_and_row(database):
    with pytest.raises(StoreError, match=r"column 'note': the text in row 2 has a NUL"):
        database.export(pd.DataFrame({"note": ["a", "b\0c"]}))
    assert database.tables() == []


def test_half_a_surrogate_pair_is_refused(database):
    with pytest.raises(StoreError, match=r"column 'note': the text in row 2 .* not valid Unicode"):
        database.export(pd.DataFrame({"note": pd.Series(["a", "\ud800"], dtype=object)}))


def test_a_decimal_too_wide_for_arrow_is_refused(database):
    wide = pa.array([None], pa.decimal256(50, 2))
    with pytest.raises(StoreError, match=r"column 'x' is of the Arrow type decimal256"):
        database.export(pa.table({"x": wide}))


@pytest.mark.parametrize("data", [{"a": 1}, [{"a": 1}], pa.table({"a": [1]}), pa.record_batch({"a": [1]})])
def test_records_and_arrow_tables_are_frames_too(database, data):
    database.export(data)
    assert database.rows() == [(1,)]


@pytest.mark.parametrize("data", [None, "text", 3, iter(["text"])], ids=["None", "text", "number", "texts"])
def test_what_is_no_frame_is_refused(database, data):
    with pytest.raises(StoreError, match=r"cannot be exported"):
        database.export(data)
