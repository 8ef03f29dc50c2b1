from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.history.sqlite import SqliteStore
from mage_project.history.stores import Store, store_of
from mage_project.project import Project
from tests.projects import block, write_project

BLOCKS = [block("load", "data_loader"), block("save", "data_exporter", "load")]
CODE = {
    "load": "import pandas as pd\n@data_loader\ndef f(**kwargs):\n    return pd.DataFrame({'a': [1, 2, 3]})\n",
    "save": "@data_exporter\ndef f(frame, **kwargs):\n    pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A loader of three rows, and an exporter that does nothing with them."""
    return write_project(tmp_path, BLOCKS, CODE, variables={"service": "green"})


@pytest.fixture
def told() -> list[str]:
    """What a store has said."""
    return []


@pytest.fixture
def store(project: Project, told: list[str]) -> SqliteStore:
    return SqliteStore(project.root / ".mage_project/history.db", told.append)


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A history in SQLite, and then in Postgres."""
    address = str(tmp_path / "history.db")
    if request.param == "postgres":
        address = request.getfixturevalue("own_database")
    monkeypatch.setenv("MAGE_PROJECT_HISTORY", address)
    store = store_of(tmp_path, print)
    assert store is not None
    return store
