"""The connector to Postgres, with Mage's names and signatures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from mage_project.errors import ConfigError, StoreError
from mage_project.io import config as settings
from mage_project.io import holders, names, statements
from mage_project.io.config_keys import ConfigKey

if TYPE_CHECKING:
    import pandas as pd

    from mage_project.io.connecting import Address
    from mage_project.io.connection import Connection
    from mage_project.io.options import Options
    from mage_project.io.tables import Place
    from mage_project.io.transaction import Transaction


class Postgres:
    """A database. Used as a context manager it opens a connection and closes it."""

    def __init__(
        self,
        dbname: str | None = None,
        user: str | None = None,
        password: str | None = None,
        host: str | None = None,
        port: int | str | None = None,
        schema: str | None = None,
        connection_method: str | None = "direct",
        verbose: bool = True,
        connect_timeout: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        """Where to connect; further arguments are libpq's (sslmode, options...). Nothing is opened yet."""
        if connection_method not in {None, "", "None", "direct"}:
            raise ConfigError(
                f"connection_method '{connection_method}' is not supported",
                hint="open the tunnel yourself (ssh -L 5432:HOST:5432) and connect to it directly",
            )
        self.verbose = verbose
        self._schema = schema or None
        self._where = {"dbname": dbname, "user": user, "password": password, "host": host}
        self._port = _number("port", port or 5432)
        self._libpq = {name: value for name, value in kwargs.items() if not name.startswith("ssh_")}
        self._libpq.setdefault("connect_timeout", _number("connect_timeout", connect_timeout or 10))
        self._libpq.setdefault("application_name", holders.name())
        self._transaction: Transaction | None = None

    @classmethod
    def with_config(cls, config: Any, **kwargs: Any) -> Self:
        """The database of a profile. Raises ConfigError that names what the profile lacks."""
        optional = {
            "password": ConfigKey.POSTGRES_PASSWORD,
            "port": ConfigKey.POSTGRES_PORT,
            "schema": ConfigKey.POSTGRES_SCHEMA,
            "connection_method": ConfigKey.POSTGRES_CONNECTION_METHOD,
            "connect_timeout": ConfigKey.POSTGRES_CONNECT_TIMEOUT,
        }
        needed = {
            "host": ConfigKey.POSTGRES_HOST,
            "dbname": ConfigKey.POSTGRES_DBNAME,
            "user": ConfigKey.POSTGRES_USER,
        }
        found = {name: settings.required(config, key) for name, key in needed.items() if name not in kwargs}
        found |= {name: settings.setting(config, key) for name, key in optional.items()}
        return cls(**{**found, **kwargs})

    @property
    def settings(self) -> dict[str, Any]:
        """Where it connects, without the password."""
        return {**self._where, "password": None, "port": self._port, "schema": self._schema, **self._libpq}

    def __repr__(self) -> str:
        return f"Postgres({str(self._address)!r})"

    # -- the connection

    def open(self) -> None:
        """Connect. Raises StoreUnavailable where another try may help, StoreError where not."""
        from mage_project.io.transaction import Transaction

        self._transaction = Transaction.opened(self._address, self._libpq)

    def close(self) -> None:
        """Close the connection; what was not committed is gone. A commit that waits is still made."""
        if self._transaction is not None:
            self._transaction.leave()
            self._transaction = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def conn(self) -> Connection:
        """psycopg2's connection. Raises StoreError while none is open."""
        transaction = self._opened()
        transaction.touch()
        return transaction.connection

    def commit(self) -> None:
        """Commit what was done since the last commit, or hand the commit over where commits are collected."""
        self._opened().connection.commit()

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        self._opened().connection.rollback()

    def default_database(self) -> str | None:
        """The database's name."""
        return self._address.dbname

    def default_schema(self) -> str | None:
        """The profile's schema, None if it names none."""
        return self._schema

    # -- reading

    def load(
        self,
        query_string: str,
        limit: int | None = None,
        display_query: str | None = None,
        verbose: bool = True,
        **kwargs: Any,
    ) -> pd.DataFrame:
        """What the query gives, every row of it, or at most `limit`. `kwargs` go to pandas.read_sql_query."""
        from mage_project.io.reading import read_query

        query = statements.limited(query_string, limit, alias="mage_project_query")
        connection = self.conn
        with self._telling("loading", shows_line=True):
            return read_query(connection, query, **kwargs)

    def sample(self, schema: str, table: str, size: int | None = None, **kwargs: Any) -> pd.DataFrame:
        """Some rows of a table, at most `size` of them."""
        place = self._place(schema, table)
        return self.load(f"TABLE {_quoted(place.schema)}.{_quoted(place.table)}", limit=size, **kwargs)

    def execute(self, query_string: str, **query_vars: Any) -> None:
        """Run statements, `%(name)s` in them replaced by the arguments. Nothing is committed before `commit`."""
        query = query_string.strip(" \n\t")
        # Without arguments a % is just a %; a doubled one is undoubled, as Mage does.
        variables = query_vars if query_vars or "%%" in query else None
        with self._telling("executing a statement", shows_line=True), self.conn.cursor() as cursor:
            cursor.execute(query, variables)

    def table_exists(self, schema_name: str | None, table_name: str) -> bool:
        """Whether there is a table of this name."""
        from mage_project.io import tables

        place = self._place(schema_name, table_name)
        with self._telling(f"looking for {place}"), self.conn.cursor() as cursor:
            return tables.find(cursor, place) is not None

    # -- writing

    def export(
        self,
        df: Any,
        schema_name: str | None = None,
        table_name: str | None = None,
        if_exists: str = "replace",
        index: bool = False,
        verbose: bool = True,
        allow_reserved_words: bool = False,
        auto_clean_name: bool = True,
        case_sensitive: bool = False,
        cascade_on_drop: bool = False,
        drop_table_on_replace: bool = False,
        overwrite_types: Mapping[str, str] | None = None,
        query_string: str | None = None,
        unique_conflict_method: str | None = None,
        unique_constraints: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a frame, or an iterator of frames, to a table, whole or not at all.

        `if_exists`: 'replace' puts a new table in the place of the old one (where indexes, grants or views hang on it
        and the columns are the same it is filled anew and they stay), 'append' adds rows whose values fit the columns
        without loss, 'fail' wants no table. `unique_constraints` with `unique_conflict_method` 'UPDATE' or 'IGNORE'
        merges by these columns: a row whose key is there replaces it or is left out, and of several rows with one key
        in the load the last or the first counts. With `query_string` the rows are what the query gives.

        Columns get the types of their Arrow types (`ddl.column_of`), names are cleaned as Mage does. It commits, or
        hands its commit over where commits are collected. Raises StoreError, with the table as it was.
        """
        from mage_project.io.options import check_unknown, options_of

        check_unknown(kwargs)
        if table_name is None:
            raise StoreError("export needs a table_name")
        options = options_of(
            if_exists=if_exists,
            index=index,
            allow_reserved_words=allow_reserved_words,
            auto_clean_name=auto_clean_name,
            case_sensitive=case_sensitive,
            overwrite_types=overwrite_types,
            cascade_on_drop=cascade_on_drop,
            drop_table_on_replace=drop_table_on_replace,
            unique_conflict_method=unique_conflict_method,
            unique_constraints=unique_constraints,
        )
        self._export(df, self._place(schema_name, table_name), options, query_string)

    def _export(self, df: Any, place: Place, options: Options, query: str | None) -> None:
        from mage_project.io import writing

        transaction = self._opened()
        if query:
            writing.export_query(transaction, place, statements.stripped(query), options)
        else:
            writing.export(transaction, place, df, options)
        transaction.keep()

    # -- within

    @property
    def _address(self) -> Address:
        from mage_project.io.connecting import Address

        return Address(port=self._port, **self._where)

    def _opened(self) -> Transaction:
        """The open transaction; a new connection where a failed export closed the last one."""
        if self._transaction is None:
            raise StoreError("no connection is open", hint="use `with Postgres.with_config(...) as loader:`, or open()")
        if self._transaction.connection.closed and not self._transaction.is_deferred:
            self.open()
        return self._transaction

    def _place(self, schema_name: str | None, table_name: str) -> Place:
        from mage_project.io.tables import Place

        schema = schema_name or self._schema
        if not schema:
            schema, table_name = names.split(table_name)
        if not schema:
            with self._telling("asking for the schema"), self.conn.cursor() as cursor:
                cursor.execute("SELECT coalesce(pg_catalog.current_schema(), 'public')")
                row = cursor.fetchone()
            schema = _quoted(row[0]) if row else "public"
        return Place(schema=names.identifier(schema, "schema"), table=names.identifier(table_name, "table"))

    @contextmanager
    def _telling(self, doing: str, *, shows_line: bool = False) -> Iterator[None]:
        """psycopg2's errors as ours."""
        import psycopg2

        from mage_project.io.store_errors import store_error

        try:
            yield
        except psycopg2.Error as error:
            connection = self._transaction.connection if self._transaction else None
            raise store_error(error, connection, self._address, doing, shows_line=shows_line) from error


def _number(name: str, value: int | str) -> int:
    try:
        return int(value)
    except ValueError as error:
        hint = f"correct POSTGRES_{name.upper()} in the profile of io_config.yaml, or the variable it takes it from"
        raise ConfigError(f"{name} '{value}' of the connection to Postgres is no number", hint=hint) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
