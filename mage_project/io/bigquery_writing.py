"""Exports to a table of BigQuery: staged by load jobs, then swapped in by one job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mage_project.errors import StoreError, did_you_mean
from mage_project.io import bigquery_types as types
from mage_project.io.bigquery_errors import telling
from mage_project.io.bigquery_jobs import retry
from mage_project.io.bigquery_options import Options
from mage_project.io.bigquery_queries import check_price, dry_run_of
from mage_project.io.bigquery_staging import Staging
from mage_project.io.bigquery_swapping import ROW, Swap
from mage_project.io.bigquery_tables import Layout, TableName, layout_of
from mage_project.io.bigquery_targets import Target, found
from mage_project.io.frames import tables as arrow_tables
from mage_project.io.streamed_files import conformed, known_first

_DAY_MS = 24 * 60 * 60 * 1000


def stage(client: Any, name: TableName, data: Any, options: Options, config: Any, *, retry_s: float) -> Swap:
    """Load the frames of `data` beside the table; what is left is the Swap's commit, or to abandon it.

    `config`: Google's QueryJobConfig, with the limit of what a merge may read. Raises StoreError with nothing left
    behind, and whatever the iterator raises.
    """
    target = _target(client, name, options, retry_s)
    if options.is_merge and target.table is not None:
        with telling(f"merging into {name}", client, name):
            check_price(client, f"SELECT * FROM {name.sql}", config, location=target.location)  # noqa: S608 - checked
    batches = known_first(arrow_tables(data, rename=types.column_names))
    first = next(batches, None)
    if first is None:
        hint = "let the loader give one empty frame with its columns"
        raise StoreError(f"nothing came to write to {name}: without a frame the columns are unknown", hint=hint)
    fields, layout = _fields(target, first.schema, options), _layout(target, first.schema.names, options)
    staging = _staging(client, target, fields, layout, options, retry_s)
    try:
        with telling(f"writing {name}", client, name):
            _fill(staging, target, fields, layout, first, batches, options)
    except BaseException:
        staging.drop()
        raise
    return Swap(client, target, staging, layout, options, retry_s=retry_s)


def stage_query(client: Any, name: TableName, query: str, options: Options, config: Any, *, retry_s: float) -> Swap:
    """The same with the rows that a query gives; no row comes here. `config`: Google's QueryJobConfig."""
    if options.is_merge:
        raise StoreError("unique_constraints cannot go with query_string", hint="deduplicate in the query itself")
    target = _target(client, name, options, retry_s)
    doing = f"writing {name} from a query"
    with telling(doing, client, statement=query):
        check_price(client, query, config, location=target.location)
        asked = client.query(query, job_config=dry_run_of(config), location=target.location, retry=retry(retry_s))
    appended = target.table is not None and options.if_exists == "append"
    fields = target.table.schema if appended else [_nullable(field) for field in asked.schema or ()]
    layout = _layout(target, [field.name for field in fields], options)
    staging = _staging(client, target, fields, layout, options, retry_s)
    try:
        with telling(doing, client, statement=query):
            staging.fill_from(query, config)
    except BaseException:
        staging.drop()
        raise
    return Swap(client, target, staging, layout, options, retry_s=retry_s)


# -- what is written to


def _target(client: Any, name: TableName, options: Options, retry_s: float) -> Target:
    target = found(client, name, create_dataset=options.create_dataset, retry=retry(retry_s))
    if target.table is not None and options.if_exists == "fail":
        raise StoreError(f"table {name} already exists", hint="pass if_exists='replace' or 'append'")
    return target


def _staging(
    client: Any, target: Target, fields: Sequence[Any], layout: Layout, options: Options, retry_s: float
) -> Staging:
    if options.is_merge and target.table is not None:
        from google.cloud.bigquery import SchemaField

        fields = [*fields, SchemaField(ROW, "INT64")]
    with telling(f"writing {target.name}", client, target.name):
        return Staging(client, target, fields, layout, retry_s=retry_s)


def _layout(target: Target, columns: Sequence[str], options: Options) -> Layout:
    """What the exporter asks for, else what the table has."""
    before = layout_of(target.table) if target.table is not None else Layout()
    asked = options.layout.checked(columns, target.name)
    if target.table is None or options.if_exists == "replace":
        return asked.or_else(before.within(columns))
    if asked.partitioning is not None and not asked.cuts_like(before):
        what = f"{target.name} is partitioned otherwise than the exporter says"
        raise StoreError(what, hint="append without partition_by, or replace the table")
    return before


def _fields(target: Target, schema: pa.Schema, options: Options) -> list[Any]:
    """The columns of the staging table: those of the frames, or to append those of the table."""
    made = types.fields_of(schema, options.overwrite_types)
    if target.table is None or options.if_exists == "replace":
        return made
    there = {field.name.lower(): field for field in target.table.schema}
    for field in made:
        if field.name.lower() not in there:
            guess = did_you_mean(field.name, [known.name for known in target.table.schema])
            hint = "add it with alter_table, drop it in a transformer, or replace the table"
            raise StoreError(f"{target.name} has no column '{field.name}' to append to.{guess}", hint=hint)
    given = {field.name.lower() for field in made}
    lacking = [field.name for field in there.values() if field.mode == "REQUIRED" and field.name.lower() not in given]
    if lacking:
        raise StoreError(f"{target.name} needs a value in '{lacking[0]}', and the frames have no such column")
    return list(target.table.schema)


def _nullable(field: Any) -> Any:
    from google.cloud.bigquery import SchemaField

    return SchemaField(field.name, field.field_type, mode="REPEATED" if field.mode == "REPEATED" else "NULLABLE",
                       fields=field.fields)  # fmt: skip


# -- the rows


def _fill(
    staging: Staging,
    target: Target,
    fields: Sequence[Any],
    layout: Layout,
    first: pa.Table,
    batches: Iterable[pa.Table],
    options: Options,
) -> None:
    named = {field.name.lower(): field for field in fields}
    wanted = pa.schema([(name, types.arrow_type(named[name.lower()].field_type)) for name in first.schema.names])
    schema = pa.schema([(field.name, types.arrow_type(field.field_type)) for field in _loadable(fields, wanted)])
    is_merge = options.is_merge and target.table is not None
    if is_merge:
        _check_keys(options.unique, schema, target)
        schema = schema.append(pa.field(ROW, pa.int64()))

    def shaped() -> Iterator[pa.Table]:
        rows = 0
        for batch in _all(first, batches):
            table = conformed(batch, wanted, rows + 1)
            _check_lives(table, layout, target)
            columns = {name.lower(): table.column(name) for name in table.column_names}
            if is_merge:
                columns[ROW] = pa.array(range(rows, rows + table.num_rows), pa.int64())
            rows += table.num_rows
            yield pa.table([columns[field.name.lower()] for field in schema], schema=schema)

    staging.fill(shaped(), schema)


def _loadable(fields: Sequence[Any], wanted: pa.Schema) -> list[Any]:
    """The columns that rows come with; BigQuery fills the others with nulls."""
    given = {name.lower() for name in wanted.names}
    return [field for field in fields if field.name.lower() in given]


def _all(first: pa.Table, batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    yield first
    yield from batches


def _check_keys(keys: Sequence[str], schema: pa.Schema, target: Target) -> None:
    known = {name.lower() for name in schema.names}
    for key in keys:
        if key.lower() not in known:
            guess = did_you_mean(key, schema.names)
            raise StoreError(f"unique_constraints names a column '{key}' that {target.name} has not.{guess}")


def _check_lives(table: pa.Table, layout: Layout, target: Target) -> None:
    """Refuse rows whose partitions BigQuery would remove at once, as the free sandbox does after 60 days."""
    life_ms = layout.expires_after_ms or getattr(target.dataset, "default_partition_expiration_ms", None)
    if not life_ms or not hasattr(layout.partitioning, "type_") or layout.field not in table.column_names:
        return
    from datetime import UTC, datetime, timedelta

    earliest = pc.min(table.column(layout.field)).as_py()
    oldest = (datetime.now(UTC) - timedelta(milliseconds=int(life_ms))).date()
    if earliest is not None and getattr(earliest, "date", lambda: earliest)() < oldest:
        what = (
            f"partitions of {target.name} live for {int(life_ms) // _DAY_MS} days: a row of '{layout.field}' "
            f"{earliest} would be gone at once"
        )
        raise StoreError(what, hint="export without partition_by, or enable billing and lift the dataset's expiration")
