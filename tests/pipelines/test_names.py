"""Odd names of sources, schemas, tables and buckets: they work as names, or are refused; none is ever run as code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipelines.conftest import Refused
from tests.pipelines.lab import Lab
from tests.pipelines.stores import Stores, Target
from tests.taxi.making import TRIP, text, write_month
from tests.taxi.site import Site

NAMES = {
    "quotes": """it's "my" täble %s %(x)s a.b 🚕""",
    "an injection": """t'"; DROP SCHEMA "victim" CASCADE; --""",
}


@pytest.fixture
def victim(stores: Stores) -> Iterator[None]:
    """A schema that is still there at the end."""
    stores.query("CREATE SCHEMA victim")
    yield
    stores.query("DROP SCHEMA victim")


@pytest.mark.usefixtures("victim")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_odd_names_of_schema_and_table_are_names(lab: Lab, target: Target, stores: Stores, name: str) -> None:
    write_month(lab.root / "data", text(TRIP))
    odd = {"schema": f"{target.name} {name}"[:60], "table": name}
    try:
        for _ in range(2):  # the second time it replaces the table
            result = lab.run({**target.variables, **odd, "source": "data", "months": ["2020-10"]})
            assert result.exit_code == 0, result.error
        assert {name: table.rows for name, table in stores.tables(odd["schema"]).items()} == {name: 1}
    finally:
        stores.drop_schema(odd["schema"])


TOO_ODD: dict[str, tuple[dict[str, Any], str]] = {
    "a table without a name": ({"table": '""'}, "the name of the table is empty"),
    "a long table": ({"table": "t" * 64}, "too long for Postgres"),
    "a lake table above": ({"lake_table": "../trips"}, "lake table '../trips'"),
    "a lake table with a quote": ({"lake_table": "it's"}, "a name can have letters, digits"),
    "a month above": ({"months": ["../../2020-10"]}, "write year and month as YYYY-MM"),
    "a service above": ({"service": "../green"}, "the services are green, yellow"),
    "another scheme": ({"source": "ftp://example.org"}, "give a folder, an http(s):// prefix or a gs:// prefix"),
    "no folder": ({"source": "no; such 'folder'"}, "there is no such folder. Check the variable source"),
}


@pytest.mark.parametrize(("variables", "what"), TOO_ODD.values(), ids=TOO_ODD)
def test_a_name_that_cannot_be_is_refused(refused: Refused, variables: dict[str, Any], what: str) -> None:
    refused(what, **{"source": "sample_data", "months": ["2020-10"], **variables})


def test_a_folder_with_dots_spaces_and_quotes_is_a_source(lab: Lab, target: Target) -> None:
    odd = 'it\'s; "my" $(data) 100%'
    write_month(lab.root / odd, text(TRIP))
    result = lab.run({**target.variables, "source": f"{odd}/green/../../{odd}", "months": ["2020-10"]})
    assert result.exit_code == 0, result.error
    assert target.rows("count(*)") == [(1,)]


def test_an_address_with_dots_spaces_and_quotes_is_a_source(lab: Lab, target: Target, site: Site) -> None:
    path = write_month(lab.root / "data", text(TRIP))
    site.files[f"/it's%20my/green/{path.name}"] = path.read_bytes()
    before = set(lab.root.parent.iterdir())
    result = lab.run({**target.variables, "source": f"{site.url}/x/../it's my/", "months": ["2020-10"]})
    assert result.exit_code == 0, result.error
    assert target.rows("count(*)") == [(1,)]
    assert set(lab.root.parent.iterdir()) == before
