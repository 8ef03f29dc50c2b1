"""What an export does before its first row: the schema is made, other runs are locked out, the table is found."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from psycopg2 import sql

from mage_project.errors import StoreError
from mage_project.io import claims, tables
from mage_project.io.holders import holder
from mage_project.io.tables import Place, Table

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from mage_project.io.options import Options
    from mage_project.io.transaction import Transaction


def claimed(transaction: Transaction, cursor: Cursor, place: Place, options: Options) -> Table | None:
    """Make the schema, lock out other runs that write the table, and find the table."""
    _make_schema(transaction, cursor, place.schema)
    existing = tables.find(cursor, place)
    shared = existing is not None and options.if_exists == "append" and not options.is_merge
    if transaction.is_deferred:
        group = transaction.group
        claims.claim(f"{transaction.address} {place}", transaction, exclusive=not shared, group=group)
    _lock(cursor, f"{place}", shared=shared)
    existing = tables.find(cursor, place)
    if existing and options.if_exists == "fail":
        raise StoreError(f"table {place} already exists", hint="pass if_exists='replace' or 'append'")
    return existing


def _make_schema(transaction: Transaction, cursor: Cursor, schema: str) -> None:
    if _has_schema(cursor, schema):
        return
    if not transaction.is_deferred:
        _create_schema(cursor, schema)
        return
    # A second block of the stream that needs the same schema would wait for this transaction, and this one for it.
    connection = transaction.another()
    try:
        with connection.cursor() as own:
            _create_schema(own, schema)
        connection.really_commit()
    finally:
        connection.close()


def _has_schema(cursor: Cursor, schema: str) -> bool:
    cursor.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,))
    return cursor.fetchone() is not None


def _create_schema(cursor: Cursor, schema: str) -> None:
    _lock(cursor, f"schema {schema}", shared=False)
    if not _has_schema(cursor, schema):
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


def _lock(cursor: Cursor, what: str, *, shared: bool) -> None:
    """Wait until no other run writes `what`, for as long as this transaction lasts."""
    digest = hashlib.sha256(f"mage-project {what}".encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    kind = "xact_lock_shared" if shared else "xact_lock"
    cursor.execute(f"SELECT pg_catalog.pg_try_advisory_{kind}(%s)", (key,))
    row = cursor.fetchone()
    if row and not row[0]:
        print(f"Postgres: {what} is being written by {holder(cursor, key)}: waiting until that has ended")
        cursor.execute(f"SELECT pg_catalog.pg_advisory_{kind}(%s)", (key,))
