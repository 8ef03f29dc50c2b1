"""What `check` looks at beyond the YAML: that each block's file is Python and has the function of its type."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

from mage_project.errors import MageProjectError
from mage_project.project import Block, Pipeline, Problem, Project, files
from mage_project.project.model import ONLY_IN_MAGE
from mage_project.project.modules import modules
from mage_project.runner.foresight import foreseen
from mage_project.runner.imports import unanswered
from mage_project.runner.namespace import RUN_DECORATORS
from mage_project.runner.undefined import undefined
from mage_project.runner.variables import run_variables


def problems_of(project: Project, uuid: str) -> list[Problem]:
    """Every problem of a pipeline that can be seen without running it, those of its blocks' files included."""
    try:
        pipeline, problems = project.inspect(uuid)
    except MageProjectError as error:
        path, line = _place(error.where, project.root / "pipelines" / uuid / "metadata.yaml")
        return [Problem(message=error.what, path=path, line=line, hint=error.hint)]
    if pipeline.type in ONLY_IN_MAGE["pipeline"]:  # its blocks are of other kinds, which are not looked into here
        return problems
    for block in pipeline.blocks:
        if block.runs and block.type not in ONLY_IN_MAGE["block"] and block.language not in ("python", "sql"):
            what = f"block '{block.uuid}' is written in {block.language}: only Python and SQL blocks can be run"
            problems.append(Problem(message=what, path=pipeline.path, line=block.line))
        for each in (block, *block.callbacks, *block.conditions):
            if each.path and each.language == "python" and block.runs:
                problems += _of_code(each, each.path)
        if block.path and block.language == "sql" and block.runs:
            problems += _of_sql(pipeline, block, block.path)
    problems += _of_triggers(pipeline) + _of_names(pipeline) + _of_imports(pipeline) + foreseen(pipeline)
    problems += _of_alerts(project, uuid) + _of_io_config(project)
    return list(dict.fromkeys(problems))  # a condition that several blocks have is looked at for each of them


def _of_alerts(project: Project, uuid: str) -> list[Problem]:
    """What keeps somebody from being told; it keeps no pipeline from running."""
    from mage_project.alerts.addresses import why_refused
    from mage_project.alerts.settings import read_alerts

    return read_alerts(project.root, uuid, why_refused=why_refused)[1]


def _of_triggers(pipeline: Pipeline) -> list[Problem]:
    """Schedules that can never be due."""
    from mage_project.schedule.catalogue import entry_of

    entries = [entry_of(pipeline.root, pipeline.uuid, trigger) for trigger in pipeline.triggers]
    return [
        Problem(message=entry.problem.what, path=entry.trigger.path or pipeline.path, line=entry.trigger.line,
                hint=entry.problem.hint, warning=True, is_mistake=True)
        for entry in entries if entry.problem
    ]  # fmt: skip


def _of_names(pipeline: Pipeline) -> list[Problem]:
    """Names that no file of a block defines. A condition that fails for one only counts as false, as in Mage."""
    hint = "import or define it"
    return [
        Problem(message=message, path=path, line=line, hint=hint, warning=True)
        for path in sorted(pipeline.files)
        if path.suffix == ".py"
        for line, message in undefined(path)
    ]


def _of_imports(pipeline: Pipeline) -> list[Problem]:
    """What the blocks, and the project's modules that they import, import from Mage and is not here."""
    helpers = {module for path in pipeline.files for module in modules(pipeline.root, path)}
    return [
        Problem(message=message, path=path, line=line, warning=True)
        for path in sorted(pipeline.files | helpers)
        for line, message in unanswered(path)
    ]


def _of_code(block: Block, path: Path) -> list[Problem]:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        if line := files.line_that_is_no_text(path):
            what = f"the file of block '{block.uuid}' is not UTF-8 text"
            return [Problem(message=what, path=path, line=line, hint="save the file as UTF-8")]
        line = getattr(error, "lineno", None) or 1
        return [Problem(message=f"block '{block.uuid}' is not valid Python: {error}", path=path, line=line)]
    wanted = RUN_DECORATORS.get(block.type, block.type)
    decorators = {
        _name(decorator)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    }
    if wanted in decorators or (block.type == "callback" and decorators & {"on_success", "on_failure"}):
        return []
    return [
        Problem(
            message=f"block '{block.uuid}' has no @{wanted} function",
            path=path,
            hint=f"decorate one with @{wanted}",
            warning=not block.runs,  # nothing is called, as in Mage
        )
    ]


def _of_sql(pipeline: Pipeline, block: Block, path: Path) -> list[Problem]:
    """What the template says when it is rendered with the pipeline's own variables. Others may be given to a run."""
    from mage_project.runner.sql.checking import statements, surprises
    from mage_project.runner.sql.settings import without_store

    if block.has_no_store:
        return [Problem(message=without_store(block), path=pipeline.path, line=block.line, warning=True)]
    try:
        found = statements(pipeline, block, run_variables(pipeline, {}, datetime.now(UTC).replace(tzinfo=None)))
    except MageProjectError as error:
        where, line = _place(error.where, path)
        may_be_given = "is undefined" in error.what
        return [Problem(message=error.what, path=where, line=line, hint=error.hint, warning=may_be_given)]
    hint = "set `use_raw_sql: true` in its configuration to execute all of them as they are"
    return [Problem(message=what, path=path, hint=hint, warning=True) for what in surprises(block, found)]


def _name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.id if isinstance(decorator, ast.Name) else getattr(decorator, "attr", "")


def _of_io_config(project: Project) -> list[Problem]:
    """What keeps the file from being read. Profiles that blocks name and that it has not are told of the blocks."""
    path = project.root / "io_config.yaml"
    if not path.is_file():
        return []
    from mage_project.io.profiles import profile_names, read_profile

    try:
        if "default" in profile_names(path):
            read_profile(path, "default")
    except MageProjectError as error:
        where, line = _place(error.where, path)
        return [Problem(message=error.what, path=where, line=line, hint=error.hint)]
    return []


def _place(where: str | None, otherwise: Path) -> tuple[Path, int]:
    """`path:line` taken apart."""
    name, _, line = (where or "").rpartition(":")
    return (Path(name), int(line)) if name and line.isdigit() else (otherwise, 1)
