"""A wire to a server that breaks where it is told to."""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from threading import Lock, Thread

from tests.serving import served


@dataclass(frozen=True, kw_only=True)
class Break:
    """A connection breaks `after` so many bytes beyond the first `sign` that its client sends; so many `times`."""

    sign: bytes = b""
    after: int = 0
    times: float = inf


class Wire(socketserver.ThreadingTCPServer):
    """Passes connections on to a port of this machine. `broken` counts those that were broken."""

    daemon_threads = True

    def __init__(self, port: int, fault: Break) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = ("127.0.0.1", port)
        self.port = int(self.server_address[1])
        self.fault = fault
        self.broken = 0
        self.lock = Lock()

    def breaks(self) -> bool:
        """Whether the fault happens once more."""
        with self.lock:
            happens = self.broken < self.fault.times
            self.broken += happens
            return happens


class _Connection(socketserver.BaseRequestHandler):
    server: Wire
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as server, suppress(OSError):
            answers = Thread(target=_pour, args=(server, self.request), daemon=True)
            answers.start()
            self._pass_on(server)
            for end in (server, self.request):
                end.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _pass_on(self, server: socket.socket) -> None:
        fault, sent = self.server.fault, bytearray()
        while data := self.request.recv(1 << 16):
            sent += data
            sign = sent.find(fault.sign)
            end = sign + len(fault.sign) + fault.after
            if sign >= 0 and len(sent) >= end and self.server.breaks():
                server.sendall(data[: max(0, len(data) - (len(sent) - end))])
                return
            server.sendall(data)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def wire_to(port: str | int, fault: Break) -> Iterator[Wire]:
    with served(Wire(int(port), fault)) as wire:
        yield wire
