"""Errors of a block's code: which line of the user's own files raised, and what."""

from __future__ import annotations

import ast
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mage_project.errors import BlockError, MageProjectError
from mage_project.project import Block
from mage_project.project.model import FOLDERS
from mage_project.runner import spares
from mage_project.runner.borders import Escaped

#: What a block's code may raise. `sys.exit()` in a block ends the block, not the runner.
RAISED = (Exception, SystemExit)
#: Characters of a message that are told: some hold the whole text that could not be read.
LONGEST = 20_000
#: What Google's clients put before a message: the request.
_ASKED = r"(?:GET|POST|PUT|PATCH|DELETE) https?://\S+?: "

#: An object or a bucket in the address of Google Cloud Storage's JSON API.
_OBJECT = r"/b/(?P<bucket>[^/?\s:]+)(?:/o(?:/(?P<key>[^?\s:]+))?)?(?:\?|: |$)"


def block_error(
    block: Block, error: BaseException, *, doing: str | None = None, calling: Callable[..., Any] | None = None
) -> MageProjectError:
    """What `error` says, and where: the innermost line in the block's own file, then where it was raised.

    `calling`: the function whose call raised; it is the place where the call itself failed. An error of this package
    keeps its hint, its exit code and whether a retry can help.
    """
    spares.give_back()
    known = error if isinstance(error, MageProjectError) else None
    if known and known.block:
        return known
    what = known.what if known else _sentence(error)
    lines = _lines(block, error)
    places = lines or _fallback(block, calling)
    if known and known.where:
        places = [place for place in places if place not in known.where] + [known.where]
    hint = known.hint if known else _advice(block, error, is_call=calling is not None and not lines)
    where = ", ".join([f"block '{block.uuid}'", *places])
    blamed = BlockError(f"{doing}: {what}" if doing else what, where=where, hint=hint).within(root_of(block))
    blamed.block = block.uuid
    blamed.not_published = getattr(error, "not_published", False) is True
    if known:
        blamed.exit_code, blamed.transient = known.exit_code, known.transient
    for note in getattr(error, "__notes__", ()):
        blamed.add_note(note)
    return blamed


def _advice(block: Block, error: BaseException, *, is_call: bool) -> str | None:
    """What to do about it. It looks at values of the block, whose own code may fail."""
    try:
        from mage_project.runner.advice import advice  # not needed before something fails

        return advice(block, error, is_call=is_call)
    except Exception:  # noqa: BLE001 - the error that led here is the one to tell
        return None


def misuse(block: Block, what: str, hint: str) -> BlockError:
    """The block's code ran, but did something that a block must not."""
    error = BlockError(what, where=", ".join([f"block '{block.uuid}'", *_fallback(block, None)]), hint=hint)
    error.block = block.uuid
    return error


def place_of(function: Callable[..., Any], root: Path) -> str | None:
    """`file:line in function` of where a function begins, its path from the root; None for one without a file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{_short(code.co_filename, root)}:{code.co_firstlineno} in {function.__name__}" if code else None


def root_of(block: Block) -> Path:
    """The project's folder, seen from the block's file: the one that has the folder of the block's type."""
    above = block.path.parents if block.path else ()
    named = (folder.parent for folder in above if folder.name == FOLDERS.get(block.type))
    return next(named, block.path.parent.parent if block.path else Path())


def _sentence(error: BaseException) -> str:
    """The error's message, with the address that was asked for; the class stands before it where it says more."""
    from urllib.parse import urlsplit

    from mage_project.runner.traces import address_of

    text = _of_google(error) if type(error).__module__.startswith("google.") else text_of(error)
    address = address_of(error) if isinstance(error, OSError) else None
    if address and urlsplit(address).netloc not in text:
        text = f"{text} ({address})"
    if isinstance(error, Escaped):
        return text
    is_spoken = isinstance(error, (ValueError, OSError, RuntimeError, AssertionError)) and len(text) > 40
    if is_spoken and not _is_of_library(type(error)):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_of_library(kind: type) -> bool:
    """Whether a module of Python's, or one that is installed, defines the class: its name says whose error it is."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return "-packages" in file or file.startswith(str(Path(traceback.__file__).parent))


def text_of(error: BaseException) -> str:
    """What the error says, in `LONGEST` characters at most; its class may say anything, or fail."""
    try:
        text = str(error)
    except Exception as problem:  # noqa: BLE001 - the class's own code
        return f"what it says cannot be read ({type(problem).__name__})"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _of_google(error: BaseException) -> str:
    """What a client of Google's says, without the address that it asked, and without the job's number and place."""
    import re
    from urllib.parse import unquote

    missing = re.search(_OBJECT, str(error))
    if missing and getattr(error, "code", None) == 404:
        bucket, key = unquote(missing["bucket"]), unquote(missing["key"] or "")
        return f"there is no object gs://{bucket}/{key}, or no such bucket" if key else f"there is no bucket '{bucket}'"
    lines = [line.strip() for line in re.sub(_ASKED, "", str(error)).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(("Location:", "Job ID:")))


def _lines(block: Block, error: BaseException) -> list[str]:
    """`file:line in function` of the block's frame, and of the project's file that raised, where another one did."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if frame.filename == str(block.path)]
    root = root_of(block)
    package = str(Path(__file__).resolve().parent.parent)
    near = [
        frame
        for frame in frames
        if frame.filename.startswith(f"{root}/")
        and not frame.filename.startswith(package)
        and "site-packages" not in frame.filename
    ]
    chosen = [*mine[-1:], *[frame for frame in near[-1:] if not mine or frame is not mine[-1]]]
    return [f"{_short(frame.filename, root)}:{frame.lineno} in {frame.name}" for frame in chosen]


def _fallback(block: Block, function: Callable[..., Any] | None) -> list[str]:
    """The place of what raised nowhere in the block's file: the function, else the file."""
    root = root_of(block)
    place = place_of(function, root) if function else _place_in_file(block, root)
    return [place or _short(str(block.path), root)] if block.path else []


def _place_in_file(block: Block, root: Path) -> str | None:
    """The place of the block's own function, read from the file."""
    if block.path is None or block.path.suffix != ".py":
        return None
    try:
        tree = ast.parse(block.path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return None
    decorated = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    own = [node for node in decorated if block.type in ast.unparse(node.decorator_list[0])]
    return next((f"{_short(str(block.path), root)}:{_first_line(node)} in {node.name}" for node in own), None)


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _short(filename: str, root: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(root)) if path.is_relative_to(root) else filename
