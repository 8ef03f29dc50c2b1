"""The border of a block's code: what may come out of it into the run, and who."""

from __future__ import annotations

import builtins
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from mage_project.runner.interrupts import Interrupted
from mage_project.runner.stopping import OverBudget, Stopped, TimedOut

#: What the names of blocks' modules begin with.
BLOCKS = "mage_blocks"
_ABSENT = object()


class Escaped(Exception):
    """What a block raised that is no `Exception`, and would have ended more than the block: `KeyboardInterrupt`…"""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)

    def __str__(self) -> str:
        text = str(self.args[0])
        return f"{type(self.args[0]).__name__}: {text}" if text else type(self.args[0]).__name__


@contextmanager
def in_block() -> Iterator[None]:
    """Inside is the code of a block. What it raises comes out as an `Exception`, or as `SystemExit`.

    A process that it has forked ends where it comes out, as a script would end: the rest of the run is its parent's.
    Nothing is closed or rolled back in it, for its connections and files are those of its parent. What the block has
    put in the place of Python's own functions stays its own.
    """
    here, names = os.getpid(), dict(vars(builtins))
    try:
        try:
            yield
        finally:
            _put_back(names)
    except BaseException as error:
        if os.getpid() != here:
            _end(error)
        if isinstance(error, (Exception, SystemExit, Interrupted, OverBudget, Stopped, TimedOut)):
            raise
        raise Escaped(error).with_traceback(error.__traceback__) from error
    if os.getpid() != here:
        _end(None)


def _put_back(names: Mapping[str, Any]) -> None:
    """Put back what a block has replaced with something of its own, or taken away. What libraries do is theirs."""
    now = vars(builtins)
    changed = [name for name, value in names.items() if now.get(name, _ABSENT) is not value and _is_of_block(now, name)]
    for name in changed:
        now[name] = names[name]
    if changed:
        warnings.warn(f"Python's own {', '.join(changed)} had been replaced: put back", stacklevel=2)


def _is_of_block(now: Mapping[str, Any], name: str) -> bool:
    return name not in now or str(getattr(now[name], "__module__", None)).startswith(BLOCKS)


def _end(error: BaseException | None) -> NoReturn:
    code = 0 if error is None else 1
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(error, file=sys.stderr)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)
