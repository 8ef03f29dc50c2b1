"""Notes when the blocks of a run began and ended, for its observers."""

from __future__ import annotations

import time
from collections.abc import Mapping

from mage_project.runner.records import BlockRecord, RunRecord
from mage_project.runner.reporting import Reporter


class Clocked:
    """A reporter that tells another one, and notes when each block began and ended."""

    def __init__(self, inner: Reporter) -> None:
        self._inner = inner
        self._spans: dict[str, tuple[float, float]] = {}

    def spans(self) -> Mapping[str, tuple[float, float]]:
        """By the block's uuid. A block that did not end by itself has ended now."""
        now = time.time()
        return {uuid: (began, ended or now) for uuid, (began, ended) in self._spans.items()}

    def run_started(self, run: RunRecord) -> None:
        self._inner.run_started(run)

    def block_started(self, block: BlockRecord) -> None:
        began, _ = self._spans.get(block.uuid, (time.time(), 0.0))  # another attempt is part of the same
        self._spans[block.uuid] = (began, 0.0)
        self._inner.block_started(block)

    def progress(self, block: BlockRecord) -> None:
        self._inner.progress(block)

    def download(self, block: BlockRecord, done: int, total: int | None, what: str) -> None:
        self._inner.download(block, done, total, what)

    def said(self, block: str | None, line: str) -> None:
        self._inner.said(block, line)

    def block_ended(self, block: BlockRecord) -> None:
        now = time.time()
        began, _ = self._spans.get(block.uuid, (now - block.seconds, 0.0))
        self._spans[block.uuid] = (began, now)
        self._inner.block_ended(block)

    def run_ended(self, run: RunRecord) -> None:
        self._inner.run_ended(run)
