"""The Python that runs the BigQuery server: 3.13, with its packages; the project's own one or one beside it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mage_project.local.failures import MissingPart, tail
from mage_project.local.launches import open_log

VERSION = (3, 13)
#: What the server needs, exactly: its launcher changes private parts of the first, which lives on trees of sqlglot.
#: The extra `local` of pyproject.toml says the same.
PACKAGES = (
    "local-bigquery==0.3.0",
    "duckdb==1.5.5",
    "duckdb-extension-ducklake==1.5.5",
    "duckdb-extension-httpfs==1.5.5",
    "numpy>=2",  # DuckDB wants this and the next one for functions and timestamps in Python, and nobody says so
    "pytz",
    "sqlglot==30.30.0",
)

_MODULES = (
    "local_bigquery",
    "duckdb",
    "duckdb_extension_ducklake",
    "duckdb_extension_httpfs",
    "numpy",
    "pytz",
    "sqlglot",
)
_QUESTION = """
import json, os, site, sys
print(json.dumps([sys.version_info[:2], os.path.realpath(sys.executable), sys.base_prefix, site.getsitepackages()]))
"""
_IN_A_HURRY = ("--retries", "1", "--timeout", "10")  # without a network somebody is waiting for nothing

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Python:
    """An interpreter: its program behind all links, the folder that it was installed to, those of its packages."""

    command: Path
    program: Path
    prefix: Path
    packages: Sequence[Path]


def missing_part(environment: Path) -> str | None:
    """What this machine lacks to run the server, in one line; None where nothing is known to be missing."""
    if sys.version_info[:2] == VERSION:
        missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
        return f"the package {missing[0]} is not installed: `pip install 'mage-project[local]'`" if missing else None
    return None if _is_ready(environment) or next(_found(), None) else _no_python()


def server_python(environment: Path, log: Path) -> Python:
    """The interpreter with the server's packages: this one, or that of `environment`, which is made if need be.

    Raises MissingPart where there is none or the packages cannot be installed.
    """
    missing = missing_part(environment)
    if missing:
        raise MissingPart(f"The local BigQuery cannot run: {missing}.")
    if sys.version_info[:2] == VERSION:
        return _own()
    if not _is_ready(environment):
        _make(environment, next(_found()), log)
    return _asked(_command(environment))


def _no_python() -> str:
    version = ".".join(map(str, VERSION))
    return (
        f"it needs Python {version}, which is neither on PATH nor known to pyenv or uv: "
        f"`uv python install {version}` or `pyenv install {version}`"
    )


def _own() -> Python:
    folders = [Path(folder) for folder in site.getsitepackages() if Path(folder).is_dir()]
    command = Path(sys.executable)
    return Python(command=command, program=command.resolve(), prefix=Path(sys.base_prefix), packages=folders)


def _asked(command: Path) -> Python:
    answer = _answer(command)
    if answer is None:
        raise MissingPart(f"This Python does not run: {command}.")
    _, program, prefix, packages = answer
    folders = [Path(folder) for folder in packages if Path(folder).is_dir()]
    return Python(command=command, program=Path(program), prefix=Path(prefix), packages=folders)


def _answer(command: Path) -> tuple[list[int], str, str, list[str]] | None:
    try:
        result = subprocess.run([command, "-P", "-c", _QUESTION], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if result.returncode:
        return None
    version, program, prefix, packages = json.loads(result.stdout)
    return version, program, prefix, packages


def _found() -> Iterator[Path]:
    """The interpreters of the right version: on PATH, among pyenv's versions, and what uv knows."""
    for command in _candidates():
        answer = _answer(command)
        if answer and tuple(answer[0]) == VERSION:
            yield command


def _candidates() -> Iterator[Path]:
    name = f"python{VERSION[0]}.{VERSION[1]}"
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{VERSION[0]}.{VERSION[1]}.*/bin/{name}"), reverse=True)
    uv = shutil.which("uv")
    if uv:
        question = [uv, "python", "find", "--no-python-downloads", f"{VERSION[0]}.{VERSION[1]}"]
        answer = subprocess.run(question, capture_output=True, text=True, cwd="/")
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def _make(environment: Path, python: Path, log: Path) -> None:
    """Makes a virtual environment with the packages; what pip says goes to `log`."""
    _log.warning("the local BigQuery gets a Python of its own, once: installing into %s", environment)
    shutil.rmtree(environment, ignore_errors=True)
    pip = (_command(environment), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *_IN_A_HURRY)
    with open_log(log) as said:
        for command in ((python, "-m", "venv", environment), (*pip, *PACKAGES)):
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said).returncode:
                raise MissingPart(
                    f"The local BigQuery cannot run: its packages could not be installed.\n{tail(log)}",
                    where=str(log),
                    hint="Look whether this machine reaches a package index, and try again.",
                )
    _mark(environment).write_text(_digest())


def _command(environment: Path) -> Path:
    return environment / "bin" / "python"


def _mark(environment: Path) -> Path:
    return environment / "packages.sha256"


def _digest() -> str:
    return hashlib.sha256("\n".join(PACKAGES).encode()).hexdigest()


def _is_ready(environment: Path) -> bool:
    """Whether the environment was made as a whole, and the Python that it is of is still there."""
    try:
        return _mark(environment).read_text() == _digest() and _command(environment).exists()
    except FileNotFoundError:
        return False
