"""Asking the local servers over HTTP."""

from __future__ import annotations

import urllib.error
import urllib.request

from mage_project.errors import StoreError, StoreUnavailable

_TIMEOUT_S = 30


def status(request: urllib.request.Request, server: str, *, accepted: tuple[int, ...] = ()) -> int:
    """The status of the answer of the local `server`: a success, or one of those accepted.

    Raises StoreError or StoreUnavailable.
    """
    # A proxy of the environment is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in accepted:
                return error.code
            raise StoreError(
                f"The local {server} server refused: {error.code} {error.read().decode(errors='replace').strip()}",
                where=request.full_url,
            ) from error
    except OSError as error:
        raise StoreUnavailable(f"The local {server} server does not answer: {error}", where=request.full_url) from error
