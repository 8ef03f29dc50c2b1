"""What blocks print, log and warn, turned into lines that know which block spoke."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

Said = Callable[[str | None, str], None]
#: Characters of a line: what is longer is passed on in parts.
LONGEST = 100_000
_speaker: ContextVar[str | None] = ContextVar("speaker", default=None)
_level: ContextVar[str] = ContextVar("level", default="info")


_listening: list[Callable[[], None]] = []


def level() -> str:
    """How serious the line is that is just being said: a logger's level in small letters; what is printed is `info`."""
    return _level.get()


@contextmanager
def at_level(level: str) -> Iterator[None]:
    """What is said inside is as serious as that."""
    token = _level.set(level)
    try:
        yield
    finally:
        _level.reset(token)


@contextmanager
def speaking(block: str) -> Iterator[None]:
    """What is printed inside, in this thread, comes from `block`."""
    token = _speaker.set(block)
    try:
        yield
    finally:
        _speaker.reset(token)


class _Lines(io.TextIOBase):
    """A text stream that passes on whole lines, each with the block that wrote it."""

    def __init__(self, said: Said) -> None:
        self._said = said
        self._parts: dict[tuple[int, str | None], str] = {}
        self._lock = threading.Lock()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        key = (threading.get_ident(), _speaker.get())
        for start in range(0, len(text), LONGEST):
            for line in self._lines(key, text[start : start + LONGEST]):
                self._said(key[1], line)
        return len(text)

    def _lines(self, key: tuple[int, str | None], text: str) -> list[str]:
        """The lines that the text ends; what has no end yet is kept, up to a length."""
        with self._lock:
            *lines, rest = (self._parts.pop(key, "") + text).split("\n")
            if len(rest) >= LONGEST:
                return [*lines, rest]
            if rest:
                self._parts[key] = rest
        return lines

    def close_lines(self) -> None:
        """Pass on what never got its line end."""
        for (_, block), rest in self._parts.items():
            self._said(block, rest)
        self._parts.clear()


class _Handler(logging.Handler):
    def __init__(self, said: Said) -> None:
        super().__init__(logging.INFO)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        with at_level(record.levelname.lower()):
            self._said(_speaker.get(), self.format(record))


def _warning(message: Warning | str, category: type[Warning], filename: str, line: int, *_rest: object) -> str:
    """What a warning says. What pandas says of a change that is lost is an essay without a place."""
    if category.__name__ != "ChainedAssignmentError":
        return str(message)
    place = f"line {line} of {filename.rpartition('/')[2]}"
    return f"this changes a copy, so the frame stays as it is ({place}): write df.loc[rows, columns] = value"


def attend() -> None:
    """Hear warnings again: threads that overlapped in `warnings.catch_warnings` leave what one of them had set."""
    for listen in _listening:
        listen()


@contextmanager
def heard(said: Said, warned: Callable[[str | None, str], None]) -> Iterator[logging.Logger]:
    """While inside, prints go to `said` and warnings to `warned`; yields the logger that blocks are given."""
    lines, handler = _Lines(said), _Handler(said)
    logger = logging.getLogger("mage_project.blocks")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    stdout: TextIO = sys.stdout
    sys.stdout = lines
    try:
        with warnings.catch_warnings():

            def listen() -> None:
                warnings.simplefilter("always", UserWarning)
                warnings.showwarning = lambda *given, **_kwargs: warned(_speaker.get(), _warning(*given))

            listen()
            _listening.append(listen)
            try:
                yield logger
            finally:
                _listening.remove(listen)
    finally:
        sys.stdout = stdout
        logger.removeHandler(handler)
        lines.close_lines()
