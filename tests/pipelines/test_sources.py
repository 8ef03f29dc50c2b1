"""Sources that are not as they should be: named with file, line and column and what to do; nothing changes."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.pipelines.conftest import Refused
from tests.pipelines.lab import Lab
from tests.pipelines.stores import Target
from tests.taxi.making import HEADER, TRIP, text, trip
from tests.taxi.site import Site, Trouble, cut, page, status

BAD = "green_tripdata_2020-11.csv.gz"
CORRECT = "Correct a copy of the file"
WHOLE = text(*[trip(fare_amount=str(n)) for n in range(3000)])
PACKED = gzip.compress(WHOLE, mtime=0)
FLIPPED = PACKED[:5000] + bytes([PACKED[5000] ^ 1]) + PACKED[5001:]


def publish(site: Site, **months: bytes) -> dict[str, Any]:
    """Put the files of months on the site, a good one first; the variables of a run that loads them all."""
    files = {"2020-10": PACKED, **{name.strip("_").replace("_", "-"): content for name, content in months.items()}}
    site.files = {f"/tlc/green/green_tripdata_{month}.csv.gz": content for month, content in files.items()}
    return {"source": f"{site.url}/tlc", "months": list(files)}


TROUBLES: dict[str, tuple[list[Trouble], str, str]] = {
    "not found": ([status(404)], "404", "Check the months and the source"),
    "forbidden": ([status(403)], "403", "Check the source, and its password or signature"),
    "a web page": ([page], "this is a web page (HTML)", "open the address in a browser"),
    "always unavailable": ([status(503)] * 9, "503", "The next run goes on from here"),
    "always cut": ([cut(4000)] + [cut(0)] * 9, "the connection was cut", "The next run goes on from here"),
}


@pytest.mark.parametrize(("troubles", "what", "next_step"), TROUBLES.values(), ids=TROUBLES)
def test_a_server_that_does_not_give_the_month_is_named(
    refused: Refused, site: Site, troubles: list[Trouble], what: str, next_step: str
) -> None:
    months = publish(site, _2020_11=PACKED)
    site.troubles = [lambda handler: handler.serve(), *troubles]
    refused(f"{site.url}/tlc/green/{BAD}", what, next_step, **months)


FILES = {
    "truncated": (PACKED[:-3000], "the gzip data is cut off"),
    "a bit flipped": (FLIPPED, "the gzip data is damaged"),
    "not packed": (WHOLE, "this is not packed"),
    "not gzip": (b"\x89PNG\r\n" * 100, "this is not a gzip file"),
    "empty": (b"", "the file is empty"),
    "no header": (gzip.compress(b""), "there is no header"),
}


@pytest.mark.parametrize(("content", "what"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_month_is_named(refused: Refused, site: Site, content: bytes, what: str) -> None:
    refused(f"{site.url}/tlc/green/{BAD}: ", what, **publish(site, _2020_11=content))


ROWS = {
    "too few fields": ("1,2", ": 2 fields where the header has 20 columns"),
    "too many fields": (f"{TRIP},9", ": 21 fields where the header has 20 columns"),
    "text for a number": (trip(passenger_count="two"), ", column passenger_count: 'two' is not a whole number"),
    "out of range": (trip(VendorID="9" * 20), f", column VendorID: '{'9' * 20}' does not fit a 32-bit whole number"),
    "too large an amount": (trip(extra="1e999"), ", column extra: '1e999' does not fit"),
    "no date": (trip(lpep_pickup_datetime="10/01/2020"), ", column lpep_pickup_datetime: '10/01/2020' is not a time"),
    "NUL": (trip(store_and_fwd_flag="\0"), ": a NUL byte"),
    "open quote": (trip(store_and_fwd_flag='"N'), ': a quoted field begins with " and never ends'),
    "10 MB in a field": (trip(store_and_fwd_flag="N" * 10_000_000), ": no line end in 1,000,000 bytes"),
    "not UTF-8": (trip(store_and_fwd_flag="\udcff"), r", column store_and_fwd_flag: b'\xff' is not UTF-8 text"),
}


@pytest.mark.parametrize(("row", "what"), ROWS.values(), ids=ROWS)
def test_a_bad_row_is_named_by_file_line_and_column(refused: Refused, site: Site, row: str, what: str) -> None:
    lines = [HEADER, *[TRIP] * 2_000, row, TRIP]
    content = "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")
    months = publish(site, _2020_11=gzip.compress(content, 1))
    refused(f"{site.url}/tlc/green/{BAD}, line 2,002{what}", CORRECT, **months)


HEADERS = {
    "a column missing": (HEADER.replace("total_amount", "total"), "missing column total_amount", "Did you mean"),
    "duplicate names": (f"{HEADER},vendorid", "column names occur more than once: 'VendorID' and 'vendorid'", ""),
}


@pytest.mark.parametrize(("header", "what", "next_step"), HEADERS.values(), ids=HEADERS)
def test_a_bad_header_is_refused_before_the_first_row(
    refused: Refused, site: Site, header: str, what: str, next_step: str
) -> None:
    months = publish(site, _2020_11=gzip.compress(text(TRIP, header=header)))
    result = refused(f"{site.url}/tlc/green/{BAD}, line 1: ", what, next_step, CORRECT, **months)
    assert result.report["blocks"][0]["rows_out"] is None


def test_a_download_that_was_cut_goes_on_where_it_ended(lab: Lab, target: Target, site: Site) -> None:
    months = publish(site)
    site.troubles = [cut(4000), status(503)]
    result = lab.run({**target.variables, **months})
    assert result.exit_code == 0
    assert [asked["Range"] for asked in site.asked] == [None, "bytes=4000-", "bytes=4000-"]
    assert result.report["blocks"][0]["rows_out"] == len(target.rows("*")) == 3000


def test_what_a_failed_run_downloaded_is_used_by_the_next(
    refused: Refused, lab: Lab, target: Target, site: Site
) -> None:
    months = publish(site)
    site.troubles = [cut(4000), *[status(503)] * 9]
    refused("503", **months)
    site.troubles = []
    assert lab.run({**target.variables, **months}).exit_code == 0
    assert site.asked[-1]["Range"] == "bytes=4000-"


BOMBS = {
    "blanks": (b" " * 10_000_000, "line 2: no line end in 1,000,000 bytes"),
    "quotes": (b'"' + b"\n" * 9_999_999, 'line 2: a quoted field begins with "'),
}


@pytest.mark.parametrize(("piece", "what"), BOMBS.values(), ids=BOMBS)
def test_a_zip_bomb_needs_no_more_memory_than_a_month(refused: Refused, site: Site, piece: bytes, what: str) -> None:
    """A gigabyte in a megabyte: gzip streams may follow each other."""
    bomb = gzip.compress(f"{HEADER}\n".encode()) + gzip.compress(piece) * 100
    result = refused(what, **publish(site, _2020_11=bomb))
    assert result.report["peak_rss_bytes"] < 300_000_000


def test_a_bomb_of_empty_lines_is_a_month_of_no_rows(lab: Lab, target: Target, site: Site) -> None:
    bomb = gzip.compress(f"{HEADER}\n".encode()) + gzip.compress(b"\n" * 10_000_000) * 20
    result = lab.run({**target.variables, **publish(site, _2020_11=bomb)})
    assert result.exit_code == 0
    assert "green_tripdata_2020-11.csv.gz: the month has a header and no rows" in result.findings
    assert result.report["peak_rss_bytes"] < 300_000_000


def test_secrets_of_the_source_are_never_shown(lab: Lab, target: Target, refused: Refused, site: Site) -> None:
    """Nor are they written, but to the note that lets a block be tried again, which others cannot read."""
    lab.secrets.append("s3cret")
    months = publish(site, _2020_11=PACKED[:-9])
    months["source"] = f"{site.url.replace('//', '//me:s3cret@')}/tlc?sig=s3cret"
    refused(f"{site.url}/tlc/green/{BAD}: the gzip data is cut off", **months)
    assert lab.run({**target.variables, **months, "months": ["2020-10"]}).exit_code == 0
    files = [path for path in (lab.root / ".mage_project").rglob("*") if path.is_file()]
    with_secret = [path for path in files if b"s3cret" in path.read_bytes()]
    assert [(path.name, path.stat().st_mode & 0o777) for path in with_secret] == [("run.json", 0o600)]
