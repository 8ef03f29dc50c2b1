"""What the frames of an error say: the line of the block that failed, and what its names stood for."""

from __future__ import annotations

import inspect
import linecache
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from mage_project.project import Block

#: Names under which functions that ask a server hold its address.
_ADDRESSES = ("fullurl", "url")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line of the block's file that was being executed, with the names of its function. No value is for printing."""

    line: str
    names: Mapping[str, Any]
    #: The values that the function took by position, with what they are called there.
    positional: Sequence[tuple[str, Any]]
    #: The name of its `**kwargs`, if it has one.
    keywords: str | None

    def mentions(self, name: str) -> bool:
        return re.search(rf"(?<![\w.]){re.escape(name)}\b", self.line) is not None


def place_in(block: Block, error: BaseException) -> Place | None:
    """The innermost line in the block's own file."""
    mine = [(frame, line) for frame, line in _frames(error) if frame.f_code.co_filename == str(block.path)]
    if not mine:
        return None
    frame, number = mine[-1]
    given = inspect.getargvalues(frame)
    values = [(name, given.locals.get(name)) for name in given.args]
    rest = given.locals.get(given.varargs, ()) if given.varargs else ()
    return Place(
        line=linecache.getline(frame.f_code.co_filename, number),
        names={**frame.f_globals, **frame.f_locals},
        positional=[*values, *((f"{given.varargs}[{number}]", value) for number, value in enumerate(rest))],
        keywords=given.keywords,
    )


def innermost(error: BaseException) -> FrameType | None:
    """The frame that raised."""
    frames = [frame for frame, _ in _frames(error)]
    return frames[-1] if frames else None


def address_of(error: BaseException) -> str | None:
    """The address that was asked, without its query, as the error or the innermost function that has one tells it."""
    held = [getattr(error, "url", None), getattr(getattr(error, "request", None), "url", None)]
    if not getattr(error, "filename", None):  # else it is about a file
        frames = [frame for frame, _ in _frames(error)]
        held += [frame.f_locals.get(name) for frame in reversed(frames) for name in _ADDRESSES]
    texts = (getattr(each, "full_url", each) for each in held)
    found = next((text for text in texts if isinstance(text, str) and re.match(r"https?://", text)), None)
    return found and re.split(r"[?#]", found)[0]


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    trace = error.__traceback__
    while trace:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
