"""Errors of a block's code: which line of the user's own files raised, and what."""

from __future__ import annotations

import traceback
from pathlib import Path

from mage_project.errors import BlockError, MageProjectError
from mage_project.project import Block

#: What a block's code may raise. `sys.exit()` in a block ends the block, not the runner.
RAISED = (Exception, SystemExit)


def block_error(block: Block, error: Exception | SystemExit, *, doing: str | None = None) -> MageProjectError:
    """What `error` says, and where: the innermost line in the block's own file, then where it was raised.

    An error of this package keeps its hint, its exit code and whether a retry can help.
    """
    known = error if isinstance(error, MageProjectError) else None
    if known and known.block:
        return known
    what = known.what if known else _sentence(error)
    places = [f"block '{block.uuid}'", *_places(block, error)]
    if known and known.where:
        places.append(known.where)
    blamed = BlockError(f"{doing}: {what}" if doing else what, where=", ".join(places))
    blamed.block = block.uuid
    if known:
        blamed.hint, blamed.exit_code, blamed.transient = known.hint, known.exit_code, known.transient
    return blamed


def misuse(block: Block, what: str, hint: str) -> BlockError:
    """The block's code ran, but did something that a block must not."""
    error = BlockError(what, where=f"block '{block.uuid}' ({block.path and block.path.name})", hint=hint)
    error.block = block.uuid
    return error


def _sentence(error: Exception | SystemExit) -> str:
    """The error's message; the class stands before it where the message alone says too little."""
    text = str(error)
    if isinstance(error, (ValueError, OSError, RuntimeError, AssertionError)) and len(text) > 40:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _places(block: Block, error: Exception | SystemExit) -> list[str]:
    """`file:line in function` of the block's frame, and of the project's file that raised, where another one did."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if frame.filename == str(block.path)]
    root = block.path.parent.parent if block.path else Path()
    package = str(Path(__file__).resolve().parent.parent)
    near = [
        frame
        for frame in frames
        if frame.filename.startswith(f"{root}/")
        and not frame.filename.startswith(package)
        and "site-packages" not in frame.filename
    ]
    chosen = [*mine[-1:], *[frame for frame in near[-1:] if not mine or frame is not mine[-1]]]
    places = [f"{_short(frame.filename, root)}:{frame.lineno} in {frame.name}" for frame in chosen]
    return places or ([_short(str(block.path), root)] if block.path else [])


def _short(filename: str, root: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(root)) if path.is_relative_to(root) else filename
