"""One block as it is handed to a process of its own, and what comes back besides its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mage_project.errors import MageProjectError
from mage_project.project import Block, Pipeline
from mage_project.runner.records import BlockRecord


@dataclass(frozen=True, kw_only=True)
class Job:
    """`more` are keyword arguments of this block alone. `context` is a copy: what is left there stays there."""

    pipeline: Pipeline
    whole: Pipeline
    block: Block
    run_id: str
    variables: Mapping[str, Any]
    more: Mapping[str, Any]
    context: Mapping[str, Any]
    inputs: Sequence[Any]
    local: bool
    memory_bytes: int | None
    sample_rows: int | None


@dataclass(kw_only=True)
class Done:
    """How it ended. `record` has the figures, of the process too; `cause` is what the block raised."""

    record: BlockRecord
    error: MageProjectError | None = None
    cause: BaseException | None = None
