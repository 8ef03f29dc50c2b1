from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mage_project import mage_ai
from mage_project.io.repo_path import set_repo_path


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    mage_ai.install()
    yield
    mage_ai.uninstall()
    set_repo_path(None)


def run(code: str, *, path: str = "") -> str:
    """What a fresh Python prints."""
    prelude = f"import sys; sys.path.insert(0, {path!r})\n" if path else ""
    command = [sys.executable, "-c", f"{prelude}from mage_project import mage_ai; mage_ai.install()\n{code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("mage_ai.data_preparation.decorators", "data_loader transformer data_exporter custom sensor condition test"),
        ("mage_ai.data_preparation.decorators", "callback on_success on_failure preprocesser"),
        ("mage_ai.settings.repo", "get_repo_path set_repo_path"),
        ("mage_ai.data_preparation.repo_manager", "get_repo_path"),
        ("mage_ai.data_preparation.variable_manager", "get_variable get_global_variable set_global_variable"),
        ("mage_ai.io.config", "ConfigFileLoader ConfigKey EnvironmentVariableLoader"),
        ("mage_ai.io.postgres", "Postgres"),
        ("mage_ai.io.bigquery", "BigQuery"),
        ("mage_ai.io.google_cloud_storage", "GoogleCloudStorage"),
        ("mage_ai.io.file", "FileIO"),
        ("mage_ai.io.base", "ExportWritePolicy FileFormat"),
    ],
)
def test_the_names_that_blocks_import_are_answered(module, names):
    for name in names.split():
        assert hasattr(importlib.import_module(module), name)


def test_what_is_imported_is_ours():
    from mage_ai.io.postgres import Postgres

    from mage_project.io.postgres import Postgres as Ours

    assert Postgres is Ours


def test_installing_twice_installs_once():
    mage_ai.install()
    assert sum(type(finder).__name__ == "MageFinder" for finder in sys.meta_path) == 1
    assert type(sys.meta_path[0]).__name__ == "MageFinder"


def test_an_installed_mage_loses_and_comes_back(tmp_path):
    (tmp_path / "mage_ai").mkdir()
    (tmp_path / "mage_ai" / "__init__.py").write_text("name = 'the real one'\n")
    code = """
import mage_ai as ours
from mage_project import mage_ai
assert not hasattr(ours, "__all__")
mage_ai.uninstall()
import mage_ai as real
print(real.name)
mage_ai_of_ours = __import__("mage_project.mage_ai", fromlist=["install"])
mage_ai_of_ours.install()
import mage_ai.settings.repo as repo
print(repo.__file__.endswith("mage_project/mage_ai/settings/repo.py"))
"""
    assert run(code, path=str(tmp_path)).split("\n") == ["the real one", "True"]


def test_decorators_come_without_pandas():
    code = """
import sys
from mage_ai.data_preparation.decorators import data_loader
from mage_ai.settings.repo import get_repo_path
from mage_ai.io.postgres import Postgres
from mage_ai.io.config import ConfigFileLoader
print(sorted({"pandas", "pyarrow", "numpy", "sqlalchemy", "psycopg2", "google", "jinja2"} & set(sys.modules)))
"""
    assert run(code) == "[]"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("import mage_ai.io.postgress", r"Did you mean 'mage_ai.io.postgres'\? Answered are"),
        (
            "from mage_ai.io.mysql import MySQL",
            r"'mage_ai.io.mysql'. In Mage it is its connector for MySQL; .* Use mysql-",
        ),
        ("from mage_ai.data_cleaner.data_cleaner import clean", r"guesses what to clean.* Use transformer_actions"),
        (
            "from mage_ai.data_preparation.models.pipeline import Pipeline",
            r"Use get_global_variables .*trigger_pipeline",
        ),
        ("from mage_ai.data_preparation.variable_manager import VariableManager", r"how it stores outputs"),
        ("import mage_ai.orchestration.db.models.schedules", r"the database of its scheduler"),
        ("import mage_ai.nothing", "Answered are: .*mage_ai.io.postgres"),
        ("from mage_ai.settings.repo import get_repopath", "Did you mean 'get_repo_path'"),
        ("from mage_ai.io.postgres import MySQL", "'MySQL' from 'mage_ai.io.postgres'.*has here: Postgres"),
        ("from mage_ai.io import postgress", "Did you mean 'postgres'"),
        ("import mage_ai; mage_ai.foo", "'foo' from 'mage_ai'"),
    ],
)
def test_what_is_not_answered_is_named_with_what_is(statement, words):
    with pytest.raises(ImportError, match=words):
        exec(statement, {})


def test_submodules_are_found_as_attributes():
    import mage_ai as root

    assert root.io.config.ConfigKey.POSTGRES_HOST == "POSTGRES_HOST"
    assert not hasattr(root, "__wrapped__")


def test_the_repo_path_is_one_wherever_it_is_asked_for(tmp_path, monkeypatch):
    from mage_ai.data_preparation.repo_manager import get_repo_path as old
    from mage_ai.settings.repo import get_repo_path, set_repo_path

    from mage_project.mage_ai.settings.repo import get_repo_path as ours

    monkeypatch.chdir(tmp_path)
    assert get_repo_path() == str(tmp_path)
    set_repo_path(str(tmp_path / "project"))
    assert get_repo_path() == old() == ours() == str(tmp_path / "project")
    assert get_repo_path(absolute_path=False) == "project"


def test_decorators_leave_functions_as_they_are():
    from mage_ai.data_preparation import decorators

    def load() -> int:
        return 1

    names = [name for name in vars(decorators) if not name.startswith("_") and name not in {"Any", "Callable"}]
    for name in set(names) - {"annotations", "collect_decorated_objs"}:
        decorator = getattr(decorators, name)
        assert decorator(load) is load
        assert decorator()(load) is load
        assert decorator(name="x")(load) is load
    found: list[object] = []
    assert decorators.collect_decorated_objs(found)(load) is load
    assert found == [load]
