"""The source of a stream in a thread of its own: the next batch is made while the last one is worked on."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from mage_project.runner.channel import Channel, ReaderGone

#: How long a source that is not needed any more may take to end the batch it is at.
_END_SECONDS = 2.0


class Ahead:
    """The items of a generator, made one ahead of who asks for them. Raises what the generator raises."""

    def __init__(self, items: Callable[[], Generator[Any, None, None]], *, name: str) -> None:
        """`items` makes the generator, in the thread that runs it: some work only where they began."""
        self._items = items
        self._channel = Channel(limit=1)
        self._error: BaseException | None = None
        #: Seconds that the generator worked, without its waiting.
        self.seconds = 0.0
        #: Processor seconds of its thread.
        self.cpu_seconds = 0.0
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Any]:
        yield from self._channel
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the generator. One that hangs is left to the end of the process."""
        self._channel.leave()
        self._thread.join(_END_SECONDS)

    def _work(self) -> None:
        items = self._items()
        try:
            while (item := self._next(items)) is not None:
                self._channel.put(item)
                del item
                self._channel.await_room()
        except ReaderGone:
            pass  # whoever asked has an error of its own to tell
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the thread that asks
            self._error = error
        finally:
            items.close()
            self._channel.end()

    def _next(self, items: Iterator[Any]) -> Any:
        started = time.perf_counter()
        try:
            return next(items, None)
        finally:
            self.seconds, self.cpu_seconds = self.seconds + time.perf_counter() - started, time.thread_time()
