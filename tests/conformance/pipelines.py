"""Pipelines and blocks, written into a project as Mage itself would write them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mage_project.project.model import FOLDERS


def write_pipeline(
    project: Path,
    uuid: str,
    blocks: Sequence[Mapping[str, Any]],
    variables: Mapping[str, Any] | None = None,
    *,
    downstream: bool = True,
) -> None:
    """`blocks` as `tests.projects.block` makes them; Mage also needs to be told what is downstream of each."""
    following = {b["uuid"]: [o["uuid"] for o in blocks if b["uuid"] in o["upstream_blocks"]] for b in blocks}
    entries = [
        {**block, "name": block["uuid"], **({"downstream_blocks": following[block["uuid"]]} if downstream else {})}
        for block in blocks
    ]
    content = {"uuid": uuid, "name": uuid, "type": "python", "blocks": entries, "variables": dict(variables or {})}
    path = project / "pipelines" / uuid / "metadata.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def write_block(project: Path, kind: str, uuid: str, code: str) -> None:
    path = project / FOLDERS[kind] / f"{uuid}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(code))
