"""The commits of a block that runs on whole values: all of them when its tests have passed, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mage_project.io import commits
from mage_project.project import Block
from mage_project.runner.blame import block_error

if TYPE_CHECKING:
    from mage_project.runner.run import Run


@contextmanager
def committed_together(run: Run, block: Block) -> Iterator[None]:
    """What the block's connectors write inside is committed at the end of it, else rolled back.

    A block that reads back what it wrote has that committed before it reads.
    """
    pending = commits.Commits(settles=True)
    try:
        with commits.collecting(pending):
            yield
        try:
            pending.commit_all(run.interrupts.shielded)
        except Exception as error:
            raise block_error(block, error) from error
        finally:
            if block.runs:  # a callback or a condition has no record
                run.record.block(block.uuid).written = pending.done
    except BaseException:
        pending.rollback_all()
        raise
