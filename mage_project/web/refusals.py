"""What is refused, in JSON: `{"error": {"code": 401, "message": "..."}}`, Mage's shape, with the code as the status."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mage_project.errors import HistoryUnavailable
from mage_project.masking import masked

#: What goes with a code.
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}


class Refused(Exception):
    """A request that is answered with an error. `code` is that of HTTP."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def refused(_request: Request, error: Exception) -> Response:
    """The answer to a request that is refused."""
    assert isinstance(error, Refused)  # noqa: S101 - registered for these alone
    return _answer(error.code, error.message, _HEADERS.get(error.code, {}))


def not_found(request: Request, error: Exception) -> Response:
    """The answer where no route fits: 404, or 405 with the methods that do."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    what = {404: "there is nothing here", 405: f"{request.method} cannot be done here"}
    return _answer(error.status_code, what.get(error.status_code, error.detail), error.headers or {})


def without_history(_request: Request, error: Exception) -> Response:
    """The answer while the history cannot be reached: nothing has been put down."""
    assert isinstance(error, HistoryUnavailable)  # noqa: S101 - registered for these alone
    return _answer(503, error.what, _HEADERS[503])


def _answer(code: int, message: str, headers: Mapping[str, str]) -> Response:
    return JSONResponse({"error": {"code": code, "message": masked(message)}}, code, dict(headers))
