"""Tables of Postgres that keep each month in a partition of its own, loaded exactly once.

A table is `PARTITION BY LIST (source_month)`; `<table>_2020_10` is a partition. Beside it, in the same schema,
`loaded_months` says of each month which file it is from. What loading a month guarantees, and how:

1. A lock on table and month, held by the connection: of two runs that load one month the second waits, and then
   finds it loaded.
2. The trips are written to a table beside (`<table>_2020_10_new`).
3. One transaction adds the columns that the table lacks, takes the old month off, puts the new one in its place and
   writes the line in loaded_months. Until it commits, the old month is there, every row of it.

The code uses no more than the connection of Mage's Postgres, so it is the same in Mage. There `export` commits step 2
by itself: a run that is killed before step 3 leaves the table beside, and the next run of the month drops it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import sql

from taxi.month_columns import check_names, other_types, sql_types
from taxi.month_frames import KEY, MonthFile, MonthFrames
from taxi.month_ledger import Loaded, listed_columns, refuse_beside, unchanged, written

LEDGER = "loaded_months"
WAIT_FOR_RUN_S = 900
WAIT_FOR_READERS_S = 60

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")

_MAKE_LEDGER = """
CREATE TABLE IF NOT EXISTS {ledger} (
    table_name text,
    source_month date,
    service text NOT NULL,
    sha256 text NOT NULL,
    columns text NOT NULL,
    rows bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, source_month)
)
"""
_NOTE = """
INSERT INTO {ledger} (table_name, source_month, service, sha256, columns, rows) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (table_name, source_month) DO UPDATE SET service = EXCLUDED.service, sha256 = EXCLUDED.sha256,
    columns = EXCLUDED.columns, rows = EXCLUDED.rows, loaded_at = EXCLUDED.loaded_at
"""
_LOADED = """
SELECT l.sha256, l.columns, l.rows
FROM {ledger} AS l
JOIN pg_catalog.pg_inherits AS i ON i.inhparent = to_regclass(%s) AND i.inhrelid = to_regclass(%s)
WHERE l.table_name = %s AND l.source_month = %s
"""
_OTHERS = """
SELECT l.service, to_char(l.source_month, 'YYYY-MM'), l.sha256
FROM {ledger} AS l
JOIN pg_catalog.pg_inherits AS i
    ON i.inhparent = to_regclass(%s) AND i.inhrelid = to_regclass(%s || to_char(l.source_month, '_YYYY_MM'))
WHERE l.table_name = %s AND l.service <> %s ORDER BY l.source_month LIMIT 1
"""
_HOLDER = """
SELECT format('%%s (process %%s of the server)', coalesce(nullif(a.application_name, ''), 'a program'), l.pid)
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND ((l.classid::bigint << 32) | l.objid::bigint) = %s
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


class MonthTable:
    """A table of months. `postgres` is Mage's connector, opened; the statements run on its connection."""

    def __init__(self, postgres: Any, schema: str, table: str) -> None:
        for name in (schema, table):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be a table of months: letters in lower case, digits and _, up to 48")
        self._postgres = postgres
        self._schema = schema
        self._table = table

    def __str__(self) -> str:
        return f"{self._schema}.{self._table}"

    def unchanged(self, month: MonthFrames) -> str | None:
        """The line that says that the month is loaded; None where it has to be written.

        Waits until no other run loads the month. From then on the month is this connection's, until it is closed.
        """
        with self._waiting(WAIT_FOR_RUN_S, f"{self}: another run has been loading {month.file.month}") as cursor:
            key = _key(f"{self} {month.file.month}")
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (key,))
            if not cursor.fetchone()[0]:
                cursor.execute(_HOLDER, (key,))
                [holder] = cursor.fetchone() or ("another run",)
                print(f"{self}: {holder} is loading {month.file.month}: waiting until it has ended")
                cursor.execute("SELECT pg_advisory_lock(%s)", (key,))
        with self._postgres.conn.cursor() as cursor:
            self._refuse_others(cursor, month.file)
            return unchanged(str(self), month, self._loaded(cursor, month.file))

    def write(self, month: MonthFrames) -> None:
        """Write the trips to the table beside, in place of what a killed run has left there.

        Columns have the table's types there. Raises ValueError for one whose values would change by that.
        """
        check_names(month.schema.names, month.file)
        with self._postgres.conn.cursor() as cursor:
            month.fit(other_types(month.schema, _columns(cursor, str(self))), f"{self}, {month.file}")
            cursor.execute(self._sql("DROP TABLE IF EXISTS {beside}", month.file))
        self._postgres.export(
            month.for_export,
            self._schema,
            self._beside(month.file),
            index=False,
            if_exists="replace",
            allow_reserved_words=True,
            overwrite_types=sql_types(month.schema),
        )

    def replace(self, month: MonthFrames) -> str:
        """Make what was written the month, and commit. Returns what that did, in one line."""
        file, columns = month.file, listed_columns(month.columns)
        with self._waiting(WAIT_FOR_READERS_S, f"{self} has been in use") as cursor:
            before = self._loaded(cursor, file)
            self._make(cursor, file)
            self._refuse_others(cursor, file)
            self._level(cursor, file)
            self._swap(cursor, file)
            values = (self._table, file.source_month, file.service, file.sha256, columns, month.rows)
            cursor.execute(self._sql(_NOTE), values)
        self._postgres.commit()
        return written(str(self), month, before)

    # -- within

    def _loaded(self, cursor: Any, file: MonthFile) -> Loaded | None:
        """What is loaded of the month; None where its partition is not there."""
        if not _columns(cursor, f"{self._schema}.{LEDGER}"):
            return None
        cursor.execute(
            self._sql(_LOADED),
            (str(self), f"{self._schema}.{self._partition(file)}", self._table, file.source_month),
        )
        row = cursor.fetchone()
        return Loaded(sha256=row[0], columns=row[1], rows=row[2]) if row else None

    def _refuse_others(self, cursor: Any, file: MonthFile) -> None:
        """Raise ValueError where a month in the table is of another service."""
        if not _columns(cursor, f"{self._schema}.{LEDGER}"):
            return
        cursor.execute(self._sql(_OTHERS), (str(self), str(self), self._table, file.service))
        for service, month, sha256 in cursor.fetchall():
            refuse_beside(str(self), file, MonthFile(service=service, month=month, sha256=sha256), "table")

    def _make(self, cursor: Any, file: MonthFile) -> None:
        """The ledger and the table, where they are not there. Raises ValueError where the name is another table's."""
        if not _columns(cursor, f"{self._schema}.{LEDGER}"):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_key(f"{self._schema}.{LEDGER}"),))
            cursor.execute(self._sql(_MAKE_LEDGER))
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_key(str(self)),))
        if not _columns(cursor, str(self)):
            cursor.execute(self._sql("CREATE TABLE {table} (LIKE {beside}) PARTITION BY LIST ({key})", file))
        cursor.execute("SELECT pg_get_partkeydef(to_regclass(%s))", (str(self),))
        if cursor.fetchone()[0] != f"LIST ({KEY})":
            raise ValueError(
                f"{self} is there and keeps no months: it is not PARTITION BY LIST ({KEY}). "
                "Name another one in the variables schema and table, or drop it"
            )

    def _level(self, cursor: Any, file: MonthFile) -> None:
        """Give the table the columns that are new, and the month those that it lacks."""
        there, new = _columns(cursor, str(self)), _columns(cursor, f"{self._schema}.{self._beside(file)}")
        for name in there.keys() & new.keys():
            if there[name] != new[name]:
                raise ValueError(
                    f"{self}: column {name} of {file} is {new[name]}, and {there[name]} in the months that are there. "
                    "Nothing was changed: let the loader cast it, or leave it out (contract: {unknown: discard})"
                )
        for name in new.keys() - there.keys():
            cursor.execute(self._add("{table}", name, new[name]))
        for name in there.keys() - new.keys():
            cursor.execute(self._add("{beside}", name, there[name], file))

    def _add(self, place: str, name: str, kind: str, file: MonthFile | None = None) -> sql.Composable:
        # The type is Postgres' own word for it.
        return self._sql(f"ALTER TABLE {place} ADD COLUMN {{name}} {kind}", file, name=sql.Identifier(name))

    def _swap(self, cursor: Any, file: MonthFile) -> None:
        # With the constraint the table is not locked while Postgres reads the month: it knows then what is in it.
        month = {"day": sql.Literal(file.source_month), "check": sql.Identifier(f"{self._partition(file)}_only")}
        right = "{key} IS NOT NULL AND {key} = {day}"
        cursor.execute(self._sql(f"ALTER TABLE {{beside}} ADD CONSTRAINT {{check}} CHECK ({right})", file, **month))
        if _columns(cursor, f"{self._schema}.{self._partition(file)}"):
            cursor.execute(self._sql("ALTER TABLE {table} DETACH PARTITION {partition}", file))
            cursor.execute(self._sql("DROP TABLE {partition}", file))
        final = sql.Identifier(self._partition(file))
        cursor.execute(self._sql("ALTER TABLE {beside} RENAME TO {final}", file, final=final))
        attach = "ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ({day})"
        cursor.execute(self._sql(attach, file, **month))
        cursor.execute(self._sql("ALTER TABLE {partition} DROP CONSTRAINT {check}", file, **month))

    def _partition(self, file: MonthFile) -> str:
        return f"{self._table}_{file.month.replace('-', '_')}"

    def _beside(self, file: MonthFile) -> str:
        return f"{self._partition(file)}_new"

    def _sql(self, text: str, file: MonthFile | None = None, **parts: sql.Composable) -> sql.Composable:
        names = {"table": self._table, "ledger": LEDGER}
        if file is not None:
            names |= {"partition": self._partition(file), "beside": self._beside(file)}
        places = {word: sql.Identifier(self._schema, name) for word, name in names.items()}
        return sql.SQL(text).format(**places, key=sql.Identifier(KEY), **parts)

    @contextmanager
    def _waiting(self, limit_s: int, what: str) -> Iterator[Any]:
        """A cursor whose statements wait for locks no longer than that. Raises TimeoutError."""
        with self._postgres.conn.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", (f"{limit_s}s",))
            try:
                yield cursor
            except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
                raise TimeoutError(f"{what} for {limit_s} s: nothing was changed. Run it again later") from error
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")


def _key(what: str) -> int:
    """The number of a lock."""
    return int.from_bytes(hashlib.sha256(f"months {what}".encode()).digest()[:8], "big", signed=True)


def _columns(cursor: Any, table: str) -> dict[str, str]:
    """The types of the columns by name; none where there is no such table."""
    cursor.execute(_COLUMNS, (table,))
    return dict(cursor.fetchall())
