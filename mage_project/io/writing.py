"""Exports to a Postgres table: replace, append, fail and merge, each whole or not at all."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from psycopg2 import sql

from mage_project.errors import StoreError, did_you_mean
from mage_project.io import names, tables
from mage_project.io.copying import copy
from mage_project.io.ddl import Column, column_of
from mage_project.io.frames import tables as arrow_tables
from mage_project.io.options import Options
from mage_project.io.staging import Stage
from mage_project.io.swapping import Swap
from mage_project.io.tables import Place, Table
from mage_project.io.targets import claimed

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from mage_project.io.transaction import Transaction

log = logging.getLogger(__name__)

_SQL_TYPE = re.compile(r'[\w ".]+(?:\(\s*\d+\s*(?:,\s*-?\d+\s*)?\))?[\w ]*(?:\[\d*\])*')


def export(transaction: Transaction, place: Place, data: Any, options: Options) -> int:
    """Write the frames of `data` to the table and return the number of rows. The caller commits.

    Raises StoreError, and whatever the iterator raises; the transaction is then rolled back.
    """
    transaction.begin(f"{place}")
    with transaction.writing(f"writing {place}") as cursor:
        existing = claimed(transaction, cursor, place, options)
        first, batches = _peeked(arrow_tables(data, index=options.index, rename=options.rename))
        if first is None:
            if existing and options.if_exists == "append":
                return 0
            hint = "let the loader give one empty frame with its columns"
            raise StoreError(f"nothing came to write to {place}: without a frame the columns are unknown", hint=hint)
        if existing and options.if_exists == "append":
            rows = _fill(cursor, place, _matched(existing, first.schema, place), batches, options, existing)
        elif options.if_exists == "replace":
            rows = _build_beside(transaction, cursor, place, existing, first.schema, batches, options)
        else:
            columns = _created(cursor, place, first.schema, options)
            _constrain(cursor, place, place, options)
            rows = _fill(cursor, place, columns, batches, options, tables.find(cursor, place))
    log.info("%s: %s rows written", place, f"{rows:,}")
    return rows


def export_query(transaction: Transaction, place: Place, query: str, options: Options) -> int:
    """Write what a SELECT gives to the table, within the database, and return the number of rows."""
    if options.unique:
        raise StoreError("unique_constraints cannot go with query_string", hint="write the INSERT yourself: execute()")
    transaction.begin(f"{place}")
    with transaction.writing(f"writing {place}") as cursor:
        existing = claimed(transaction, cursor, place, options)
        if existing and options.if_exists == "append":
            cursor.execute(sql.SQL("INSERT INTO {} ").format(place.sql).as_string(cursor) + query)
            return int(cursor.rowcount)
        target = _beside(place) if options.if_exists == "replace" else place
        cursor.execute(sql.SQL("CREATE TABLE {} AS ").format(target.sql).as_string(cursor) + query)
        rows = int(cursor.rowcount)
        if target != place:
            made = tables.find(cursor, target)
            swap = Swap(place=place, built=target, columns=made.columns if made else (), cascade=options.cascade)
            swap.check(existing)
            transaction.later(f"replacing {place}", swap)
    return rows


# -- what comes


def _peeked(batches: Iterator[pa.Table]) -> tuple[pa.Table | None, Iterator[pa.Table]]:
    """The first table that has rows (else the first of all), and all tables that have, in the order of its columns."""
    first = None
    for table in batches:
        if first is None or table.num_rows:
            first = table
        if table.num_rows:
            break
    if first is None:
        return None, iter(())
    return first, itertools.chain([first], _alike(batches, first.schema.names))


def _alike(batches: Iterable[pa.Table], wanted: Sequence[str]) -> Iterator[pa.Table]:
    for table in batches:
        odd = set(table.column_names) ^ set(wanted)
        if odd:
            some = ", ".join(f"'{name}'" for name in sorted(odd))
            hint = "every frame of a stream has the same columns"
            raise StoreError(f"the frames of the stream differ in their columns: {some}", hint=hint)
        yield table


# -- columns


def _columns(schema: pa.Schema, overwrite: Mapping[str, str]) -> list[Column]:
    unknown = [name for name in overwrite if name not in schema.names]
    if unknown:
        guess = did_you_mean(unknown[0], schema.names)
        raise StoreError(f"overwrite_types names a column '{unknown[0]}' that is not there.{guess}")
    return [
        Column(name=f.name, sql=_checked_type(f.name, overwrite[f.name]), base="")
        if f.name in overwrite
        else column_of(f)
        for f in schema
    ]


def _checked_type(name: str, type_: str) -> str:
    if not _SQL_TYPE.fullmatch(type_):
        raise StoreError(f"overwrite_types: '{type_}' for column '{name}' is not an SQL type")
    return type_


def _matched(existing: Table, schema: pa.Schema, place: Place) -> list[Column]:
    """The table's columns that the rows have, in the rows' order."""
    by_name = {column.name: column for column in existing.columns}
    for name in schema.names:
        if name not in by_name:
            has = ", ".join(by_name)
            what = f"{place} has no column '{name}' (it has {has}).{did_you_mean(name, by_name)}"
            hint = "drop or rename it in a transformer, add it to the table (ALTER TABLE), or pass if_exists='replace'"
            if name.startswith("_") and name[1:] in by_name:
                hint = f"'{name[1:]}' is a word of SQL: pass allow_reserved_words=True to keep it as it is"
            raise StoreError(what, hint=hint)
        if name in existing.generated:
            raise StoreError(f"column '{name}' of {place} is generated: it cannot be written", hint="drop it before")
    return [by_name[name] for name in schema.names]


def _created(cursor: Cursor, place: Place, schema: pa.Schema, options: Options) -> list[Column]:
    columns = _columns(schema, options.overwrite_types)
    create(cursor, place, columns)
    if not options.overwrite_types:
        return columns
    made = tables.find(cursor, place)
    return list(made.columns) if made else columns


def create(cursor: Cursor, place: Place, columns: Sequence[Column]) -> None:
    """CREATE TABLE with these columns."""
    cells = [sql.SQL("{} " + column.sql.replace("{", "{{")).format(sql.Identifier(column.name)) for column in columns]
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(place.sql, sql.SQL(", ").join(cells)))


# -- rows


def _build_beside(
    transaction: Transaction,
    cursor: Cursor,
    place: Place,
    existing: Table | None,
    schema: pa.Schema,
    batches: Iterator[pa.Table],
    options: Options,
) -> int:
    """Fill a new table next to the old one. It takes the old one's place as the last step of the transaction."""
    built = _beside(place)
    columns = _created(cursor, built, schema, options)
    swap = Swap(
        place=place,
        built=built,
        columns=tuple(columns),
        constraint=_constraint_name(place, options) if options.unique else None,
        drop=options.drop_on_replace,
        cascade=options.cascade,
    )
    swap.check(existing)
    rows = _fill(cursor, built, columns, batches, options, None)
    _constrain(cursor, built, place, options)
    transaction.later(f"replacing {place}", swap)
    return rows


def _fill(
    cursor: Cursor,
    place: Place,
    columns: Sequence[Column],
    batches: Iterator[pa.Table],
    options: Options,
    existing: Table | None,
) -> int:
    """Write the rows into a table that is there: straight, or by way of a stage where they must be cast or merged."""
    if options.is_merge:
        _check_keys(columns, options, existing, place)
    elif all(column.is_direct for column in columns):
        return copy(cursor, place.sql, columns, batches)
    stage = Stage(columns, keys=options.unique, conflict=options.conflict)
    rows = stage.fill(cursor, batches)
    stage.pour(cursor, place, is_new=existing is None)
    return rows


def _check_keys(columns: Sequence[Column], options: Options, existing: Table | None, place: Place) -> None:
    keys = set(options.unique)
    if existing is None or keys in existing.unique:
        return
    listed = ", ".join(options.unique)
    what = f"{place} has no unique index on exactly ({listed}), so rows cannot be merged into it"
    raise StoreError(what, hint=f"CREATE UNIQUE INDEX ON {place} ({listed})")


def _constrain(cursor: Cursor, place: Place, final: Place, options: Options) -> None:
    """The unique constraint of a new table. While it is built beside the old one the name of the final one is taken."""
    if not options.unique:
        return
    name = _constraint_name(final, options)
    if place != final:
        name = names.beside(name, secrets.token_hex(4))
    cursor.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE ({})").format(
            place.sql, sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, options.unique))
        )
    )


def _constraint_name(place: Place, options: Options) -> str:
    """The name that Mage gives the constraint."""
    name = f"unique{names.column_name(str(place), allow_reserved_words=True)}_{'_'.join(options.unique)}"
    return name.encode()[: names.MAX_BYTES].decode("utf-8", "ignore")


def _beside(place: Place) -> Place:
    return Place(schema=place.schema, table=names.beside(place.table, secrets.token_hex(4)))
