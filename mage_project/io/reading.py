"""Reads what a query gives into a frame, on a connection that a block has open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    import pandas as pd

    from mage_project.io.connection import Connection


def read_query(connection: Connection, query: str, **options: Any) -> pd.DataFrame:
    """`pandas.read_sql_query` within the connection's transaction. Raises psycopg2's errors."""
    import pandas as pd

    connection.is_lent = True
    try:
        with _engine(connection).connect() as borrowed:
            # Without parameters a % in the query is just a %, as in Mage.
            lent = borrowed if options.get("params") else borrowed.execution_options(no_parameters=True)
            frame: pd.DataFrame = pd.read_sql_query(query, lent, **options)
            return frame
    except (sa.exc.DBAPIError, pd.errors.DatabaseError) as error:
        raise _cause(error) from None
    finally:
        connection.is_lent = False


def _engine(connection: Connection) -> sa.Engine:
    return sa.create_engine(
        "postgresql+psycopg2://",
        creator=lambda: connection,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        use_native_hstore=False,
    )


def _cause(error: BaseException) -> BaseException:
    """psycopg2's error within SQLAlchemy's or pandas'."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, psycopg2.Error):
        inner = getattr(inner, "orig", None) or inner.__cause__
    return inner or error
