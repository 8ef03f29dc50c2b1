"""Runs that are asked for over HTTP, from a real scheduler in a process of its own."""

from __future__ import annotations

import pytest

from tests.web.conftest import BEARER, HOOK, NUMBER, OWN, TOKEN, Scene

WITH_TOKEN = f"/api/pipeline_schedules/{NUMBER}/pipeline_runs/{TOKEN}"
OWN_BEARER = {"Authorization": f"Bearer {OWN}"}


def test_a_call_as_mages_starts_a_run_with_its_variables_and_its_event(served: Scene) -> None:
    body = {
        "pipeline_run": {"variables": {"months": ["2020-10"], "password": "hunter2hunter2"}},
        "ref": "x",
        "sender": 1,
    }
    answer = served.ask("POST", WITH_TOKEN, body)
    assert (answer.code, answer.run["pipeline_uuid"], answer.run["status"]) == (200, "p", "initial")
    assert answer.run["variables"]["password"] == "***"
    done = served.ended(answer.run["id"])
    [note] = served.notes()
    assert note["date"] in done["execution_date"].replace("T", " ")
    assert (done["status"], done["exit_code"], done["run_id"]) == ("completed", 0, served.runs()[0].run_id)
    rest = {"service": "green", "months": ["2020-10"], "env": "prod", "password": "hunter2hunter2", "ref": "main"}
    assert {**note, "date": ""} == {**rest, "date": "", "event": {"ref": "x", "sender": 1}}
    with served.store.transaction() as transaction:
        assert "hunter2" not in str(transaction.run("SELECT * FROM occasion"))
    logs = list((served.root / ".mage_project").rglob("*.log"))
    assert logs
    assert not any("hunter2" in path.read_text() for path in logs)


def test_any_pipeline_is_started_with_the_token_of_the_process(served: Scene) -> None:
    wanted = {"pipeline": "p", "variables": {"service": "fhv"}, "execution_date": "2020-10-01"}
    answer = served.ask("POST", "/api/trigger", wanted, OWN_BEARER)
    assert (answer.code, answer.headers["location"]) == (202, f"/api/pipeline_runs/{answer.run['id']}")
    served.until(lambda: bool(served.notes()))
    [note] = served.notes()
    assert (note["service"], note["date"]) == ("fhv", "2020-10-01 00:00:00")
    assert served.runs()[0].trigger == "api"


def test_of_requests_with_one_key_there_is_one_run(served: Scene) -> None:
    key = {**BEARER, "Idempotency-Key": "month 2020-10"}
    asked = [served.ask("POST", HOOK, {"pipeline_run": {"variables": {"months": 1}}}, key) for _ in range(3)]
    assert {answer.code for answer in asked} == {200}
    assert len({answer.run["id"] for answer in asked}) == 1
    other = served.ask("POST", HOOK, {"pipeline_run": {"variables": {"months": 2}}}, key)
    assert (other.code, "request for something else" in other.error) == (422, True)
    served.ended(asked[0].run["id"])
    assert served.ask("POST", HOOK, {"pipeline_run": {"variables": {"months": 1}}}, key).run["status"] == "completed"
    assert len(served.notes()) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "code", "message"),
    [
        ("POST", HOOK, {}, {}, 401, "a token is needed"),
        ("POST", HOOK, {}, {"Authorization": "Bearer wrong"}, 401, "a token is needed"),
        ("POST", HOOK, {}, {"Authorization": f"Basic {TOKEN}"}, 401, "a token is needed"),
        ("POST", WITH_TOKEN[:-1], {}, {}, 401, "a token is needed"),
        ("POST", "/api/trigger", {"pipeline": "p"}, BEARER, 401, "a bearer token is needed"),
        ("GET", "/api/pipeline_runs/1", None, {}, 401, "bearer token"),
        ("GET", "/api/pipeline_runs/99", None, OWN_BEARER, 404, "there is no run 99"),
        ("GET", f"/api/pipeline_runs/{10**30}", None, OWN_BEARER, 404, "there is no run"),
        ("POST", "/api/pipeline_schedules/1/api_trigger", {}, BEARER, 404, "there is no trigger 1"),
        ("POST", "/api/pipeline_schedules/x/api_trigger", {}, BEARER, 404, "nothing here"),
        ("POST", "/api/trigger", {"pipeline": "q"}, OWN_BEARER, 404, "there is no pipeline 'q'"),
        ("POST", "/api/trigger", {"pipeline": "../p"}, OWN_BEARER, 404, "there is no pipeline"),
        ("GET", HOOK, None, BEARER, 405, "GET cannot be done here"),
        ("POST", HOOK, b"not json", BEARER, 400, "no JSON that can be read"),
        ("POST", HOOK, b"[" * 100_000, BEARER, 400, "no JSON that can be read"),
        ("POST", HOOK, b'{"a": NaN}', BEARER, 400, "no JSON that can be read"),
        ("POST", HOOK, b'{"a": "\\ud800"}', BEARER, 400, "no JSON that can be read"),
        ("POST", HOOK, b"\xff\xfe", BEARER, 400, "no JSON that can be read"),
        ("POST", HOOK, [1], BEARER, 400, "must be a JSON object"),
        ("POST", HOOK, {"pipeline_run": {"variables": [1]}}, BEARER, 400, "'pipeline_run.variables' must be an object"),
        ("POST", HOOK, {"pipeline_run": {"execution_date": "soon"}}, BEARER, 400, "execution_date is not a date"),
        ("POST", HOOK, {}, {**BEARER, "Idempotency-Key": "x" * 300}, 400, "must have 1 to 255 characters"),
        ("POST", "/api/trigger", {"pipelin": "p"}, OWN_BEARER, 400, "Did you mean 'pipeline'?"),
        ("POST", HOOK, b"a" * 2_000_000, BEARER, 413, "longer than 1,048,576 bytes"),
        ("POST", HOOK, b"a=1", {**BEARER, "Content-Type": "text/plain"}, 415, "Content-Type: application/json"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_json_and_starts_nothing(
    shared: Scene, method: str, path: str, body: object, headers: dict[str, str], code: int, message: str
) -> None:
    answer = shared.ask(method, path, body, headers)
    assert (answer.code, message in answer.error) == (code, True), answer.body
    assert TOKEN not in str(answer.body)
    assert shared.statuses().total() == 0


def test_a_trigger_that_is_paused_or_switched_off_is_closed(served: Scene) -> None:
    served.triggers({"status": "inactive"})
    refused = served.ask("POST", HOOK, {}, BEARER)
    assert (refused.code, refused.error) == (409, "trigger 'hook' is inactive")
    served.triggers({"name": "off"}, {"schedule_type": "time", "schedule_interval": "@once", "envs": ["test"]})
    assert served.ask("POST", HOOK, {}, BEARER).code == 401, "no API trigger"


def test_while_the_triggers_cannot_be_read_a_call_is_to_come_again_and_hears_nothing_of_them(served: Scene) -> None:
    number = served.ask("POST", "/api/trigger", {"pipeline": "p"}, OWN_BEARER).run["id"]
    asked = served.ask("POST", HOOK, {}, BEARER).run["id"]
    (served.root / "pipelines/p/triggers.yaml").write_text(f"triggers: [{{name: hook, token: {TOKEN}}}, *of_none]")
    for method, path in (("POST", WITH_TOKEN), ("POST", HOOK), ("GET", f"/api/pipeline_runs/{asked}")):
        answer = served.ask(method, path, None, BEARER)
        assert (answer.code, answer.headers["retry-after"]) == (503, "2")
        assert answer.error == "the triggers of 'p' cannot be read now: mage-project check says why"
    assert served.ask("GET", f"/api/pipeline_runs/{number}", headers=OWN_BEARER).code == 200
    assert served.ask("POST", "/api/trigger", {"pipeline": "p"}, OWN_BEARER).code == 202, "they keep no pipeline"


def test_the_health_and_the_figures_are_told_to_anybody(served: Scene) -> None:
    served.until(lambda: served.ask("GET", "/healthz").body == {"status": "ok", "leads": True, "running": 0})
    number = served.ask("POST", HOOK, None, BEARER).run["id"]
    served.ended(number)
    figures = served.ask("GET", "/metrics")
    assert 'mage_project_runs_total{pipeline="p",status="completed"} 1.0' in figures.body
    assert figures.headers["content-type"].startswith("text/plain; version=0.0.4")
