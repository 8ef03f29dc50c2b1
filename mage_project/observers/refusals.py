"""Whether a server refuses connections: then nobody is there, and the end of a run waits for no further attempt."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_PORTS = {"http": 80, "https": 443}
#: A server that is slower than this is left to the client library, which has its own patience.
_TIMEOUT_S = 1.0


def refusal(address: str) -> str | None:
    """Why nothing can be sent to this URL, or host:port, now. None where it may be, and behind a proxy."""
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # no address: whoever sends says so
        return None
    if not host or not port or ({parts.scheme, "all"} & getproxies().keys() and not proxy_bypass(host)):
        return None
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except ConnectionRefusedError:
        return f"{host}:{port} refuses connections: nothing listens there"
    except (OSError, UnicodeError):
        return None
    return None
