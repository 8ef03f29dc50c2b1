"""Databases, roles and schemas of the local Postgres, made when a block first connects to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

#: Opens a connection with libpq's parameters.
Connect = Callable[[Mapping[str, str]], Any]
_SSL = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "gssencmode", "requiressl")
_PLACE = ("host", "hostaddr", "port", "password", "passfile", "service")
#: One maker at a time: two databases cannot be made at once from the same template.
_LOCK_KEY = 0x6D616765


class Databases:
    """The local server: who is sent to it, and what it lacks."""

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        takes_all: bool,
        schemas: Sequence[str],
        said: Callable[[str], None],
    ) -> None:
        """`env` says where the server is. `takes_all`: whatever host a block names is this server."""
        self._env = env
        self._takes_all = takes_all
        self._schemas = [name for name in dict.fromkeys(schemas) if name != "public"]
        self._said = said
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.RLock()

    def parameters(self, given: Mapping[str, Any], connect: Connect) -> dict[str, Any]:
        """libpq's parameters for a connection that a block asks for: the local server's, if it is meant.

        What they name is made unless it is there.
        """
        if not (self._takes_all or self._is_local(given)):
            return dict(given)
        user = str(given.get("user") or self._env["PGUSER"])
        database = str(given.get("dbname") or self._env["PGDATABASE"])
        self._ensure(user, database, connect)
        kept = {name: value for name, value in given.items() if name not in (*_PLACE, *_SSL)}
        return {**kept, **self._server(), "user": user, "dbname": database}

    def _is_local(self, given: Mapping[str, Any]) -> bool:
        host = given.get("host") or self._env["PGHOST"]
        port = given.get("port") or self._env["PGPORT"]
        return str(host) in (self._env["PGHOST"], "localhost") and str(port) == self._env["PGPORT"]

    def _server(self) -> dict[str, str]:
        # Every role has the server's own password: no easy one shall open it.
        return {"host": self._env["PGHOST"], "port": self._env["PGPORT"], "password": self._env["PGPASSWORD"]}

    def _owner(self, database: str) -> dict[str, str]:
        return {**self._server(), "user": self._env["PGUSER"], "dbname": database}

    def _ensure(self, user: str, database: str, connect: Connect) -> None:
        with self._lock:
            if (user, database) in self._known:
                return
            with closing(connect(self._owner(self._env["PGDATABASE"]))) as connection:
                made = self._make(connection, user, database)
            with closing(connect(self._owner(database))) as connection:
                made += self._make_schemas(connection)
            if made:
                self._said(f"Postgres: made the local {', '.join(made)}")
            self._known.add((user, database))

    def _make(self, connection: Any, user: str, database: str) -> list[str]:
        connection.autocommit = True
        made = []
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK_KEY,))
            if not _found(cursor, "SELECT 1 FROM pg_roles WHERE rolname = %s", user):
                # A superuser, so that each role reads what the others wrote, as on the server of a container.
                password = _literal(self._env["PGPASSWORD"])
                cursor.execute(f"CREATE ROLE {_quoted(user)} LOGIN SUPERUSER PASSWORD {password}")
                made.append(f"role '{user}'")
            if not _found(cursor, "SELECT 1 FROM pg_database WHERE datname = %s", database):
                cursor.execute(f"CREATE DATABASE {_quoted(database)}")
                made.append(f"database '{database}'")
        return made

    def _make_schemas(self, connection: Any) -> list[str]:
        connection.autocommit = True
        made = []
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK_KEY,))
            for name in self._schemas:
                if not _found(cursor, "SELECT 1 FROM pg_namespace WHERE nspname = %s", name):
                    cursor.execute(f"CREATE SCHEMA {_quoted(name)}")
                    made.append(f"schema '{name}'")
        return made


def _found(cursor: Any, query: str, name: str) -> bool:
    cursor.execute(query, (name,))
    return cursor.fetchone() is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
