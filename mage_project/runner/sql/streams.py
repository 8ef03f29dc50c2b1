"""Streams into the tables of SQL blocks: the batches are written as they come, and never gathered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError
from mage_project.project import Block
from mage_project.runner.blame import block_error
from mage_project.runner.sql import places, stores, templating
from mage_project.runner.sql.executing import settings_of
from mage_project.runner.sql.places import Table
from mage_project.runner.sql.settings import Settings

if TYPE_CHECKING:
    from mage_project.runner.run import Run


@dataclass(frozen=True, kw_only=True)
class TableOfStream:
    """The table that a streaming block's batches go to, for SQL blocks with these settings."""

    block: Block
    settings: Settings
    table: Table

    def fill(self, run: Run, batches: Iterator[Any]) -> tuple[str, str, str, str]:
        """Write the batches, and return the note that the SQL blocks find the table by."""
        try:
            with stores.opened(self.settings, run.whole) as store:
                table = store.placed(self.table)
                places.check_apart(run.whole, self.block, store.longest_name, run.variables)
                rows = store.store(batches, table)
                store.finish()
                name = store.written(table)
        except MageProjectError as error:
            raise block_error(self.block, error) from error
        run.reporter.said(self.block.uuid, f"{rows:,} rows are in {name}")
        return (self.block.uuid, self.settings.provider, self.settings.profile, name)


def tables_of(run: Run, block: Block, readers: Sequence[Block]) -> list[TableOfStream]:
    """The tables that those of the readers need that are SQL blocks, each once."""
    found: dict[tuple[str, str, Table], TableOfStream] = {}
    for reader in readers:
        if reader.language == "sql" and f"df_{_place(reader, block)}" in _names(reader):
            settings = settings_of(reader, run.keywords(reader))
            table = places.of_upstream(run.whole, block, settings, run.variables)
            key = (settings.provider, settings.profile, table)
            found[key] = TableOfStream(block=block, settings=settings, table=table)
    return list(found.values())


def wants_rows(reader: Block) -> bool:
    """Whether a reader needs the rows themselves: every block but a SQL block that has a table of them."""
    return reader.language != "sql" or bool(reader.conditions) or "block_output" in _names(reader)


def _place(reader: Block, block: Block) -> int:
    return reader.upstream.index(block.uuid) + 1


def _names(reader: Block) -> set[str]:
    assert reader.path is not None  # noqa: S101 - the project was checked
    return templating.names_used(templating.read(reader.path), reader.path)
