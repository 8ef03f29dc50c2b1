"""How pytest-xdist shares out the items."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling

from mage_project.pytest_plugin.session import Session


class ByPipeline(LoadScopeScheduling):  # type: ignore[misc]
    """The items of one pipeline go to one worker, any other test to any."""

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        self._pipelines = Session.of(config).pipelines

    def _split_scope(self, nodeid: str) -> str:
        first = nodeid.partition("/")[0]
        return first if first in self._pipelines else nodeid
