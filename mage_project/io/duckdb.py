"""The connector to DuckDB, with Mage's names and signatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from mage_project.errors import StoreError
from mage_project.io import config as settings
from mage_project.io import statements
from mage_project.io.config_keys import ConfigKey

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from mage_project.io.duckdb_session import Session

IN_MEMORY = ":memory:"


class DuckDB:
    """A DuckDB database: a file, `md:` for MotherDuck, or in memory where none is named."""

    def __init__(
        self,
        database: str | None = None,
        motherduck_token: str | None = None,
        schema: str | None = None,
        verbose: bool = True,
        **_kwargs: Any,
    ) -> None:
        """Which database. It is opened when it is first used."""
        self.verbose = verbose
        self._database = database or IN_MEMORY
        self._token = motherduck_token
        self._schema = schema
        self._session: Session | None = None

    @classmethod
    def with_config(cls, config: Any, **kwargs: Any) -> Self:
        """The database of a profile: DUCKDB_DATABASE, DUCKDB_SCHEMA, MOTHERDUCK_TOKEN."""
        found = {
            "database": settings.setting(config, ConfigKey.DUCKDB_DATABASE),
            "schema": settings.setting(config, ConfigKey.DUCKDB_SCHEMA),
            "motherduck_token": settings.setting(config, ConfigKey.MOTHERDUCK_TOKEN),
        }
        return cls(**{**found, **kwargs})

    def __repr__(self) -> str:
        return f"DuckDB({self._database!r})"

    def default_schema(self) -> str:
        """The profile's schema, else `main`."""
        return self._schema or "main"

    def default_database(self) -> str | None:
        """None: a connection has one database."""
        return None

    # -- the connection

    def open(self) -> None:
        """Open the database. Raises StoreUnavailable while another program writes it, StoreError where it cannot be."""
        _ = self.session

    def close(self) -> None:
        """Close the connection; what waits for its commit is still committed."""
        if self._session is not None:
            self._session.leave()
            self._session = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Mage's blocks do not close it, and DuckDB lets one process write a file.
        if getattr(self, "_session", None) is not None:
            self.close()

    @property
    def session(self) -> Session:
        """The open database."""
        if self._session is None:
            from mage_project.io.duckdb_session import Session

            config: dict[str, Any] = {}
            if self._database.startswith("md:") and self._token:
                config["motherduck_token"] = self._token
            self._session = Session.opened(self._database, config)
        return self._session

    @property
    def conn(self) -> duckdb.DuckDBPyConnection:
        """DuckDB's own connection."""
        return self.session.connection

    def commit(self) -> None:
        """Commit, or hand the commit over where commits are collected. Nothing waits after `execute` and `export`."""
        self.session.keep()

    # -- reading

    def load(
        self,
        query_string: str,
        limit: int | None = None,
        display_query: str | None = None,
        verbose: bool = True,
        **_kwargs: Any,
    ) -> pd.DataFrame:
        """What the query gives, every row of it, or at most `limit`."""
        query = statements.limited(query_string, limit)
        session = self.session
        with session.telling("loading"):
            return session.execute(query).df()

    def execute(self, query_string: str, **query_vars: Any) -> None:
        """Run statements, `$name` in them replaced by the arguments."""
        session = self.session
        with session.writing("executing a statement"):
            session.execute(query_string, query_vars or None)

    def table_exists(self, schema_name: str | None, table_name: str) -> bool:
        """Whether there is a table of this name, in the database that is open."""
        return bool(self.columns(schema_name or self.default_schema(), table_name))

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """The types of a table's columns by name, none where there is no such table."""
        query = (
            "SELECT column_name, data_type FROM duckdb_columns() WHERE lower(schema_name) = lower(?)"
            " AND lower(table_name) = lower(?) AND database_name = current_database() ORDER BY column_index"
        )
        session = self.session
        with session.telling("looking for a table"):
            return dict(session.connection.execute(query, [schema, table]).fetchall())

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
        """Write a frame, an iterator of frames, or what a query gives, to a table, whole or not at all.

        `if_exists`: 'replace' makes the table anew, 'append' adds rows whose values fit its columns without loss,
        'fail' wants no table. Columns get the types of their Arrow types, names are cleaned as Mage does.

        Raises StoreError, with the table as it was.
        """
        from mage_project.io import duckdb_writing
        from mage_project.io.options import check_unknown, options_of

        check_unknown(kwargs)
        if table_name is None:
            raise StoreError("export needs a table_name")
        if unique_constraints or unique_conflict_method:
            hint = "deduplicate in a transformer, or write the statement yourself: execute()"
            raise StoreError("DuckDB.export cannot merge by unique_constraints", hint=hint)
        options = options_of(
            if_exists=if_exists,
            index=index,
            allow_reserved_words=allow_reserved_words,
            auto_clean_name=auto_clean_name,
            case_sensitive=case_sensitive,
            overwrite_types=overwrite_types,
        )
        schema = schema_name or self.default_schema()
        if query_string:
            duckdb_writing.export_query(self, schema, table_name, statements.stripped(query_string), options)
        else:
            duckdb_writing.export(self, schema, table_name, df, options)
