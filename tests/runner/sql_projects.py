"""Small projects with SQL blocks."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mage_project.project import Project
from mage_project.project.model import FOLDERS
from mage_project.runner.records import RunRecord
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import IO_CONFIG, block, write_project

DUCK = """
duck:
  DUCKDB_DATABASE: {folder}/store.duckdb
"""


def sql_block(uuid: str, kind: str, *upstream: str, schema: str | None = None, **configuration: Any) -> dict[str, Any]:
    settings = {"data_provider": "postgres", "data_provider_schema": schema, **configuration}
    return block(uuid, kind, *upstream, language="sql", configuration=settings)


def write_sql_project(
    root: Path, blocks: Sequence[Mapping[str, Any]], code: Mapping[str, str], **options: Any
) -> Project:
    """A project with the SQL blocks' files besides the Python ones."""
    (root / "io_config.yaml").write_text(IO_CONFIG + DUCK.replace("{folder}", str(root)))
    python = {entry["uuid"]: code[entry["uuid"]] for entry in blocks if entry["language"] == "python"}
    for entry in blocks:
        if entry["language"] == "sql":
            path = root / FOLDERS[entry["type"]] / f"{entry['uuid']}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(code[entry["uuid"]]))
    return write_project(root, blocks, python, **options)


def run(
    root: Path,
    blocks: Sequence[Mapping[str, Any]],
    code: Mapping[str, str],
    given: Mapping[str, Any] | None = None,
    **options: Any,
) -> RunRecord:
    """Write the project and run its pipeline `p`."""
    project = write_sql_project(root, blocks, code, **options)
    with importable(project.root):
        return Run(project.pipeline("p"), given or {}, retry_delays_s=()).execute()
