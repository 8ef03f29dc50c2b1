"""The BigQuery server of a local stack: the package local-bigquery 0.3.0, fit for a machine without a network.

`python -P bigquery_server.py PORT STORAGE_PORT`: the REST API and the gRPC storage API, on 127.0.0.1 only; the data is
in the working directory. A Python 3.13 that has the package runs this file by its path, so it imports nothing of ours.

The unchanged server downloads DuckDB's extensions when it starts, ignores table$20210101, gzip and CREATE EXTERNAL
TABLE silently, refuses BYTES in Parquet, and lets a query read every file of its user. What is put right here touches
private names of that exact version; tests/local/test_bigquery_server.py has a test for each.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import uvicorn
from local_bigquery import app
from local_bigquery.catalog import tables
from local_bigquery.engine import database, types
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError, already_exists
from local_bigquery.grpc import server as storage_api
from local_bigquery.jobs import load, runner
from local_bigquery.jobs.storage import literal
from local_bigquery.settings import settings
from local_bigquery.sql.rules import ddl
from sqlglot import exp

HOST = "127.0.0.1"
EXTENSIONS = ("ducklake", "httpfs")
#: Type of a time partition → how its decorator is written (BigQuery's guide to managing partitioned tables).
DECORATORS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}

_GZIP = b"\x1f\x8b"
_STOP_S = 2

_stock = SimpleNamespace(
    write=tables.write,
    reference=tables.reference,
    get=tables.get,
    create=tables.create,
    load=load.run,
    projection=load._projection,
    normalise=ddl.normalise,
)
_partitions = threading.Lock()


def connect(*_: object, **__: object) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the extensions of the wheels, which reads nothing but its own folder and Cloud Storage."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in EXTENSIONS:
        connection.execute(f"LOAD {literal(str(_extension(name)))}")
    connection.execute("SET TimeZone = 'UTC'")  # as an option of `connect` it is refused: its extension comes later
    connection.execute("SET allow_persistent_secrets = false")
    connection.execute(f"SET allowed_directories = [{literal(f'{settings.data_dir.absolute()}/')}, 'gs://']")
    connection.execute("SET enable_external_access = false")
    return connection


def _extension(name: str) -> Path:
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"There is no package duckdb-extension-{name}.")
    return next(Path(spec.submodule_search_locations[0]).glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension"))


def reference(table: Any) -> tuple[str, str, str]:
    """The ids of a table, without the partition decorator."""
    project, dataset, name = _stock.reference(table)
    return project, dataset, _undecorated(name)


def get(project: str, dataset: str, name: str, *arguments: Any) -> Any:
    """The table's resource, whichever of its partitions is asked for."""
    return _stock.get(project, dataset, _undecorated(name), *arguments)


def write(cur: Any, query: str, params: Any, table: tuple[str, str, str], config: Any, *rest: Any, **named: Any) -> Any:
    """Writes a query's rows to a table, or to the one partition that `config` names: `table$20210101`."""
    name = config.destinationTable.tableId if config.destinationTable else ""
    decorator = name.partition("$")[2]
    if not decorator:
        return _stock.write(cur, query, params, table, config, *rest, **named)
    with _partitions, _transaction(cur):
        condition = _condition(table, config, decorator)
        if _has_rows(cur, f"({query}) WHERE ({condition}) IS NOT TRUE", params):
            message = f"Some rows belong to different partitions rather than destination partition {decorator}"
            raise BigQueryError("invalid", message)
        if tables.exists(*table):
            _make_room(cur, table, config, condition, default=rest[0] if rest else "WRITE_EMPTY")
        return _stock.write(cur, query, params, table, config.replace(writeDisposition="WRITE_APPEND"), *rest)


def _make_room(cur: Any, table: tuple[str, str, str], config: Any, condition: str, *, default: str) -> None:
    disposition = config.writeDisposition or default
    if disposition == "WRITE_TRUNCATE":
        cur.execute(f"DELETE FROM {tables.name(*table)} WHERE {condition}")
    elif disposition == "WRITE_EMPTY" and _has_rows(cur, f"{tables.name(*table)} WHERE {condition}", None):
        raise already_exists("Table", config.destinationTable.tableId)


def _has_rows(cur: Any, source: str, params: Any) -> bool:
    return cur.sql(f"SELECT 1 FROM {source} LIMIT 1", params=params).fetchone() is not None


def _condition(table: tuple[str, str, str], config: Any, decorator: str) -> str:
    """What is true of the rows of a partition."""
    layout = tables.load(*table) if tables.exists(*table) else config
    if layout.rangePartitioning:
        column, width = quote(layout.rangePartitioning.field), int(layout.rangePartitioning.range.interval)
        return f"{column} >= {int(decorator)} AND {column} < {int(decorator) + width}"
    if not layout.timePartitioning or not layout.timePartitioning.field:
        raise BigQueryError("notImplemented", "The local BigQuery has partitions by a column only, none by load time.")
    column = quote(layout.timePartitioning.field)
    if decorator == "__NULL__":
        return f"{column} IS NULL"
    return f"strftime({column}, {literal(DECORATORS[layout.timePartitioning.type or 'DAY'])}) = {literal(decorator)}"


@contextmanager
def _transaction(cur: Any) -> Iterator[None]:
    cur.execute("BEGIN")
    try:
        yield
    except BaseException:
        cur.execute("ROLLBACK")
        raise
    cur.execute("COMMIT")


def _undecorated(name: str) -> str:
    return name.partition("$")[0]


def run_load(cur: Any, config: Any, upload: str | None) -> Any:
    """A load job. DuckDB knows compressed files by their names, and uploads have none."""
    if upload is None or not _is_gzip(Path(upload)):
        return _stock.load(cur, config, upload)
    named = Path(f"{upload}.gz")
    named.hardlink_to(upload)
    try:
        return _stock.load(cur, config, str(named))
    finally:
        named.unlink()


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def projection(config: Any, fields: Sequence[Any], columns: Sequence[str]) -> tuple[str, str]:
    """The columns of a load; bytes are base64 in text files, and bytes in the others."""
    if (config.sourceFormat or "CSV") in load.TEXT_FORMATS or not any(field.type == "BYTES" for field in fields):
        return _stock.projection(config, fields, columns)  # type: ignore[no-any-return]
    declared = {field.name.casefold() for field in fields}
    casts = [f"CAST({quote(field.name)} AS {types.duckdb_type(field)}) AS {quote(field.name)}" for field in fields]
    if config.hivePartitioningOptions:
        casts += [quote(column) for column in columns if column.casefold() not in declared]
    return ", ".join(casts), "false"


def normalise(tree: Any) -> Any:
    """A DDL statement; external tables, of which stock makes empty ones, are refused."""
    if isinstance(tree, exp.Create) and tree.find(exp.ExternalProperty):
        raise _no_external_tables()
    return _stock.normalise(tree)


def create(project: str, dataset: str, body: Any, translate: Any) -> Any:
    """Makes a table, unless it is an external one."""
    if body.externalDataConfiguration:
        raise _no_external_tables()
    return _stock.create(project, dataset, body, translate)


def _no_external_tables() -> BigQueryError:
    message = "The local BigQuery has no external tables: load the objects into a table (a load job, or LOAD DATA)."
    return BigQueryError("notImplemented", message)


def put_right() -> None:
    """Puts what is above into the package."""
    # The geography macros need an extension that comes from the network only.
    database.FUNCTIONS = [path for path in database.FUNCTIONS if path.name != "geography.sql"]
    database.duckdb = SimpleNamespace(connect=connect)
    tables.reference, tables.get, tables.write, tables.create = reference, get, write, create
    load._projection = projection
    runner.HANDLERS["load"] = run_load
    ddl.normalise = normalise


def serve(port: int, storage_port: int) -> None:
    """Serves until SIGTERM."""
    settings.data_dir = _working_directory()
    settings.storage_emulator_host = os.environ.get("STORAGE_EMULATOR_HOST")
    put_right()
    database.connection()
    storage, _ = storage_api.start(HOST, storage_port)
    uvicorn.run(app, host=HOST, port=port, log_level="warning", timeout_graceful_shutdown=_STOP_S)
    storage.stop(None)


def _working_directory() -> Path:
    # Another user cannot walk to a project below a private folder such as /root, but may stay where root put it.
    # DuckLake remembers the path and wants to see it again, also when the project has moved.
    return Path("/proc/self/cwd") if sys.platform == "linux" else Path()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
