"""What is wrong with a SQL block can mostly be seen before anything runs: its settings, its Jinja, its quotes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mage_project.errors import ConfigError
from mage_project.project import Block, Pipeline
from mage_project.runner.sql import templating
from mage_project.runner.sql.executing import settings_of
from mage_project.runner.sql.settings import Settings
from mage_project.runner.sql.statements import split
from mage_project.runner.sql.templating import Template


def check(pipeline: Pipeline, block: Block, variables: Mapping[str, Any]) -> None:
    """Raise ConfigError, with file and line, for what would fail in the run whatever the stores hold.

    A template that needs what only a run has (`block_output`, the values of dynamic blocks) is checked for its grammar.
    """
    assert block.path is not None  # noqa: S101 - the project was checked
    try:
        Settings.of(block)
    except ConfigError as error:
        error.where = error.where or f"{pipeline.path}:{block.line}"
        raise
    source = templating.read(block.path)
    used = templating.names_used(source, block.path)
    if "block_output" in used or any(each.is_dynamic for each in pipeline.blocks):
        return
    settings = settings_of(block, variables)
    upstream = pipeline.block(block.original).upstream
    tables = {f"df_{place}": f"df_{place}" for place in range(1, len(upstream) + 1)}
    text = Template(path=block.path, variables=variables, tables=tables).render(source).text
    try:
        statements = split(text, settings.provider)
    except ConfigError as error:
        error.where = error.where or str(block.path)
        raise
    if not statements:
        raise ConfigError(f"the file of block '{block.uuid}' has no statement", where=str(block.path))
