"""Reads what a request says: JSON, not too long, and not too slowly."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from mage_project.web.refusals import Refused

LONGEST_BYTES = 1_048_576
#: What is longer is read up to here: who is cut off while sending does not hear why.
_READ_BYTES = 8 * LONGEST_BYTES
#: How long a client may take to send all of it.
PATIENCE_S = 10.0


async def json_object(request: Request) -> dict[str, Any]:
    """The object that the body is; an empty one for no body. `Refused` for anything else."""
    body = await _read(request)
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refused(415, "the body must be JSON: send Content-Type: application/json")
    try:
        found = json.loads(body, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()  # half of a character cannot be kept
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise Refused(400, f"the body is no JSON that can be read: {said}") from error
    if not isinstance(found, dict):
        raise Refused(400, "the body must be a JSON object: {...}")
    return found


async def _read(request: Request) -> bytes:
    said = request.headers.get("content-length", "0")
    if said.isascii() and said.isdigit() and int(said) > _READ_BYTES:
        raise _too_long()
    try:
        async with asyncio.timeout(PATIENCE_S):
            body, length = bytearray(), 0
            async for part in request.stream():
                length += len(part)
                if length > _READ_BYTES:
                    break
                body += part if length <= LONGEST_BYTES else b""
    except TimeoutError as error:
        raise Refused(408, f"the body has not come within {PATIENCE_S:g} s") from error
    except ClientDisconnect as error:
        raise Refused(400, "the body is not whole") from error
    if length > LONGEST_BYTES:
        raise _too_long()
    return bytes(body)


def _too_long() -> Refused:
    return Refused(413, f"the body is longer than {LONGEST_BYTES:,} bytes")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")
