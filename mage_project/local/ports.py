"""Ports on the loopback interface: free ones, and the one a server had last time."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path

HOST = "127.0.0.1"

_PATIENCE_S = 0.3

_log = logging.getLogger(__name__)


def connect(port: int, timeout_s: float = 2.0) -> socket.socket:
    """A connection to `port`; raises OSError."""
    connection = socket.socket()  # `create_connection` would load the tables of international host names
    try:
        connection.settimeout(timeout_s)
        connection.connect((HOST, port))
    except BaseException:
        connection.close()
        raise
    return connection


def answers_http(port: int, path: str) -> bool:
    """Whether the server on `port` answers a GET of `path` with 200."""
    try:
        with connect(port) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return connection.recv(12).endswith(b" 200")
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _gets_free(port: int) -> bool:
    """Whether `port` is free, or is so in a moment: the kernel closes a killed server's socket at its leisure."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def remembered(path: Path) -> int | None:
    """The port that `path` remembers, if any."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def choose(path: Path) -> int:
    """The remembered port if it is free, else a new one, which is remembered from now on."""
    before = remembered(path)
    if before is not None and _gets_free(before):
        return before
    port = free_port()
    if before is not None:
        _log.warning("port %d is taken by another program: %s moves to %d", before, path.stem, port)
    path.write_text(f"{port}\n")
    return port
