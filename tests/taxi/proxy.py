"""A door to the GCS server that can be told to let nobody in."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import served

#: Given the method and the path, an HTTP status to answer instead; 0 to drop the connection; None to let it pass.
Rule = Callable[[str, str], int | None]


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target.removeprefix("http://")
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.rule: Rule = lambda method, path: None
        self.seen: list[tuple[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass(self) -> None:
        self.server.seen.append((self.command, self.path))
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        status = self.server.rule(self.command, self.path)
        if status == 0:
            self.close_connection = True
            return
        if status is None:
            connection = http.client.HTTPConnection(self.server.target)
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            status, body, headers = response.status, response.read(), response.headers
            connection.close()
        else:
            body, headers = b"{}", {"Content-Type": "application/json"}
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _pass

    def log_message(self, *_: object) -> None:
        """Nothing: the requests are in `seen`."""


@contextmanager
def proxy_of(target: str) -> Iterator[Proxy]:
    with served(Proxy(target)) as proxy:
        yield proxy
