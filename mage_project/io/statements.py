"""Texts of SQL, as the connectors send them."""

from __future__ import annotations


def stripped(query: str) -> str:
    """The query without the semicolon at its end: it may stand in another one."""
    return query.strip().rstrip("; \n\t")


def limited(query: str, limit: int | None, *, alias: str = "") -> str:
    """The query that gives at most `limit` of the rows. `alias`: the name of a query in FROM, where it needs one."""
    query = stripped(query)
    if limit is None:
        return query
    named = f" AS {alias}" if alias else ""
    return f"SELECT * FROM (\n{query}\n){named} LIMIT {int(limit)}"  # noqa: S608 - the block's own
