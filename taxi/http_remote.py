"""A file behind an http(s) address."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3

from taxi.remotes import TLC_HOST, Answer, NotPublished, Unreachable, Version

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10, 60
LONGEST_WAIT_S = 60.0
_CHUNK_BYTES = 1 << 18
_MESSAGE_BYTES = 4096
_PASSING = {408, 425, 429}  # and everything from 500 on


class HttpRemote:
    """The file `path` below `prefix`. A query of the prefix (a signature) goes with every request."""

    def __init__(self, prefix: str, path: str) -> None:
        parts = urlsplit(prefix)
        if not parts.hostname:
            raise ValueError("source: an http(s) prefix needs a host, as in https://example.org/nyc-tlc-data")
        address = parts._replace(path=f"{parts.path.rstrip('/')}/{path}", fragment="")
        self._url = urlunsplit(address)
        self.shown = urlunsplit(address._replace(netloc=parts.netloc.rpartition("@")[2], query=""))

    def ask(self, *, known: Version | None, partial: Version | None, start: int) -> Answer:
        headers = {"Accept-Encoding": "identity", **_conditions(known), **_range(partial, start)}
        try:
            response = requests.get(
                self._url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
            )
        except (requests.exceptions.SSLError, requests.exceptions.TooManyRedirects) as error:
            raise OSError(f"{self.shown}: {_reason(error)}") from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Unreachable(f"{self.shown}: {_reason(error)}") from None
        except (requests.RequestException, UnicodeError) as error:
            raise ValueError(f"{self.shown}: no address to read from ({type(error).__name__})") from None
        status = response.status_code
        if status == 200:
            return Answer(version=_version(response, 0), chunks=self._chunks(response))
        if status == 206 and partial and _continues(response, partial, start):
            return Answer(version=_version(response, start), start=start, chunks=self._chunks(response))
        said = response.raw.read(_MESSAGE_BYTES) if status == 403 else b""
        response.close()
        if status == 304 and known:
            return Answer(version=known)
        if status in (206, 416) and partial:
            return self.ask(known=known, partial=None, start=0)
        raise _refusal(self.shown, response, said)

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        try:
            # The raw bytes: a server may call a .gz file "Content-Encoding: gzip", and it must stay packed.
            yield from response.raw.stream(_CHUNK_BYTES, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self.shown}: {_reason(error)}") from None
        finally:
            response.close()


def _conditions(known: Version | None) -> dict[str, str]:
    if known is None:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def _range(partial: Version | None, start: int) -> dict[str, str]:
    """A request for the rest, if it is the rest of the same content. A weak ETag (W/...) does not promise that."""
    if partial is None or not start:
        return {}
    strong = partial.etag if partial.etag and not partial.etag.startswith("W/") else partial.last_modified
    return {"Range": f"bytes={start}-", "If-Range": strong} if strong else {}


def _continues(response: requests.Response, partial: Version, start: int) -> bool:
    """Whether the part that was sent begins where it should, in the content that was begun."""
    same = response.headers.get("ETag", partial.etag) == partial.etag
    return same and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _version(response: requests.Response, start: int) -> Version:
    length = response.headers.get("Content-Length", "")
    return Version(
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        size_bytes=start + int(length) if length.isdigit() else None,
    )


def _refusal(shown: str, response: requests.Response, message: bytes) -> Exception:
    status = response.status_code
    said = f"{shown}: the server answered {status} {response.reason or ''}".rstrip()
    if status in (404, 410) or (status == 403 and _is_missing_at_tlc(shown, message)):
        return NotPublished(f"{said}: this month is not published there. Check the months and the source.")
    if status in (401, 403, 407):
        return PermissionError(f"{said}: it may not be read. Check the source, and its password or signature.")
    if status in _PASSING or status >= 500:
        return Unreachable(said, after_s=_retry_after(response))
    return OSError(f"{said}. Check the source.")


def _is_missing_at_tlc(shown: str, message: bytes) -> bool:
    """Whether the answer 403 is that of TLC's store for a file that it does not have.

    It is an S3 bucket that may not be listed, behind CloudFront: S3 then answers AccessDenied where a file is missing
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). CloudFront's own refusals are HTML.
    """
    return urlsplit(shown).hostname == TLC_HOST and b"<Code>AccessDenied</Code>" in message


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait, at most a minute."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp() - time()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def _reason(error: BaseException) -> str:
    """Why a request failed, from the innermost error: the outer ones hold the address with its secrets."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror and not isinstance(seen, requests.RequestException):
            return seen.strerror
        inner = getattr(seen, "reason", None) or next((a for a in seen.args if isinstance(a, BaseException)), None)
        error, seen = seen, inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    words = {
        "ReadTimeoutError": "no answer in time",
        "ReadTimeout": "no answer in time",
        "ConnectTimeout": "no connection in time",
        "IncompleteRead": "the connection was cut",
    }
    return words.get(type(error).__name__, type(error).__name__)
