"""How far a run may go: how long it and its blocks take, and whether it goes on when a block has failed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from mage_project.errors import BlockError
from mage_project.project import Block
from mage_project.runner.blame import misuse
from mage_project.runner.plan import Unit


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`timeout_s` is that of the whole run. `blocks_may_fail`: blocks that do not need one that failed still run.

    `blocks_at_once`: how many run side by side at the most; None: as the pipeline says. `memory_bytes`: how much the
    run's process may hold. `sample_rows`: with how many rows of each loader the pipeline is only tried.
    """

    timeout_s: float | None = None
    blocks_may_fail: bool = False
    blocks_at_once: int | None = None
    memory_bytes: int | None = None
    sample_rows: int | None = None
    started: float = field(default_factory=time.monotonic)

    def of(self, unit: Unit, place: str | None = None) -> Limit | None:
        """The limit that comes first for blocks that run together and begin now.

        `place`: where the run's timeout was given, if not on the command line.
        """
        found = [
            Limit(seconds=block.timeout_s, block=block, given=block.timeout_s)
            for block in unit.blocks
            if block.timeout_s
        ]
        if self.timeout_s is not None:
            left = max(self.started + self.timeout_s - time.monotonic(), 0.001)
            found.append(Limit(seconds=left, block=unit.blocks[0], given=self.timeout_s, is_of_run=True, place=place))
        return min(found, key=lambda limit: limit.seconds, default=None)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`seconds` are left of those that were given. `place`: where, if not on the command line."""

    seconds: float
    block: Block
    given: float
    is_of_run: bool = False
    place: str | None = None

    def error(self) -> BlockError:
        if self.is_of_run:
            what = (
                f"the run took longer than its timeout of {self.given:g} s: it was ended in block '{self.block.uuid}'"
            )
            return misuse(self.block, what, f"give the run more time: {self.place or '--timeout SECONDS'}")
        what = f"block '{self.block.uuid}' took longer than its timeout of {self.given:g} s"
        return misuse(self.block, what, "give it a longer `timeout` in the pipeline's metadata.yaml, or less to do")
