"""What a block will fail for when it runs, as far as reading its file tells: inputs, profiles and modules."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Set
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from mage_project.errors import MageProjectError, did_you_mean
from mage_project.project import Block, Pipeline, Problem, document
from mage_project.runner.advice import to_install
from mage_project.runner.clues import OURS
from mage_project.runner.namespace import RUN_DECORATORS
from mage_project.runner.variables import run_variables

Found = Iterator[tuple[int, str, str | None]]


def foreseen(pipeline: Pipeline) -> list[Problem]:
    """What the blocks will fail for: inputs that they cannot take, profiles and modules that are not there."""
    profiles = _profiles(pipeline.root)
    variables = _variables(pipeline)
    problems = []
    for block in pipeline.blocks:
        tree = _tree(block)
        if tree is None or block.path is None:
            continue
        found = [
            *_missing_modules(block, tree, pipeline.root),
            *(_missing_profiles(tree, profiles) if profiles else ()),
        ]
        found += _wrong_inputs(block, tree, variables)
        problems += [
            Problem(message=what, path=block.path, line=line, hint=hint, warning=True) for line, what, hint in found
        ]
    return problems


def _variables(pipeline: Pipeline) -> set[str]:
    """The names of what every run gives to its blocks."""
    moment = datetime.now(UTC).replace(tzinfo=None)
    try:
        return run_variables(pipeline, {}, moment).keys() | OURS
    except MageProjectError:  # a date that is none: others may be given to a run
        return pipeline.variables.keys() | OURS


def _tree(block: Block) -> ast.Module | None:
    """What a Python block that runs consists of; None where that is told already."""
    if not block.path or not block.runs or block.language != "python":
        return None
    try:
        return ast.parse(block.path.read_bytes())
    except (SyntaxError, ValueError):
        return None


def _profiles(root: Path) -> set[str]:
    """The profiles of io_config.yaml; none where it cannot be read, which is told by itself."""
    path = root / "io_config.yaml"
    try:
        return {str(name) for name in document.read(path)} - {"version"} if path.is_file() else set()
    except MageProjectError:
        return set()


def _wrong_inputs(block: Block, tree: ast.Module, variables: Set[str]) -> Found:
    """The line, the message and the hint where the function cannot take what the blocks before it give."""
    wanted = RUN_DECORATORS.get(block.type, block.type)
    function = next((each for each in tree.body if isinstance(each, ast.FunctionDef) and _has(each, wanted)), None)
    if function is None:
        return
    parameters = function.args
    names = [each.arg for each in (*parameters.posonlyargs, *parameters.args)]
    needed, given = len(names) - len(parameters.defaults), len(block.upstream)
    # What takes **kwargs is given variables by name, which for a loader may be any.
    by_name = parameters.kwarg and (block.type == "data_loader" or set(names[given:needed]) <= variables)
    if given < needed and not by_name:
        what = f"'{function.name}' of block '{block.uuid}' needs {needed} by position ({', '.join(names[:needed])})"
        yield function.lineno, f"{what}, and its upstream_blocks give {given}", "name upstream_blocks, or give defaults"
    elif given > len(names) and not parameters.vararg and (names or block.type != "sensor"):
        what = f"'{function.name}' of block '{block.uuid}' takes {len(names)} by position"
        yield function.lineno, f"{what}, and its upstream_blocks give {given}", "write *args after the others"


def _missing_profiles(tree: ast.Module, profiles: set[str]) -> Found:
    """The same for each profile that is written out and that io_config.yaml does not have."""
    for node in ast.walk(tree):
        value: ast.expr | None = None
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "ConfigFileLoader":
            named = [each.value for each in node.keywords if each.arg == "profile"]
            value = next(iter([*node.args[1:2], *named]), None)
        elif isinstance(node, ast.Assign) and [ast.unparse(each) for each in node.targets] == ["config_profile"]:
            value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value not in profiles:
            what = f"io_config.yaml has no profile '{value.value}'.{did_you_mean(value.value, profiles)}"
            yield value.lineno, what, f"profiles there: {', '.join(sorted(profiles)) or 'none'}"


def _missing_modules(block: Block, tree: ast.Module, root: Path) -> Found:
    """The same for each import at the top of the file of what is neither installed nor of the project."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        for top in sorted({name.split(".")[0] for name in names}):
            if not _is_there(top, root):
                yield node.lineno, f"the module '{top}' is not installed", to_install(block, top)


def _is_there(top: str, root: Path) -> bool:
    if top in ("mage_ai", root.name) or top in sys.stdlib_module_names or top in sys.modules:
        return True
    return any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for folder in (root, root.parent)) or (
        find_spec(top) is not None
    )


def _has(function: ast.FunctionDef, decorator: str) -> bool:
    called = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    return any(ast.unparse(each).rpartition(".")[2] == decorator for each in called)
