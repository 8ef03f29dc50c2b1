"""Which failures may pass, so that trying again can help."""

from __future__ import annotations

from collections.abc import Iterator

from mage_project.errors import MageProjectError
from mage_project.io.commits import PARTLY_DONE

#: Answers that say "later": RFC 9110 (408, 500, 502, 503, 504), RFC 6585 (429), RFC 8470 (425).
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Errors of clients that are none of Python's own: by name, so that nothing is imported for them.
_CLIENTS = frozenset(
    {
        "requests.exceptions.ConnectionError",
        "requests.exceptions.Timeout",
        "requests.exceptions.ChunkedEncodingError",
        "urllib3.exceptions.HTTPError",
        "urllib.error.URLError",
        "http.client.IncompleteRead",
    }
)


def may_pass(error: MageProjectError) -> bool:
    """Whether it, or what a block raised, comes from a connection or a server that may be there again in a moment."""
    return error.transient or any(_of_the_moment(cause) for cause in _causes(error))


def is_partly_done(error: MageProjectError) -> bool:
    notes = (note for cause in _causes(error) for note in getattr(cause, "__notes__", ()))
    return any(note.startswith(PARTLY_DONE) for note in notes)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _of_the_moment(error: BaseException) -> bool:
    status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "code", None)
    if isinstance(status, int):
        return status in _LATER
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    return any(f"{kind.__module__}.{kind.__name__}" in _CLIENTS for kind in type(error).__mro__)
