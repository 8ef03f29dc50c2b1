"""Looks at http(s) addresses: their heads, never their content."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.parse import urlsplit

from mage_project.masking import masked
from mage_project.schedule.watch.sightings import CannotLook, Sighting

_TIMEOUT_S = 20.0
#: Not there yet. 403 is what a store behind a web address says of what is not there to those who may not list it.
_ABSENT = {403, 404, 410}
#: Answers of servers that know no HEAD.
_NO_HEAD = {400, 405, 501}


def look(address: str, names: Mapping[str, str]) -> list[Sighting]:
    """What is there. `CannotLook` for a server that cannot be reached, or answers with an error."""
    try:
        try:
            head = _head(address, "HEAD")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in _NO_HEAD:
                raise
            head = _head(address, "GET")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _ABSENT:
            return []
        raise CannotLook(f"{_shown(address)}: HTTP {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        said = getattr(error, "reason", None) or error
        raise CannotLook(masked(f"{_shown(address)}: {said}")) from None
    return [_sighting(address, head, names)]


def _head(address: str, method: str) -> Message:
    """The head of the answer; of a GET the first byte is asked for, and nothing is read."""
    ranged = {"Range": "bytes=0-0"} if method == "GET" else {}
    headers = {"Accept-Encoding": "identity", "User-Agent": "mage-project", **ranged}
    request = urllib.request.Request(address, method=method, headers=headers)  # noqa: S310 - http or https alone come here: see lookout
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the same
        head: Message = answer.headers
        return head


def _sighting(address: str, head: Message, names: Mapping[str, str]) -> Sighting:
    etag, modified, length = head.get("ETag"), head.get("Last-Modified"), _length(head)
    version = etag.removeprefix("W/").strip('"') if etag else f"{modified or ''} {'' if length is None else length}"
    return Sighting(
        address=_shown(address),
        version=version.strip() or "there",
        size=length,
        modified=_moment(modified),
        names=names,
    )


def _length(head: Message) -> int | None:
    """The whole length, of a part as well: `Content-Range: bytes 0-0/1234`."""
    text = (head.get("Content-Range") or "").rpartition("/")[2] or head.get("Content-Length") or ""
    return int(text) if text.isascii() and text.isdigit() else None


def _moment(text: str | None) -> datetime | None:
    with suppress(TypeError, ValueError):
        moment = parsedate_to_datetime(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _shown(address: str) -> str:
    """Without a password."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
