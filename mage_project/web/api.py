"""Runs that are asked for over HTTP: Mage's two addresses of an API trigger, and one for any pipeline.

A run stands in the history before the answer goes out: whoever has the answer has the run, whatever happens to this
process. The scheduler that leads starts it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mage_project.errors import ConfigError, UsageError, did_you_mean
from mage_project.history import occasions
from mage_project.history.occasions import Occasion
from mage_project.history.runs import named
from mage_project.history.schedules import DueRun, states
from mage_project.history.stores import Store
from mage_project.project import Pipeline, Project
from mage_project.schedule.asking import Asked, occasion_of
from mage_project.schedule.catalogue import Catalogue, Entry, catalogue, stamp
from mage_project.web.answers import pipeline_run
from mage_project.web.bodies import json_object
from mage_project.web.refusals import Refused
from mage_project.web.tokens import VARIABLE, Tokens

_SCHEDULE = "/api/pipeline_schedules/{number:int}"
#: The one of the IETF's draft: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
KEY = "Idempotency-Key"
_LONGEST_KEY = 255
_ASKS = ("pipeline", "variables", "execution_date")


class Api:
    """The endpoints, over the project in `root` as its files are when a request comes."""

    def __init__(self, root: Path, store: Store, tokens: Tokens) -> None:
        self._root, self._store, self._tokens = root, store, tokens
        self._lock = threading.Lock()
        self._stamp: object = None
        self._catalogue = Catalogue(root=root, entries=(), unreadable={})

    @property
    def routes(self) -> list[Route]:
        return [
            Route(_SCHEDULE + "/pipeline_runs/{token}", self.call_trigger, methods=["POST"]),
            Route(_SCHEDULE + "/api_trigger", self.call_trigger, methods=["POST"]),
            Route("/api/trigger", self.call_pipeline, methods=["POST"]),
            Route("/api/pipeline_runs/{number:int}", self.show, methods=["GET"]),
        ]

    async def call_trigger(self, request: Request) -> Response:
        """Start a run of an API trigger: `{"pipeline_run": {"variables": {...}}}`; the rest is its event."""
        entry = await run_in_threadpool(self._entry, request.path_params["number"])
        if not self._tokens.open(entry.trigger, request.path_params.get("token") or _bearer(request)):
            raise Refused(401, _no_token(entry))
        body = await json_object(request)
        asked = _mapping(body.pop("pipeline_run", None), "pipeline_run")
        variables = _mapping(asked.get("variables"), "pipeline_run.variables")
        wanted = Asked(variables=variables, event=body, execution_date=_date(asked), key=_key(request))
        pipeline = await run_in_threadpool(self._pipeline, entry.pipeline)
        occasion = _occasion(wanted, pipeline, entry)
        return await run_in_threadpool(self._answered, occasion, entry, 200)

    async def call_pipeline(self, request: Request) -> Response:
        """Start a run of any pipeline: `{"pipeline": "...", "variables": {...}, "execution_date": "..."}`."""
        if not self._tokens.open(None, _bearer(request)):
            raise Refused(401, "a bearer token is needed" if self._tokens.own else f"no token is set here: {VARIABLE}")
        body = await json_object(request)
        for name in body.keys() - set(_ASKS):
            raise Refused(400, f"'{name}' is none of {', '.join(_ASKS)}.{did_you_mean(name, _ASKS)}")
        if not isinstance(body.get("pipeline"), str):
            raise Refused(400, "the body must name a pipeline: 'pipeline'")
        variables = _mapping(body.get("variables"), "variables")
        wanted = Asked(variables=variables, execution_date=_date(body), key=_key(request))
        pipeline = await run_in_threadpool(self._pipeline, body["pipeline"])
        return await run_in_threadpool(self._answered, _occasion(wanted, pipeline, None), None, 202)

    async def show(self, request: Request) -> Response:
        """How a run stands that was asked for."""
        given = _bearer(request)
        found = await run_in_threadpool(self._found, request.path_params["number"])
        trigger = self._trigger_of(found[0]) if found else None
        if not self._tokens.may_look(trigger.trigger if trigger else None, given):
            if found and trigger is None:
                self._check_files(found[0].pipeline)
            raise Refused(401, "the bearer token of its trigger is needed, or that of this process")
        if found is None:
            raise Refused(404, f"there is no run {request.path_params['number']}")
        return await run_in_threadpool(self._told, *found, 200)

    # -- in a thread of its own

    def _answered(self, occasion: Occasion, entry: Entry | None, code: int) -> Response:
        with self._store.transaction(write=True) as transaction:
            if entry is not None and (why := _closed(entry, states(transaction).get(entry.key))):
                raise Refused(409, why)
            put, is_new = occasions.put(self._store, transaction, occasion)
            found = occasions.numbered(transaction, put.number)
        if found is None:
            raise Refused(409, f"the run that {KEY} names is not in the history any more")
        if not is_new and put.fingerprint != occasion.asks_the_same_as:
            raise Refused(422, f"{KEY} was that of a request for something else: run {put.number}")
        return self._told(*found, code if is_new else 200)

    def _found(self, number: int) -> tuple[Occasion, DueRun] | None:
        with self._store.transaction() as transaction:
            return occasions.numbered(transaction, number) if number < 2**63 else None

    def _told(self, occasion: Occasion, due: DueRun, code: int) -> Response:
        run = named(self._store, due.run_id) if due.run_id else None
        place = {"Location": f"/api/pipeline_runs/{occasion.number}"}
        return JSONResponse({"pipeline_run": pipeline_run(occasion, due, run)}, code, place)

    def _entry(self, number: int) -> Entry:
        found = next((entry for entry in self._entries() if entry.number == number), None)
        if found is None:
            self._check_files()
            raise Refused(404, f"there is no trigger {number}: mage-project schedule list --json has the numbers")
        if found.trigger.schedule_type != "api":
            raise Refused(401, "this is no API trigger")
        return found

    def _trigger_of(self, occasion: Occasion) -> Entry | None:
        key = (occasion.pipeline, occasion.trigger_name)
        return next((entry for entry in self._entries() if entry.key == key), None)

    def _entries(self) -> list[Entry]:
        with self._lock:
            found = stamp(self._root)
            if found != self._stamp:
                self._catalogue, self._stamp = catalogue(self._root), found
            return list(self._catalogue.entries)

    def _check_files(self, pipeline: str | None = None) -> None:
        """Refuse where a file cannot be read that may have what is asked for: that is no time to say it is not there.

        Nothing is told of what is wrong with it: whoever asks has shown no token.
        """
        wanted = [each for each in self._catalogue.unreadable if pipeline in (None, each)]
        if wanted:
            raise Refused(503, f"the triggers of '{wanted[0]}' cannot be read now: mage-project check says why")

    def _pipeline(self, uuid: str) -> Pipeline:
        try:
            return Project(self._root).pipeline(uuid)
        except UsageError as error:
            raise Refused(404, error.what) from error
        except ConfigError as error:
            raise Refused(409, f"pipeline '{uuid}' cannot be run: {error.within(self._root)}") from error


def _closed(entry: Entry, state: Any) -> str | None:
    """Why nothing of the trigger is started now."""
    status = entry.status(state)
    return None if status == "active" else f"trigger '{entry.trigger.name}' is {status}"


def _occasion(asked: Asked, pipeline: Pipeline, entry: Entry | None) -> Occasion:
    try:
        return occasion_of(asked, pipeline, entry.trigger if entry else None, kind="api" if entry else "request")
    except UsageError as error:
        raise Refused(400, error.what) from error


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _no_token(entry: Entry) -> str:
    return f"a token is needed that opens trigger '{entry.trigger.name}'"


def _key(request: Request) -> str | None:
    key = request.headers.get(KEY)
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise Refused(400, f"{KEY} must have 1 to {_LONGEST_KEY} characters that can be printed")
    return key


def _date(body: Mapping[str, Any]) -> str | None:
    date = body.get("execution_date")
    if date is not None and not isinstance(date, str):
        raise Refused(400, f"execution_date must be a text, not {date!r}")
    return date


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(400, f"'{name}' must be an object: {{...}}")
    return value
