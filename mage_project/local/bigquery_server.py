"""The BigQuery server of a local stack: the package local-bigquery 0.3.0, fit for a machine without a network.

`python -P bigquery_server.py PORT STORAGE_PORT`: the REST API and the gRPC storage API, on 127.0.0.1 only; the data is
in the working directory. A Python 3.13 that has the package runs this file by its path, so it imports nothing of ours.

The unchanged server downloads DuckDB's extensions when it starts, ignores table$20210101, gzip, the layout of a copied
table and CREATE EXTERNAL TABLE silently, counts deleted rows, refuses BYTES in Parquet, and lets a query read every
file of its user. What is put right here touches private names of that exact version, and has a test each:
tests/local/test_bigquery_server.py.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

if __name__ == "__main__":
    # A fifth of the start for nothing: Google's storage client imports pandas where it can, and here nobody uses it.
    sys.modules["pandas"] = None  # type: ignore[assignment]

import duckdb
import uvicorn
from local_bigquery import app
from local_bigquery.catalog import names, tabledata, tables
from local_bigquery.engine import database, results
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError, already_exists
from local_bigquery.grpc import server as storage_api
from local_bigquery.jobs import copy, load, runner
from local_bigquery.jobs.storage import literal
from local_bigquery.settings import settings
from local_bigquery.sql import script
from local_bigquery.sql.rules import ddl
from sqlglot import exp

HOST = "127.0.0.1"
EXTENSIONS = ("ducklake", "httpfs")
#: Type of a time partition → how its decorator is written (BigQuery's guide to managing partitioned tables).
DECORATORS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}

_GZIP = b"\x1f\x8b"
_STOP_S = 2
_TIMEOUT_S = 30
_DAY_S = 86_400

_stock = SimpleNamespace(
    write=tables.write,
    get=tables.get,
    create=tables.create,
    list_rows=tabledata.list_rows,
    load=load.run,
    copy=copy.run,
    paths=load.paths,
    projection=load._projection,
    normalise=ddl.normalise,
    statement=script.Parser.statement,
)
_partitions = threading.Lock()
#: The partition that the load job of this context writes to: the package wants a table's bare name there.
_loaded_partition = ContextVar("loaded_partition", default="")


def connect(*_: object, **__: object) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the extensions of the wheels, which reads nothing but its own folder and Cloud Storage."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in EXTENSIONS:
        connection.execute(f"LOAD {literal(str(_extension(name)))}")
    connection.execute(f"SET temp_directory = {literal(tempfile.gettempdir())}")
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


def get(project: str, dataset: str, name: str, *arguments: Any) -> Any:
    """The table's resource, whichever of its partitions is asked for. Stock's number of rows is an estimate."""
    table = (project, dataset, name.partition("$")[0])
    found = _stock.get(*table, *arguments)
    if not found.numRows or not int(found.numRows):
        return found
    ((count,),) = database.fetch(f"SELECT count(*) FROM {tables.name(*table)}")
    return found.replace(numRows=str(count))


def list_rows(
    project: str, dataset: str, name: str, max_results: int | None, start: int, selected: str | None, int64: bool
) -> Any:
    """The rows of a table, or of the one partition that is asked for: `table$20210101`."""
    bare, _, decorator = name.partition("$")
    if not decorator:
        return _stock.list_rows(project, dataset, name, max_results, start, selected, int64)
    table = (project, dataset, bare)
    condition = _condition(table, tables.load(*table), decorator)
    wanted = {word.strip().casefold() for word in selected.split(",")} if selected else None
    visible = [field for field in tables.columns(*table) if wanted is None or field.name.casefold() in wanted]
    source = f"(SELECT rowid, * FROM {tables.name(*table)} WHERE {condition})"
    with database.cursor() as cur:
        page = results.page(cur, source, max_results, start, [field.name.casefold() for field in visible], int64)
    return page, visible


def write(cur: Any, query: str, params: Any, table: tuple[str, str, str], config: Any, *rest: Any, **named: Any) -> Any:
    """Writes a query's rows to a table, or to the one partition that `config` names: `table$20210101`."""
    project, dataset, name = table
    bare, _, decorator = name.partition("$")
    decorator = decorator or _loaded_partition.get()
    if not decorator:
        return _stock.write(cur, query, params, table, config, *rest, **named)
    table = (project, dataset, bare)
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
        raise already_exists("Table", f"{names.label(*table)} (this partition)")


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


def run_load(cur: Any, config: Any, upload: str | None) -> Any:
    """A load job, into a table or one partition of it, from an upload or objects, compressed or not."""
    bare, _, decorator = (config.destinationTable.tableId or "").partition("$")
    config = config.replace(destinationTable=config.destinationTable.replace(tableId=bare))
    _loaded_partition.set(decorator)  # every job runs in a context of its own
    with _named(upload) as path:
        return _stock.load(cur, config, path)


def run_copy(cur: Any, config: Any, upload: str | None) -> Any:
    """A copy job. The table that it makes or overwrites gets the layout of its source, which stock forgets."""
    done = _stock.copy(cur, config, upload)
    if config.writeDisposition != "WRITE_APPEND" and "$" not in config.destinationTable.tableId:
        source = tables.load(*tables.reference((config.sourceTables or [config.sourceTable])[0]))
        tables.annotate(tables.reference(config.destinationTable), source.only(*tables.LAYOUT))
    return done


@contextmanager
def _named(upload: str | None) -> Iterator[str | None]:
    """The path of an upload. DuckDB knows compressed files by their names, and uploads have none."""
    if upload is None or not _is_gzip(Path(upload)):
        yield upload
        return
    named = Path(f"{upload}.gz")
    named.hardlink_to(upload)
    try:
        yield str(named)
    finally:
        named.unlink()


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def paths(cur: Any, uri: str) -> list[str]:
    """The objects of an address. A `*` stands for slashes too, as in BigQuery and unlike in DuckDB."""
    bucket, _, pattern = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://"):
        raise BigQueryError("invalid", f"The local BigQuery loads from Cloud Storage only, not from {uri}")
    _stock.paths(cur, uri)  # it tells DuckDB where the storage is
    if "*" not in pattern:
        return [uri]
    before, _, after = pattern.partition("*")
    found = [name for name in _objects(bucket, before) if name.endswith(after) and len(name) >= len(pattern) - 1]
    if not found:
        raise BigQueryError("notFound", f"Not found: URI {uri}")
    return [f"gs://{bucket}/{name}" for name in found]


def _objects(bucket: str, prefix: str) -> Iterator[str]:
    """The names of a bucket's objects that start with `prefix`."""
    token = ""
    while True:
        question = urllib.parse.urlencode({"prefix": prefix, "pageToken": token})
        address = f"{settings.storage_emulator_host}/storage/v1/b/{urllib.parse.quote(bucket)}/o?{question}"
        try:
            with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (the scheme is ours)
                page = json.load(answer)
        except OSError as error:
            raise BigQueryError("invalid", f"The local Cloud Storage does not answer: {error}") from error
        yield from (item["name"] for item in page.get("items", []))
        token = page.get("nextPageToken", "")
        if not token:
            return


def projection(config: Any, fields: Sequence[Any], columns: Sequence[str]) -> tuple[str, str]:
    """The columns of a load. Bytes are base64 in text files only: elsewhere they are what they are."""
    is_text = (config.sourceFormat or "CSV") in load.TEXT_FORMATS
    given = fields if is_text else [_binary(field) for field in fields]
    return _stock.projection(config, given, columns)  # type: ignore[no-any-return]


def _binary(field: Any) -> Any:
    # The package decodes "BYTES" but stores "bytes" as well.
    kind = "bytes" if field.type == "BYTES" else field.type
    return field.replace(type=kind, fields=[_binary(child) for child in field.fields or []])


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


def tidy(days_ahead: int = 0) -> None:
    """Removes from the disk what BigQuery forgets too: results after a day, replaced data after a week.

    https://cloud.google.com/bigquery/docs/cached-results and .../time-travel. The package keeps both for ever.
    """
    now_ms = (time.time() + days_ahead * _DAY_S) * 1000
    old_results = database.fetch(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'emulator' AND schema_name = $1 AND table_name "
        "NOT IN (SELECT project_id || ':' || job_id FROM emulator.jobs WHERE creation_time > $2)",
        [tables.RESULTS, now_ms - _DAY_S * 1000],
    )
    for (name,) in old_results:
        database.execute(f"DROP TABLE {quote('emulator', tables.RESULTS, name)}")
    for project in map(literal, database.projects()):
        horizon = f"to_timestamp({now_ms / 1000 - 7 * _DAY_S})"
        database.fetch(f"SELECT count(*) FROM ducklake_expire_snapshots({project}, older_than => {horizon})")
        database.fetch(f"SELECT count(*) FROM ducklake_cleanup_old_files({project}, cleanup_all => true)")


def statement(parser: Any) -> Any:
    """A statement of a script. Stock takes a closing bracket too many for empty statements without end."""
    before = parser.i
    found = _stock.statement(parser)
    if parser.i == before:
        token = parser.tokens[before]
        raise BigQueryError("invalidQuery", f'Syntax error: Unexpected "{token.text}" at [{token.line}:{token.col}]')
    return found


def put_right() -> None:
    """Puts what is above into the package."""
    # The geography macros need an extension that comes from the network only.
    database.FUNCTIONS = [path for path in database.FUNCTIONS if path.name != "geography.sql"]
    database.duckdb = SimpleNamespace(connect=connect)
    tables.get, tables.write, tables.create, tabledata.list_rows = get, write, create, list_rows
    load._projection, load.paths = projection, paths
    runner.HANDLERS |= {"load": run_load, "copy": run_copy}
    ddl.normalise = normalise
    script.Parser.statement = statement


def serve(port: int, storage_port: int) -> None:
    """Serves until SIGTERM."""
    settings.data_dir = _working_directory()
    tempfile.tempdir = str(settings.data_dir / "tmp")
    settings.storage_emulator_host = os.environ.get("STORAGE_EMULATOR_HOST")
    put_right()
    database.connection()
    tidy()
    storage, _ = storage_api.start(HOST, storage_port)
    uvicorn.run(app, host=HOST, port=port, log_level="warning", timeout_graceful_shutdown=_STOP_S)
    storage.stop(None)


def _working_directory() -> Path:
    # Another user cannot walk to a project below a private folder such as /root, but may stay where root put it.
    # DuckLake remembers the path and wants to see it again, also when the project has moved.
    return Path("/proc/self/cwd") if sys.platform == "linux" else Path()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
