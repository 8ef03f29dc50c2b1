"""Disks without room: named with what to do, and every store is as it was. Small disks need the right to mount."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg2 import sql

from mage_project.runner.reporting import Silent
from mage_project.runner.running import run_pipeline
from tests.pipelines.conftest import Refused
from tests.pipelines.lab import Lab
from tests.pipelines.stores import Stores, Target
from tests.projects import block, write_project
from tests.taxi.site import Handler, Site

SAMPLE = {"source": "sample_data", "months": ["2020-10"]}


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, block: str | None, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of 64 kB, which every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "tmpfs", str(folder)]
    try:
        if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no small disk can be mounted here: that takes Linux and its root")
        yield folder
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.fixture
def tablespace(small_disk: Path, stores: Stores) -> Iterator[str]:
    """A place for tables on the small disk."""
    [(server,)] = stores.query("SELECT pg_backend_pid()")
    os.chown(small_disk, Path(f"/proc/{server}").stat().st_uid, -1)
    name = sql.Identifier("cramped")
    stores.query(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(name, sql.Literal(str(small_disk))))
    yield "cramped"
    stores.query(sql.SQL("DROP TABLESPACE {}").format(name))


def test_a_full_disk_of_postgres_is_named(refused: Refused, tablespace: str) -> None:
    words = ("the disk of Postgres at ", "is full, while writing", "No space left on device", "make room on the server")
    refused(*words, **SAMPLE, env={"PGOPTIONS": f"-c default_tablespace={tablespace}"})


def without_length(handler: Handler) -> None:
    """The file, and nothing that says how long it is."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(handler.server.files[handler.path])


@pytest.mark.parametrize("announced", [True, False], ids=["length known", "length unknown"])
def test_a_full_disk_of_the_cache_is_named(
    lab: Lab, target: Target, refused: Refused, site: Site, small_disk: Path, announced: bool
) -> None:
    path = "green/green_tripdata_2020-10.csv.gz"
    site.files[f"/{path}"] = (lab.root / "sample_data" / path).read_bytes()
    site.troubles = [] if announced else [without_length]
    words = (f"{small_disk}", "the download could not be written", "Make room there, or name another folder")
    refused(*words, source=site.url, months=["2020-10"], env={"TAXI_CACHE": str(small_disk)})
    assert not list(small_disk.rglob("*.part"))
    site.troubles = []
    assert lab.run({**target.variables, "source": site.url, "months": ["2020-10"]}).exit_code == 0


def test_a_full_disk_for_what_runs_keep_costs_no_run(tmp_path: Path, small_disk: Path) -> None:
    loader = "import pandas as pd\n@data_loader\ndef f(**kwargs):\n    return pd.DataFrame({'a': range(40_000)})\n"
    project = write_project(tmp_path, [block("load", "data_loader")], {"load": loader})
    (tmp_path / ".mage_project").symlink_to(small_disk)
    heard = Heard()
    assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert any("this run is not in the history" in line and "disk is full" in line for line in heard.lines)
    assert not list(small_disk.glob("last_run/*/*.arrow")), "half of what was kept takes no room"
    assert not list(small_disk.glob("last_run/p.*")), "and waits for no one"


def test_a_folder_for_what_runs_keep_that_is_read_only_costs_no_run(tmp_path: Path, small_disk: Path) -> None:
    alone = block("load", "data_loader", executor_type="process")
    project = write_project(tmp_path, [alone], {"load": "@data_loader\ndef f(**kwargs):\n    return 1\n"})
    (tmp_path / ".mage_project").symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    heard = Heard()
    assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert any("this run is not in the history" in line and "Read-only" in line for line in heard.lines)


def test_a_full_disk_for_temporary_files_is_named(refused: Refused, small_disk: Path) -> None:
    refused(
        str(small_disk),
        "No space left on device",
        "Make room there, or name another folder in TMPDIR",
        **SAMPLE,
        env={"TMPDIR": str(small_disk)},
    )
    assert not list(small_disk.iterdir())
