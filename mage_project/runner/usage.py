"""What blocks use of the machine: processor seconds, and the memory of the process while they ran."""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mage_project.runner import memory


@dataclass(kw_only=True)
class Use:
    """`peak_rss_bytes` is the most that the whole process held in this time, with what ran `beside` it.

    `cpu_seconds` are those of the process and of what it started, where nothing ran beside; else those of the thread,
    without what libraries do in threads of their own.
    """

    names: tuple[str, ...] = ()
    peak_rss_bytes: int = 0
    cpu_seconds: float = 0.0
    beside: set[str] = field(default_factory=set)


class Meter:
    """Measures what goes on in one process, side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Use] = []
        self._started = _process_seconds()
        #: The most memory that the process held since the meter began.
        self.peak_rss_bytes = 0
        _reset_peak()

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds of the process, and of what it started and has ended, since the meter began."""
        return _process_seconds() - self._started

    def count(self, peak_rss_bytes: int) -> None:
        """Count in another process, which had its memory by itself."""
        with self._lock:
            self.peak_rss_bytes = max(self.peak_rss_bytes, peak_rss_bytes)

    @contextmanager
    def measuring(self, names: Sequence[str], use: Use) -> Iterator[None]:
        """Put into `use` what blocks use inside, in this thread. The figures are there when it has ended."""
        use.names = tuple(names)
        with self._lock:
            self._look()
            _reset_peak()
            for other in self._open:
                other.beside.update(names)
                use.beside.update(other.names)
            self._open.append(use)
        of_thread, of_process = time.thread_time(), _process_seconds()
        try:
            yield
        finally:
            with self._lock:
                self._look()
                self._open.remove(use)
            alone = not use.beside
            use.cpu_seconds = _process_seconds() - of_process if alone else time.thread_time() - of_thread

    def _look(self) -> None:
        peak = _peak_rss_bytes()
        self.peak_rss_bytes = max(self.peak_rss_bytes, peak)
        for use in self._open:
            use.peak_rss_bytes = max(use.peak_rss_bytes, peak)


def _process_seconds() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _peak_rss_bytes() -> int:
    """The most memory this process held since the last `_reset_peak` (Linux) or since its start, in bytes."""
    if peak := memory.figures().get("VmHWM"):
        return peak
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _reset_peak() -> None:
    """Start counting anew where the kernel lets us (proc(5), clear_refs 5), so that each block has its own peak."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
