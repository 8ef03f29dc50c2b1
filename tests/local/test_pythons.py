"""The Python 3.13 of the BigQuery server: where it is looked for, and what is said where there is none."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from mage_project.local import LocalStack, pythons
from mage_project.local.failures import MissingPart
from tests.local.owners import BOTH, running

ANSWER = f"""[[3, 99], "{sys.executable}", "{sys.base_prefix}", []]"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the Python that the server needs: no such version is out yet."""
    monkeypatch.setattr(pythons, "VERSION", (3, 99))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def program(path: Path, *lines: str) -> Path:
    """Makes a program of shell commands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def python(path: Path, *lines: str) -> Path:
    """A program that takes itself for a Python 3.99, and does `lines` otherwise."""
    return program(path, f"""[ "$2" = -c ] && {{ echo '{ANSWER}'; exit; }}""", *lines)


@pytest.mark.parametrize("place", ["bin/python3.99", "pyenv/versions/3.99.1/bin/python3.99"], ids=["path", "pyenv"])
def test_it_is_found(machine: Path, place: str) -> None:
    python(machine / place)
    assert pythons.missing_part(machine / "environment") is None


def test_it_is_found_where_uv_keeps_it(machine: Path) -> None:
    hidden = python(machine / "uv" / "python")
    program(machine / "bin" / "uv", f'[ "$1 $2" = "python find" ] && echo {hidden}')
    assert pythons.missing_part(machine / "environment") is None


def test_one_that_does_not_run_is_none(machine: Path) -> None:
    program(machine / "bin" / "python3.99", "echo 'version 3.99 is not installed' >&2; exit 127")
    assert "needs Python 3.99" in str(pythons.missing_part(machine / "environment"))


def test_where_there_is_none_the_status_says_what_to_install_and_the_rest_works(project: Path) -> None:
    stack = LocalStack(project)
    stack.up()
    try:
        assert running(project) == set(BOTH)
        assert "PGHOST" in stack.env()
        assert "BIGQUERY_EMULATOR_HOST" not in stack.env()
        [bigquery] = [service for service in stack.status() if service.name == "bigquery"]
        assert bigquery.detail.startswith("unavailable: it needs Python 3.99")
        assert "uv python install 3.99" in bigquery.detail
    finally:
        stack.down()


def test_who_asks_for_it_by_name_gets_an_error(project: Path) -> None:
    with pytest.raises(MissingPart, match=r"needs Python 3\.99.*pyenv install 3\.99") as caught:
        LocalStack(project).up(("bigquery",))
    assert not caught.value.transient
    assert running(project) == set()


def test_an_installation_that_fails_shows_why_and_the_rest_works(machine: Path, project: Path) -> None:
    python(machine / "bin" / "python3.99", "echo 'ensurepip is not available'; exit 1")
    stack = LocalStack(project)
    with pytest.raises(MissingPart, match="ensurepip is not available") as caught:
        stack.up(("bigquery",))
    assert str(caught.value.where).endswith("bigquery-install.log")
    stack.up()
    assert running(project) == set(BOTH)
    stack.down()


def test_the_extra_names_the_same_packages() -> None:
    extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    here = {name.partition(" ;")[0] for name in extras["local"] if "3.13" in name}
    assert here == set(pythons.PACKAGES)
