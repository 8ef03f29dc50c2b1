"""Replacing a table of files in a bucket: whole, or not at all, whatever happens on the way."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from google.cloud import storage

from taxi import lake as lakes
from taxi.lake import Lake
from tests.taxi.proxy import Proxy, proxy_of

Table = dict[str, bytes]
OLD = {f"day=2020-10-{n:02}/part-0.parquet": b"old %d" % n for n in range(1, 9)}
NEW = {f"day=2020-10-{n:02}/part-0.parquet": b"new %d" % n for n in range(5, 20)}


@pytest.fixture
def bucket(gcs_client: storage.Client) -> storage.Bucket:
    return gcs_client.create_bucket(f"lake-{secrets.token_hex(4)}")


@pytest.fixture
def lake(bucket: storage.Bucket) -> Lake:
    return Lake(bucket.client, bucket.name, "trips")


def folder_with(table: Table, folder: Path) -> Path:
    for name, content in table.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def objects(bucket: storage.Bucket, prefix: str) -> Table:
    blobs = bucket.client.list_blobs(bucket, prefix=prefix)
    return {blob.name.removeprefix(prefix): blob.download_as_bytes() for blob in blobs}


def test_a_table_is_replaced_as_a_whole(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    lake.replace(folder_with(OLD, tmp_path / "old"))
    lake.replace(folder_with(NEW, tmp_path / "new"))
    assert objects(bucket, "trips/") == NEW
    assert objects(bucket, "_staging/") == {}


def test_other_tables_are_left_alone(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    Lake(bucket.client, bucket.name, "trips_2").replace(folder_with(OLD, tmp_path / "old"))
    lake.replace(folder_with(NEW, tmp_path / "new"))
    assert objects(bucket, "trips_2/") == OLD


def test_days_that_are_the_same_are_not_touched(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    lake.replace(folder_with(OLD, tmp_path))
    before = {blob.name: blob.generation for blob in bucket.list_blobs()}
    changed = "day=2020-10-01/part-0.parquet"
    lake.replace(folder_with({changed: b"another"}, tmp_path))
    after = {blob.name: blob.generation for blob in bucket.list_blobs()}
    assert {name for name in after if after[name] != before[name]} == {f"trips/{changed}"}


def test_no_files_are_an_empty_table(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    lake.replace(folder_with(OLD, tmp_path / "old"))
    lake.replace(tmp_path / "nothing")
    assert objects(bucket, "trips/") == {}


def test_a_failing_upload_leaves_the_table_and_no_staged_file(
    lake: Lake, bucket: storage.Bucket, tmp_path: Path
) -> None:
    lake.replace(folder_with(OLD, tmp_path / "old"))
    new = folder_with(NEW, tmp_path / "new")
    (new / "day=2020-10-12" / "unreadable").symlink_to("/proc/self/mem")
    with pytest.raises(OSError):
        lake.replace(new)
    assert objects(bucket, "trips/") == OLD
    assert objects(bucket, "_staging/") == {}


def test_a_load_that_was_committed_is_finished_by_the_next_run(
    lake: Lake, bucket: storage.Bucket, tmp_path: Path
) -> None:
    lake.replace(folder_with(OLD, tmp_path / "old"))
    leave_committed(lake, folder_with(NEW, tmp_path / "new"))
    assert objects(bucket, "trips/") == OLD
    lake.recover()
    assert objects(bucket, "trips/") == NEW
    assert objects(bucket, "_staging/") == {}


def leave_committed(lake: Lake, folder: Path) -> None:
    """What a run leaves that is killed right after its commit."""
    lake._commit(lake.stage(folder))


def test_a_commit_waits_for_the_one_before_it(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    leave_committed(lake, folder_with(OLD, tmp_path / "old"))
    lake.replace(folder_with(NEW, tmp_path / "new"))
    assert objects(bucket, "trips/") == NEW
    assert objects(bucket, "_staging/") == {}


def test_staged_files_of_others_are_cleared_after_a_day(
    lake: Lake, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.blob("_staging/trips/run/day=2020-10-01/part-0.parquet").upload_from_string("x")
    lake.recover()
    assert len(objects(bucket, "_staging/")) == 1
    monkeypatch.setattr(lakes, "ABANDONED_AFTER", timedelta(0))
    lake.recover()
    assert objects(bucket, "_staging/") == {}


def test_a_commit_whose_files_are_gone_is_said_and_not_in_the_way(
    lake: Lake, bucket: storage.Bucket, tmp_path: Path
) -> None:
    leave_committed(lake, folder_with(OLD, tmp_path / "old"))
    [staged] = [blob for blob in bucket.list_blobs(prefix="_staging/") if "day=2020-10-03/" in blob.name]
    staged.delete()
    with pytest.warns(UserWarning, match="somebody deleted staged files"):
        lake.recover()
    lake.replace(folder_with(NEW, tmp_path / "new"))
    assert objects(bucket, "trips/") == NEW


def test_a_missing_bucket_is_an_error_that_says_how_to_make_it(gcs_client: storage.Client) -> None:
    with pytest.raises(FileNotFoundError, match="gcloud storage buckets create gs://nowhere --location"):
        Lake(gcs_client, "nowhere", "trips").recover()


@pytest.mark.parametrize("name", ["", "/", "../up", "a/../b", "_staging", "_staging/x", "a//b", "a b", ".."])
def test_names_that_leave_their_place_are_refused(bucket: storage.Bucket, name: str) -> None:
    with pytest.raises(ValueError, match="lake table"):
        Lake(bucket.client, bucket.name, name)


@pytest.fixture
def door(gcs_env: dict[str, str], bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What stands between the lake and its bucket; waits are short."""
    retry = lakes.DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.05).with_timeout(0.5)
    monkeypatch.setattr(lakes, "_RETRY", retry)
    with proxy_of(gcs_env["STORAGE_EMULATOR_HOST"]) as door:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", door.url)
        yield door


def behind(door: Proxy, bucket: storage.Bucket) -> Lake:
    return Lake(storage.Client(), bucket.name, "trips")


@pytest.mark.parametrize("trouble", [0, 429, 500, 503], ids=["dropped", "429", "500", "503"])
def test_passing_troubles_are_tried_again(
    door: Proxy, bucket: storage.Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: int
) -> None:
    monkeypatch.setattr(lakes, "_RETRY", lakes._RETRY.with_timeout(30))
    door.rule = lambda method, path: trouble if len(door.seen) % 3 == 0 else None
    behind(door, bucket).replace(folder_with(NEW, tmp_path))
    assert objects(bucket, "trips/") == NEW


STEPS = {
    "uploading": lambda method, path: path.startswith("/upload/") and "publish.json" not in path,
    "copying": lambda method, path: "rewriteTo" in path,
    "deleting": lambda method, path: method == "DELETE",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_stays_away_is_named_with_what_holds(
    door: Proxy, bucket: storage.Bucket, tmp_path: Path, step: str
) -> None:
    lake = behind(door, bucket)
    lake.replace(folder_with(OLD, tmp_path / "old"))
    door.rule = lambda method, path: 503 if STEPS[step](method, path) else None
    state = "the table is as it was" if step == "uploading" else "the new load counts and waits in staging"
    with pytest.raises(ConnectionError, match=rf"gs://{bucket.name}: no answer .*503.* \({state}"):
        lake.replace(folder_with(NEW, tmp_path / "new"))
    door.rule = lambda method, path: None
    lake.recover()
    assert objects(bucket, "trips/") == (OLD if step == "uploading" else NEW)


def test_what_may_not_be_written_is_said_at_once(door: Proxy, bucket: storage.Bucket, tmp_path: Path) -> None:
    door.rule = lambda method, path: 403 if method == "POST" else None
    with pytest.raises(PermissionError, match="Storage Object Admin"):
        behind(door, bucket).replace(folder_with(NEW, tmp_path))


PROGRAM = """
import sys
from pathlib import Path
from google.cloud import storage
from taxi.lake import Lake
lake = Lake(storage.Client(), sys.argv[1], "trips")
lake.recover()
print("go", flush=True)
lake.replace(Path(sys.argv[2]))
"""


def test_a_killed_run_leaves_the_old_load_or_one_that_the_next_run_finishes(
    lake: Lake, bucket: storage.Bucket, tmp_path: Path
) -> None:
    random, loads = (
        Random(7),
        {name: folder_with(table, tmp_path / name) for name, table in (("old", OLD), ("new", NEW))},
    )
    lake.replace(loads["old"])
    tables, now = {"old": OLD, "new": NEW}, "old"
    for _ in range(8):
        wanted = "new" if now == "old" else "old"
        command = [sys.executable, "-c", PROGRAM, bucket.name, loads[wanted]]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(random.random() * 0.25)
            process.kill()
        committed = bucket.blob("_staging/trips/publish.json").exists()
        if not committed:
            assert objects(bucket, "trips/") in (OLD, NEW)
        lake.recover()
        assert objects(bucket, "trips/") in ((tables[wanted],) if committed else (OLD, NEW))
        now = "old" if objects(bucket, "trips/") == OLD else "new"


def test_what_is_committed_can_be_read(lake: Lake, bucket: storage.Bucket, tmp_path: Path) -> None:
    leave_committed(lake, folder_with({"day=2020-10-01/part-0.parquet": b"hello"}, tmp_path))
    committed = json.loads(bucket.blob("_staging/trips/publish.json").download_as_bytes())
    assert committed["objects"] == {"day=2020-10-01/part-0.parquet": ["mnG7TA==", 5]}
