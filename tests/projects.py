"""Small Mage projects, written to a folder for a test."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mage_project.project import Project
from mage_project.project.model import FOLDERS

#: A project's io_config.yaml whose default profile is the environment's Postgres; keys of it may follow, then profiles.
IO_CONFIG = """
version: 0.1.1
default:
  POSTGRES_HOST: "{{ env_var('POSTGRES_HOST') }}"
  POSTGRES_PORT: "{{ env_var('POSTGRES_PORT') }}"
  POSTGRES_USER: "{{ env_var('POSTGRES_USER') }}"
  POSTGRES_PASSWORD: "{{ env_var('POSTGRES_PASSWORD') }}"
  POSTGRES_DBNAME: "{{ env_var('POSTGRES_DBNAME') }}"
"""


def block(uuid: str, kind: str, *upstream: str, **more: Any) -> dict[str, Any]:
    return {"uuid": uuid, "type": kind, "language": "python", "upstream_blocks": list(upstream), **more}


def write_project(
    root: Path,
    blocks: Sequence[Mapping[str, Any]],
    code: Mapping[str, str],
    *,
    pipeline: str = "p",
    variables: Mapping[str, Any] | None = None,
) -> Project:
    """A project with one pipeline; `code` is the source of each block by uuid."""
    kinds = {entry["uuid"]: entry["type"] for entry in blocks}
    for uuid, source in code.items():
        path = root / FOLDERS[kinds[uuid]] / f"{uuid}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    content = {"uuid": pipeline, "type": "python", "blocks": list(blocks), "variables": dict(variables or {})}
    write_pipeline(root, yaml.safe_dump(content, sort_keys=False), pipeline=pipeline)
    return Project(root)


def write_pipeline(root: Path, text: str, *, pipeline: str = "p") -> Path:
    path = root / "pipelines" / pipeline / "metadata.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def write_items(root: Path, given: int, *, out: str) -> Project:
    """A project with a block that is done, and an exporter that runs for each of the items 1 to `given`."""
    numbers = list(range(1, given + 1))
    load = f"@data_loader\ndef load(**kwargs):\n    return [{numbers}, {[{} for _ in numbers]}]\n"
    code = {"before": "@custom\ndef before(**kwargs):\n    return 1\n", "load": load, "out": out}
    blocks = [
        block("before", "custom"),
        block("load", "data_loader", configuration={"dynamic": True}),
        block("out", "data_exporter", "load"),
    ]
    return write_project(root, blocks, code)
