"""Files that are not as they should be: each has its own sentence, with file, line and column, and never loads."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from taxi.text import BLOCK_BYTES
from taxi.trips import month_frames
from tests.taxi.making import HEADER, TRIP, frames_of, load, month_path, text, trip, write_month

PACKED = gzip.compress(text(*[TRIP] * 5000), mtime=0)
FLIPPED = PACKED[:200] + bytes([PACKED[200] ^ 1]) + PACKED[201:]

ROWS = {
    "too few fields": ("1,2", r"line 3: 2 fields where the header has 20 columns: '1,2'"),
    "one field": ("1", r"line 3: 1 field where"),
    "too many fields": (f"{TRIP},9", r"line 3: 21 fields where the header has 20 columns"),
    "text for a count": (trip(passenger_count="two"), r"line 3, column passenger_count: 'two' is not a whole number"),
    "a part of a passenger": (trip(passenger_count="1.5"), r"line 3, column passenger_count: '1.5' is not a whole"),
    "text for dollars": (trip(total_amount="$7.88"), r"line 3, column total_amount: '\$7.88' is not a number"),
    "nan": (trip(tip_amount="nan"), r"line 3, column tip_amount: 'nan' is not a number"),
    "too large a code": (trip(VendorID="9" * 20), r"line 3, column VendorID: '9{20}' does not fit a 32-bit whole"),
    "too large an amount": (trip(extra="1e999"), r"line 3, column extra: '1e999' does not fit a 64-bit float"),
    "no such month": (
        trip(lpep_pickup_datetime="2020-13-01 00:00:00"),
        r"line 3, column lpep_pickup_datetime: '2020-13",
    ),
    "American date": (trip(lpep_pickup_datetime="10/01/2020 0:31"), r"is not a time like 2020-10-01 00:31:19"),
    "NUL": (trip(store_and_fwd_flag="\0"), r"line 3: a NUL byte"),
    "open quote": (trip(store_and_fwd_flag='"N'), r'line 3: a quoted field begins with " and never ends'),
    "10 MB in a field": (trip(store_and_fwd_flag="N" * 10_000_000), r"line 3: no line end in 1,000,000 bytes"),
    "10 MB in quotes": (trip(store_and_fwd_flag='"' + "N" * 10_000_000), r'line 3: a quoted field begins with "'),
}


@pytest.mark.parametrize(("row", "message"), ROWS.values(), ids=ROWS)
def test_a_bad_row_is_named_by_file_line_and_column(tmp_path: Path, row: str, message: str) -> None:
    path = write_month(tmp_path, text(TRIP, row, TRIP))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}, .*{message}"):
        load(tmp_path)


def test_bytes_that_are_no_utf8_are_named(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, trip(store_and_fwd_flag="?")).replace(b"?", b"\xff"))
    with pytest.raises(ValueError, match=r"line 3, column store_and_fwd_flag: b'\\xff' is not UTF-8 text"):
        load(tmp_path)


def test_the_first_of_several_bad_rows_is_named(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, trip(trip_type="x"), trip(VendorID="y")))
    with pytest.raises(ValueError, match="line 3, column trip_type"):
        load(tmp_path)


def test_lines_are_counted_through_quoted_ones_and_blocks(tmp_path: Path) -> None:
    before = 2 * BLOCK_BYTES // len(TRIP)
    lines = [trip(store_and_fwd_flag='"\n"'), "", *[TRIP] * before, trip(fare_amount="free")]
    write_month(tmp_path, text(*lines))
    with pytest.raises(ValueError, match=f"line {before + 5:,}, column fare_amount: 'free'"):
        load(tmp_path)


FILES = {
    "truncated": (PACKED[:-300], "the gzip data is cut off: its end is missing"),
    "without its last byte": (PACKED[:-1], "the gzip data is cut off"),
    "a bit flipped": (FLIPPED, "the gzip data is damaged"),
    "a wrong checksum": (PACKED[:-8] + b"oops" + PACKED[-4:], "the gzip data is damaged"),
    "something behind it": (PACKED + b"more", "something else follows the gzip data"),
    "a web page": (b"\n<!DOCTYPE html><html>", r"this is a web page \(HTML\) under the file's name"),
    "empty": (b"", "the file is empty"),
    "not packed": (text(TRIP), "this is not packed"),
    "zip": (b"PK\x03\x04...", "this is a zip archive"),
    "parquet": (b"PAR1....", "this is Parquet"),
    "something else": (b"\x89PNG\r\n", "this is not a gzip file: it starts with"),
    "nothing packed": (gzip.compress(b""), "there is no header"),
    "no header": (gzip.compress(text(TRIP, header=TRIP)), "column names occur more than once|missing columns"),
    "binary inside": (gzip.compress(b"\x89\0\1\2"), "line 1: a NUL byte"),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_month_says_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = month_path(tmp_path)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}.*(?:{message})"):
        load(tmp_path)


def test_a_missing_column_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, header=HEADER.replace("total_amount", "total_amounts")))
    with pytest.raises(ValueError, match=r"missing column total_amount\. Did you mean 'total_amounts'\?"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text(TRIP).replace(b",", b";"), "the names are parted by ';', not by commas"),
        (text(TRIP, end="\r"), r"lines have to end with \\n or \\r\\n, not with \\r"),
    ],
    ids=["semicolons", "carriage returns"],
)
def test_a_header_that_is_written_otherwise_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    write_month(tmp_path, content)
    with pytest.raises(ValueError, match=rf"2020-10\.csv\.gz, line 1: {message}"):
        frames_of(tmp_path)


def test_a_header_is_refused_before_the_first_row_of_an_earlier_month(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP))
    write_month(tmp_path, text(TRIP, header=f"{HEADER},vendorid"), "2020-11")
    with pytest.raises(ValueError, match=r"2020-11.*names occur more than once: 'VendorID' and 'vendorid'"):
        frames_of(tmp_path, "2020-10,2020-11")


def test_a_missing_file_says_what_the_folder_has(tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP), "2020-03")
    with pytest.raises(FileNotFoundError, match=r"no such file\. The folder has green_tripdata_2020-03\.csv\.gz"):
        load(tmp_path)


def test_a_zip_bomb_needs_no_more_memory_than_a_month(tmp_path: Path) -> None:
    with gzip.open(month_path(tmp_path), "wb", compresslevel=1) as bomb:
        bomb.write(f"{HEADER}\n".encode())
        for _ in range(40):
            bomb.write(b" " * 10_000_000)
    program = (
        "import resource, sys; from taxi.trips import month_frames\n"
        "list(month_frames('green', '2019-01', sys.argv[1], project='.'))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    list(month_frames('green', '2020-10', sys.argv[1], project='.'))\n"
        "except ValueError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    write_month(tmp_path, text(*[TRIP] * 100_000), "2019-01")
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    message, grown_kb = done.stdout.splitlines()
    assert "line 2: no line end in 1,000,000 bytes" in message
    assert int(grown_kb) < 20_000


def test_a_folder_with_spaces_quotes_and_dots_is_read(tmp_path: Path) -> None:
    odd = tmp_path / 'it\'s "my" data; 100%'
    write_month(odd, text(TRIP))
    assert len(load(odd / "green" / "..")) == 1


def test_a_relative_folder_starts_at_the_project(tmp_path: Path) -> None:
    write_month(tmp_path / "data", text(TRIP))
    assert len(list(month_frames("green", "2020-10", "data", project=tmp_path))) == 1
