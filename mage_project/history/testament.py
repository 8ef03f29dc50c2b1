"""What a run leaves with the command that waits for it: should its process die, the command writes that down.

It lies in memory that both processes have: no pipe could be full, and no block can close it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from json import dumps, loads  # by name: a block may put something else into the module
from typing import Any

#: Bytes of the memory; the system gives only as much of it as is used.
_SIZE = 1 << 18
_HEAD = struct.Struct("<?BI")


class Testament:
    """Made before the run's process is, which inherits it."""

    __test__ = False  # pytest must not collect it

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)
        #: In the run's process: the command that waited for it is gone, and nobody has asked it to stop.
        self.is_alone = False

    def leave(self, left: Mapping[str, Any]) -> None:
        """What is known of the run by now: `root`, its `row` in the history, and the records of its `blocks`."""
        text = dumps(left, default=str).encode()
        if _HEAD.size + len(text) > _SIZE:
            text = dumps({**left, "blocks": [], "row": {**left["row"], "variables": "{}"}}, default=str).encode()
        self._memory[_HEAD.size : _HEAD.size + len(text)] = text
        self._set(length=len(text))

    def take_back(self) -> None:
        """The run has written by itself how it ended."""
        self._set(length=0)

    def close(self) -> None:
        """The process ends as it should, and its exit code counts."""
        self._set(is_over=True)

    def ask(self, signum: int) -> None:
        """The command was told to stop by this signal, and has passed it on."""
        self._set(asked=signum)

    @property
    def is_over(self) -> bool:
        return self._head[0]

    @property
    def asked(self) -> int:
        """The signal that came last; 0 for none."""
        return self._head[1]

    @property
    def left(self) -> dict[str, Any] | None:
        """What was left, and not taken back."""
        length = self._head[2]
        return loads(self._memory[_HEAD.size : _HEAD.size + length]) if length else None

    @property
    def _head(self) -> tuple[bool, int, int]:
        return _HEAD.unpack(self._memory[: _HEAD.size])

    def _set(self, *, is_over: bool | None = None, asked: int | None = None, length: int | None = None) -> None:
        given = (is_over, asked, length)
        head = [old if new is None else new for old, new in zip(self._head, given, strict=True)]
        self._memory[: _HEAD.size] = _HEAD.pack(*head)


#: That of this process, where a command waits for it.
mine: Testament | None = None
