"""SQL of rules as text: whether it is one expression over the columns of one row.

Batches are asked one after another, so an aggregate, a window or a query in it would be of one batch, not of all rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Any

from mage_project.errors import ConfigError

#: Settings that make an answer depend on nothing but the batch, and keep its rows in order.
_CONFIG = {"threads": "1", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_NAME = r'[A-Za-z_]\w*|"[^"]+"'
_LATER = r"(?:\s*\+\s*INTERVAL\s+(\d{1,6})\s+(SECOND|MINUTE|HOUR|DAY)S?)?"
COMPARISON = re.compile(
    rf"\s*({_NAME})\s*(<=|>=|<>|!=|<|>|=)\s*((?:{_NAME}){_LATER}|-?\d+(?:\.\d+)?|'[^']*')\s*", re.IGNORECASE
)
LATER = re.compile(rf"({_NAME}){_LATER}", re.IGNORECASE)
#: Of patterns only those that mean the same in every dialect: letters, digits, classes of them, and how many.
SIMILAR = re.compile(
    rf"\s*({_NAME})\s+SIMILAR\s+TO\s+'((?:(?:\w|\[(?:\w(?:-\w)?)+\])(?:\{{\d{{1,3}}\}})?)+)'\s*",
    re.IGNORECASE | re.ASCII,
)
AND = re.compile(r"\bAND\b", re.IGNORECASE)
#: Parts of an expression, as DuckDB names their classes, that are more than one row, or no expression.
_FOREIGN = {
    "SUBQUERY": "it has a query of its own",
    "WINDOW": "it has a window function",
    "STAR": "it names all columns at once",
    "PARAMETER": "it has a parameter, and nothing is given for one",
}


@cache
def flaw(sql: str) -> str | None:
    """What is wrong with a condition, as far as it can be told without rows. None where it may be right.

    Comparisons joined by AND are right, and DuckDB is not asked.
    """
    if all(COMPARISON.fullmatch(part) or similar(part) for part in AND.split(sql)):
        return None
    try:
        shared = _shared()
    except ConfigError as error:
        return f"{error.what}: {error.hint}"
    with closing(shared.cursor()) as cursor:
        return _no_expression(cursor, sql) or _of_more_rows(cursor, sql)


def similar(sql: str) -> tuple[str, str] | None:
    """The column and the pattern of `column SIMILAR TO 'pattern'`, where the pattern is a plain one."""
    found = SIMILAR.fullmatch(sql)
    if found is None:
        return None
    try:
        re.compile(found[2])  # [9-0] is for DuckDB to refuse
    except re.error:
        return None
    return found[1], found[2]


def filtering(sql: str) -> str:
    """A query for rows that DuckDB refuses to bind where the condition has an aggregate or a window function."""
    return f"SELECT 1 FROM rows WHERE ({sql}\n)"  # noqa: S608 - it is SQL by design; it may end in a comment


def connect() -> Any:
    """A connection of its own, in memory. Raises ConfigError where it is not installed."""
    return _duckdb().connect(config=dict(_CONFIG))


def _duckdb() -> Any:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise ConfigError(
            "checks with SQL (`expression`, `where`) need DuckDB, which is not installed",
            hint="pip install 'mage-project[duckdb]'",
        ) from error
    return duckdb


def first_line(error: Exception) -> str:
    """DuckDB's message without the statement that it repeats below, which is ours."""
    return str(error).strip().splitlines()[0].removesuffix("!").strip()


@cache
def _shared() -> Any:
    return connect()


@cache
def _aggregates() -> frozenset[str]:
    with closing(_shared().cursor()) as cursor:
        found = cursor.execute("SELECT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'")
        return frozenset(name for (name,) in found.fetchall())


def _no_expression(cursor: Any, sql: str) -> str | None:
    """It must be one without parentheses and within: `1=1) OR (1=1` is one only within, `a LIMIT 1` only without."""
    for text in (f"SELECT {sql}\n", filtering(sql)):
        try:
            if len(cursor.extract_statements(text)) != 1:
                return "it is more than one statement"
        except _duckdb().Error as error:
            return first_line(error)
    return None


def _of_more_rows(cursor: Any, sql: str) -> str | None:
    quoted = f"SELECT {sql}\n".replace("'", "''")  # with parameters DuckDB imports pandas, for half a second
    (tree,) = cursor.execute(f"SELECT json_serialize_sql('{quoted}')").fetchone()
    columns = json.loads(tree)["statements"][0]["node"]["select_list"]
    if len(columns) > 1:
        return "it is more than one expression"
    for part in _parts(columns):
        if part.get("class") in _FOREIGN:
            return _FOREIGN[part["class"]]
        name = str(part.get("function_name")).lower()
        if part.get("class") == "FUNCTION" and (name in _aggregates() or name in ("unnest", "unlist")):
            return f"'{name.removesuffix('_star')}' is not of one row"
    return None


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _parts(each)
