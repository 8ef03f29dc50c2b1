from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from google.cloud import storage

from mage_project.errors import ConfigError, StoreUnavailable, UsageError
from mage_project.local import LocalStack
from tests.local.owners import BOTH, query, running

pytestmark = pytest.mark.usefixtures("local_stack")


def test_the_services_run_after_up(local_stack: LocalStack) -> None:
    assert [(service.name, service.running) for service in local_stack.status()][:2] == [
        ("postgres", True),
        ("gcs", True),
    ]


def test_the_urls_hold_no_password(local_stack: LocalStack) -> None:
    password = local_stack.env()["POSTGRES_PASSWORD"]
    assert all(service.url and password not in service.url for service in local_stack.status() if service.running)


def test_up_again_changes_nothing(local_stack: LocalStack) -> None:
    before = local_stack.env()
    local_stack.up(BOTH)
    assert local_stack.env() == before


def test_the_environment_leads_psycopg2_to_the_database_of_the_project(local_stack: LocalStack) -> None:
    assert query(local_stack, "SELECT current_user, current_database()") == [("mage", "mage")]


def test_the_environment_has_the_variables_of_both_worlds(local_stack: LocalStack) -> None:
    env = local_stack.env()
    assert env["POSTGRES_PORT"] == env["PGPORT"]
    assert env["STORAGE_EMULATOR_HOST"] == env["CLOUD_STORAGE_EMULATOR_ENDPOINT"]
    assert env["GOOGLE_CLOUD_PROJECT"] == "local"


def test_the_environment_of_one_service_has_nothing_of_the_other(local_stack: LocalStack) -> None:
    assert "STORAGE_EMULATOR_HOST" not in local_stack.env(("postgres",))
    assert "PGHOST" not in local_stack.env(("gcs",))


def test_a_wrong_password_is_refused(local_stack: LocalStack) -> None:
    import psycopg2

    env = local_stack.env()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host=env["PGHOST"], port=env["PGPORT"], user="mage", password="guess", dbname="mage")


def test_postgres_listens_on_the_loopback_interface_only_and_syncs_to_disk(local_stack: LocalStack) -> None:
    names = ("listen_addresses", "unix_socket_directories", "fsync", "synchronous_commit", "full_page_writes")
    values = [query(local_stack, f"SHOW {name}")[0][0] for name in names]
    assert values == ["127.0.0.1", "", "on", "on", "on"]


@pytest.mark.usefixtures("gcs_env")
def test_objects_make_the_round_trip_and_are_files(local_stack: LocalStack) -> None:
    local_stack.ensure_buckets(["round-trip"])
    client = storage.Client()
    try:
        blob = client.bucket("round-trip").blob("green/2020-10 ä.csv")
        blob.upload_from_string(b"hello")
        assert blob.download_as_bytes() == b"hello"
    finally:
        client.close()
    assert (local_stack.bucket_folder("round-trip") / "green" / "2020-10 ä.csv").read_bytes() == b"hello"


def test_only_missing_buckets_are_made(local_stack: LocalStack) -> None:
    assert local_stack.ensure_buckets(["first-lake"]) == ["first-lake"]
    assert local_stack.ensure_buckets(["second-lake", "first-lake", "second-lake"]) == ["second-lake"]


@pytest.mark.parametrize("name", ["..", "a/b", "Lake", "x", "a..b", "-lake", ""])
def test_a_bucket_name_that_google_refuses_is_refused(local_stack: LocalStack, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        local_stack.ensure_buckets([name])
    with pytest.raises(ConfigError, match="cannot be called"):
        local_stack.bucket_folder(name)


def test_an_unknown_service_is_wrong_usage(local_stack: LocalStack) -> None:
    with pytest.raises(UsageError, match="Did you mean 'postgres'"):
        local_stack.up(("postgre",))


def test_a_stopped_stack_has_no_environment_and_says_how_to_start_it(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path)
    with pytest.raises(StoreUnavailable, match="mage-project local up"):
        stack.env()
    assert [service.detail for service in stack.status()] == ["stopped"] * 3
    assert stack.down() == []
    assert not list(tmp_path.iterdir())


def test_the_folder_is_out_of_gits_sight_and_the_password_private(project: Path) -> None:
    hidden = project / ".mage_project"
    assert (hidden / ".gitignore").read_text() == "*\n"
    password = hidden / "local" / "postgres.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert len(password.read_text()) >= 24


def test_two_projects_have_stacks_of_their_own(project: Path, local_stack: LocalStack) -> None:
    other = LocalStack(project)
    other.up(BOTH)
    try:
        assert other.env()["PGPORT"] != local_stack.env()["PGPORT"]
        assert other.env()["STORAGE_EMULATOR_HOST"] != local_stack.env()["STORAGE_EMULATOR_HOST"]
        assert other.env()["PGPASSWORD"] != local_stack.env()["PGPASSWORD"]
    finally:
        assert sorted(other.down()) == ["gcs", "postgres"]
    assert running(local_stack.bucket_folder("any").parents[4]) >= set(BOTH)


def test_one_service_starts_without_the_other(project: Path) -> None:
    stack = LocalStack(project)
    stack.up(("gcs",))
    assert running(project) == {"gcs"}
    stack.up(("postgres",))
    assert running(project) == {"gcs", "postgres"}
    stack.down()
    assert running(project) == set()


def test_rows_objects_ports_and_password_outlive_a_restart(project: Path) -> None:
    stack = LocalStack(project)
    stack.up(BOTH)
    before = stack.env()
    query(stack, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    stack.ensure_buckets(["kept-lake"])
    stack.down()
    stack.up(BOTH)
    try:
        assert query(stack, "SELECT answer FROM kept") == [(42,)]
        assert stack.ensure_buckets(["kept-lake"]) == []
        assert stack.env() == before
    finally:
        stack.down()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_the_servers_of_root_are_not_root(project: Path) -> None:
    stack = LocalStack(project)
    stack.up(BOTH)
    try:
        local = project / ".mage_project" / "local"
        pids = [int((local / f"{name}.lock").read_text()) for name in ("postgres", "gcs")]
        assert all(Path(f"/proc/{pid}").stat().st_uid != 0 for pid in pids)
    finally:
        stack.down()
