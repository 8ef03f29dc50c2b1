"""What kills, crashes and other programs leave behind, and that `up` puts it right."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import storage

from mage_project.local import LocalStack
from tests.local.owners import BOTH, OwnerFactory, eventually, processes_of, query, running

linux = pytest.mark.skipif(sys.platform != "linux", reason="objects are told from files by attributes of Linux")


@pytest.fixture
def stack(project: Path) -> Iterator[LocalStack]:
    """A stack that runs and is stopped after the test."""
    used = LocalStack(project)
    used.up(BOTH)
    yield used
    used.down()


@pytest.fixture
def local(project: Path) -> Path:
    return project / ".mage_project" / "local"


def pid_of(local: Path, service: str) -> int:
    return int((local / f"{service}.lock").read_text())


def test_committed_rows_outlive_a_kill_of_postgres(stack: LocalStack, local: Path) -> None:
    query(stack, "DROP TABLE IF EXISTS safe; CREATE TABLE safe AS SELECT generate_series(1, 10000) AS n")
    os.kill(pid_of(local, "postgres"), signal.SIGKILL)
    stack.up(BOTH)
    assert query(stack, "SELECT count(*) FROM safe") == [(10000,)]


def test_a_killed_gcs_server_starts_again(stack: LocalStack, local: Path) -> None:
    stack.ensure_buckets(["survivor"])
    os.kill(pid_of(local, "gcs"), signal.SIGKILL)
    stack.up(BOTH)
    assert stack.ensure_buckets(["survivor"]) == []


def test_status_notices_a_killed_server(stack: LocalStack, project: Path, local: Path) -> None:
    os.kill(pid_of(local, "gcs"), signal.SIGKILL)
    eventually(lambda: running(project) == {"postgres"})


def test_a_kill_of_everything_at_once_is_put_right(project: Path, owner: OwnerFactory, local: Path) -> None:
    process = owner(project).is_ready()
    for service in ("watcher", "postgres", "gcs"):
        os.kill(pid_of(local, service), signal.SIGKILL)
    process.kill()
    eventually(lambda: not processes_of(project))
    stack = LocalStack(project)
    stack.up(BOTH)
    assert query(stack, "SELECT 1") == [(1,)]
    stack.down()


def test_a_killed_watcher_is_replaced_by_the_next_user(project: Path, owner: OwnerFactory, local: Path) -> None:
    first = owner(project).is_ready()
    os.kill(pid_of(local, "watcher"), signal.SIGKILL)
    first.kill()
    assert running(project) == {"postgres", "gcs"}
    owner(project).is_ready().kill()
    eventually(lambda: not processes_of(project))


def test_a_pid_file_whose_pid_is_another_programs_by_now_is_no_obstacle(project: Path, local: Path) -> None:
    stack = LocalStack(project)
    stack.up(("postgres",))
    account = (local / "pg18").stat().st_uid
    stack.down()
    options = {"user": account} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **options) as other:  # type: ignore[call-overload]
        try:
            (local / "pg18" / "postmaster.pid").write_text(f"{other.pid}\n/elsewhere\n0\n0\n\n\n")
            stack.up(("postgres",))
            assert query(stack, "SELECT 1") == [(1,)]
            assert other.poll() is None
        finally:
            other.kill()
            stack.down()


@pytest.mark.parametrize("service", ["postgres", "gcs"])
def test_a_server_whose_port_was_taken_moves_to_another_one(project: Path, local: Path, service: str) -> None:
    port_file = local / f"{service}.port"
    with socket.socket() as other:
        before = int(port_file.read_text())
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before))
        other.listen()
        stack = LocalStack(project)
        stack.up((service,))
        assert int(port_file.read_text()) != before
        assert running(project) == {service}
        stack.down()


def test_a_lost_password_is_replaced(project: Path, local: Path) -> None:
    before = (local / "postgres.password").read_text()
    (local / "postgres.password").unlink()
    stack = LocalStack(project)
    stack.up(("postgres",))
    assert query(stack, "SELECT 1") == [(1,)]
    assert stack.env(("postgres",))["PGPASSWORD"] != before
    stack.down()


@pytest.fixture
def gcs(project: Path) -> Iterator[LocalStack]:
    """A stack whose GCS server runs and has the empty bucket `lake`."""
    used = LocalStack(project)
    shutil.rmtree(used.bucket_folder("lake"), ignore_errors=True)
    used.up(("gcs",))
    used.ensure_buckets(["lake"])
    yield used
    used.down()


@pytest.fixture
def lake(gcs: LocalStack) -> Iterator[storage.Bucket]:
    """The bucket `lake`, as Google's client sees it."""
    options = {"api_endpoint": gcs.env(("gcs",))["STORAGE_EMULATOR_HOST"]}
    client = storage.Client(project="local", client_options=options, use_auth_w_custom_endpoint=False)
    yield client.bucket("lake")
    client.close()


def restart(gcs: LocalStack, local: Path) -> None:
    os.kill(pid_of(local, "gcs"), signal.SIGKILL)
    eventually(lambda: not gcs.status()[1].running)
    gcs.up(("gcs",))


@linux
def test_a_file_put_into_a_bucket_by_hand_becomes_an_object(gcs: LocalStack, lake: storage.Bucket, local: Path) -> None:
    (gcs.bucket_folder("lake") / "by hand ü.txt").write_text("mine")
    restart(gcs, local)
    assert [blob.name for blob in lake.list_blobs()] == ["by hand ü.txt"]
    assert lake.blob("by hand ü.txt").download_as_text() == "mine"


@linux
def test_an_object_that_the_server_could_not_finish_is_finished(
    gcs: LocalStack, lake: storage.Bucket, local: Path
) -> None:
    lake.blob("green/part.parquet").upload_from_string(b"rows")
    os.removexattr(gcs.bucket_folder("lake") / "green" / "part.parquet", "user.metadata")
    restart(gcs, local)
    assert lake.blob("green/part.parquet").download_as_bytes() == b"rows"


@linux
def test_what_the_server_tried_out_is_removed(gcs: LocalStack, lake: storage.Bucket, local: Path) -> None:
    (gcs.bucket_folder("lake") / ".part.parquet123456").touch()
    restart(gcs, local)
    assert list(lake.list_blobs()) == []
    assert not [path for path in (local / "gcs" / "unfinished").rglob("*") if path.is_file()]


@linux
def test_a_newer_object_wins_over_an_unfinished_one(gcs: LocalStack, lake: storage.Bucket, local: Path) -> None:
    lake.blob("part").upload_from_string(b"new")
    (local / "gcs" / "unfinished" / "lake").mkdir(parents=True, exist_ok=True)
    (local / "gcs" / "unfinished" / "lake" / "part").write_bytes(b"old")
    restart(gcs, local)
    assert lake.blob("part").download_as_bytes() == b"new"
