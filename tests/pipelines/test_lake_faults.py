"""Google Cloud Storage in trouble: what passes is tried again, what stays is named, and the table stays whole."""

from __future__ import annotations

import pytest

from tests.pipelines.conftest import Refused
from tests.pipelines.faults import Break, wire_to
from tests.pipelines.lab import Lab
from tests.pipelines.stores import Stores, Target
from tests.taxi.proxy import Rule, proxy_of

SAMPLE = {"source": "sample_data", "months": ["2020-10"]}
EMULATOR = "STORAGE_EMULATOR_HOST"


@pytest.fixture(autouse=True)
def impatient(lab: Lab) -> None:
    """The lake gives up after seconds, not after a minute."""
    lab.edit("taxi/lake.py", "RETRY_S = 60", "RETRY_S = 3")


def test_a_bucket_that_is_missing_is_named(refused: Refused, target: Target) -> None:
    words = ("gs://not-there: there is no such bucket", "gcloud storage buckets create gs://not-there")
    refused(*words, **SAMPLE, bucket="not-there")


def busy(times: int) -> Rule:
    """503 to so many requests of every kind."""
    left = dict.fromkeys(("GET", "POST", "DELETE"), times)

    def rule(method: str, path: str) -> int | None:
        left[method] -= 1
        return 503 if left[method] >= 0 else None

    return rule


def test_a_server_that_is_busy_for_a_while_is_tried_again(lab: Lab, target: Target, stores: Stores) -> None:
    lab.edit("taxi/lake.py", "RETRY_S = 3", "RETRY_S = 60")
    with proxy_of(stores.env[EMULATOR]) as proxy:
        proxy.rule = busy(2)
        result = lab.run({**target.variables, **SAMPLE}, env={EMULATOR: proxy.url})
    assert result.exit_code == 0, result.error
    assert len(stores.lake(target.name, "trips")) == 1661


AWAY: dict[str, Rule] = {
    "503 to everything": lambda method, path: 503,
    "503 to uploads": lambda method, path: 503 if path.startswith("/upload/") else None,
    "uploads dropped": lambda method, path: 0 if path.startswith("/upload/") else None,
}


@pytest.mark.parametrize("rule", AWAY.values(), ids=AWAY)
def test_a_server_that_stays_away_is_named(refused: Refused, stores: Stores, rule: Rule) -> None:
    with proxy_of(stores.env[EMULATOR]) as proxy:
        proxy.rule = rule
        refused("no answer after trying for", "Run it again later", **SAMPLE, env={EMULATOR: proxy.url})
        assert len(proxy.seen) > 2


IN_UPLOAD = {"sign": b"POST /upload/", "after": 3000}


def test_a_connection_that_drops_in_the_middle_of_uploads_is_tried_again(
    lab: Lab, target: Target, stores: Stores
) -> None:
    with wire_to(stores.env[EMULATOR].rpartition(":")[2], Break(**IN_UPLOAD, times=5)) as wire:
        result = lab.run({**target.variables, **SAMPLE}, env={EMULATOR: f"http://127.0.0.1:{wire.port}"})
        assert wire.broken == 5
    assert result.exit_code == 0, result.error
    assert len(stores.lake(target.name, "trips")) == 1661


def test_a_connection_that_always_drops_in_the_middle_of_uploads_is_named(refused: Refused, stores: Stores) -> None:
    with wire_to(stores.env[EMULATOR].rpartition(":")[2], Break(**IN_UPLOAD)) as wire:
        refused("no answer after trying for", "Run it again", **SAMPLE, env={EMULATOR: f"http://127.0.0.1:{wire.port}"})
        assert wire.broken > 8


def test_a_lake_that_cannot_be_finished_is_finished_by_the_next_run(lab: Lab, target: Target, stores: Stores) -> None:
    """After its commit the new load counts, whatever happens: here no file can be put in its place."""
    before = target.state()
    with proxy_of(stores.env[EMULATOR]) as proxy:
        proxy.rule = lambda method, path: 503 if "rewriteTo" in path else None
        result = lab.run({**target.variables, **SAMPLE}, env={EMULATOR: proxy.url})
    assert result.exit_code == 1
    assert "the new load counts and waits in staging: the next run puts it in place" in result.error
    between = target.at_rest()
    assert (between.tables, between.settled) == (before.tables, before.settled)
    assert "_staging/trips/publish.json" in between.objects
    assert lab.run({**target.variables, **SAMPLE}).exit_code == 0
    after = target.at_rest()
    assert after == after.settled
    assert len(stores.lake(target.name, "trips")) == after.tables["trips"].rows == 1661
