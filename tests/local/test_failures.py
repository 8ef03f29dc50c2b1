"""What a person reads when the stack cannot start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.errors import ConfigError, StoreError, StoreUnavailable
from mage_project.local import LocalStack, binaries
from mage_project.local.folders import StackFolder
from mage_project.local.locks import held
from mage_project.local.pythons import VERSION
from tests.local.owners import eventually, processes_of, running

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
its_python = pytest.mark.skipif(sys.version_info[:2] != VERSION, reason="this Python does not run BigQuery's server")


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the packages of the extra `local` and without any Postgres."""
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if "site-packages" not in entry])
    monkeypatch.setattr("sys.path_importer_cache", {})
    monkeypatch.setattr(binaries, "DISTRIBUTIONS", ())
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A project on a disk of 12 MB, which is too small for the data directory."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield tmp_path
    for _ in range(20):  # a server that could not start may still be ending
        if subprocess.run(["umount", tmp_path], capture_output=True).returncode == 0:
            return
        time.sleep(0.5)
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.usefixtures("no_packages")
@pytest.mark.parametrize("service", ["postgres", "gcs", pytest.param("bigquery", marks=its_python)])
def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path, service: str) -> None:
    with pytest.raises(ConfigError, match="is not installed") as caught:
        LocalStack(tmp_path).up((service,))
    assert "pip install 'mage-project[local]'" in str(caught.value)
    assert not caught.value.transient


@pytest.mark.usefixtures("no_packages")
def test_a_failed_start_stops_what_it_had_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError):
        LocalStack(tmp_path).up()
    eventually(lambda: not processes_of(tmp_path))


def test_data_of_another_major_version_is_not_touched(tmp_path: Path) -> None:
    local = tmp_path / ".mage_project" / "local"
    (local / "pg9").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"is of PostgreSQL 9; only .* is installed") as caught:
        LocalStack(tmp_path).up(("postgres",))
    assert "Install PostgreSQL 9" in str(caught.value)
    assert [entry.name for entry in local.glob("pg*")] == ["pg9"]


def test_a_server_that_refuses_its_configuration_shows_its_log(project: Path) -> None:
    file = project / ".mage_project" / "local" / "pg18" / "postgresql.auto.conf"
    before = file.read_text()
    file.write_text("shared_buffers = 'lots'\n")
    try:
        with pytest.raises(StoreError, match='invalid value for parameter "shared_buffers"') as caught:
            LocalStack(project).up(("postgres",))
    finally:
        file.write_text(before)
    assert str(caught.value.where).endswith("postgres.log")
    assert running(project) == set()


def test_a_full_disk_is_named(small_disk: Path) -> None:
    with pytest.raises(StoreError, match="No space left on device") as caught:
        LocalStack(small_disk).up(("postgres",))
    assert "Free some space" in str(caught.value)
    eventually(lambda: not processes_of(small_disk))


def test_a_project_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no such project folder") as caught:
        LocalStack(tmp_path / "typo").up()
    assert caught.value.where == str(tmp_path / "typo")


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / ".mage_project").write_text("")
    with pytest.raises(ConfigError, match="Not a directory") as caught:
        LocalStack(tmp_path).up()
    assert str(tmp_path / ".mage_project") in str(caught.value.where)


@as_root
def test_a_read_only_disk_is_named(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(ConfigError, match="Read-only file system"):
        LocalStack(small_disk).up()


@as_user
def test_a_folder_of_somebody_else_is_named_with_its_owner(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="Permission denied") as caught:
        LocalStack(tmp_path).up()
    assert "It belongs to" in str(caught.value)


def test_a_lock_that_somebody_keeps_is_an_error_that_a_retry_may_help(tmp_path: Path) -> None:
    folder = StackFolder.of_project(tmp_path)
    folder.create()
    with held(folder.start_lock), pytest.raises(TimeoutError), held(folder.start_lock, timeout_s=0.1):
        pass
    assert StoreUnavailable("").transient


def test_a_port_that_a_foreign_server_answers_is_not_taken_for_ours(project: Path) -> None:
    local = project / ".mage_project" / "local"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (local / "postgres.port").write_text(f"{other.getsockname()[1]}\n")
        assert running(project) == set()


def test_a_postgres_without_its_programs_is_no_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pg_ctl").touch(mode=0o755)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if "site-packages" not in entry])
    monkeypatch.setattr("sys.path_importer_cache", {})
    monkeypatch.setattr(binaries, "DISTRIBUTIONS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("pg_ctl")
    with pytest.raises(ConfigError, match="Postgres is not installed"):
        binaries.postgres_programs(None, None)
