"""What the catalog says about a table: its columns, and what hangs on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

from mage_project.errors import StoreError
from mage_project.io.ddl import Column

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

_ORDINARY, _PARTITIONED = "r", "p"
_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index"}

_RELATION = """
SELECT c.oid, c.relkind
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

# A domain is sent like the type below it.
_COLUMNS = """
WITH RECURSIVE below (attnum, oid, typtype, typbasetype) AS (
    SELECT a.attnum, t.oid, t.typtype, t.typbasetype
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT b.attnum, t.oid, t.typtype, t.typbasetype
    FROM below b
    JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype
    WHERE b.typtype = 'd'
)
SELECT
    a.attname,
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    pg_catalog.format_type(b.oid, NULL),
    a.attgenerated <> '' OR a.attidentity = 'a'
FROM pg_catalog.pg_attribute a
JOIN below b ON b.attnum = a.attnum AND b.typtype <> 'd'
WHERE a.attrelid = %(oid)s
ORDER BY a.attnum
"""

# What a DROP of the table would lose, one row for each.
_ATTACHED = """
SELECT 'index ' || i.indexrelid::pg_catalog.regclass
FROM pg_catalog.pg_index i
WHERE i.indrelid = %(oid)s
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = %(oid)s)
UNION ALL
SELECT 'constraint ' || k.conname FROM pg_catalog.pg_constraint k WHERE k.conrelid = %(oid)s
UNION ALL
SELECT 'not null ' || a.attname
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
UNION ALL
SELECT 'default of ' || a.attname
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped AND (a.atthasdef OR a.attidentity <> '')
UNION ALL
SELECT 'trigger ' || t.tgname FROM pg_catalog.pg_trigger t WHERE t.tgrelid = %(oid)s AND NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r WHERE r.ev_class = %(oid)s
UNION ALL
SELECT 'policy ' || p.polname FROM pg_catalog.pg_policy p WHERE p.polrelid = %(oid)s
UNION ALL
SELECT 'statistics ' || s.stxname FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = %(oid)s
UNION ALL
SELECT 'publication ' || p.pubname
FROM pg_catalog.pg_publication_rel m
JOIN pg_catalog.pg_publication p ON p.oid = m.prpubid
WHERE m.prrelid = %(oid)s
UNION ALL
SELECT CASE WHEN h.inhrelid = %(oid)s THEN 'parent table ' || h.inhparent::pg_catalog.regclass
    ELSE 'child table ' || h.inhrelid::pg_catalog.regclass END
FROM pg_catalog.pg_inherits h
WHERE %(oid)s IN (h.inhrelid, h.inhparent)
UNION ALL
SELECT CASE WHEN d.objsubid = 0 THEN 'comment' ELSE 'comment on ' || a.attname END
FROM pg_catalog.pg_description d
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
WHERE d.objoid = %(oid)s AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
UNION ALL
SELECT 'grant of ' || g.privilege_type || ' to ' || coalesce(r.rolname, 'public')
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) g
LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
WHERE c.oid = %(oid)s AND g.grantee <> c.relowner
UNION ALL
SELECT 'grant on ' || a.attname
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = %(oid)s AND a.attacl IS NOT NULL AND NOT a.attisdropped
UNION ALL
SELECT 'owner ' || r.rolname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE c.oid = %(oid)s AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE')
UNION ALL
SELECT 'storage options' FROM pg_catalog.pg_class c WHERE c.oid = %(oid)s
    AND (c.reloptions IS NOT NULL OR c.reltablespace <> 0 OR c.relrowsecurity OR c.relreplident <> 'd'
        OR c.relpersistence <> 'p')
"""

# What forbids a DROP of the table.
_DEPENDENT = """
SELECT DISTINCT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'rule of ' END
    || c.oid::pg_catalog.regclass
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = %(oid)s AND r.ev_class <> %(oid)s
UNION ALL
SELECT 'foreign key ' || k.conname || ' of ' || k.conrelid::pg_catalog.regclass
FROM pg_catalog.pg_constraint k
WHERE k.confrelid = %(oid)s AND k.conrelid <> %(oid)s AND k.contype = 'f'
UNION ALL
SELECT 'function ' || d.objid::pg_catalog.regprocedure
FROM pg_catalog.pg_depend d
WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'n'
    AND ((d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = %(oid)s)
        OR (d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
            AND d.refobjid = (SELECT c.reltype FROM pg_catalog.pg_class c WHERE c.oid = %(oid)s)))
"""

_UNIQUE = """
SELECT array_agg(a.attname::text ORDER BY a.attname)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a table is, or is to be."""

    schema: str
    table: str

    @property
    def sql(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that exists. `attached` would be lost with it, `dependents` forbid to drop it."""

    oid: int
    columns: tuple[Column, ...]
    generated: frozenset[str]
    attached: tuple[str, ...]
    dependents: tuple[str, ...]
    unique: tuple[frozenset[str], ...]
    is_partitioned: bool

    @property
    def types(self) -> Mapping[str, str]:
        """The columns' SQL types by name."""
        return {column.name: column.sql for column in self.columns}


def find(cursor: Cursor, place: Place) -> Table | None:
    """The table, None if there is none. Raises StoreError if the name belongs to a view or another thing."""
    cursor.execute(_RELATION, (place.schema, place.table))
    row = cursor.fetchone()
    if row is None:
        return None
    oid, kind = row
    if kind not in {_ORDINARY, _PARTITIONED}:
        what = f"{place} is {_KINDS.get(kind, 'no table')}, not a table"
        raise StoreError(what, hint="choose another table_name")
    cursor.execute(_COLUMNS, {"oid": oid})
    rows = cursor.fetchall()
    return Table(
        oid=oid,
        columns=tuple(Column(name=name, sql=type_, base=base) for name, type_, base, _ in rows),
        generated=frozenset(name for name, _, _, is_generated in rows if is_generated),
        attached=_list(cursor, _ATTACHED, oid),
        dependents=_list(cursor, _DEPENDENT, oid),
        unique=_unique(cursor, oid),
        is_partitioned=kind == _PARTITIONED,
    )


def _list(cursor: Cursor, query: str, oid: int) -> tuple[str, ...]:
    cursor.execute(query, {"oid": oid})
    return tuple(sorted({row[0] for row in cursor.fetchall()}))


def _unique(cursor: Cursor, oid: int) -> tuple[frozenset[str], ...]:
    cursor.execute(_UNIQUE, {"oid": oid})
    return tuple(frozenset(row[0]) for row in cursor.fetchall())
