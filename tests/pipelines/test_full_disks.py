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

from tests.pipelines.conftest import Refused
from tests.pipelines.lab import Lab
from tests.pipelines.stores import Stores, Target
from tests.taxi.site import Handler, Site

SAMPLE = {"source": "sample_data", "months": ["2020-10"]}


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


def test_a_full_disk_for_temporary_files_is_named(refused: Refused, small_disk: Path) -> None:
    refused(
        str(small_disk),
        "No space left on device",
        "Make room there, or name another folder in TMPDIR",
        **SAMPLE,
        env={"TMPDIR": str(small_disk)},
    )
    assert not list(small_disk.iterdir())
