"""The commits of all exporters of a stream: all of them or, as far as stores allow it, none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mage_project.io import commits
from mage_project.runner.blame import block_error
from mage_project.runner.readers import Reader

if TYPE_CHECKING:
    from mage_project.runner.run import Run


class JointCommits:
    """What the readers of a stream have handed over."""

    def __init__(self, run: Run, exporters: Sequence[Reader]) -> None:
        self._run = run
        self._exporters = exporters

    def prepare(self) -> None:
        """Do what can still fail, for every store."""
        self._step(commits.Commits.prepare_all)

    def commit(self) -> None:
        """Everything that can fail first, for every store; then the commits themselves."""
        self.prepare()
        try:
            self._step(commits.Commits.commit_all)
        finally:
            for reader in self._exporters:
                reader.node.record.written += reader.pending.done

    def _step(self, step: Callable[[commits.Commits], None]) -> None:
        """Take a step with the commits of every exporter. After a failure those not committed are rolled back."""
        waiting = [reader for reader in self._exporters if reader.pending]
        for place, reader in enumerate(waiting):
            try:
                step(reader.pending)
            except Exception as error:
                undone = self.roll_back(waiting[place + 1 :] if step is commits.Commits.commit_all else waiting)
                reader.node.record.status = "failed"
                blamed = block_error(reader.node.block, error)
                note_undone(blamed, undone)
                if step is commits.Commits.commit_all and place > 0:
                    blamed.transient = False  # doing all of it again would do twice what is done
                    blamed.add_note(f"{commits.PARTLY_DONE}: {waiting[0].node.block.uuid}")
                raise blamed from error

    def roll_back(self, readers: Sequence[Reader]) -> list[str]:
        """Roll back what the readers handed over: the names of their blocks.

        A store forgets the transaction anyway where that fails.
        """
        undone = []
        for reader in readers:
            if reader.pending:
                undone.append(reader.node.block.uuid)
            try:
                reader.pending.rollback_all()
            except Exception as error:  # noqa: BLE001 - the error that led here is the one to tell
                self._run.warn(reader.node.block, f"could not be rolled back in order: {error}")
        return undone


def note_undone(error: BaseException, blocks: Sequence[str]) -> None:
    """Say of the blocks, which may have said that they loaded something, that it is not there."""
    if blocks:
        error.add_note(f"rolled back, as it was before: {', '.join(blocks)}")
