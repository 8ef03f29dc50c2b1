"""A bounded queue from the one who produces a stream to one of its readers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

#: Batches that wait for one reader at most: enough to overlap, few enough to bound memory.
WAITING_BATCHES = 1


class StreamBroken(Exception):
    """Raised inside a reader's iterator when the stream failed elsewhere, so that the reader commits nothing."""


class ReaderGone(Exception):
    """Raised in the producer when the reader has stopped reading."""


class Channel:
    """Batches in order from one thread to another; the slower of the two sets the pace."""

    def __init__(self, limit: int = WAITING_BATCHES) -> None:
        self._limit = limit
        self._waiting: deque[Any] = deque()
        self._change = threading.Condition()
        self._ended = False
        self._broken = False
        self._gone = False
        self._asked = False
        #: Whether the reader has seen the end, and so knows of every batch.
        self.exhausted = False

    def put(self, batch: Any) -> None:
        """Hand over one batch, waiting while the reader is behind. `ReaderGone` when it no longer reads."""
        with self._change:
            self._change.wait_for(lambda: len(self._waiting) < self._limit or self._gone)
            if self._gone:
                raise ReaderGone
            self._waiting.append(batch)
            self._change.notify_all()

    def await_room(self) -> None:
        """Wait until a batch can be handed over. `ReaderGone` when the reader no longer reads."""
        with self._change:
            self._change.wait_for(lambda: len(self._waiting) < self._limit or self._gone)
            if self._gone:
                raise ReaderGone

    def drain(self) -> None:
        """Wait until the reader has taken every batch and asks for another one, or reads no more."""
        with self._change:
            self._change.wait_for(lambda: (self._asked and not self._waiting) or self._gone)

    def end(self) -> None:
        """No more batches: the reader's iterator ends when it has read those that wait."""
        with self._change:
            self._ended = True
            self._change.notify_all()

    def fail(self) -> None:
        """The stream broke: the reader's iterator raises `StreamBroken` at once."""
        with self._change:
            self._broken = True
            self._waiting.clear()
            self._change.notify_all()

    def leave(self) -> None:
        """The reader will read no more."""
        with self._change:
            self._gone = True
            self._waiting.clear()
            self._change.notify_all()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._change:
            self._asked = not self._waiting
            self._change.notify_all()
            self._change.wait_for(lambda: bool(self._waiting) or self._ended or self._broken)
            self._asked = False
            if self._broken:
                raise StreamBroken("the stream broke before its end, so nothing may be committed")
            if not self._waiting:
                self.exhausted = True
                raise StopIteration
            batch = self._waiting.popleft()
            self._change.notify_all()
            return batch
