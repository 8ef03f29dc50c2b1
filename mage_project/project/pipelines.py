"""Reads one pipeline from its folder, with every problem that is found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mage_project.project import document
from mage_project.project.blocks import BlockReader
from mage_project.project.checking import Checker
from mage_project.project.concurrency import concurrency
from mage_project.project.model import ONLY_IN_MAGE, Block, Pipeline, Problem
from mage_project.project.triggers import triggers_of


def read_pipeline(root: Path, uuid: str) -> tuple[Pipeline, list[Problem]]:
    """The pipeline as far as it can be read, and every problem found. `ConfigError` where the file cannot be read."""
    path = root / "pipelines" / uuid / "metadata.yaml"
    checker = Checker(path)
    content = document.read(path)
    if not content:
        hint = "list the pipeline's blocks: `blocks:`, then `- uuid: ...` for each"
        checker.error("the file is empty", 1, hint=hint)
    checker.keys(content, "pipeline")
    kind = str(content.get("type") or "python")
    if kind in ONLY_IN_MAGE["pipeline"]:
        checker.only_in_mage(f"'{uuid}' is {ONLY_IN_MAGE['pipeline'][kind]}", content.line_of("type"))
    blocks = tuple(BlockReader(root, content, checker).blocks())
    checker.graph(blocks)
    blocks = tuple(_with_upstream_among(blocks, block) for block in blocks)
    pipeline = Pipeline(
        uuid=uuid,
        root=root,
        path=path,
        name=str(content.get("name") or uuid),
        type=kind,
        description=content.get("description"),
        blocks=blocks,
        variables=checker.mapping(content, "variables"),
        triggers=triggers_of(path.with_name("triggers.yaml"), checker),
        concurrency=concurrency(content, checker),
    )
    return pipeline, list(dict.fromkeys(checker.problems))  # the list of blocks is walked more than once


def _with_upstream_among(blocks: Sequence[Block], block: Block) -> Block:
    names = {each.uuid for each in blocks}
    upstream = tuple(name for name in block.upstream if name in names)
    return replace(block, upstream=upstream, missing=tuple(name for name in block.upstream if name not in names))
