"""Imports of Mage's that are not here, found without executing the file."""

from __future__ import annotations

import pytest

from mage_project.runner.imports import unanswered


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("from mage_ai.io.postgres import Postgre", "'mage_ai.io.postgres'. Did you mean 'Postgres'?"),
        ("from mage_ai.io.snowflake import Snowflake", "connector for Snowflake"),
        ("import mage_ai.server.app", "No module named 'mage_ai.server.app'"),
        ("from mage_ai.data_preparation.decorators import data_loder", "Did you mean 'data_loader'?"),
    ],
)
def test_an_import_that_would_fail_is_told_with_its_line(tmp_path, line, message):
    path = tmp_path / "block.py"
    path.write_text(f"import json\n\nif 'x' not in globals():\n    {line}\n")
    ((number, said),) = unanswered(path)
    assert number == 4
    assert message in said
    assert "Answered are" not in said


@pytest.mark.parametrize(
    "source",
    [
        "from mage_ai.io.postgres import Postgres\nfrom mage_ai.io import postgres\nimport mage_ai.io.config",
        "from mage_ai.data_preparation.decorators import data_loader, test",
        "from mage_ai.settings.repo import get_repo_path",
        "from mage_ai_helpers import anything\nfrom . import other",
        "this is no python",
    ],
)
def test_nothing_is_told_of_what_is_there(tmp_path, source):
    path = tmp_path / "block.py"
    path.write_text(source)
    assert list(unanswered(path)) == []
