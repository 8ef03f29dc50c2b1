"""Who holds a lock that another run waits for: connections to Postgres carry the name of the run that opened them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

_name: ContextVar[str] = ContextVar("mage_project_name", default="mage-project")
#: The longest name that Postgres keeps of a connection.
_LONGEST = 63
_HOLDER = """
SELECT a.application_name, a.usename, l.pid, a.client_addr, a.xact_start::timestamp(0)
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND ((l.classid::bigint << 32) | l.objid::bigint) = %s
ORDER BY a.xact_start, l.pid LIMIT 1
"""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Inside, connections carry this name (without the last of it, where it is long)."""
    token = _name.set(f"mage-project {name}"[:_LONGEST])
    try:
        yield
    finally:
        _name.reset(token)


def name() -> str:
    """The name that a connection carries here."""
    return _name.get()


def holder(cursor: Cursor, key: int) -> str:
    """Who has the advisory lock `key`, as Postgres knows it."""
    cursor.execute(_HOLDER, (key,))
    found = cursor.fetchone()
    if found is None:
        return "another run"
    program, user, pid, address, since = found
    who = (program or "").removeprefix("mage-project ") or f"a program of user '{user}'"
    return f"{who} (process {pid} of the server, from {address or 'its machine'}, since {since} there)"
