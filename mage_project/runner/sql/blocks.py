"""A run's SQL blocks: what they are given by the run, and what the run learns from them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError
from mage_project.project import Block, Pipeline
from mage_project.runner import values
from mage_project.runner.blame import block_error
from mage_project.runner.kept_files import KEPT_ROWS
from mage_project.runner.sql import templating
from mage_project.runner.sql.executing import Call, execute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mage_project.runner.run import Run


def output(run: Run, block: Block, inputs: Sequence[Any]) -> Any:
    """Run the block and return the frame that it hands on. Rows that only stay in the store are counted with it."""
    upstream = [run.whole.block(uuid) for uuid in run.whole.block(block.original).upstream]
    record = run.record.block(block.uuid)
    _count_in(run, block, upstream, inputs)
    call = Call(
        pipeline=run.whole,
        block=block,
        upstream=upstream,
        inputs=inputs,
        variables=run.keywords(block),
        sources=run.sources,
        stored=run.stored,
        wanted_rows=None if _is_read(run.pipeline, block) else KEPT_ROWS,
        said=partial(run.reporter.said, block.uuid),
        warned=partial(run.warn, block),
    )
    try:
        result = execute(call)
    except MageProjectError as error:
        raise block_error(block, error) from error
    if result.source:
        run.sources[block.uuid] = result.source
    record.rows_written = result.rows_written
    if result.rows is not None:
        record.rows_out = result.rows - len(result.frame)  # those of the frame are counted as every block's
    return result.frame


def _count_in(run: Run, block: Block, upstream: Sequence[Block], inputs: Sequence[Any]) -> None:
    """The rows of tables that are read where they are count as well."""
    record = run.record.block(block.uuid)
    ran = {each.uuid: each.rows_out for each in run.record.blocks}
    counts = [
        ran.get(each.uuid, values.rows(value)) if value is None or each.language == "sql" else values.rows(value)
        for each, value in zip(upstream, inputs, strict=True)
    ]
    known = [count for count in counts if count is not None]
    record.rows_in = sum(known) if known else None


def _is_read(pipeline: Pipeline, block: Block) -> bool:
    """Whether somebody needs the rows themselves."""
    readers = pipeline.downstream(block.original)
    return block.is_dynamic or not all(_reads_the_table(reader, block) for reader in readers)


def _reads_the_table(reader: Block, block: Block) -> bool:
    """Whether the reader is a SQL block of the same store, and so reads the block's table instead of its rows."""
    if reader.language != "sql" or reader.path is None or reader.conditions:
        return False
    return _names_the_same_store(reader, block) and "block_output" not in templating.read(reader.path)


def leaves_a_table(block: Block, reader: Block) -> bool:
    """Whether the SQL block's result is, also after its run, in a table of the reader's store."""
    return not block.configuration.get("use_raw_sql") and _names_the_same_store(reader, block)


def _names_the_same_store(one: Block, other: Block) -> bool:
    """Whether both name one store for certain. A DuckDB may be in memory, and then each block has its own."""
    keys = ("data_provider", "data_provider_profile")
    provider = one.configuration.get("data_provider")
    return provider != "duckdb" and all(one.configuration.get(key) == other.configuration.get(key) for key in keys)
