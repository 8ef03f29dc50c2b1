"""Starting one server of a stack and finding out whether it runs: the same for each."""

from __future__ import annotations

import time
from typing import Protocol

from mage_project.errors import StoreUnavailable
from mage_project.local import daemons, ports
from mage_project.local.failures import start_failure, tail
from mage_project.local.folders import StackFolder
from mage_project.local.launches import Program, launch
from mage_project.local.locks import close_lock, is_held, open_lock, wait_for_lock
from mage_project.local.shutdown import SIGNALS

_ATTEMPTS = 3
_PATIENCE_S = 120.0  # replaying the log of a killed Postgres takes a while
_PAUSES_S = (0.005, 0.2)


class Server(Protocol):
    """What a service has of its own."""

    @property
    def name(self) -> str:
        """The service's name, also that of its files."""

    def missing(self) -> str | None:
        """What this machine lacks for it, in one line, as far as it is known before a start."""

    def answers(self, port: int) -> bool:
        """Whether the service is ready for clients on `port`: asked over the network."""

    def prepare(self, port: int, lock: int) -> Program:
        """Makes what the server needs on disk; what to run. Its helpers hold the locked descriptor `lock`."""

    def complete(self, port: int) -> None:
        """What is left to do when the server has become ready."""

    def url(self, port: int) -> str:
        """Where clients find it, without a password."""

    def environment(self, port: int) -> dict[str, str]:
        """The environment variables that point clients to it."""


def running_port(server: Server, folder: StackFolder) -> int | None:
    """The port where the server is ready right now, if it is."""
    if not is_held(folder.server_lock(server.name)):
        return None
    port = ports.remembered(folder.port(server.name))
    return port if port is not None and server.answers(port) else None


def start(server: Server, folder: StackFolder) -> None:
    """Starts the server unless it runs, and waits until it is ready; the caller holds the start lock.

    Raises ConfigError for what the user must put right, StoreError or StoreUnavailable otherwise.
    """
    for _ in range(_ATTEMPTS):
        if _is_ready(server, folder):
            return
        port = _launch(server, folder)
        if _is_ready(server, folder):
            server.complete(port)
            return
        if ports.is_free(port):
            raise start_failure(f"{server.name} did not start.", folder.log(server.name))
    raise StoreUnavailable(
        f"{server.name} did not start: other programs took its port {_ATTEMPTS} times.\n"
        + tail(folder.log(server.name)),
        where=str(folder.port(server.name)),
        hint="Try again.",
    )


def _launch(server: Server, folder: StackFolder) -> int:
    lock = open_lock(folder.server_lock(server.name))
    try:
        # Nobody else starts it now, but somebody may be asking for its status.
        if not wait_for_lock(lock, timeout_s=5):
            raise StoreUnavailable(f"{server.name} is being used by another program.", where=str(folder.path))
        port = ports.choose(folder.port(server.name))
        program = server.prepare(port, lock)
        launch(program, lock=lock, log=folder.log(server.name))
    finally:
        close_lock(lock)
    return port


def _is_ready(server: Server, folder: StackFolder) -> bool:
    """Waits until the living server answers; False if there is none, or it ends."""
    lock = folder.server_lock(server.name)
    deadline = time.monotonic() + _PATIENCE_S
    pause_s, longest_s = _PAUSES_S
    while is_held(lock):
        if running_port(server, folder) is not None:
            return True
        if time.monotonic() > deadline:
            daemons.stop(lock, SIGNALS[server.name])
            raise start_failure(f"{server.name} did not answer in {_PATIENCE_S:g} s.", folder.log(server.name))
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, longest_s)
    return False
