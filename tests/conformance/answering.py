"""A web that consists of taxi files: whatever host is asked, the answer comes from a folder.

It is a proxy, as all libraries know how to use one: urllib and pandas, requests, curl, Arrow, DuckDB, aiohttp. Behind
https:// it shows certificates of an authority that is made for the occasion and forgotten afterwards.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import trustme

from tests.conformance.taxi_files import TaxiFiles

RELEASE = re.compile(r"/[^/]+/[^/]+/releases/download/(.+)")
#: Where GitHub sends those who ask for a release's file.
ASSETS = "https://objects.githubusercontent.com/github-production-release-asset"
TOKENS = ("oauth2.googleapis.com", "accounts.google.com")


class Web(ThreadingHTTPServer):
    """The proxy. `notes` collects what is to be said of the answers, and what was refused."""

    daemon_threads = True

    def __init__(self, files: TaxiFiles, folder: Path, *, tokens: bool) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.files = files
        self.tokens = tokens
        self.notes: list[str] = []
        self._authority = trustme.CA()
        self._trusted = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self._trusted)
        self._wgetrc = folder / "wgetrc"
        self._wgetrc.write_text(f"ca_certificate = {self._trusted}\n")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._mutex = threading.Lock()

    @property
    def env(self) -> dict[str, str]:
        """The variables that send programs here, except for what is on this machine."""
        proxy = f"http://127.0.0.1:{self.server_port}"
        trusting = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
        local = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost,::1")
        aiohttp = dict.fromkeys(("FSSPEC_HTTP", "FSSPEC_HTTPS"), json.dumps({"client_kwargs": {"trust_env": True}}))
        duckdb = {"CONFORMANCE_AUTHORITY": str(self._trusted)}
        wget = {"WGETRC": str(self._wgetrc)}
        return {**proxies, **local, **aiohttp, **duckdb, **wget, **dict.fromkeys(trusting, str(self._trusted))}

    def context(self, host: str) -> ssl.SSLContext:
        """For a connection to this host, whose certificate it shows."""
        with self._mutex:
            if host not in self._contexts:
                self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(self._contexts[host])
            return self._contexts[host]

    def note(self, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no event here."""


class Answering(BaseHTTPRequestHandler):
    """One connection: to a host by http://, or to one behind the CONNECT that comes before https://."""

    protocol_version = "HTTP/1.1"
    server: Web
    #: "https://host" once connected.
    connected = ""

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0].strip("[]")
        self.send_response(200)
        self.end_headers()
        self.close_connection = False  # also for Python 3.11, which asks by HTTP/1.0
        self.connection = self.server.context(host).wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.connected = f"https://{host}"

    def do_GET(self) -> None:
        url = urlsplit(self.connected + self.path)
        if url.hostname == "github.com" and (asset := RELEASE.fullmatch(url.path)):
            self._head(302, 0, Location=f"{ASSETS}/{asset[1]}")
        elif url.hostname == "extensions.duckdb.org" and (extension := _extension(url.path)):
            self._send(200, gzip.compress(extension.read_bytes(), compresslevel=1))
        elif found := self.server.files.answer(unquote(url.path).rpartition("/")[2]):
            if found.note:
                self.server.note(found.note)
            self._send_file(found.path)
        else:
            self.server.note(f"{self.command} {url.scheme}://{url.hostname}{url.path} was refused")
            self._send(404, b"not in the folder of taxi files, and nothing else leaves this machine\n")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.tokens and urlsplit(self.connected).hostname in TOKENS:
            token = {"access_token": "of no use elsewhere", "expires_in": 3600, "token_type": "Bearer"}
            self._send(200, json.dumps(token).encode(), **{"Content-Type": "application/json"})
        else:
            self.do_GET()

    do_PUT = do_POST

    def _send_file(self, path: Path) -> None:
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        with path.open("rb") as file:
            if not asked:
                return self._send(200, file.read())
            first = int(asked[1]) if asked[1] else size - int(asked[2])
            last = min(int(asked[2]) if asked[1] and asked[2] else size - 1, size - 1)
            file.seek(first)
            span = {"Content-Range": f"bytes {first}-{last}/{size}"}
            return self._send(206, file.read(last - first + 1), **span)

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self._head(status, len(body), **headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, size: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(size), "Accept-Ranges": "bytes", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence: what matters is in the notes."""


def _extension(path: str) -> Path | None:
    """DuckDB's extension of this path ("/v1.5.5/linux_amd64/httpfs.duckdb_extension.gz"), if it is installed."""
    _, version, *_, name = path.split("/")
    package = importlib.util.find_spec(f"duckdb_extension_{name.partition('.')[0]}")
    folders = list(package.submodule_search_locations or ()) if package else []
    return next(
        (found for each in folders for found in Path(each).glob(f"extensions/{version}/*.duckdb_extension")), None
    )


@contextmanager
def answered(files: TaxiFiles, folder: Path, *, tokens: bool = False) -> Iterator[Web]:
    """The proxy, while it runs; `tokens` lets it also hand out access tokens, as Google does for a key."""
    with Web(files, folder, tokens=tokens) as web:
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        yield web
        web.shutdown()
        thread.join()
