"""The outputs of blocks while others still need them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from threading import Lock
from typing import Any

from mage_project.project import Pipeline


class Outputs:
    """Holds each block's output until its last reader has taken it, and no longer."""

    def __init__(self, pipeline: Pipeline, running: Collection[str]) -> None:
        """`running`: the blocks that run, and so read."""
        self._readers = {
            block.uuid: sum(reader.uuid in running for reader in pipeline.downstream(block.uuid))
            for block in pipeline.blocks
        }
        self._values: dict[str, Any] = {}
        self._lock = Lock()

    def put(self, uuid: str, value: Any) -> None:
        if self._readers[uuid]:
            self._values[uuid] = value

    def take(self, uuid: str) -> Any:
        """The output of `uuid` for one more reader; None where the block had none."""
        with self._lock:
            self._readers[uuid] -= 1
            return self._values.get(uuid) if self._readers[uuid] else self._values.pop(uuid, None)

    def held(self) -> Mapping[str, Any]:
        return self._values
