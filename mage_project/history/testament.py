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
_HEAD = struct.Struct("<?I")


class Testament:
    """Made before the run's process is, which inherits it."""

    __test__ = False  # pytest must not collect it

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)

    def leave(self, left: Mapping[str, Any]) -> None:
        """What is known of the run by now: `root`, its `row` in the history, and the records of its `blocks`."""
        text = dumps(left, default=str).encode()
        if _HEAD.size + len(text) > _SIZE:
            text = dumps({**left, "blocks": [], "row": {**left["row"], "variables": "{}"}}, default=str).encode()
        self._memory[_HEAD.size : _HEAD.size + len(text)] = text
        self._memory[: _HEAD.size] = _HEAD.pack(self.is_over, len(text))

    def take_back(self) -> None:
        """The run has written by itself how it ended."""
        self._memory[: _HEAD.size] = _HEAD.pack(self.is_over, 0)

    def close(self) -> None:
        """The process ends as it should, and its exit code counts."""
        _, length = _HEAD.unpack(self._memory[: _HEAD.size])
        self._memory[: _HEAD.size] = _HEAD.pack(True, length)

    @property
    def is_over(self) -> bool:
        return bool(_HEAD.unpack(self._memory[: _HEAD.size])[0])

    @property
    def left(self) -> dict[str, Any] | None:
        """What was left, and not taken back."""
        _, length = _HEAD.unpack(self._memory[: _HEAD.size])
        return loads(self._memory[_HEAD.size : _HEAD.size + length]) if length else None


#: That of this process, where a command waits for it.
mine: Testament | None = None
