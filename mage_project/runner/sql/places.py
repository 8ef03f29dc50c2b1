"""Where the tables of SQL blocks are: the ones that their configuration names, and the automatic ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mage_project.errors import ConfigError
from mage_project.project import Block, Pipeline
from mage_project.runner.sql.settings import Settings

_DROPPED = re.compile('[\ufeff"$\n\r\t]')
#: What Mage puts before the automatic names, by the variable `env`.
_PREFIXES = {"dev": "dev_", "test": "test_"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as far as a configuration says where it is. The store knows the rest."""

    name: str
    schema: str | None = None
    database: str | None = None

    @classmethod
    def named(cls, name: str, *, schema: str | None = None, database: str | None = None) -> Table:
        """`table`, `schema.table` or `database.schema.table`; what it lacks is taken from the other two."""
        parts = name.split(".")
        if len(parts) > 3:
            raise ConfigError(
                f"'{name}' is no name of a table", hint="write table, schema.table or database.schema.table"
            )
        own = [*[None] * (3 - len(parts)), *parts]
        return cls(database=own[0] or database, schema=own[1] or schema, name=str(own[2]))


def automatic(pipeline: Pipeline, block: Block, variables: Mapping[str, Any]) -> str:
    """The name of a block's table where its configuration has none: `dev_<pipeline>_<block>_v1`, as in Mage."""
    cleaned = re.sub(r"\W", "_", _DROPPED.sub("", block.uuid)).lower()
    if re.match(r"\d", cleaned):
        cleaned = f"letter_{cleaned}"
    return f"{_PREFIXES.get(str(variables.get('env')), '')}{pipeline.uuid}_{cleaned}_v1"


def own(pipeline: Pipeline, block: Block, settings: Settings, variables: Mapping[str, Any]) -> Table:
    """The table that a SQL block's own result goes to."""
    name = settings.table or automatic(pipeline, block, variables)
    return Table.named(name, schema=settings.schema, database=settings.database)


def of_upstream(pipeline: Pipeline, upstream: Block, reader: Settings, variables: Mapping[str, Any]) -> Table:
    """The table that an upstream block's output is stored in for a SQL block with the settings `reader`.

    As in Mage its name is the one that the reader's `upstream_block_configuration` gives it, else its own
    `data_provider_table`, else the automatic one. Its schema is its own where it names the reader's store, else the
    reader's.
    """
    given = upstream.configuration
    name = reader.upstream_tables.get(upstream.uuid) or given.get("data_provider_table")
    schema = reader.schema
    is_same = (given.get("data_provider"), given.get("data_provider_profile") or "default")
    if is_same == (reader.provider, reader.profile):
        schema = given.get("data_provider_schema") or schema
    return Table.named(str(name or automatic(pipeline, upstream, variables)), schema=schema, database=reader.database)


def check_apart(pipeline: Pipeline, block: Block, longest: int | None, variables: Mapping[str, Any]) -> None:
    """Raise ConfigError if the automatic name of the block's table is another block's too, once it is cut.

    Postgres cuts names without a word, so that in Mage one block's rows then replace another's.
    """
    mine = cut(automatic(pipeline, block, variables), longest)
    for other in pipeline.blocks:
        if other.uuid != block.uuid and cut(automatic(pipeline, other, variables), longest) == mine:
            what = f"the tables of '{block.uuid}' and '{other.uuid}' would both be called {mine}"
            raise ConfigError(what, hint="give one of them a data_provider_table, or a shorter name")


def cut(name: str, longest: int | None) -> str:
    """The name as far as a store with names of `longest` bytes keeps it."""
    return name if longest is None else name.encode()[:longest].decode("utf-8", "ignore")
