"""A block's file, executed in a namespace of its own with the decorators of Mage already in it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from mage_project.errors import ConfigError
from mage_project.mage_ai.collecting import collecting
from mage_project.project import Block, files
from mage_project.runner.blame import RAISED, block_error, root_of
from mage_project.runner.borders import BLOCKS, in_block
from mage_project.standins.old_pandas import statements

Function = Callable[..., Any]
#: Decorators whose functions a run calls, by the type of block they belong to.
RUN_DECORATORS = {
    "data_loader": "data_loader",
    "transformer": "transformer",
    "data_exporter": "data_exporter",
    "custom": "custom",
    "sensor": "sensor",
    "conditional": "condition",
    "callback": "callback",
}
#: Decorators that a file of any type may use without importing them.
COMMON_DECORATORS = ("test", "preprocesser", "on_success", "on_failure")
DECORATORS = (*RUN_DECORATORS.values(), *COMMON_DECORATORS)

#: How the block ended that a callback belongs to. Nothing here ends a block as cancelled.
CALLBACK_STATUSES = ("success", "failure", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A function under `@callback(status)`; `bare` is one under `@callback` alone."""

    function: Function
    status: str
    bare: bool = False


@dataclass(kw_only=True)
class Code:
    """The decorated functions of a block's file, in the order of the file."""

    functions: dict[str, list[Function]] = field(default_factory=dict)
    callbacks: list[Callback] = field(default_factory=list)

    def collector(self, name: str) -> Function:
        """A decorator, used with or without arguments, that collects functions under `name`."""
        if name == "callback":
            return self._callback
        found = self.functions.setdefault(name, [])

        def decorator(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 1 and callable(args[0]) and not kwargs:
                found.append(args[0])
                return args[0]
            return decorator

        return decorator

    def _callback(self, status: Any = "success") -> Any:
        if callable(status):
            self.callbacks.append(Callback(function=status, status="success", bare=True))
            return status
        if status not in CALLBACK_STATUSES:
            raise ValueError(f"@callback takes one of {', '.join(map(repr, CALLBACK_STATUSES))}, not {status!r}")

        def decorator(function: Function) -> Function:
            self.callbacks.append(Callback(function=function, status=status))
            return function

        return decorator

    @property
    def tests(self) -> list[Function]:
        return self.functions.get("test", [])

    @property
    def preprocessers(self) -> list[Function]:
        return self.functions.get("preprocesser", [])


def load(block: Block) -> Code:
    """Execute the block's file. `BlockError` for what it raises, `ConfigError` when it is not Python."""
    assert block.path is not None  # noqa: S101 - the project was checked
    refuse_other_languages(block)
    code = Code()
    if block.language == "sql":
        return code
    module = ModuleType(f"{BLOCKS}.{block.type}.{block.uuid}")
    module.__file__ = str(block.path)
    # Registered, because dataclasses and pickle look a class's module up there.
    sys.modules[module.__name__] = module
    collectors = {name: code.collector(name) for name in DECORATORS}
    module.__dict__.update(collectors)
    module.__dict__[statements.NAME] = statements
    source = compiled(block, block.path)
    try:
        with in_block(), collecting(collectors):  # blocks without Mage's guard import the decorators themselves
            exec(source, module.__dict__)  # noqa: S102 - running blocks is what this is for
    except RAISED as error:
        raise block_error(block, error, doing="the file could not be executed") from error
    return code


def compiled(block: Block, path: Path) -> CodeType:
    """What is executed of the block's file at `path`. `ConfigError` with the line when it is not Python."""
    try:
        return _code(path.read_bytes(), str(path))
    except SyntaxError as error:
        if line := files.line_that_is_no_text(path):
            what = f"the file of block '{block.uuid}' is not UTF-8 text"
            raise wrong_file(block, what, line=line, hint="save the file as UTF-8") from error
        what = f"block '{block.uuid}' is not valid Python: {error.msg}"
        raise wrong_file(block, what, line=error.lineno) from error
    except ValueError as error:  # a NUL byte
        raise wrong_file(block, f"block '{block.uuid}' is not valid Python: {error}") from error


@functools.lru_cache(maxsize=256)  # looked at before the run, and executed for each attempt and item
def _code(source: bytes, path: str) -> CodeType:
    return compile(statements.rewritten(source, path), path, "exec", dont_inherit=True)


def wrong_file(block: Block, what: str, *, line: int | None = None, hint: str | None = None) -> ConfigError:
    """The error for a block whose file cannot be run."""
    where = f"{block.path}:{line}" if line else str(block.path)
    error = ConfigError(what, where=where, hint=hint).within(root_of(block))
    error.block = block.uuid
    return error


def refuse_other_languages(block: Block) -> None:
    """Raise ConfigError for a block that is to run and is neither Python nor SQL."""
    if block.runs and block.language not in ("python", "sql"):
        what = f"block '{block.uuid}' is written in {block.language}: only Python and SQL blocks can be run"
        raise wrong_file(block, what, hint="take it out of the pipeline, or run the pipeline in Mage")


def main_function(block: Block, code: Code) -> Function:
    """The function that a run calls: the one under the decorator of the block's type."""
    found = code.functions.get(RUN_DECORATORS.get(block.type, block.type), [])
    if not found:
        raise without_function(block, [name for name in code.functions if code.functions[name]])
    return found[0]


def without_function(block: Block, decorators: Iterable[str]) -> ConfigError:
    """The error for a block without the function of its type; `decorators`: those that its file has."""
    wanted = RUN_DECORATORS.get(block.type, block.type)
    others = [name for name in RUN_DECORATORS.values() if name in decorators]
    hint = f"it has @{others[0]}: is the block's type right?" if others else f"decorate one with @{wanted}"
    return wrong_file(block, f"block '{block.uuid}' has no @{wanted} function", hint=hint)
