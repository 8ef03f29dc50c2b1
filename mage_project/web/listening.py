"""Where the process listens: an address such as 127.0.0.1:6789, and how others of the project find out which."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mage_project.errors import UsageError
from mage_project.history.leases import Holder, this_process

#: Mage's port, for those who name none.
PORT = 6789
LOOPBACK = "127.0.0.1"
#: Connections that the machine keeps for us while we do not take them.
_BACKLOG = 64


@dataclass(frozen=True, kw_only=True)
class Address:
    """`host` may be a name or an IPv6 address; port 0 is any that is free."""

    host: str = LOOPBACK
    port: int = PORT

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def address(text: str) -> Address:
    """`HOST:PORT`, `:PORT` or `PORT`; without a host it is this machine alone. `UsageError` for anything else."""
    host, _, port = text.strip().rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"'{text}' is no address to listen at", hint=f"write HOST:PORT, such as {LOOPBACK}:{PORT}")
    return Address(host=host.strip("[]") or LOOPBACK, port=int(port))


def listen(wanted: Address) -> tuple[socket.socket, Address]:
    """The socket, listening, and where. `UsageError` where it cannot be had."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(wanted.host, wanted.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refused(wanted, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(wanted, error) from error
    return listener, Address(host=wanted.host, port=listener.getsockname()[1])


@contextmanager
def announced(root: Path, here: Address) -> Iterator[None]:
    """Inside, `found` knows the address."""
    path = _path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**asdict(here), "holder": asdict(this_process())}), encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def found(root: Path) -> Address | None:
    """Where a process of this machine listens for the project."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(_path(root).read_text(encoding="utf-8"))
        if Holder(**said["holder"]).lives(0.0, float("inf")):
            return Address(host=said["host"], port=said["port"])
    return None


def _path(root: Path) -> Path:
    return root / ".mage_project" / "listening.json"


def _refused(wanted: Address, error: OSError) -> UsageError:
    return UsageError(
        f"cannot listen at {wanted.host}:{wanted.port}: {error.strerror}", hint="another --listen HOST:PORT"
    )
