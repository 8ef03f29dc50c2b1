"""What is at an address, from real servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mage_project.schedule.watch.sightings import CannotLook, Sighting
from mage_project.schedule.watch.urls import look
from tests.serving import served

MODIFIED = "Wed, 03 Jan 2024 05:00:00 GMT"


class Files(BaseHTTPRequestHandler):
    """Answers with what `heads` says of the path: a status and headers; to a GET also where it refuses a HEAD."""

    heads: Mapping[str, tuple[int, dict[str, str]]] = {}

    def do_HEAD(self) -> None:
        self._answer(405 if self.path == "/get" else None)

    def do_GET(self) -> None:
        self._answer(None)
        self.wfile.write(b"x")

    def _answer(self, status: int | None) -> None:
        found, headers = self.heads.get(self.path, (404, {}))
        self.send_response(status or found)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    with served(ThreadingHTTPServer(("127.0.0.1", 0), Files)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({"ETag": 'W/"abc"', "Last-Modified": MODIFIED, "Content-Length": "5"}, "abc"),
        ({"Last-Modified": MODIFIED, "Content-Length": "5"}, f"{MODIFIED} 5"),
        ({}, "there"),
    ],
)
def test_a_file_is_known_by_its_etag_or_its_time_and_size(url: str, headers: dict[str, str], version: str) -> None:
    Files.heads = {"/a": (200, headers)}
    [found] = look(f"{url}/a", {"month": "2024-01"})
    assert (found.version, found.names) == (version, {"month": "2024-01"})
    assert found.modified == (datetime(2024, 1, 3, 5, tzinfo=UTC) if "Last-Modified" in headers else None)


@pytest.mark.parametrize("code", [403, 404, 410])
def test_what_is_not_there_yet_is_no_trouble(url: str, code: int) -> None:
    Files.heads = {"/a": (code, {})}
    assert look(f"{url}/a", {}) == []


def test_a_server_that_knows_no_head_is_asked_for_the_first_byte(url: str) -> None:
    Files.heads = {"/get": (206, {"ETag": '"e"', "Content-Range": "bytes 0-0/1234", "Content-Length": "1"})}
    assert look(f"{url}/get", {}) == [Sighting(address=f"{url}/get", version="e", size=1234)]


def test_a_redirection_is_followed_and_a_password_not_told(url: str) -> None:
    Files.heads = {"/a": (302, {"Location": "/b"}), "/b": (200, {"ETag": '"e"'})}
    secret = url.replace("//", "//user:hunter2hunter2@")
    [found] = look(f"{url}/a", {})
    assert found.version == "e"
    with pytest.raises(CannotLook) as told:
        look(f"{secret}/a", {})
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(("address", "why"), [("/a", "HTTP 500"), ("/a b", "control"), (None, "refused")])
def test_a_server_that_cannot_tell_is_trouble(url: str, address: str | None, why: str) -> None:
    Files.heads = {"/a": (500, {})}
    with pytest.raises(CannotLook, match=why):
        look(f"{url}{address}" if address else "http://127.0.0.1:1/", {})
