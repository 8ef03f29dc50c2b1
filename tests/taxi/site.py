"""A web site on this machine with files on it, that can be told to misbehave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import served

Trouble = Callable[["Handler"], None]


class Site(ThreadingHTTPServer):
    """`files` by path; `troubles` are used up, one for each request; `asked` are the headers of all requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.troubles: list[Trouble] = []
        self.asked: list[Message] = []
        self.etags = True
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.headers)
        if self.server.troubles:
            self.server.troubles.pop(0)(self)
        else:
            self.serve()

    def serve(self, *, cut: int | None = None) -> None:
        """The file, or the part of it that is asked for; only its first `cut` bytes, if that is given."""
        content = self.server.files.get(self.path.partition("?")[0])
        if content is None:
            self.answer(404)
            return
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.headers["If-None-Match"] == etag:
            self.answer(304)
            return
        start = 0
        if self.headers["Range"] and self.headers["If-Range"] == etag:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.answer(416)
                return
        headers = {"ETag": etag} if self.server.etags else {}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206 if start else 200, content[start:], cut=cut, **headers)

    def answer(self, status: int, body: bytes = b"", *, cut: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the requests are in `asked`."""


def status(code: int, **headers: str) -> Trouble:
    return lambda handler: handler.answer(code, **headers)


def cut(after: int) -> Trouble:
    """The connection ends after so many bytes."""
    return lambda handler: handler.serve(cut=after)


def page(handler: Handler) -> None:
    handler.answer(200, b"<html>Please sign in</html>")


@contextmanager
def serving() -> Iterator[Site]:
    with served(Site()) as site:
        yield site
