import shutil

import pytest

from mage_project.cli.psql import psql
from mage_project.local import LocalStack


@pytest.fixture
def root(local_stack):
    """A project whose Postgres runs already."""
    return local_stack.bucket_folder("any").parents[4]


def test_psql_starts_the_local_postgres_and_stops_it_afterwards(tmp_path, mage_project):
    (tmp_path / "pipelines").mkdir()
    done = mage_project("local", "psql", "-Atc", "SELECT current_user || '@' || current_database()")
    assert (done.returncode, done.stdout) == (0, "mage@mage\n")
    assert not any(service.running for service in LocalStack(tmp_path).status())


def test_the_exit_code_is_that_of_psql(root, capfd):
    assert psql(root, ["-c", "SELECT nothing"]) == 1
    assert 'column "nothing" does not exist' in capfd.readouterr().err


def test_without_a_psql_on_path_the_one_beside_the_server_is_used(root, monkeypatch, capfd):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert psql(root, ["-Atc", "SELECT 1 + 1"]) == 0
    assert capfd.readouterr().out == "2\n"
