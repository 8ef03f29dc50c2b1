"""A Postgres data directory: made as a whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mage_project.local.accounts import Account, hand_over, spawn_options
from mage_project.local.binaries import PostgresPrograms
from mage_project.local.failures import start_failure
from mage_project.local.folders import StackFolder
from mage_project.local.launches import open_log, plain_environment

USER = "mage"
DATABASE = "mage"

_PASSWORD_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The data directory that the programs' major version keeps in a stack's folder."""

    folder: StackFolder
    programs: PostgresPrograms
    account: Account | None

    @property
    def path(self) -> Path:
        """Where the data is."""
        return self.folder.cluster(self.programs.major)

    @property
    def argument(self) -> str:
        """How a server in the working directory `path` is told its data directory."""
        return self._argument(self.path)

    def ensure(self, lock: int) -> None:
        """Makes the data directory, or a new password where its file is lost.

        Everything that works on the data holds `lock`, the locked file of the server. Raises StoreError.
        """
        if not self.path.exists():
            self._create(lock)
            return
        self._forget_dead_server()
        if not self.folder.password.exists():
            password = secrets.token_urlsafe(_PASSWORD_BYTES)
            self._execute(self.path, f"ALTER ROLE {USER} PASSWORD '{password}';", lock)
            self._keep(password)

    def _forget_dead_server(self) -> None:
        """Removes the pid file of a server that was killed: its pid may be another program's by now.

        Postgres would take that program for itself and refuse to start.
        """
        file = self.path / "postmaster.pid"
        try:
            pid = int(file.read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if sys.platform == "linux" and not _works_in(pid, self.path):
            file.unlink()

    def _create(self, lock: int) -> None:
        new = self.path.with_name(f"{self.path.name}.new")
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        hand_over(new, self.account)
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        options = ["-U", USER, "-A", "scram-sha-256", "--pwfile=/dev/stdin", "-E", "UTF8", "--locale=C"]
        self._run(new, ["initdb", "-D", self._argument(new), *options], password, lock)
        self._execute(new, f"CREATE DATABASE {DATABASE};", lock)
        self._keep(password)
        new.rename(self.path)
        _sync(self.folder.path)

    def _argument(self, path: Path) -> str:
        # Another user cannot walk to a project below a private folder such as /root, but may stay where root put it.
        # Before 16, Postgres left its working directory for a moment.
        may_stay = self.account is not None and self.programs.major >= 16 and sys.platform == "linux"
        return "/proc/self/cwd" if may_stay else str(path)

    def _keep(self, password: str) -> None:
        scratch = self.folder.password.with_suffix(".new")
        scratch.touch(mode=0o600)
        with scratch.open("w") as file:
            file.write(password)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.folder.password)

    def _execute(self, path: Path, statement: str, lock: int) -> None:
        """Runs one statement without a server."""
        settings = ["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic"]  # it may hold a password
        command = ["postgres", "--single", *settings, "-D", self._argument(path), "postgres"]
        self._run(path, command, statement, lock)

    def _run(self, path: Path, command: Sequence[str], standard_input: str, lock: int) -> None:
        log = self.folder.log("postgres")
        with tempfile.TemporaryFile("w+") as given, open_log(log) as said:
            given.write(f"{standard_input}\n")
            given.seek(0)
            if self.account is not None:  # /dev/stdin is opened again, by name
                os.fchown(given.fileno(), self.account.uid, self.account.gid)
            result = subprocess.run(
                [self.programs.folder / command[0], *command[1:]],
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=path,
                env=plain_environment(),
                pass_fds=(lock,),
                **spawn_options(self.account),
            )
        if result.returncode:
            raise start_failure(f"Postgres: {command[0]} failed (exit code {result.returncode}).", log)


def _works_in(pid: int, folder: Path) -> bool:
    """Whether a process is a Postgres that serves `folder`: each works in its data directory."""
    process = Path("/proc", str(pid))
    try:
        return (process / "cwd").samefile(folder)
    except PermissionError:
        return (process / "comm").read_text().strip() == "postgres"
    except OSError:
        return False


def _sync(folder: Path) -> None:
    """Makes a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
