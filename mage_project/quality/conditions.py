"""Conditions in SQL, answered for one batch after another: plain comparisons by kernels, all else by DuckDB.

A condition is an expression over the columns of a row, in DuckDB's dialect. It may be null, which is neither true nor
false. Only the columns whose names stand in the text are handed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from mage_project.errors import ConfigError, did_you_mean
from mage_project.quality import comparisons
from mage_project.quality.row_sql import connect, filtering, first_line
from mage_project.quality.rows import Rows
from mage_project.quality.rules import Rule


class Conditions:
    """The conditions of a list of rules, answered together: at most one query for each batch."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Asked is where `where` is true, and where the SQL of an `expression` is false."""
        #: What is asked, with the text as the rule has it.
        self._asked: dict[str, str] = {}
        for rule in rules:
            if rule.where:
                self._asked[rule.where] = rule.where
            if rule.sql:
                self._asked[negated(rule.sql)] = rule.sql
        self._connection: Any = None
        self._bound = False

    def masks(self, rows: Rows) -> dict[str, pa.BooleanArray]:
        """For each `where`, and each expression `negated`, the rows for which it is true: neither null nor false.

        Raises ConfigError where the rows have no such columns, or DuckDB cannot answer.
        """
        answers = {
            sql: found
            for sql, text in self._asked.items()
            if (found := comparisons.mask(text, rows, negate=sql != text)) is not None
        }
        left = [sql for sql in self._asked if sql not in answers]
        return {**answers, **self._queried(left, rows)} if left else answers

    def _queried(self, asked: Sequence[str], rows: Rows) -> dict[str, pa.BooleanArray]:
        text = " ".join(asked).lower()
        used = [name for name in rows.names if name.lower() in text] or rows.names[:1]
        batch = pa.table([rows.column(name) for name in used], names=used)
        answer = self._ask(asked, batch, rows.names)
        return {sql: answer.column(place).combine_chunks() for place, sql in enumerate(asked)}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ask(self, asked: Sequence[str], batch: pa.Table, names: Sequence[str]) -> pa.Table:
        if self._connection is None:
            self._connection = connect()
        import duckdb

        self._connection.register("rows", batch)
        try:
            if not self._bound:
                self._bind(asked)
            return self._select(asked)
        except duckdb.Error as error:
            raise self._wrong(asked, names, error) from error

    def _wrong(self, asked: Sequence[str], names: Sequence[str], error: Exception) -> ConfigError:
        """Which of the conditions it is, and why."""
        import duckdb

        for sql in asked:
            try:
                self._bind([sql])
                self._select([sql])
            except duckdb.Error as own:
                return _told(self._asked[sql], own, names)
        return _told(" and ".join(self._asked[sql] for sql in asked), error, names)

    def _bind(self, conditions: Sequence[str]) -> None:
        """Let DuckDB refuse what is not of one row, macros included, as the text alone does not tell it all."""
        for sql in conditions:
            self._connection.execute(f"EXPLAIN {filtering(sql)}")
        self._bound = True

    def _select(self, conditions: Sequence[str]) -> pa.Table:
        # A condition may end in a comment, which must not swallow what follows.
        columns = ", ".join(f"coalesce(({sql}\n), false)" for sql in conditions)
        return self._connection.execute(f"SELECT {columns} FROM rows").to_arrow_table()  # noqa: S608 - it is SQL by design


def negated(sql: str) -> str:
    """The condition that is true where this one is false."""
    return f"NOT ({sql}\n)"


def _told(sql: str, error: Exception, names: Sequence[str]) -> ConfigError:
    reason = first_line(error)
    unknown = re.search(r'Referenced column "([^"]+)" (?:was )?not found', reason)
    if unknown:
        what = f"'{sql}' names the column '{unknown[1]}', which is not there.{did_you_mean(unknown[1], names)}"
        return ConfigError(what, hint=f"columns: {', '.join(names)}")
    return ConfigError(f"'{sql}' cannot be answered: {reason}", hint=f"columns: {', '.join(names)}")
