"""Stands between a client and an HTTP server, and spoils the requests that it is told to."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

#: Given method and path: None passes the request on, a number is answered as status, 'drop' hangs up, 'lost' passes it
#: on and hangs up in the place of an answer.
Fault = Callable[[str, str], int | str | None]


class FaultyProxy:
    """A running proxy in front of `target` (http://host:port)."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.fault: Fault = lambda method, path: None
        #: What becomes of an answer, given the request's path.
        self.rewrite: Callable[[str, bytes], bytes] = lambda path, content: content
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.requests.append(f"{self.command} {self.path}")
                fault = proxy.fault(self.command, self.path)
                if fault == "drop":
                    self.hang_up()
                elif isinstance(fault, int):
                    self.answer(fault, [], b'{"error": {"message": "as told"}}')
                else:
                    self.pass_on(body, is_lost=fault == "lost")

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve

            def hang_up(self) -> None:
                self.close_connection = True
                self.connection.close()

            def pass_on(self, body: bytes, *, is_lost: bool) -> None:
                connection = http.client.HTTPConnection(proxy.target.hostname or "", proxy.target.port)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                with closing(connection):
                    connection.request(self.command, self.path, body, {**headers, "Host": proxy.target.netloc})
                    response = connection.getresponse()
                    content = response.read()
                if is_lost:
                    self.hang_up()
                else:
                    self.answer(response.status, response.getheaders(), proxy.rewrite(self.path, content))

            def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                        self.send_header(name, value.replace(proxy.target.geturl(), proxy.url))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
