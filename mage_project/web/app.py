"""The application that answers: the API, whether all is well, and the history's figures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mage_project.errors import HistoryUnavailable
from mage_project.history.metrics import as_text
from mage_project.history.stores import Store
from mage_project.web.api import Api
from mage_project.web.refusals import Refused, not_found, refused, without_history
from mage_project.web.tokens import Tokens

#: What Prometheus asks for: https://prometheus.io/docs/instrumenting/exposition_formats/
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
log = logging.getLogger(__name__)


def app(root: Path, store: Store, tokens: Tokens, health: Callable[[], dict[str, object] | None]) -> Starlette:
    """`health` says how the scheduler is: None where it does nothing any more."""

    async def healthz(_request: Request) -> Response:
        state = health()
        return JSONResponse({"status": "ok", **state} if state else {"status": "stuck"}, 200 if state else 503)

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(await run_in_threadpool(as_text, store), media_type=_METRICS)

    own = [Route("/healthz", healthz, methods=["GET"]), Route("/metrics", metrics, methods=["GET"])]
    return Starlette(
        routes=[*own, *Api(root, store, tokens).routes],
        exception_handlers={Refused: refused, HistoryUnavailable: without_history, HTTPException: not_found},
    )
