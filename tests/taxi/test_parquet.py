"""TLC's Parquet: what its types have been, and what comes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi.columns import PARQUET
from taxi.services import SERVICES, columns_of
from tests.taxi.drift import TIME, load, month_table, roundtrip, write_parquet

#: Each: service, month, column, the array as it was written, and what is loaded.
DRIFT = {
    "ids of 64 bits until 2023-01": ("yellow", "2022-12", "VendorID", pa.array([1, None, 6], pa.int64()), [1, None, 6]),
    "counts as doubles": ("yellow", "2018-07", "passenger_count", pa.array([1.0, None, 9.0]), [1, None, 9]),
    "an empty fee as 32-bit integers": ("yellow", "2011-02", "airport_fee", pa.nulls(3, pa.int32()), [None] * 3),
    "a fee without a type": ("green", "2020-10", "ehail_fee", pa.nulls(3), [None] * 3),
    "zones as doubles": ("fhv", "2019-10", "PUlocationID", pa.array([264.0, None, 1.0]), [264, None, 1]),
    "shared rides without a type": ("fhv", "2019-10", "SR_Flag", pa.nulls(3), [None] * 3),
    "large strings": ("yellow", "2024-01", "store_and_fwd_flag", pa.array(["Y", None, "é"], pa.large_string()), 0),
    "a dictionary": ("fhvhv", "2024-01", "hvfhs_license_num", pa.array(["a", None, "a"]).dictionary_encode(), 0),
    "times in nanoseconds": ("green", "2024-01", "lpep_pickup_datetime", pa.array([TIME] * 3, pa.timestamp("ns")), 0),
    "times in milliseconds": ("green", "2024-01", "lpep_pickup_datetime", pa.array([TIME] * 3, pa.timestamp("ms")), 0),
    "times in seconds": ("green", "2024-01", "lpep_pickup_datetime", pa.array([TIME] * 3, pa.timestamp("s")), 0),
}


@pytest.mark.parametrize(("service", "month", "column", "written", "loaded"), DRIFT.values(), ids=DRIFT)
def test_a_type_that_tlc_has_used_loads_without_a_word(
    tmp_path: Path, service: str, month: str, column: str, written: pa.Array, loaded: object
) -> None:
    trips = roundtrip(tmp_path, service, month, "freeze", **{column: written})
    assert trips.dtypes.to_dict() == {
        name: pd.ArrowDtype(kind) for name, kind in columns_of(service, month, PARQUET).items()
    }
    assert pa.array(trips[column]).to_pylist() == (loaded or written.to_pylist())
    assert "findings" not in trips.attrs


CHANGED = {
    "text": (pa.array(["1", "2.0", ""]), [1, 2, None], "string"),
    "decimals": (pa.array([Decimal("1.0"), None, Decimal("3.0")]), [1, None, 3], r"decimal128\(2, 1\)"),
    "categories": (pa.array(["1", None, "7"]).dictionary_encode(), [1, None, 7], "dictionary<values=string"),
    "bytes": (pa.array([b"1", None, b"7"]), [1, None, 7], "binary"),
}


@pytest.mark.parametrize(("written", "loaded", "kind"), CHANGED.values(), ids=CHANGED)
def test_another_type_is_cast_and_said(tmp_path: Path, written: pa.Array, loaded: list[object], kind: str) -> None:
    with pytest.warns(UserWarning, match=f"column payment_type is {kind}.* instead of int32, cast"):
        trips = roundtrip(tmp_path, "yellow", "2024-01", payment_type=written)
    assert pa.array(trips["payment_type"]).to_pylist() == loaded
    assert len(trips.attrs["findings"]) == 1


LOSSY = {
    "part of a passenger": ("passenger_count", pa.array([1.0, 2.5, 1.0]), r"row 2, column passenger_count: '2\.5'"),
    "not a number": ("passenger_count", pa.array([float("nan")] * 3), "row 1, column passenger_count: 'nan'"),
    "an infinite fare": ("fare_amount", pa.array([1.0, 1.0, float("inf")]), "row 3, column fare_amount: 'inf'"),
    "a large id": ("VendorID", pa.array([1, 1, 2**31]), "row 3, column VendorID: '2147483648'"),
    "a fine integer": ("fare_amount", pa.array([1, 2**53 + 1, 1]), "row 2, column fare_amount: '9007199254740993'"),
    "nanoseconds": ("tpep_pickup_datetime", pa.array([1, 1000, 1000], pa.timestamp("ns")), "row 1, column tpep_pick"),
    "a word": ("payment_type", pa.array(["1", "Cash", "1"]), "row 2, column payment_type: 'Cash'"),
    "a date of America": ("tpep_pickup_datetime", pa.array(["1/31/2024"] * 3), "row 1, column tpep_pickup_datetime"),
    "a zone of time": (
        "tpep_pickup_datetime",
        pa.array([TIME.replace(tzinfo=UTC)] * 3),
        r"column tpep_pickup_datetime: .*tz=UTC",
    ),
    "integers for times": (
        "tpep_pickup_datetime",
        pa.array([1, 2, 3]),
        "column tpep_pickup_datetime: it is int64 .* no time",
    ),
    "truth for a number": ("fare_amount", pa.array([True] * 3), "column fare_amount: it is bool .* is no number"),
    "a list": ("fare_amount", pa.array([[1.0]] * 3), r"column fare_amount: .*list<element: double>"),
    "text that is no text": (
        "store_and_fwd_flag",
        pa.array([b"\xff"] * 3).cast(pa.string(), safe=False),
        "not UTF-8",
    ),
    "bytes that are no text": ("store_and_fwd_flag", pa.array([b"Y", None, b"\xff"]), r"row 3, .*changed: discard"),
}


@pytest.mark.filterwarnings("ignore:.*, cast:UserWarning")
@pytest.mark.parametrize(("column", "written", "message"), LOSSY.values(), ids=LOSSY)
def test_what_would_lose_something_is_refused(tmp_path: Path, column: str, written: pa.Array, message: str) -> None:
    with pytest.raises(ValueError, match=f"yellow_tripdata_2024-01.parquet, .*{message}"):
        roundtrip(tmp_path, "yellow", "2024-01", **{column: written})


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_loads_in_its_own_spelling(tmp_path: Path, service: str) -> None:
    table = month_table(service, "2025-01")
    shouted = table.rename_columns([f" {name.replace('ID', '_id').upper()} " for name in table.column_names])
    write_parquet(tmp_path / service, service, "2025-01", shouted)
    assert load(tmp_path, service, "2025-01", "freeze").columns.tolist() == list(
        columns_of(service, "2025-01", PARQUET)
    )


def test_a_column_has_its_months(tmp_path: Path) -> None:
    for month in ("2024-12", "2025-01"):
        write_parquet(tmp_path, "yellow", month, month_table("yellow", month))
    trips = load(tmp_path, "yellow", "2024-12..2025-01", "freeze")
    assert pa.array(trips["cbd_congestion_fee"]).to_pylist() == [None] * 3 + [1.0] * 3
    assert [file["added"] for file in trips.attrs["files"]] == [["cbd_congestion_fee"], []]


def test_row_numbers_of_pandas_are_not_loaded(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="__index_level_0__: row numbers left by pandas, not loaded"):
        trips = roundtrip(tmp_path, "yellow", "2010-02", "freeze", __index_level_0__=pa.array([5, 6, 7]))
    assert "__index_level_0__" not in trips


def test_a_month_of_several_row_groups_comes_in_batches_with_every_row(tmp_path: Path) -> None:
    rows = 130_000
    table = month_table("green", "2024-01", rows, PULocationID=pa.array(range(rows), pa.int64()))
    path = write_parquet(tmp_path, "green", "2024-01", table, row_group_size=100_000)
    assert pq.read_metadata(path).num_row_groups == 2
    trips = load(tmp_path, "green", "2024-01")
    assert trips["PULocationID"].tolist() == list(range(rows))


FAR = pa.array([datetime(1, 1, 1), datetime(9999, 12, 31), None], pa.timestamp("us"))


@pytest.mark.parametrize("int96", [False, True], ids=["microseconds", "int96"])
def test_years_far_away_load(tmp_path: Path, int96: bool) -> None:
    table = month_table("fhv", "2024-01", dropOff_datetime=FAR)
    write_parquet(tmp_path, "fhv", "2024-01", table, use_deprecated_int96_timestamps=int96)
    assert pa.array(load(tmp_path, "fhv", "2024-01")["dropOff_datetime"]).to_pylist() == FAR.to_pylist()


def test_nanoseconds_in_int96_are_refused(tmp_path: Path) -> None:
    times = pa.array([None, -(10**18), 1_700_000_000_000_000_001], pa.timestamp("ns"))
    table = month_table("fhv", "2024-01", dropOff_datetime=times)
    write_parquet(tmp_path, "fhv", "2024-01", table, use_deprecated_int96_timestamps=True)
    with pytest.raises(ValueError, match=r"row 3, column dropOff_datetime: a time .* \(INT96\).*changed: discard"):
        load(tmp_path, "fhv", "2024-01")


@pytest.mark.parametrize("int96", [False, True], ids=["nanoseconds", "int96"])
def test_where_what_does_not_fit_becomes_null_nanoseconds_do(tmp_path: Path, int96: bool) -> None:
    rows = 90_000  # more than a batch has
    times = pa.array([None, *(1_700_000_000_000_000_000 + place // (rows - 3) for place in range(1, rows))])
    table = month_table("fhv", "2024-01", rows, dropOff_datetime=times.cast(pa.timestamp("ns")))
    write_parquet(tmp_path, "fhv", "2024-01", table, use_deprecated_int96_timestamps=int96)
    with pytest.warns(UserWarning, match="column dropOff_datetime: 3 values did not fit and became null"):
        trips = load(tmp_path, "fhv", "2024-01", {"changed": "discard"})
    nulls = trips.index[trips["dropOff_datetime"].isna()]
    assert nulls.tolist() == [0, rows - 3, rows - 2, rows - 1]


def test_decimals_become_the_nearest_numbers(tmp_path: Path) -> None:
    fares = [Decimal("-5.31"), Decimal("16.83"), None]
    with pytest.warns(UserWarning, match="is decimal128.* instead of double, cast"):
        trips = roundtrip(tmp_path, "green", "2024-01", fare_amount=pa.array(fares))
    assert pa.array(trips["fare_amount"]).to_pylist() == [-5.31, 16.83, None]
