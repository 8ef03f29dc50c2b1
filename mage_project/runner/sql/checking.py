"""What is wrong with a SQL block can mostly be seen before anything runs: its settings, its Jinja, its quotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mage_project.errors import ConfigError, did_you_mean
from mage_project.io.profiles import profile_names
from mage_project.project import Block, Pipeline
from mage_project.project.document import Mapping as Document
from mage_project.runner.sql import templating
from mage_project.runner.sql.executing import check_query, settings_of
from mage_project.runner.sql.settings import Settings
from mage_project.runner.sql.statements import Statement, split
from mage_project.runner.sql.templating import Template


def check(pipeline: Pipeline, block: Block, variables: Mapping[str, Any]) -> None:
    """Raise ConfigError, with file and line, for what would fail in the run whatever the stores hold."""
    statements(pipeline, block, variables)


def statements(pipeline: Pipeline, block: Block, variables: Mapping[str, Any]) -> Sequence[Statement]:
    """The block's statements as a run would send them. Raises ConfigError for what would fail whatever the stores hold.

    None of a template that needs what only a run has (`block_output`, the values of dynamic blocks): it is checked for
    its grammar.
    """
    assert block.path is not None  # noqa: S101 - the project was checked
    try:
        Settings.of(block)
        settings = settings_of(block, variables)
    except ConfigError as error:
        error.where = error.where or f"{pipeline.path}:{block.line}"
        raise
    _check_profile(pipeline, block, settings)
    source = templating.read(block.path)
    used = templating.names_used(source, block.path)
    upstream = pipeline.block(block.original).upstream
    _check_outputs(block, source, upstream)
    if "block_output" in used or any(each.is_dynamic for each in pipeline.blocks):
        return ()
    tables = {f"df_{place}": f"df_{place}" for place in range(1, len(upstream) + 1)}
    text = Template(path=block.path, variables=variables, tables=tables).render(source).text
    try:
        found = split(text, settings.provider)
    except ConfigError as error:
        error.where = error.where or str(block.path)
        raise
    if not found:
        hint = "write a query into it, or take the block out of the pipeline"
        raise ConfigError(f"the file of block '{block.uuid}' has no statement", where=str(block.path), hint=hint)
    if not settings.is_raw and not any(each.is_script for each in found):
        check_query(block, found[0], source)
    return found


def surprises(block: Block, found: Sequence[Statement]) -> Iterator[str]:
    """What a run will do otherwise than the one who wrote the statements may think."""
    if len(found) > 1 and not Settings.of(block).is_raw and not found[0].is_script:
        what = f"only the rows of the first of {len(found)} statements go to the table of block '{block.uuid}'"
        yield f"{what}; the others are executed as they are"


def _check_profile(pipeline: Pipeline, block: Block, settings: Settings) -> None:
    """A project without the file may still run on the local stack."""
    path = pipeline.root / "io_config.yaml"
    if not path.is_file():
        return
    names = profile_names(path)
    if settings.profile not in names:
        given = block.configuration
        line = given.line_of("data_provider_profile") if isinstance(given, Document) else block.line
        what = f"block '{block.uuid}' names the profile '{settings.profile}', which io_config.yaml has not."
        raise ConfigError(
            what + did_you_mean(settings.profile, names),
            where=f"{pipeline.path}:{line}",
            hint=f"profiles there: {', '.join(names) or 'none'}",
        )


def _check_outputs(block: Block, source: str, upstream: Sequence[str]) -> None:
    for name, line in templating.outputs_used(source):
        if name not in upstream:
            what = f"block_output names '{name}', which is no upstream block of '{block.uuid}'."
            raise ConfigError(
                what + did_you_mean(name, upstream),
                where=f"{block.path}:{line}",
                hint=f"upstream_blocks: {', '.join(upstream) or 'none; add it there'}",
            )
