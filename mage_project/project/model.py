"""What a project consists of: pipelines of blocks, with triggers. Frozen data; nothing here reads or runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Folder of each block type under the project's root, as Mage lays them out.
FOLDERS = {
    "callback": "callbacks",
    "chart": "charts",
    "conditional": "conditionals",
    "custom": "custom",
    "data_exporter": "data_exporters",
    "data_loader": "data_loaders",
    "dbt": "dbt",
    "extension": "extensions",
    "markdown": "markdowns",
    "scratchpad": "scratchpads",
    "sensor": "sensors",
    "transformer": "transformers",
}
#: File ending of each language that a block may be written in.
ENDINGS = {"markdown": "md", "python": "py", "r": "r", "sql": "sql", "yaml": "yaml"}
#: Block types that are for people to read: a run passes over them.
NOT_RUN = frozenset({"chart", "markdown", "scratchpad"})


@dataclass(frozen=True, kw_only=True)
class Block:
    """One entry under `blocks:` of a pipeline. `line` is its line in the pipeline's metadata.yaml."""

    uuid: str
    type: str
    language: str = "python"
    upstream: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    line: int = 1

    @property
    def streams(self) -> bool:
        """Whether the pipeline asks for batch by batch: `configuration: {stream: true}`."""
        return self.configuration.get("stream") is True

    @property
    def runs(self) -> bool:
        return self.type not in NOT_RUN


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One entry of a pipeline's triggers.yaml."""

    name: str
    schedule_type: str
    schedule_interval: str | None = None
    start_time: Any = None
    status: str = "inactive"
    variables: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    line: int = 1


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline: its blocks in the order of the file, its variables and its triggers."""

    uuid: str
    root: Path
    path: Path
    name: str
    type: str = "python"
    description: str | None = None
    blocks: tuple[Block, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()

    def block(self, uuid: str) -> Block:
        return next(block for block in self.blocks if block.uuid == uuid)

    def downstream(self, uuid: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if uuid in block.upstream)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong in a project's files. A warning does not keep a pipeline from running."""

    message: str
    path: Path
    line: int = 1
    hint: str | None = None
    warning: bool = False

    def place(self, root: Path) -> str:
        path = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        return f"{path}:{self.line}"
