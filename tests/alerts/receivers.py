"""Servers that take alerts as the real ones do: they check what the real ones check, and answer as they answer."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from aiosmtpd.smtp import LoginPassword as Login

from tests.serving import served

Answer = tuple[int, str]
#: The tags that Telegram knows: https://core.telegram.org/bots/api#html-style
_TELEGRAM_TAGS = {"b", "strong", "i", "em", "u", "s", "a", "code", "pre"}


class Receiver:
    """A server for webhooks: each path is one service. `said` is the JSON that was taken, by path."""

    def __init__(self) -> None:
        self.said: dict[str, list[Any]] = {}
        self.asked: list[str] = []
        #: Answers in the place of the service's own, by path, one after another.
        self.instead: dict[str, list[Answer]] = {}
        self.url = ""

    def take(self, path: str, headers: Any, body: bytes) -> Answer:
        self.asked.append(path)
        if self.instead.get(path):
            return self.instead[path].pop(0)
        content = json.loads(body)
        answer = _SERVICES.get(path.split("?")[0], _anything)(headers, content)
        if answer[0] < 300:
            self.said.setdefault(path, []).append(content)
        return answer


def _anything(_headers: Any, _body: Any) -> Answer:
    return 200, ""


def _slack(_headers: Any, body: Any) -> Answer:
    header, divider, section = body["blocks"]
    title, text = header["text"], section["text"]
    right = (header["type"], divider, section["type"]) == ("header", {"type": "divider"}, "section")
    right = right and title["type"] == "plain_text" and 0 < len(title["text"]) <= 150
    right = right and text["type"] == "mrkdwn" and 0 < len(text["text"]) <= 3000
    return (200, "ok") if right else (400, "invalid_blocks")


def _teams(_headers: Any, body: Any) -> Answer:
    return (200, "1") if body.get("summary") and body["sections"][0]["activityTitle"] else (400, "Bad payload received")


def _discord(_headers: Any, body: Any) -> Answer:
    return (204, "") if 0 < len(body["content"]) <= 2000 else (400, '{"content": ["Must be 2000 or fewer in length."]}')


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.wrong += [tag] if tag not in _TELEGRAM_TAGS else []

    def handle_endtag(self, tag: str) -> None:
        self.wrong += [tag] if not self.open or self.open.pop() != tag else []


def _telegram(_headers: Any, body: Any) -> Answer:
    tags = _Tags()
    tags.feed(body["text"])
    tags.close()
    if tags.wrong or tags.open:
        return 400, '{"ok":false,"error_code":400,"description":"Bad Request: can\'t parse entities"}'
    if len(tags.text) > 4096 or body["parse_mode"] != "HTML":
        return 400, '{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}'
    return 200, '{"ok":true}'


def _opsgenie(headers: Any, body: Any) -> Answer:
    if headers["Authorization"] != "GenieKey genie-key-1234":
        return 403, '{"message":"You are not authorized to access this resource"}'
    right = 0 < len(body["message"]) <= 130 and body["priority"] in {"P1", "P2", "P3", "P4", "P5"}
    return (
        (202, '{"result":"Request will be processed"}') if right else (422, '{"message":"Request body is not valid"}')
    )


_SERVICES: dict[str, Callable[[Any, Any], Answer]] = {
    "/slack": _slack,
    "/teams": _teams,
    "/discord": _discord,
    "/telegram": _telegram,
    "/opsgenie": _opsgenie,
}


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver, while it answers."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text = found.take(self.path, self.headers, body)
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"{found.url}/moved")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: Any) -> None:
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found


@contextmanager
def silence() -> Iterator[str]:
    """The address of a server that takes everything and never answers."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            over.wait()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with served(Server(("127.0.0.1", 0), Handler)) as server:
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    """A mail server with STARTTLS and passwords. `mails` are the envelopes that it has taken."""

    user, password = "etl@example.org", "mail-password-1"

    def __init__(self, folder: Path, *, starttls: bool = True) -> None:
        self.mails: list[Envelope] = []
        self.encrypted: list[bool] = []
        authority = trustme.CA()
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.authority)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        options = {"tls_context": context, "require_starttls": True} if starttls else {}
        self._controller = _AnyPort(
            self, hostname="127.0.0.1", port=0, authenticator=self._knows, auth_required=starttls, **options
        )

    def _knows(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        right = isinstance(given, Login) and given == Login(self.user.encode(), self.password.encode())
        return AuthResult(success=right, handled=False)

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        self._controller.start()
        try:
            yield self
        finally:
            self._controller.stop()
