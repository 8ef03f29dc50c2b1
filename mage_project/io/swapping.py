"""The last step of a replacing export: the table that was built takes the old one's place."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import tables
from mage_project.io.ddl import Column
from mage_project.io.tables import Place, Table

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

log = logging.getLogger(__name__)

#: How long the swap waits for those who are reading the old table. Whoever comes meanwhile waits behind it.
LOCK_WAIT_S = 60

_HOLDERS = """
SELECT DISTINCT format('process %%s of %%s (%%s): %%s', a.pid, a.usename, a.state, left(a.query, 60))
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = %s AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
"""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """Puts the table `built` in the place of `place`, in the transaction that built it.

    Where things hang on the old table (indexes, constraints, grants, views, triggers, comments...) and the columns
    are the same, it is emptied and filled instead, so that they stay. `drop` has it dropped all the same, `cascade`
    with its views. `constraint` is the final name of the new table's unique constraint.
    """

    place: Place
    built: Place
    columns: tuple[Column, ...]
    constraint: str | None = None
    drop: bool = False
    cascade: bool = False

    def check(self, existing: Table | None) -> None:
        """Raise StoreError if the old table could not be replaced: better before the rows than after them."""
        if existing is None or self._keeps(existing) or self.cascade or not existing.dependents:
            return
        changes = ", ".join(self._changes(existing)) or "drop_table_on_replace"
        what = f"{self.place} cannot be replaced ({changes}): {', '.join(existing.dependents)} need it as it is"
        hint = "drop them first, keep the columns, or pass drop_table_on_replace=True, cascade_on_drop=True"
        raise StoreError(what, hint=hint)

    def __call__(self, cursor: Cursor) -> None:
        """Do it. Takes an exclusive lock on the old table, until the transaction ends."""
        existing = tables.find(cursor, self.place)
        if existing is not None:
            self._lock(cursor, existing)
            existing = tables.find(cursor, self.place)
        self.check(existing)
        if existing is not None and self._keeps(existing):
            self._refill(cursor, existing)
            return
        if existing is not None:
            self._drop(cursor, existing)
        cursor.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(self.built.sql, sql.Identifier(self.place.table)))
        if self.constraint:
            self._rename_constraint(cursor)

    def _keeps(self, existing: Table) -> bool:
        if self.drop or not (existing.attached or existing.dependents or existing.is_partitioned):
            return False
        return not self._changes(existing)

    def _changes(self, existing: Table) -> list[str]:
        """How the new columns differ from the old ones."""
        new = {column.name: column.sql for column in self.columns}
        gone = [f"column {name} gone" for name in existing.types if name not in new]
        added = [f"column {name} new" for name in new if name not in existing.types]
        other = [
            f"{name} {existing.types[name]} → {new[name]}"
            for name in new
            if name in existing.types and existing.types[name] != new[name]
        ]
        return gone + added + other

    def _lock(self, cursor: Cursor, existing: Table) -> None:
        cursor.execute("SAVEPOINT mage_project_swap")
        cursor.execute("SET LOCAL lock_timeout = %s", (f"{LOCK_WAIT_S}s",))
        try:
            cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(self.place.sql))
        except psycopg2.errors.LockNotAvailable as error:
            cursor.execute("ROLLBACK TO SAVEPOINT mage_project_swap")
            cursor.execute(_HOLDERS, (existing.oid,))
            holders = "; ".join(row[0] for row in cursor.fetchall())
            what = f"{self.place} was in use for {LOCK_WAIT_S} s, so it was not replaced: {holders}"
            raise StoreUnavailable(what, hint="end what holds it, then run it again") from error
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        cursor.execute("RELEASE SAVEPOINT mage_project_swap")

    def _refill(self, cursor: Cursor, existing: Table) -> None:
        referenced = any(name.startswith("foreign key") for name in existing.dependents)
        # TRUNCATE is not allowed under a foreign key; DELETE is, where no row is left without its parent.
        empty = "DELETE FROM {}" if referenced else "TRUNCATE {}"
        cursor.execute(sql.SQL(empty).format(self.place.sql))
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in self.columns)
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
                self.place.sql, names, names, self.built.sql
            )
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(self.built.sql))

    def _drop(self, cursor: Cursor, existing: Table) -> None:
        lost = [*existing.attached, *(existing.dependents if self.cascade else ())]
        if lost:
            changes = ", ".join(self._changes(existing)) or "drop_table_on_replace"
            log.warning(
                "%s is replaced by a new table (%s). Gone with the old: %s", self.place, changes, ", ".join(lost)
            )
        ending = sql.SQL(" CASCADE" if self.cascade else "")
        cursor.execute(sql.SQL("DROP TABLE {}{}").format(self.place.sql, ending))

    def _rename_constraint(self, cursor: Cursor) -> None:
        cursor.execute(
            "SELECT k.conname FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relname = %s AND k.contype = 'u'",
            (self.place.schema, self.place.table),
        )
        row = cursor.fetchone()
        if row and row[0] != self.constraint:
            cursor.execute(
                sql.SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}").format(
                    self.place.sql, sql.Identifier(row[0]), sql.Identifier(str(self.constraint))
                )
            )
