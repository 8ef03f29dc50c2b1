"""Conditions in SQL, answered by DuckDB for one batch after another.

A condition is an expression over the columns of a row, in DuckDB's dialect. It may be null, which is neither true nor
false. Only the columns whose names stand in the text are handed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from mage_project.errors import ConfigError, did_you_mean
from mage_project.quality.rows import Rows

#: Settings that make an answer depend on nothing but the batch, and keep its rows in order.
_CONFIG = {"threads": "1", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


class Conditions:
    """The conditions of a list of rules, answered together: one query for each batch."""

    def __init__(self, conditions: Iterable[str]) -> None:
        self._conditions = list(dict.fromkeys(conditions))
        self._connection: Any = None

    def masks(self, rows: Rows) -> dict[str, pa.BooleanArray]:
        """For each condition the rows for which it is true; those for which it is null or false are not.

        A second mask, under `not (<condition>)`, has those for which it is false. Raises ConfigError where the rows
        have no such columns, or DuckDB cannot answer.
        """
        if not self._conditions:
            return {}
        text = " ".join(self._conditions).lower()
        used = [name for name in rows.names if name.lower() in text] or rows.names[:1]
        batch = pa.table([rows.column(name) for name in used], names=used)
        answer = self._ask(batch, rows.names)
        return {
            mask: answer.column(place).combine_chunks()
            for place, mask in enumerate(each for sql in self._conditions for each in (sql, negated(sql)))
        }

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ask(self, batch: pa.Table, names: Sequence[str]) -> pa.Table:
        import duckdb

        if self._connection is None:
            self._connection = _connection()
        self._connection.register("rows", batch)
        try:
            return self._select(self._conditions)
        except duckdb.Error as error:
            raise self._wrong(names, error) from error

    def _wrong(self, names: Sequence[str], error: Exception) -> ConfigError:
        """Which of the conditions it is, and why."""
        import duckdb

        for sql in self._conditions:
            try:
                self._select([sql])
            except duckdb.Error as own:
                return _told(sql, own, names)
        return _told(" and ".join(self._conditions), error, names)

    def _select(self, conditions: Sequence[str]) -> pa.Table:
        columns = ", ".join(map(_both, conditions))
        return self._connection.execute(f"SELECT {columns} FROM rows").to_arrow_table()  # noqa: S608 - it is SQL by design


def negated(sql: str) -> str:
    """The name of the mask of the rows for which the condition is false."""
    return f"not ({sql})"


def syntax_error(sql: str) -> str | None:
    """What is wrong with the text of a condition, as far as it can be told without rows. None where it may be right."""
    import duckdb

    with closing(_connection()) as connection:
        try:
            statements = connection.extract_statements(f"SELECT ({sql}\n)")
        except duckdb.Error as error:
            return _first_line(error)
    return "it is more than one statement" if len(statements) > 1 else None


def _both(sql: str) -> str:
    """The condition may end in a comment, which must not swallow what follows."""
    return f"coalesce(({sql}\n), false), coalesce(NOT ({sql}\n), false)"


def _connection() -> Any:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise ConfigError(
            "checks with SQL (`expression`, `where`) need DuckDB, which is not installed",
            hint="pip install 'mage-project[duckdb]'",
        ) from error
    return duckdb.connect(config=dict(_CONFIG))


def _told(sql: str, error: Exception, names: Sequence[str]) -> ConfigError:
    reason = _first_line(error)
    unknown = re.search(r'Referenced column "([^"]+)" (?:was )?not found', reason)
    if unknown:
        what = f"'{sql}' names the column '{unknown[1]}', which is not there.{did_you_mean(unknown[1], names)}"
        return ConfigError(what, hint=f"columns: {', '.join(names)}")
    return ConfigError(f"'{sql}' cannot be answered: {reason}", hint=f"columns: {', '.join(names)}")


def _first_line(error: Exception) -> str:
    """DuckDB's message without the statement that it repeats below, which is ours."""
    return str(error).strip().splitlines()[0].removesuffix("!").strip()
