"""The blocks of a stream, and the threads that read what they make."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mage_project.errors import BlockError
from mage_project.io import commits
from mage_project.project import Block
from mage_project.runner import namespace
from mage_project.runner.blame import misuse
from mage_project.runner.channel import Channel
from mage_project.runner.gathering import Gathering
from mage_project.runner.records import BlockRecord, TestRecord


class Reader:
    """Something that reads a stream to its end in a thread of its own."""

    def __init__(self, node: Node, read: Callable[[Iterator[Any]], Any], *, name: str, counts: bool) -> None:
        self.node = node
        self.channel = Channel()
        self.error: BaseException | None = None
        self.result: Any = None
        self.pending = commits.Commits()
        self._read = read
        self._counts = counts
        self._waited = 0.0
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, batch: Any, size_bytes: int | None) -> None:
        """Hand over one frame of the stream. Raises `ReaderGone` when the reader reads no more."""
        self.channel.put((batch, len(batch), size_bytes))

    def finish(self) -> None:
        """Tell the reader that the stream has ended, and wait for it. Raises what it raised."""
        self.channel.end()
        self.join()
        self.check()

    def join(self) -> None:
        while self._thread.is_alive():  # in slices, so that a signal is seen by the main thread
            self._thread.join(0.2)

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        started, used = time.perf_counter(), time.thread_time()
        try:
            with commits.collecting(self.pending):
                self.result = self._read(self._batches())
            if not self.channel.exhausted:
                self.error = self._early()
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the thread that waits for this one
            self.error = error
        finally:
            self.channel.leave()
            if self._counts:
                self.node.record.seconds = time.perf_counter() - started - self._waited
                self.node.record.cpu_seconds = time.thread_time() - used

    def _batches(self) -> Iterator[Any]:
        while True:
            asked = time.perf_counter()
            batch, *counts = next(self.channel, (None,))
            self._waited += time.perf_counter() - asked
            if batch is None:
                return
            if self._counts:
                self.node.record.count_in(*counts)
            yield batch
            del batch  # while the next one is waited for

    def _early(self) -> BlockError:
        return misuse(
            self.node.block,
            f"block '{self.node.block.uuid}' returned before the end of its stream: rows would be lost",
            "read the whole iterator, or take `stream: true` off the block to get one frame",
        )


@dataclass(kw_only=True)
class Node:
    """A block of the stream: its code, its record, and what its output feeds."""

    block: Block
    code: namespace.Code
    record: BlockRecord
    inputs: Sequence[Any] = ()
    place: int = 0
    tests: list[tuple[Callable[..., Any], TestRecord]] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    whole: Gathering | None = None

    @property
    def is_exporter(self) -> bool:
        return self.block.type == "data_exporter"
