"""What `check` looks at beyond the YAML: that each block's file is Python and has the function of its type."""

from __future__ import annotations

import ast
from pathlib import Path

from mage_project.errors import MageProjectError
from mage_project.project import Block, Problem, Project
from mage_project.runner.namespace import RUN_DECORATORS


def problems_of(project: Project, uuid: str) -> list[Problem]:
    """Every problem of a pipeline that can be seen without running it, those of its blocks' files included."""
    try:
        pipeline, problems = project.inspect(uuid)
    except MageProjectError as error:
        path, line = _place(error.where, project.root / "pipelines" / uuid / "metadata.yaml")
        return [Problem(message=error.what, path=path, line=line, hint=error.hint)]
    for block in pipeline.blocks:
        if block.runs and block.language != "python":
            what = f"block '{block.uuid}' is written in {block.language}: only Python blocks can be run"
            problems.append(Problem(message=what, path=pipeline.path, line=block.line))
        if block.path and block.language == "python" and block.runs:
            problems += _of_code(block, block.path)
    return problems + _of_io_config(project)


def _of_code(block: Block, path: Path) -> list[Problem]:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        return [Problem(message=f"block '{block.uuid}' is not valid Python: {error}", path=path, line=line)]
    wanted = RUN_DECORATORS.get(block.type, block.type)
    decorators = {
        _name(decorator)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    }
    if wanted in decorators:
        return []
    return [
        Problem(
            message=f"block '{block.uuid}' has no @{wanted} function",
            path=path,
            hint=f"decorate one with @{wanted}",
        )
    ]


def _name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.id if isinstance(decorator, ast.Name) else getattr(decorator, "attr", "")


def _of_io_config(project: Project) -> list[Problem]:
    path = project.root / "io_config.yaml"
    if not path.is_file():
        return []
    from mage_project.io.config import ConfigFileLoader

    try:
        ConfigFileLoader(path, "default")
    except MageProjectError as error:
        where, line = _place(error.where, path)
        return [Problem(message=error.what, path=where, line=line, hint=error.hint)]
    return []


def _place(where: str | None, otherwise: Path) -> tuple[Path, int]:
    """`path:line` taken apart."""
    name, _, line = (where or "").rpartition(":")
    return (Path(name), int(line)) if name and line.isdigit() else (otherwise, 1)
