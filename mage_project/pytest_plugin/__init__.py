"""A plugin for pytest: every block's `@test` functions and checks as tests, one each.

    pytest --mage-project . --source sample_data

It does nothing unless `--mage-project` is given. pytest imports it wherever this package is installed, so what is heavy
is imported when it is needed.
"""

from __future__ import annotations

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mage-project", "tests and checks of a Mage project's blocks")
    group.addoption("--mage-project", metavar="PATH", help="Collect the tests and checks of the project's blocks.")
    group.addoption(
        "--pipeline", action="append", default=[], metavar="NAME",
        help="Only this pipeline of the project. May be repeated.",
    )  # fmt: skip
    group.addoption("--source", help="Where the blocks read: the variable 'source'.")
    group.addoption(
        "--var", action="append", default=[], metavar="NAME=VALUE",
        help="Set a variable; VALUE is YAML. May be repeated.",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Raises pytest's UsageError for a project, pipeline or variable that is none."""
    if config.getoption("--mage-project") is None:
        return
    from mage_project.errors import MageProjectError
    from mage_project.pytest_plugin.session import Session

    try:
        session = Session(config)
    except MageProjectError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(session, "mage-project-session")
    # A check that only warns must not fail where the project makes errors of warnings. -W can still say so.
    config.addinivalue_line("filterwarnings", "default::mage_project.pytest_plugin.nodes.CheckWarning")
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        # Tests of another kind only where their paths are named.
        config.args, config.args_source = [], pytest.Config.ArgsSource.ARGS


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the items of one pipeline to one worker, so that the pipeline runs once."""
    if config.getoption("--mage-project") is None or config.getoption("dist") != "load":
        return None
    from mage_project.pytest_plugin.scheduling import ByPipeline

    return ByPipeline(config, log)
