"""How much memory a run may hold: what waits between blocks goes to disk, and a block that needs more is ended.

The kernel refuses memory far beyond the budget to the process (a `MemoryError`), so that a block fails with its name
before the machine's own limit kills the run without a word; and a look at the process, many times a second, ends a run
that has crept over it.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mage_project.errors import BlockError
from mage_project.project import Block
from mage_project.runner import memory, spilling
from mage_project.runner.blame import misuse
from mage_project.runner.spilling import Spilled

#: The part of the budget that may wait in memory, between blocks, at any time.
SHARE = 0.25
#: What is mapped without being memory: stacks of threads and the like.
_SLACK_BYTES = 256_000_000
_PAUSE_S = 0.05


class Budget:
    """The memory of one run. `told` hears of what cannot be put on disk."""

    def __init__(self, limit_bytes: int, folder: Path, told: Callable[[str, str], None]) -> None:
        self.limit_bytes, self.folder, self._told = limit_bytes, folder, told
        self.share_bytes = int(limit_bytes * SHARE)
        #: Bytes on disk, by the block that made them.
        self.spilled_bytes: dict[str, int] = {}
        #: The most that the process held, when it held too much.
        self.held_bytes = 0

    def kept(self, block: str, value: Any) -> Any:
        """The value, or what is on disk in its place."""
        made: list[Spilled] = []

        def write() -> int:
            made.append(spilling.spill(value, self.folder))
            return made[0].size_bytes

        self.spilled(block, write)
        return made[0] if made else value

    def spilled(self, block: str, write: Callable[[], int]) -> int:
        """Write to disk what `block` made. What cannot be written stays in memory, and a warning says so."""
        try:
            written = write()
        except Exception as error:  # noqa: BLE001 - whatever a value does when it is written, it is there in memory
            self._told(block, f"the output of '{block}' stays in memory, for it cannot be put on disk: {error}")
            return 0
        self.spilled_bytes[block] = self.spilled_bytes.get(block, 0) + written
        memory.give_back()
        return written

    def exceeded(self, blocks: Sequence[Block]) -> BlockError:
        """The error of blocks that needed more."""
        names = " and ".join(f"'{block.uuid}'" for block in blocks)
        held = f", and {self.held_bytes / 1e6:,.0f} MB were held" if self.held_bytes else ""
        what = f"{'block' if len(blocks) == 1 else 'blocks'} {names} needed more memory than the run may have"
        hint = "give the run more: --memory; or have its blocks work batch by batch: stream: true"
        return misuse(blocks[0], f"{what}: it was to stay within {self.limit_bytes / 1e6:,.0f} MB{held}", hint)

    @contextmanager
    def watched(self, over: Callable[[], bool]) -> Iterator[None]:
        """Inside, the kernel refuses more; when too much is held, `over` is called from a thread, until it is true."""
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ended, over), name="memory", daemon=True)
        with _refused_beyond(self.limit_bytes + _SLACK_BYTES):
            watch.start()
            try:
                yield
            finally:
                ended.set()
                watch.join()

    def _watch(self, ended: threading.Event, over: Callable[[], bool]) -> None:
        while not ended.wait(_PAUSE_S):
            held = memory.figures().get("RssAnon", 0)
            if held > self.limit_bytes:
                self.held_bytes = max(held, self.held_bytes)
                if over():
                    return


@contextmanager
def _refused_beyond(limit_bytes: int) -> Iterator[None]:
    """Inside, the process gets no more private memory than this; where the kernel counts it, as Linux does."""
    mapped = memory.figures()
    if not mapped:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    idle = max(mapped["VmData"] - mapped["RssAnon"], 0)
    with suppress(ValueError, OSError):  # a hard limit that is lower is the one that counts
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes + idle, before[1]))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, before)
