"""The history in a Postgres that several machines share, by SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mage_project.errors import HistoryUnavailable
from mage_project.history.stores import REVISION, VARIABLE, Row, Transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection

_CONNECT_S = 5


class PostgresTransaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, statement: str, **values: Any) -> Sequence[Row]:
        from sqlalchemy import text

        result = self._connection.execute(text(statement), values)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def run_many(self, statement: str, rows: Iterable[Mapping[str, Any]]) -> None:
        from sqlalchemy import text

        every = [dict(row) for row in rows]
        if every:
            self._connection.execute(text(statement), every)


class PostgresStore:
    """The history in the database `address` (`postgresql://user:password@host/database`)."""

    def __init__(self, address: str) -> None:
        self._address = address.replace("postgres://", "postgresql://", 1)
        self._checked = False

    @property
    def place(self) -> str:
        from sqlalchemy import make_url

        return make_url(self._address).render_as_string(hide_password=True)

    def now(self, transaction: Transaction) -> float:
        [row] = transaction.run("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")
        return float(row["now"])

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[PostgresTransaction]:
        from sqlalchemy import NullPool, create_engine
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._check()
            engine = create_engine(self._address, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_S})
            with engine.begin() as connection:
                yield PostgresTransaction(connection)
        except (SQLAlchemyError, ImportError) as error:
            raise HistoryUnavailable(
                f"the history cannot be used: {str(getattr(error, 'orig', None) or error).splitlines()[0]}",
                where=self.place,
                hint=f"see {VARIABLE}",
            ) from error

    def _check(self) -> None:
        """Bring the tables to this version's revision, once."""
        if self._checked:
            return
        from mage_project.history.migrating import revision, upgrade

        found = revision(self._address)
        if found != REVISION:
            upgrade(self._address, found=found, place=self.place)
        self._checked = True
