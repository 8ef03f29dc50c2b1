"""The same projects with SQL blocks, run by real Mage and by the runner: the same tables are left."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from psycopg2 import sql

from mage_project.project.model import FOLDERS
from tests.conformance.pipelines import write_block, write_pipeline
from tests.conformance.runners import Both, Runner
from tests.conformance.stores import Stores
from tests.projects import IO_CONFIG, block

IN_SCHEMA = """
  POSTGRES_SCHEMA: SCHEMA
  POSTGRES_CONNECTION_METHOD: direct
"""
TRIPS = """
import pandas as pd

@data_loader
def load(**kwargs):
    return pd.DataFrame({
        'spot': [1, 1, 2, 3],
        'Fare Amount': [1.5, 2.25, 3.0, None],
        'word': ['a;b', "it's", None, '100%'],
        'picked_up': pd.to_datetime(['2024-01-01 01:02:03'] * 4),
    })
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Blocks and their code; `SCHEMA` in both stands for the schema of the run."""

    blocks: Sequence[Mapping[str, Any]]
    code: Mapping[str, str]
    runs: int = 1


def sql_block(uuid: str, kind: str, *upstream: str, **configuration: Any) -> dict[str, Any]:
    settings = {"data_provider": "postgres", "data_provider_profile": "default", **configuration}
    return block(uuid, kind, *upstream, language="sql", configuration=settings)


def duck(uuid: str, kind: str, *upstream: str, **configuration: Any) -> dict[str, Any]:
    return sql_block(uuid, kind, *upstream, **{"data_provider": "duckdb", **configuration})


TRIPS_BLOCK = block("trips", "data_loader")
CASES = {
    "a transformer of a frame": Case(
        blocks=[TRIPS_BLOCK, sql_block("by_spot", "transformer", "trips", data_provider_schema="SCHEMA")],
        code={
            "trips": TRIPS,
            "by_spot": "SELECT spot, count(*) AS trips, sum(fare_amount) AS fares FROM {{df_1}} GROUP BY 1",
        },
    ),
    "spaces and dashes in the name": Case(
        blocks=[TRIPS_BLOCK, sql_block("by spot-2", "transformer", "trips", data_provider_schema="SCHEMA")],
        code={"trips": TRIPS, "by spot-2": "SELECT DISTINCT word FROM {{   df_1   }};"},
    ),
    "append by default, twice": Case(
        blocks=[sql_block("one", "data_loader", data_provider_schema="SCHEMA", data_provider_table="ones")],
        code={"one": "SELECT 1 AS n, 'x' AS word"},
        runs=2,
    ),
    "replace, twice": Case(
        blocks=[
            TRIPS_BLOCK,
            sql_block(
                "all",
                "data_exporter",
                "trips",
                data_provider_schema="SCHEMA",
                data_provider_table="copied",
                export_write_policy="replace",
            ),
        ],
        code={"trips": TRIPS, "all": "SELECT * FROM {{ df_1 }}"},
        runs=2,
    ),
    "a chain of sql blocks": Case(
        blocks=[
            TRIPS_BLOCK,
            sql_block("first", "transformer", "trips", data_provider_schema="SCHEMA"),
            sql_block("second", "data_exporter", "first", "trips", data_provider_schema="SCHEMA"),
        ],
        code={
            "trips": TRIPS,
            "first": "SELECT spot, max(word) AS word FROM {{ df_1 }} GROUP BY spot",
            "second": "SELECT a.spot, b.word FROM {{ df_1 }} AS a JOIN {{ df_2 }} AS b ON a.spot = b.spot",
        },
    ),
    "raw statements, then a templated reader": Case(
        blocks=[
            TRIPS_BLOCK,
            sql_block("fill", "data_loader", "trips", use_raw_sql=True, data_provider_schema="SCHEMA"),
            sql_block("read", "transformer", "fill", data_provider_schema="SCHEMA", use_raw_sql=True),
        ],
        code={
            "trips": TRIPS,
            "fill": """
                -- what we keep
                DROP TABLE IF EXISTS SCHEMA.kept;
                CREATE TABLE SCHEMA.kept (word text, spot int);
                INSERT INTO SCHEMA.kept SELECT word, spot FROM {{ df_1 }} WHERE word LIKE '%;%' OR spot > 1;
                """,
            "read": """
                CREATE TABLE SCHEMA.counted (n bigint);
                INSERT INTO SCHEMA.counted SELECT count(*) FROM SCHEMA.kept
                """,
        },
    ),
    "a raw query upstream of a templated block": Case(
        blocks=[
            sql_block("query", "data_loader", use_raw_sql=True),
            sql_block("out", "data_exporter", "query", data_provider_schema="SCHEMA"),
        ],
        code={"query": "SELECT 1 AS n UNION ALL SELECT 2", "out": "SELECT q.n * 10 AS tens FROM {{ df_1 }} AS q"},
    ),
    "a raw query upstream of python": Case(
        blocks=[
            sql_block("query", "data_loader", use_raw_sql=True),
            block("more", "transformer", "query"),
            sql_block("out", "data_exporter", "more", data_provider_schema="SCHEMA"),
        ],
        code={
            "query": "SELECT 1 AS n, NULL::text AS word UNION ALL SELECT 2, 'x'",
            "more": "@transformer\ndef more(frame, **kwargs):\n    return frame.assign(n=frame['n'] + 1)\n",
            "out": "SELECT * FROM {{ df_1 }}",
        },
    ),
    "variables and a part of another block's output": Case(
        blocks=[
            block("numbers", "data_loader"),
            sql_block("out", "data_exporter", "numbers", data_provider_schema="SCHEMA"),
        ],
        code={
            "numbers": "@data_loader\ndef load(**kwargs):\n    return [{'k': 5}, {'k': 6}]\n",
            "out": """
                SELECT {{ block_output('numbers', parse=lambda data, _vars: data[1]['k']) }} AS k,
                    '{{ word }}' AS word, '{{ variables("word") }}' AS again,
                    {% if word == 'hello' %}1{% else %}2{% endif %} AS one
                """,
        },
    ),
    "names longer than postgres keeps": Case(
        blocks=[
            block("a_long_name_for_a_block_that_loads_what_is_needed", "data_loader"),
            sql_block(
                "out",
                "data_exporter",
                "a_long_name_for_a_block_that_loads_what_is_needed",
                data_provider_schema="SCHEMA",
            ),
        ],
        code={
            "a_long_name_for_a_block_that_loads_what_is_needed": TRIPS,
            "out": "SELECT count(*) AS n FROM {{ df_1 }}",
        },
    ),
}


Left = dict[str, dict[str, Any]]


def run_all(cases: Mapping[str, Case], runner: Runner, folder: Path, schema: Callable[[str], str]) -> dict[str, Path]:
    """Run every case, each in a project of its own, all of them in one process: the projects."""
    projects = {what: write(folder / f"{place}_{runner.name}", case, schema(what))
                for place, (what, case) in enumerate(cases.items())}  # fmt: skip
    runs = {
        f"{what} {number}": (projects[what], "a_pipeline_of_sql", {"word": "hello"})
        for what, case in cases.items()
        for number in range(case.runs)
    }
    assert runner.each(runs) == dict.fromkeys(runs, "done")
    return projects


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory, both: Both, stores: Stores) -> Left:
    """By runner and case: the tables in Postgres."""
    found: Left = {}
    for runner in (both.mage, both.ours):
        schemas = {what: f"sql_{place}_{runner.name}" for place, what in enumerate(CASES)}
        with stores.postgres.cursor() as cursor:
            for schema in schemas.values():
                cursor.execute(f"CREATE SCHEMA {schema}")
        run_all(CASES, runner, tmp_path_factory.mktemp("sql"), schemas.__getitem__)
        found[runner.name] = {what: tables(stores, schema) for what, schema in schemas.items()}
    return found


@pytest.mark.parametrize("what", CASES)
def test_the_same_tables_are_left(left: Left, what: str) -> None:
    assert left["mage"][what] == left["ours"][what]
    assert left["ours"][what]


DUCKDB_CASES = {
    "a transformer of a frame": Case(
        blocks=[TRIPS_BLOCK, duck("by_spot", "transformer", "trips")],
        code={"trips": TRIPS, "by_spot": "SELECT spot, count(*) AS trips FROM {{ df_1 }} GROUP BY spot"},
    ),
    "a chain, appended to twice": Case(
        blocks=[duck("one", "data_loader"), duck("two", "data_exporter", "one", data_provider_table="twos")],
        code={"one": "SELECT 1 AS n, 'a;b' AS word", "two": "SELECT max(n) + 1 AS n FROM {{df_1}}"},
        runs=2,
    ),
    "raw statements": Case(
        blocks=[TRIPS_BLOCK, duck("fill", "data_exporter", "trips", use_raw_sql=True)],
        code={
            "trips": TRIPS,
            "fill": """
                CREATE TABLE kept (word text, spot int);
                INSERT INTO kept SELECT word, spot FROM {{ df_1 }} WHERE word LIKE '%;%';
                """,
        },
    ),
}


@pytest.fixture(scope="module")
def left_in_duckdb(tmp_path_factory: pytest.TempPathFactory, both: Both) -> Left:
    """By runner and case: the rows of each table."""
    found: Left = {}
    for runner in (both.mage, both.ours):
        projects = run_all(DUCKDB_CASES, runner, tmp_path_factory.mktemp("duckdb"), lambda _: "main")
        found[runner.name] = {what: _rows(project / "left.duckdb") for what, project in projects.items()}
    return found


def _rows(path: Path) -> dict[str, list[str]]:
    with duckdb.connect(str(path)) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        return {name: sorted(map(_text, connection.execute(f"FROM {name}").fetchall())) for (name,) in names}


@pytest.mark.parametrize("what", DUCKDB_CASES)
def test_the_same_tables_are_left_in_duckdb(left_in_duckdb: Left, what: str) -> None:
    assert left_in_duckdb["mage"][what] == left_in_duckdb["ours"][what]
    assert left_in_duckdb["ours"][what]


def _text(row: Sequence[Any]) -> str:
    """Mage makes decimals of what is floating: the values are to be the same."""
    return str([float(value) if isinstance(value, Decimal) else value for value in row])


def write(project: Path, case: Case, schema: str) -> Path:
    project.mkdir()
    (project / "metadata.yaml").write_text("project_type: standalone\nvariables_dir: .mage_data\n")
    settings = IO_CONFIG + IN_SCHEMA.replace("SCHEMA", schema) + f"  DUCKDB_DATABASE: {project}/left.duckdb\n"
    (project / "io_config.yaml").write_text(settings)
    for entry in case.blocks:
        code = textwrap.dedent(case.code[entry["uuid"]]).replace("SCHEMA", schema)
        if entry["language"] == "python":
            write_block(project, entry["type"], entry["uuid"], code)
        else:
            path = project / FOLDERS[entry["type"]] / f"{entry['uuid']}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
    entries = [
        {
            **entry,
            "configuration": {
                key: value.replace("SCHEMA", schema) if isinstance(value, str) else value
                for key, value in entry.get("configuration", {}).items()
            },
        }
        for entry in case.blocks
    ]
    write_pipeline(project, "a_pipeline_of_sql", entries, {})
    return project


def tables(stores: Stores, schema: str) -> dict[str, tuple[list[str], list[str]]]:
    """Of each table in the schema the columns' names, and the rows as text, sorted."""
    with stores.postgres.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,))
        names = [name for (name,) in cursor.fetchall()]
        left = {}
        for name in names:
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name)))
            rows = [tuple(str(value) for value in row) for row in cursor.fetchall()]
            left[name] = ([column[0] for column in cursor.description or ()], sorted(map(str, rows)))
    return left
