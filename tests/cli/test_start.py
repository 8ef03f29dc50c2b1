"""What a small run does not load: a run that starts at once is worth more than any feature that it does not use."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.projects import block, write_project

LOAD = "@data_loader\ndef load(**kwargs):\n    return [1]\n"
#: Each takes longer to import than a small block takes to run; each has a place that imports it where it is needed.
SLOW = {
    *(
        "alembic",
        "asyncio",
        "click.shell_completion",
        "croniter",
        "decimal",
        "difflib",
        "email",
        "http",
        "importlib.abc",
    ),
    *("importlib.metadata", "importlib.resources", "jinja2", "logging.config", "numpy", "pandas", "pdb"),
    *("prometheus_client", "pyarrow", "random", "rich", "sqlalchemy", "ssl", "subprocess", "tempfile", "unittest"),
    *("urllib.parse", "zipfile"),
}
#: The parts of the runner that a run of one block on whole values has no use for.
OURS = {
    *(
        "cli.data_checks",
        "history.migrating",
        "history.postgres",
        "local",
        "pytest_plugin",
        "quality",
        "runner.failures",
    ),
    *("runner.sql", "runner.stream", "schedule"),
}


def imported(*words, cwd) -> set[str]:
    """What the command and its worker have imported."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mage_project", *words], cwd=cwd, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout
    return set(re.findall(r"^import time:.*\| +(\S+)$", told.stderr, re.MULTILINE))


@pytest.mark.parametrize("words", [["run", "p"], ["list"], ["graph", "p"], ["runs", "list"], ["--help"]], ids=" ".join)
def test_a_command_loads_nothing_slow_that_it_does_not_use(tmp_path, words):
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    loaded = imported(*words, cwd=tmp_path)
    assert "mage_project.cli" in loaded
    assert not loaded & (SLOW | {f"mage_project.{name}" for name in OURS})


def test_a_backfill_that_alerts_nobody_loads_no_channel(tmp_path):
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    loaded = imported("backfill", "p", "--start", "2024-01", "--end", "2024-01", cwd=tmp_path)
    assert "mage_project.schedule.backfill" in loaded
    assert not loaded & {"mage_project.alerts", "smtplib", "urllib.request"}
