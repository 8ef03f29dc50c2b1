"""Postgres in trouble: what passes is tried again, what stays is named, and nothing is half written."""

from __future__ import annotations

import socket
from math import inf

import pytest

from tests.pipelines.conftest import Refused
from tests.pipelines.faults import Break, wire_to
from tests.pipelines.lab import Lab
from tests.pipelines.stores import Stores, Target

SAMPLE = {"source": "sample_data", "months": ["2020-10"]}


def test_a_postgres_that_is_down_is_named(refused: Refused, stores: Stores) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = str(closed.getsockname()[1])
    words = (f"Postgres at 127.0.0.1:{port}/", "nothing listens there", "check POSTGRES_HOST and POSTGRES_PORT")
    result = refused(*words, **SAMPLE, env={"POSTGRES_PORT": port})
    assert result.said.count("trying again") == 2


def test_a_postgres_that_hangs_up_is_named(refused: Refused, stores: Stores) -> None:
    with wire_to(stores.env["POSTGRES_PORT"], Break()) as wire:
        words = (f"Postgres at 127.0.0.1:{wire.port}/", "it hung up", "check POSTGRES_HOST and POSTGRES_PORT")
        refused(*words, **SAMPLE, env={"POSTGRES_PORT": str(wire.port)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"POSTGRES_PASSWORD": "wr0ng secret"}, ["password authentication failed", "check POSTGRES_USER"]),
        ({"POSTGRES_USER": "nobody_here"}, ["refuses user 'nobody_here'", "check POSTGRES_USER"]),
        ({"POSTGRES_DBNAME": "nowhere"}, ['database "nowhere" does not exist', "createdb nowhere"]),
    ],
    ids=["password", "user", "database"],
)
def test_a_postgres_that_refuses_is_named(refused: Refused, lab: Lab, change: dict[str, str], words: list[str]) -> None:
    lab.secrets.append("wr0ng secret")
    refused("Postgres at ", *words, **SAMPLE, env=change)


ALWAYS, ONCE = inf, 1
IN_COPY = {"sign": b"COPY", "after": 50_000}


def test_a_connection_that_drops_in_the_middle_of_a_copy_is_tried_again(
    lab: Lab, target: Target, stores: Stores
) -> None:
    with wire_to(stores.env["POSTGRES_PORT"], Break(**IN_COPY, times=ONCE)) as wire:
        result = lab.run({**target.variables, **SAMPLE}, env={"POSTGRES_PORT": str(wire.port)})
        assert wire.broken == 1
    assert result.exit_code == 0, result.error
    assert "was lost while writing" in result.said
    assert target.rows("count(*)") == [(1661,)]
    assert result.report["blocks"][2]["rows_in"] == 1661


def test_a_connection_that_always_drops_in_the_middle_of_a_copy_is_named(refused: Refused, stores: Stores) -> None:
    with wire_to(stores.env["POSTGRES_PORT"], Break(**IN_COPY, times=ALWAYS)) as wire:
        words = (f"the connection to Postgres at 127.0.0.1:{wire.port}/", "was lost while writing", "run it again")
        refused(*words, **SAMPLE, env={"POSTGRES_PORT": str(wire.port)})
        assert wire.broken == 3


def test_a_connection_that_always_drops_when_the_tables_are_swapped_is_named(refused: Refused, stores: Stores) -> None:
    """The lake must not be ahead of the table: it is published after the swap."""
    with wire_to(stores.env["POSTGRES_PORT"], Break(sign=b"DROP TABLE", times=ALWAYS)) as wire:
        refused("was lost while replacing", "run it again", **SAMPLE, env={"POSTGRES_PORT": str(wire.port)})


@pytest.mark.parametrize("sign", [b"COMMIT", b"COMMIT\0"], ids=["the commit is lost", "its answer is lost"])
def test_a_connection_that_drops_when_the_run_commits_is_tried_again(
    lab: Lab, target: Target, stores: Stores, sign: bytes
) -> None:
    with wire_to(stores.env["POSTGRES_PORT"], Break(sign=sign, times=ONCE)) as wire:
        result = lab.run({**target.variables, **SAMPLE}, env={"POSTGRES_PORT": str(wire.port)})
        assert wire.broken == 1
    assert result.exit_code == 0, result.error
    after = target.at_rest()
    assert {name: table.rows for name, table in after.tables.items()} == {"trips": 1661}
    assert len(target.stores.lake(target.name, "trips")) == 1661


def test_a_connection_that_always_drops_when_the_run_commits_leaves_whole_loads(
    lab: Lab, target: Target, stores: Stores
) -> None:
    """The one thing that can fail after the lake is published: the table is old then, the lake may be new."""
    before = target.state()
    with wire_to(stores.env["POSTGRES_PORT"], Break(sign=b"COMMIT", times=ALWAYS)) as wire:
        result = lab.run({**target.variables, **SAMPLE}, env={"POSTGRES_PORT": str(wire.port)})
    assert result.exit_code == 1
    assert "was lost while committing" in result.error
    after = target.at_rest()
    assert after.tables == before.tables
    assert after.lake == before.lake or len(target.stores.lake(target.name, "trips")) == 1661
