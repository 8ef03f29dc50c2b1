"""What is looked at in every block of a run before the first one starts: nothing is written beside a broken block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mage_project.errors import MageProjectError
from mage_project.project import Block
from mage_project.project.modules import modules
from mage_project.runner import namespace
from mage_project.runner.blame import root_of

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: What can define or decorate functions in ways that no reader of the file sees.
_MAGIC = frozenset(("eval", "exec", "globals", "vars", "locals"))


def check_all(run: Run) -> None:
    """Look at every block that is to run. Raises the error of the first that cannot be."""
    for block in run.pipeline.blocks:
        if block.uuid not in run.part.running:
            continue
        for name in block.missing:
            run.warn(block, f"the pipeline has no block '{name}', which upstream_blocks names: remove it")
        try:
            check(block)
            _check_sql(run, block)
        except MageProjectError as error:
            record = run.record.block(block.uuid)
            record.status, record.error = "failed", str(error.within(run.pipeline.root))
            raise


def _check_sql(run: Run, block: Block) -> None:
    """A template that fails is an error before the first block has run."""
    if block.language == "sql" and block.runs:
        from mage_project.runner.sql import checking

        checking.check(run.whole, block, run.variables)


def check(block: Block) -> None:
    """Raise ConfigError for a block that can never be run: another language, no Python, or no function of its type."""
    namespace.refuse_other_languages(block)
    if not block.runs or block.language != "python" or block.path is None:
        return
    namespace.compiled(block, block.path)
    tree = ast.parse(block.path.read_bytes())
    decorators = _decorators(tree)
    wanted = namespace.RUN_DECORATORS.get(block.type, block.type)
    if wanted in decorators or not decorators <= set(namespace.DECORATORS):
        return
    if not _decorates_unseen(tree, wanted) and not modules(root_of(block), block.path):
        raise namespace.without_function(block, decorators)


def _decorators(tree: ast.Module) -> set[str]:
    """The names of all decorators; of one that is no name, its text."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [each for node in ast.walk(tree) if isinstance(node, functions) for each in node.decorator_list]
    called = [each.func if isinstance(each, ast.Call) else each for each in found]
    return {each.attr if isinstance(each, ast.Attribute) else ast.unparse(each) for each in called}


def _decorates_unseen(tree: ast.Module, wanted: str) -> bool:
    """Whether the file may use the decorator without an `@`, or says by itself what is wrong with it."""
    if any(isinstance(node, ast.Raise) for node in tree.body):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(_is_hidden(alias, wanted) for alias in node.names):
            return True
        if isinstance(node, ast.Compare):
            node.comparators = []  # `'data_loader' not in globals()`, Mage's own guard
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return bool(names & {wanted, *_MAGIC}) or wanted in attributes


def _is_hidden(alias: ast.alias, wanted: str) -> bool:
    return alias.name == "*" or (alias.name == wanted and alias.asname is not None)
