"""What is called around a block: conditions before it, which say whether it runs, and callbacks when it has ended.

Neither can fail a run. A condition that raises counts as false, and a callback that raises is told as a warning.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mage_project.project import Block
from mage_project.runner import namespace, run_view, values
from mage_project.runner.blame import RAISED, block_error
from mage_project.runner.block_commits import committed_together
from mage_project.runner.borders import in_block

if TYPE_CHECKING:
    from mage_project.runner.run import Run


def want_output(block: Block) -> bool:
    """Whether a callback looks at what the block made. Gathering a stream for nobody would cost its memory."""
    return any(_looks(addon.path.read_bytes()) for addon in block.callbacks if addon.path)


def _looks(source: bytes) -> bool:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False  # told when it is called
    functions = [node.args for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.decorator_list]
    return b"__input" in source or any(each.posonlyargs or each.args or each.vararg for each in functions)


class Addons:
    """The conditions and callbacks of a run's blocks."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def allow(self, block: Block, inputs: Sequence[Any]) -> bool:
        """Ask every condition of the block, each on the block's own inputs; all have to be true."""
        held = [self._holds(block, condition, inputs) for condition in block.conditions]
        return all(held)

    def _holds(self, block: Block, condition: Block, inputs: Sequence[Any]) -> bool:
        try:
            with self._run.speaking(condition), committed_together(self._run, condition):
                code = namespace.load(condition)
                asked = code.functions.get("condition", [])
                mine = [values.for_reader(value) for value in inputs]
                keywords = self._keywords(block, condition)
                with in_block():
                    answers = [function(*mine, **keywords) for function in asked]
        except RAISED as error:
            self._run.warn(block, f"condition '{condition.uuid}' counts as false: {_told(condition, error)}")
            return False
        if not all(answers):
            self._run.reporter.said(block.uuid, f"condition '{condition.uuid}' is false: the block does not run")
        return all(answers)

    def succeeded(self, block: Block, output: Any) -> None:
        self._call(block, "success", output, {})

    def failed(self, block: Block, output: Any, error: BaseException) -> None:
        """`output` is what the block returned before a test of it failed, else an empty list."""
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        self._call(block, "failure", output, {"__error": cause})

    def _call(self, block: Block, status: str, output: Any, more: Mapping[str, Any]) -> None:
        for callback in block.callbacks:
            try:
                with self._run.speaking(callback), committed_together(self._run, callback):
                    code = namespace.load(callback)
                    keywords = {**more, **self._keywords(block, callback)}
                    with in_block():
                        for function in code.functions.get(f"on_{status}", []):
                            function(**keywords)
                        for each in code.callbacks:
                            if each.status == status:
                                _call(each, block, values.for_reader(output), keywords)
            except RAISED as error:
                self._run.warn(block, f"callback '{callback.uuid}' failed: {_told(callback, error)}")

    def _keywords(self, block: Block, addon: Block) -> dict[str, Any]:
        """The block's own keyword arguments, as Mage gives them: `block_uuid` is that of the callback or condition."""
        given = self._run.keywords(block)
        of_run = {"pipeline_run": run_view.seen(self._run)}
        return {**given, "block_uuid": addon.uuid, "parent_block_uuid": block.original, **of_run}


def _call(callback: namespace.Callback, block: Block, output: Any, keywords: Mapping[str, Any]) -> None:
    """As Mage: by position to those that take a position, else under `__input`; nothing to a bare `@callback`."""
    if callback.bare:
        callback.function()
    elif _takes_positions(callback.function):
        callback.function(output, **keywords)
    else:
        callback.function(**keywords, __input={block.original: output, "df_1": output})


def _takes_positions(function: namespace.Function) -> bool:
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    return any(parameter.kind not in by_name for parameter in inspect.signature(function).parameters.values())


def _told(addon: Block, error: Exception | SystemExit) -> str:
    """The error, with its place on the first line."""
    blamed = block_error(addon, error)
    first, *more = blamed.what.split("\n")
    return "\n".join([f"{first} ({blamed.where})", *more])
