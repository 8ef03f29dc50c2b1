"""Serves the application from a thread of its own: whatever clients do, the scheduler's own thread does not wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A connection is for one request, and for this long at the most: nobody keeps one by sending, or reading, slowly.
LONGEST_S = 30.0
#: As many at once; who comes then is told to come again (503).
_MOST = 64
#: How long requests may take that have begun when the process ends.
_FAREWELL_S = 3


class _Impatient(H11Protocol):
    """HTTP whose connections end after `LONGEST_S`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._end = self.loop.call_later(LONGEST_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


@contextmanager
def serving(app: ASGIApp, listener: socket) -> Iterator[None]:
    """Inside, requests that reach the socket are answered. The socket is closed afterwards."""
    config = uvicorn.Config(
        _once(app),
        http=_Impatient,
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,  # addresses may have tokens in them
        log_config=None,
        log_level="critical",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST,
        timeout_graceful_shutdown=_FAREWELL_S,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_FAREWELL_S + 5)
        listener.close()


def _once(app: ASGIApp) -> ASGIApp:
    """The application; each answer ends its connection."""

    async def once(scope: Scope, receive: Receive, send: Send) -> None:
        async def last(message: Message) -> Any:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await app(scope, receive, last)

    return once
