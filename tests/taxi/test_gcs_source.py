"""Months from a bucket."""

from __future__ import annotations

import gzip
import json
import secrets
from pathlib import Path

import pytest
from google.cloud import storage

from taxi.files import trip_file
from taxi.months import Month
from tests.taxi.making import TRIP, text

MONTH = Month(service="green", month="2020-10")
NAME = f"{MONTH.name}.csv.gz"
CONTENT = gzip.compress(b"".join(text(TRIP.replace("7.88", str(n))) for n in range(500)), mtime=0)


@pytest.fixture
def bucket(gcs_client: storage.Client) -> storage.Bucket:
    bucket = gcs_client.create_bucket(f"source-{secrets.token_hex(4)}")
    bucket.blob(f"tlc/green/{NAME}").upload_from_string(CONTENT)
    return bucket


def test_a_month_comes_from_a_bucket_and_is_kept(bucket: storage.Bucket, tmp_path: Path) -> None:
    first = trip_file(f"gs://{bucket.name}/tlc", MONTH, project=tmp_path)
    changed_at = first.path.stat().st_mtime_ns
    assert first.path.read_bytes() == CONTENT
    assert first.label == f"gs://{bucket.name}/tlc/green/{NAME}"
    assert trip_file(f"gs://{bucket.name}/tlc/", MONTH, project=tmp_path).path.stat().st_mtime_ns == changed_at


def test_a_new_generation_replaces_the_kept_one(bucket: storage.Bucket, tmp_path: Path) -> None:
    trip_file(f"gs://{bucket.name}/tlc", MONTH, project=tmp_path)
    bucket.blob(f"tlc/green/{NAME}").upload_from_string(gzip.compress(text(TRIP)))
    assert gzip.decompress(trip_file(f"gs://{bucket.name}/tlc", MONTH, project=tmp_path).path.read_bytes()) == text(
        TRIP
    )


def test_a_download_goes_on_with_the_same_generation(bucket: storage.Bucket, tmp_path: Path) -> None:
    kept = trip_file(f"gs://{bucket.name}/tlc", MONTH, project=tmp_path).path
    note = kept.with_name(f"{kept.name}.json")
    kept.with_name(f"{kept.name}.part").write_bytes(CONTENT[:700])
    version = {name: value for name, value in json.loads(note.read_text()).items() if name not in ("url", "sha256")}
    kept.with_name(f"{kept.name}.part.json").write_text(json.dumps(version))
    kept.unlink()
    told: list[int] = []
    again = trip_file(
        f"gs://{bucket.name}/tlc", MONTH, project=tmp_path, progress=lambda done, total, what: told.append(done)
    )
    assert again.path.read_bytes() == CONTENT
    assert told == [len(CONTENT)]


def test_a_missing_object_is_named(bucket: storage.Bucket, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"gs://{bucket.name}/other/green/{NAME}: there is no such object"):
        trip_file(f"gs://{bucket.name}/other", MONTH, project=tmp_path)


@pytest.mark.usefixtures("bucket")
def test_a_missing_bucket_is_not_taken_for_a_month_to_come(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there is no bucket nobodys-bucket") as error:
        trip_file("gs://nobodys-bucket/tlc", MONTH, project=tmp_path)
    assert not hasattr(error.value, "not_published")


def test_a_page_in_the_bucket_is_no_month(bucket: storage.Bucket, tmp_path: Path) -> None:
    bucket.blob(f"tlc/green/{NAME}").upload_from_string("<html>")
    with pytest.raises(ValueError, match="this is a web page"):
        trip_file(f"gs://{bucket.name}/tlc", MONTH, project=tmp_path)
