"""What a month's file may look like, and what comes of it."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from taxi.text import BLOCK_BYTES
from tests.taxi.making import GREEN, HEADER, TRIP, UNMETERED, frames_of, load, month_path, text, trip, write_month


def test_columns_come_in_their_order_with_their_types(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP))
    assert load(tmp_path).dtypes.to_dict() == {name: pd.ArrowDtype(kind) for name, kind in GREEN.items()}


def test_values_are_those_of_the_file(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, UNMETERED))
    metered, unmetered = load(tmp_path).to_dict("records")
    assert metered["VendorID"] == 2
    assert metered["lpep_pickup_datetime"] == datetime(2020, 10, 1, 0, 31, 19)
    assert (metered["trip_distance"], metered["store_and_fwd_flag"]) == (0.79, "N")
    assert pd.isna(unmetered["VendorID"])
    assert unmetered["total_amount"] == 19.71


def test_a_frame_says_which_file_its_rows_are_of(tmp_path: Path) -> None:
    path = write_month(tmp_path, text(TRIP, TRIP))
    [frame] = frames_of(tmp_path)
    [file] = frame.attrs["files"]
    assert (file["service"], file["month"], file["rows"]) == ("green", "2020-10", 2)
    assert (file["name"], file["size_bytes"]) == (path.name, path.stat().st_size)
    assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_months_come_one_after_another(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP))
    write_month(tmp_path, text(UNMETERED, UNMETERED), "2020-11")
    assert [frame.attrs["files"][0]["month"] for frame in frames_of(tmp_path, "2020-11, 2020-10")] == [
        "2020-11",
        "2020-10",
    ]


def test_a_long_month_comes_in_bounded_batches_with_every_row(tmp_path: Path) -> None:
    rows = 3 * BLOCK_BYTES // len(TRIP)
    write_month(tmp_path, text(*[trip(PULocationID=str(n)) for n in range(rows)]))
    frames = list(frames_of(tmp_path))
    assert len(frames) > 2
    assert max(map(len, frames)) < 70_000
    assert pd.concat(frames)["PULocationID"].tolist() == list(range(rows))


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_both_line_ends_load(tmp_path: Path, end: str) -> None:
    write_month(tmp_path, text(TRIP, UNMETERED, end=end))
    assert load(tmp_path)["congestion_surcharge"].tolist() == [0.0, pd.NA]


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, TRIP).rstrip())
    assert len(load(tmp_path)) == 2


def test_empty_lines_are_no_trips(tmp_path: Path) -> None:
    write_month(tmp_path, text("", TRIP, "", TRIP, ""))
    assert len(load(tmp_path)) == 2


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    write_month(tmp_path, b"\xef\xbb\xbf" + text(TRIP))
    assert load(tmp_path)["VendorID"].tolist() == [2]


def test_columns_in_another_order_and_case_load(tmp_path: Path) -> None:
    names, values = HEADER.split(",")[::-1], TRIP.split(",")[::-1]
    write_month(tmp_path, text(",".join(values), header=",".join(names).upper()))
    assert load(tmp_path).columns.tolist() == list(GREEN)
    assert load(tmp_path)["total_amount"].tolist() == [7.88]


def test_a_new_column_is_a_finding_and_not_loaded(tmp_path: Path) -> None:
    write_month(tmp_path, text(f"{TRIP},0.75", header=f"{HEADER},night_fee"))
    with pytest.warns(UserWarning, match="a new column, not loaded .* 'night_fee'"):
        assert load(tmp_path).columns.tolist() == list(GREEN)


def test_a_month_without_rows_is_an_empty_frame_with_types(tmp_path: Path) -> None:
    write_month(tmp_path, text())
    with pytest.warns(UserWarning, match=r"2020-10\.csv\.gz: the month has a header and no rows"):
        empty = load(tmp_path)
    assert len(empty) == 0
    assert empty["lpep_pickup_datetime"].dtype == pd.ArrowDtype(pa.timestamp("us"))


@pytest.mark.parametrize("year", [1900, 2008, 3019])
def test_odd_years_load(tmp_path: Path, year: int) -> None:
    write_month(tmp_path, text(trip(lpep_dropoff_datetime=f"{year}-02-28 23:59:59")))
    assert load(tmp_path)["lpep_dropoff_datetime"].tolist() == [datetime(year, 2, 28, 23, 59, 59)]


def test_a_quoted_field_with_line_ends_loads(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, trip(store_and_fwd_flag='"Y\r\n,""Y"""'), TRIP))
    assert load(tmp_path)["store_and_fwd_flag"].tolist() == ["N", 'Y\r\n,"Y"', "N"]


def test_quoted_line_ends_never_cut_a_record_in_two(tmp_path: Path) -> None:
    rows = 2 * BLOCK_BYTES // len(TRIP)
    write_month(tmp_path, text(*[trip(store_and_fwd_flag='"\n\nN\n"')] * rows))
    flags = load(tmp_path)["store_and_fwd_flag"]
    assert len(flags) == rows
    assert set(flags) == {"\n\nN\n"}


def test_whole_numbers_with_a_point_load_without_loss(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, trip(passenger_count="3.0", VendorID="16777217")))
    assert load(tmp_path)["passenger_count"].tolist() == [1, 3]
    assert load(tmp_path)["VendorID"].tolist() == [2, 16777217]


def test_several_gzip_streams_in_one_file_are_one_text(tmp_path: Path) -> None:
    month_path(tmp_path).write_bytes(gzip.compress(text(TRIP)) + gzip.compress(f"{TRIP}\n".encode()) + b"\0" * 512)
    assert len(load(tmp_path)) == 2
