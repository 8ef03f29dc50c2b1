"""The embedded BigQuery: local-bigquery in a process and a Python 3.13 of its own, on 127.0.0.1 only."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from mage_project.local import ports
from mage_project.local.accounts import Account, hand_over, server_account
from mage_project.local.folders import StackFolder
from mage_project.local.launches import Program, plain_environment
from mage_project.local.locks import is_held
from mage_project.local.ports import HOST
from mage_project.local.pythons import Python, missing_part, server_python

PROJECT = "local"

_LAUNCHER = Path(__file__).with_name("bigquery_server.py")
#: What a Python may need of the environment to find its library and its packages.
_OF_PYTHONS = ("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONUSERBASE")
_FIRST_DESCRIPTOR = 20  # above those that shells use


class BigQueryServer:
    """BigQuery of one project: any Google project's name will do, and no credential is asked for."""

    name = "bigquery"

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    def missing(self) -> str | None:
        """What this machine lacks for it, in one line."""
        return missing_part(self._folder.bigquery_python)

    def prepare(self, port: int, lock: int) -> Program:
        """Makes the folders; the launcher's command line."""
        account = server_account(self._folder.bigquery)
        python = server_python(self._folder.bigquery_python, self._folder.log("bigquery-install"))
        for leftovers in ("tmp", "uploads"):
            shutil.rmtree(self._folder.bigquery / leftovers, ignore_errors=True)
        for folder in (self._folder.bigquery, self._folder.bigquery / "tmp"):
            folder.mkdir(mode=0o700, exist_ok=True)
            hand_over(folder, account)
        storage_port = ports.choose(self._storage_port_file)
        environment = {
            **plain_environment(),
            **{name: os.environ[name] for name in _OF_PYTHONS if name in os.environ},
            "STORAGE_EMULATOR_HOST": f"http://{HOST}:{self._gcs_port()}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return _program(python, account, self._folder.bigquery, environment, (str(port), str(storage_port)))

    def complete(self, port: int) -> None:
        """Nothing: DuckDB puts itself right."""

    def answers(self, port: int) -> bool:
        """Whether the server names its projects."""
        return ports.answers_http(port, "/bigquery/v2/projects")

    def url(self, port: int) -> str:
        """The root of the REST API."""
        return f"http://{HOST}:{port}"

    def environment(self, port: int) -> dict[str, str]:
        """The variables of google-cloud-bigquery, and where the gRPC storage API is, which no client asks for."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.url(port),
            "BIGQUERY_STORAGE_EMULATOR_HOST": f"{HOST}:{ports.remembered(self._storage_port_file)}",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }

    @property
    def _storage_port_file(self) -> Path:
        return self._folder.port("bigquery-storage")

    def _gcs_port(self) -> int:
        """Where the local GCS server is, or will be when it starts: gs:// addresses are read from there."""
        file = self._folder.port("gcs")
        port = ports.remembered(file) if is_held(self._folder.server_lock("gcs")) else None
        return port if port is not None else ports.choose(file)


def _program(
    python: Python, account: Account | None, folder: Path, environment: dict[str, str], words: tuple[str, ...]
) -> Program:
    if account is None or sys.platform != "linux":
        argv = (str(python.command), "-P", str(_LAUNCHER), *words)
        return Program(argv=argv, folder=folder, environment=environment, account=account)
    # Another user cannot walk to a Python below a private folder such as /root, but may use folders that root opened.
    opened: list[int] = []
    place = _opener(opened)
    home = place(python.prefix)
    return Program(
        argv=(
            f"{home}/{python.program.relative_to(python.prefix)}",
            "-P",
            f"{place(_LAUNCHER.parent)}/{_LAUNCHER.name}",
            *words,
        ),
        folder=folder,
        environment={
            **environment,
            "LD_LIBRARY_PATH": f"{home}/lib",
            "PYTHONHOME": home,
            "PYTHONPATH": os.pathsep.join(place(path) for path in python.packages),
        },
        account=account,
        descriptors=tuple(opened),
    )


def _opener(opened: list[int]) -> Callable[[Path], str]:
    """Opens folders for a program that is started with `opened`: how it names them."""

    def place(folder: Path) -> str:
        low = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            opened.append(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR))
        finally:
            os.close(low)
        return f"/proc/self/fd/{opened[-1]}"

    return place
