"""The warnings of a run: each is told once, at once, and stands in the record in the order of the blocks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mage_project.runner.run import Run


class Notices:
    """Which of two blocks that run side by side warns first is chance; the record does not depend on it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._places = {block.uuid: place for place, block in enumerate(run.pipeline.blocks)}
        self._given: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, block: str | None, message: str) -> None:
        with self._lock:
            if message in self._given:
                return
            last = max(self._given.values(), default=0)
            self._given[message] = self._places.get(block or "", last)
            self._run.record.warnings = sorted(self._given, key=self._given.__getitem__)
        self._run.reporter.said(block, f"warning: {message}")
