"""Every pipeline of the course, run by real Mage and by the runner, each with stores of its own: the same is left.

Mage's own connectors to Google want a service account's key and ask its server for a token: here a made-up key, and a
server on this machine. Mage's BigQuery also reads the list __TABLES_SUMMARY__ that every dataset of Google's has: in
the local BigQuery it is made as a view. The project is opened as it is.
"""

from __future__ import annotations

import io
import json
import math
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.parquet as pq
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from psycopg2 import sql

from mage_project.local import LocalStack
from taxi.course import PIPELINES
from tests.conformance.box import Box
from tests.conformance.conftest import copy_of_the_project, sample_months
from tests.conformance.runners import Mage, Ours, Runner, mage_commands, our_commands
from tests.conformance.test_copied_blocks import set_line

BUCKET = "nyc-taxi-lake"
LIST = "__TABLES_SUMMARY__"
#: The variables that pipelines are given. Mage's command hands a date on as text, which its SQL blocks cannot take.
PLAN = {uuid: {"source": str(sample_months())} for uuid in PIPELINES}
PLAN["taxi_month_to_gcs"]["execution_date"] = "2020-10-01"
#: Name of a table or an object, with its columns and its rows in an order of their own.
State = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


class Tokens(BaseHTTPRequestHandler):
    """Gives a token to whoever asks, and lets nobody through to other machines."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = json.dumps({"access_token": "of no use elsewhere", "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(token)))
        self.end_headers()
        self.wfile.write(token)

    def do_CONNECT(self) -> None:
        self.send_error(403)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that lead to a key of a service account that nobody has, whose tokens come from this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Tokens) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        here = f"http://127.0.0.1:{server.server_port}"
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        key = {
            "type": "service_account",
            "project_id": "local",
            "client_email": "nobody@example.org",
            "private_key": rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(*form).decode(),
            "token_uri": here,
        }
        path = tmp_path_factory.mktemp("account") / "key.json"
        path.write_text(json.dumps(key))
        yield {"GOOGLE_APPLICATION_CREDENTIALS": str(path), "https_proxy": here, "no_proxy": "127.0.0.1"}
        server.shutdown()
        thread.join()


def has_bigquery(commands: Path) -> bool:
    done = subprocess.run([commands / "python", "-c", "import google.cloud.bigquery, db_dtypes"], capture_output=True)
    return done.returncode == 0


@pytest.fixture(scope="module")
def commands() -> dict[type[Runner], Path]:
    mage = mage_commands()
    if mage is None or not has_bigquery(mage):
        pytest.skip("no real Mage with what requirements.txt names: `make mage-venv` installs it")
    return {Mage: mage, Ours: our_commands()}


@pytest.fixture(scope="module")
def left(
    commands: dict[type[Runner], Path], account: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, State]:
    """What the whole course, run by "mage" and by "ours", left in the stores of each."""
    found = {}
    for kind, name in ((Mage, "mage"), (Ours, "ours")):
        folder = tmp_path_factory.mktemp(name)
        with stores(folder) as env:
            (folder / "box").mkdir()
            runner = kind(name=name, commands=commands[kind], box=Box(folder=folder / "box", stores={**env, **account}))
            run_all(runner, copy_of_the_project(folder / "project"))
            found[name] = state(env)
    return found


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, str]]:
    """Three stores of their own, with what Mage needs to find there; the variables that lead to them."""
    stack = LocalStack(folder)
    if lack := stack.missing("bigquery"):
        pytest.skip(lack)
    stack.up()
    try:
        stack.ensure_buckets([BUCKET])
        make_lists(stack.env())
        yield stack.env()
    finally:
        stack.down()


def run_all(runner: Runner, project: Path) -> None:
    outcomes = {uuid: seen.outcome for uuid, seen in runner.several(project, PLAN).items()}
    assert outcomes == dict.fromkeys(PIPELINES, "done")


def bigquery_of(env: Mapping[str, str]) -> bigquery.Client:
    endpoint = {"api_endpoint": env["BIGQUERY_EMULATOR_HOST"]}
    return bigquery.Client(project="local", credentials=AnonymousCredentials(), client_options=endpoint)


def make_lists(env: Mapping[str, str]) -> None:
    with closing(bigquery_of(env)) as client:
        client.create_dataset("ny_taxi")
        client.query(
            f"CREATE VIEW ny_taxi.{LIST} AS SELECT table_name AS table_id FROM ny_taxi.INFORMATION_SCHEMA.TABLES"
        ).result()


def state(env: Mapping[str, str]) -> State:
    return {**postgres_state(env), **lake_state(env), **bigquery_state(env)}


def postgres_state(env: Mapping[str, str]) -> State:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    with closing(psycopg2.connect(**{word: env[name] for word, name in names.items()})) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('mage', 'ny_taxi') ORDER BY 1, 2"
        )
        found = {}
        for place in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(*place)))
            found[".".join(place)] = ([column.name for column in cursor.description], plain(cursor.fetchall()))
        return found


def lake_state(env: Mapping[str, str]) -> State:
    endpoint = {"api_endpoint": env["STORAGE_EMULATOR_HOST"]}
    found = {}
    with closing(
        storage.Client(project="local", credentials=AnonymousCredentials(), client_options=endpoint)
    ) as client:
        for blob in client.list_blobs(BUCKET):
            table = pq.read_table(io.BytesIO(blob.download_as_bytes()))
            rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
            found[f"gs://{blob.name}"] = (table.column_names, plain(rows))
    return found


def bigquery_state(env: Mapping[str, str]) -> State:
    found = {}
    with closing(bigquery_of(env)) as client:
        for listed in client.list_tables("ny_taxi"):
            if listed.table_id != LIST:
                table = client.get_table(listed.reference)
                rows = (row.values() for row in client.list_rows(table))
                found[f"bigquery {table.table_id}"] = ([field.name for field in table.schema], plain(rows))
    return found


def plain(rows: Any) -> list[tuple[Any, ...]]:
    """The rows in one order, with values that do not depend on the width of a type: 1 is 1.0, midnight is its day."""
    return sorted((tuple(map(cell, row)) for row in rows), key=str)


def cell(value: Any) -> Any:
    if isinstance(value, (int, float, Decimal)):
        return None if math.isnan(value) else round(float(value), 6)
    if isinstance(value, (date, datetime)):
        return str(value)[:19].removesuffix(" 00:00:00")
    return value.removesuffix(" 00:00:00") if isinstance(value, str) else value


def test_both_leave_the_same_tables_and_objects(left: dict[str, State]) -> None:
    assert sorted(left["ours"]) == sorted(left["mage"])
    assert {"ny_taxi.yellow_cab_data", "ny_taxi.monthly_zone_revenue", "mage.green_taxi"} <= left["ours"].keys()
    assert {"gs://nyc_taxi_data.parquet", "gs://green/2020/10/01/daily-trips.parquet"} <= left["ours"].keys()
    assert {"bigquery yellow_cab_data", "bigquery green_taxi", "bigquery taxi_zones"} <= left["ours"].keys()


def test_they_have_the_same_columns(left: dict[str, State]) -> None:
    for name in left["ours"]:
        assert (name, left["ours"][name][0]) == (name, left["mage"][name][0])


def test_they_hold_the_same_rows_the_same_number_of_times(left: dict[str, State]) -> None:
    assert [name for name in left["ours"] if left["ours"][name][1] != left["mage"][name][1]] == []
    assert all(rows for _, rows in left["ours"].values())


def test_blocks_copied_into_an_empty_project_run_there(
    commands: dict[type[Runner], Path], account: dict[str, str], tmp_path: Path
) -> None:
    """Each pipeline in a project of its own, with nothing but its folder and what `copy` brought for its blocks."""
    shipped = copy_of_the_project(tmp_path / "shipped")
    with stores(tmp_path) as env:
        (tmp_path / "box").mkdir()
        box = Box(folder=tmp_path / "box", stores={**env, **account})
        mage = Mage(name="mage", commands=commands[Mage], box=box)
        empty = tmp_path / "empty"
        mage.init(empty)
        shutil.copy(shipped / "io_config.yaml", empty)
        set_line(empty / "metadata.yaml", "help_improve_mage", "false")
        projects = {uuid: shutil.copytree(empty, tmp_path / uuid) for uuid in PIPELINES}
        for uuid, project in projects.items():
            shutil.copytree(shipped / "pipelines" / uuid, project / "pipelines" / uuid)
            for block in yaml.safe_load((project / "pipelines" / uuid / "metadata.yaml").read_text())["blocks"]:
                Ours(name="ours", commands=commands[Ours], box=box).copy(shipped, block["uuid"], project)
        runs = {uuid: (project, uuid, PLAN[uuid]) for uuid, project in projects.items()}
        assert mage.each(runs) == dict.fromkeys(runs, "done")
