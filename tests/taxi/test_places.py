"""Where a month's file is found, in which format, and what is said where there is none."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from google.cloud import storage

from taxi import cache
from taxi.files import TLC, trip_file
from taxi.months import Month
from taxi.remotes import NotPublished
from tests.taxi.drift import load, month_table, write_parquet
from tests.taxi.making import STRICT, TRIP, text
from tests.taxi.site import Handler, Site, serving, status

MONTH = Month(service="green", month="2020-10")
HTTP_TLC = TLC.replace("https", "http")  # so that a test can stand in for the host, as a proxy
CSV_GZ = gzip.compress(text(TRIP), mtime=0)


def parquet() -> bytes:
    written = io.BytesIO()
    pq.write_table(month_table("green", "2020-10"), written)
    return written.getvalue()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(cache, "PAUSE_S", 0.001)
    with serving() as site:
        yield site


@pytest.fixture
def tlc(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site in place of TLC's host."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, site.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return site


def missing_at_tlc(handler: Handler) -> None:
    handler.answer(
        403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    )


def blocked(handler: Handler) -> None:
    handler.answer(403, b"<html><h1>403 ERROR</h1>The request could not be satisfied. Request blocked.</html>")


PLACES = {
    "csv.gz": ("green/green_tripdata_2020-10.csv.gz", CSV_GZ),
    "csv": ("green/green_tripdata_2020-10.csv", text(TRIP)),
    "parquet": ("green_tripdata_2020-10.parquet", parquet()),
    "parquet below the service": ("green/green_tripdata_2020-10.parquet", parquet()),
}


@pytest.mark.parametrize(("path", "content"), PLACES.values(), ids=PLACES)
def test_a_folder_gives_what_it_has(tmp_path: Path, path: str, content: bytes) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(content)
    assert len(load(tmp_path, "green", "2020-10", STRICT)) in (1, 3)


def test_the_format_can_be_said(tmp_path: Path) -> None:
    for path, content in PLACES.values():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    found = {name: trip_file(str(tmp_path), MONTH, project=tmp_path, file_format=name) for name in ("csv", "parquet")}
    assert found["csv"].path == tmp_path / PLACES["csv"][0]
    assert found["parquet"].path == tmp_path / PLACES["parquet"][0]
    assert trip_file(str(tmp_path), MONTH, project=tmp_path).path == tmp_path / PLACES["csv.gz"][0]
    with pytest.raises(ValueError, match=r"format 'parket' is none of .* Did you mean 'parquet'"):
        trip_file(str(tmp_path), MONTH, project=tmp_path, file_format="parket")


def test_a_bucket_gives_what_it_has(gcs_client: storage.Client, tmp_path: Path) -> None:
    bucket = gcs_client.create_bucket("places")
    bucket.blob("tlc/green_tripdata_2020-10.parquet").upload_from_string(parquet())
    assert trip_file("gs://places/tlc", MONTH, project=tmp_path).file_format == "parquet"
    with pytest.raises(NotPublished, match=r"2020-11\.csv\.gz: there is no such object.* Nor is there .*\.parquet"):
        trip_file("gs://places/tlc", Month(service="green", month="2020-11"), project=tmp_path)


def test_tlc_s_host_has_parquet_and_it_is_kept(tlc: Site, tmp_path: Path) -> None:
    tlc.files[f"{HTTP_TLC}/green_tripdata_2020-10.parquet"] = parquet()
    kept = [trip_file(HTTP_TLC, MONTH, project=tmp_path) for _ in range(2)]
    assert kept[0].path.read_bytes() == parquet()
    assert kept[0].sha256 == kept[1].sha256
    assert tlc.asked[1]["If-None-Match"]


def test_a_month_that_tlc_does_not_have_yet_is_not_published(tlc: Site, tmp_path: Path) -> None:
    tlc.troubles = [missing_at_tlc]
    with pytest.raises(NotPublished, match=r"answered 403 .*: this month is not published there") as error:
        trip_file(HTTP_TLC, MONTH, project=tmp_path)
    assert error.value.not_published
    assert len(tlc.asked) == 1


def test_to_be_kept_out_by_tlc_s_host_is_another_thing(tlc: Site, tmp_path: Path) -> None:
    tlc.troubles = [blocked]
    with pytest.raises(PermissionError, match="it may not be read"):
        trip_file(HTTP_TLC, MONTH, project=tmp_path)


def test_the_same_answer_of_another_host_is_a_refusal(site: Site, tmp_path: Path) -> None:
    site.troubles = [missing_at_tlc]
    with pytest.raises(PermissionError, match="it may not be read"):
        trip_file(site.url, MONTH, project=tmp_path)


def test_a_mirror_of_tlc_s_files_is_read_where_the_format_is_said(site: Site, tmp_path: Path) -> None:
    site.files["/x/green/green_tripdata_2020-10.parquet"] = parquet()
    assert trip_file(f"{site.url}/x", MONTH, project=tmp_path, file_format="parquet").path.read_bytes() == parquet()
    with pytest.raises(NotPublished, match="404"):
        trip_file(f"{site.url}/x", MONTH, project=tmp_path)


SPOILT = {
    "truncated": (lambda whole: whole[:-9], "its footer is missing"),
    "a page": (lambda whole: b"<html>", "this is a web page"),
    "gzip": (lambda whole: CSV_GZ, "this is packed with gzip"),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILT.values(), ids=SPOILT)
def test_what_is_no_whole_parquet_is_not_kept(tlc: Site, tmp_path: Path, spoil: object, message: str) -> None:
    address = f"{HTTP_TLC}/green_tripdata_2020-10.parquet"
    tlc.files[address] = spoil(parquet())  # type: ignore[operator]
    with pytest.raises(ValueError, match=message):
        trip_file(HTTP_TLC, MONTH, project=tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))
    tlc.files[address] = parquet()
    assert trip_file(HTTP_TLC, MONTH, project=tmp_path).path.read_bytes() == parquet()


def test_a_missing_month_of_a_folder_is_not_published(tmp_path: Path) -> None:
    write_parquet(tmp_path, "green", "2020-09", month_table("green", "2020-09"))
    with pytest.raises(NotPublished, match=r"no such file\. The folder has green_tripdata_2020-09\.parquet"):
        trip_file(str(tmp_path), MONTH, project=tmp_path)


def test_a_folder_that_is_not_there_is_no_matter_of_months(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder") as error:
        trip_file(str(tmp_path / "nothing"), MONTH, project=tmp_path)
    assert not isinstance(error.value, NotPublished)


@pytest.mark.parametrize(("code", "published"), [(404, False), (410, False), (401, True)])
def test_who_says_a_month_is_not_there(site: Site, tmp_path: Path, code: int, published: bool) -> None:
    site.troubles = [status(code)]
    with pytest.raises(OSError) as error:
        trip_file(site.url, MONTH, project=tmp_path)
    assert getattr(error.value, "not_published", False) is not published
