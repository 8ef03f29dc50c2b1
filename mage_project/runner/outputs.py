"""The outputs of blocks while others still need them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from mage_project.project import Pipeline

if TYPE_CHECKING:
    from mage_project.runner.budget import Budget


class Outputs:
    """Holds each block's output until its last reader has taken it, and no longer; on disk where memory is short."""

    def __init__(self, pipeline: Pipeline, running: Collection[str], budget: Budget | None = None) -> None:
        """`running`: the blocks that run, and so read."""
        self._readers = {
            block.uuid: sum(reader.uuid in running for reader in pipeline.downstream(block.uuid))
            for block in pipeline.blocks
        }
        self._values: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._budget = budget
        self._lock = Lock()

    def put(self, uuid: str, value: Any) -> None:
        if not self._readers[uuid]:
            return
        if self._budget is not None:
            value = self._within(self._budget, uuid, value)
        with self._lock:
            self._values[uuid] = value

    def take(self, uuid: str) -> Any:
        """The output of `uuid` for one more reader; None where the block had none."""
        with self._lock:
            self._readers[uuid] -= 1
            value = self._values.get(uuid) if self._readers[uuid] else self._values.pop(uuid, None)
            if not self._readers[uuid]:
                self._sizes.pop(uuid, None)
        return self.loaded(value)

    def held(self) -> Mapping[str, Any]:
        return {uuid: self.loaded(value) for uuid, value in self._values.items()}

    def _within(self, budget: Budget, uuid: str, value: Any) -> Any:
        """The value, with its frames on disk where they and what waits already are more than may wait in memory."""
        from mage_project.runner import spilling

        several = isinstance(value, list)
        parts = value if several else [value]
        sizes = [spilling.size(part) for part in parts]
        if sum(sizes) + sum(self._sizes.values()) <= budget.share_bytes:
            self._sizes[uuid] = sum(sizes)
            return value
        parts = [budget.kept(uuid, part) if size else part for part, size in zip(parts, sizes, strict=True)]
        return parts if several else parts[0]

    def loaded(self, value: Any) -> Any:
        """What a reader gets of a value that may be on disk."""
        if self._budget is None:
            return value
        from mage_project.runner.spilling import Spilled

        if isinstance(value, list):
            return [self.loaded(part) for part in value]
        return value.load() if isinstance(value, Spilled) else value
