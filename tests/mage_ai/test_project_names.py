"""What blocks ask of the project: its folder, its settings, secrets, other pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.errors import BlockError, ConfigError, StoreError, UsageError
from mage_project.io.repo_path import set_repo_path
from mage_project.mage_ai.data_preparation.repo_manager import (
    ProjectType,
    RepoConfig,
    get_project_type,
    get_project_uuid,
    get_repo_config,
)
from mage_project.mage_ai.data_preparation.shared.secrets import get_secret_value
from mage_project.mage_ai.data_preparation.shared.utils import get_template_vars
from mage_project.mage_ai.io.base import BaseFile, BaseSQLConnection, DataSource, FileFormat
from mage_project.mage_ai.orchestration.triggers.api import trigger_pipeline
from mage_project.mage_ai.settings import repo
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("MAGE_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    set_repo_path(folder)
    yield folder
    set_repo_path(None)


def test_the_project_is_found_by_its_folder(project):
    assert repo.get_repo_name() == "project"
    assert repo.get_metadata_path() == str(project / "metadata.yaml")
    assert repo.base_repo_path_directory_name() == str(project.parent)


@pytest.mark.parametrize(
    ("metadata", "variable", "folder"),
    [
        ("", None, "home/.mage_data/project"),
        ("variables_dir: data", None, "project/data"),
        ("variables_dir: '{{ env_var(\"HOME\") }}/there'", None, "home/there/project"),
        ("variables_dir: data", "kept", "kept/project"),
    ],
)
def test_the_folder_for_data_is_where_mage_has_it(project, tmp_path, monkeypatch, metadata, variable, folder):
    (project / "metadata.yaml").write_text(metadata)
    if variable:
        monkeypatch.setenv("MAGE_DATA_DIR", str(tmp_path / variable))
    assert repo.get_variables_dir() == str(tmp_path / folder)
    assert (tmp_path / folder).is_dir()


def test_a_bucket_for_data_is_named_as_it_is(project):
    assert repo.get_variables_dir(repo_config={"variables_dir": "s3://lake/data"}) == "s3://lake/data"


def test_the_settings_of_the_project_are_attributes(project):
    (project / "metadata.yaml").write_text("project_uuid: abc\nproject_type: main\nfeatures: {a: true}\n")
    config = get_repo_config()
    assert (config.features, config.ldap_config, config.repo_name) == ({"a": True}, None, "project")
    assert config.to_dict()["project_uuid"] == get_project_uuid() == "abc"
    assert get_project_type() == ProjectType.MAIN
    assert RepoConfig.from_dict({"repo_path": str(project), "x": 1}).x == 1


def test_a_project_without_settings_has_none(project):
    assert get_project_uuid() is None
    assert get_project_type() == ProjectType.STANDALONE


def test_settings_that_are_no_yaml_are_told_with_their_line(project):
    (project / "metadata.yaml").write_text("a: 1\nb: [\n")
    with pytest.raises(ConfigError, match=r"not valid YAML[^$]*metadata.yaml:3"):
        get_repo_config()


@pytest.mark.parametrize("variable", ["api-token", "API_TOKEN"])
def test_a_secret_is_an_environment_variable(monkeypatch, variable):
    monkeypatch.setenv(variable, "hidden")
    assert get_secret_value("api-token") == "hidden"
    assert get_template_vars()["mage_secret_var"]("api-token") == "hidden"


def test_a_secret_that_is_nowhere_is_an_error_that_says_what_to_set():
    with pytest.raises(ConfigError, match=r"the secret 'api token'[^$]*export API_TOKEN=…"):
        get_secret_value("api token")


def test_a_block_runs_another_pipeline_with_variables(project, capsys):
    writes = "@custom\ndef write(*args, **kwargs):\n    open(kwargs['path'], 'w').write(str(kwargs['days']))\n"
    write_project(project, [block("write", "custom")], {"write": writes}, pipeline="other")
    done = trigger_pipeline("other", variables={"path": str(project / "out"), "days": [1, 2]}, check_status=True)
    assert (done.status, done.status.value) == ("completed", "completed")
    assert (project / "out").read_text() == "[1, 2]"
    assert f"run {done.id} of other: completed" in capsys.readouterr().out


def test_a_pipeline_that_fails_fails_the_block_that_runs_it_if_it_says_so(project):
    fails = "@custom\ndef fail(*args, **kwargs):\n    raise ValueError('no trips')\n"
    write_project(project, [block("fail", "custom")], {"fail": fails}, pipeline="other")
    with pytest.warns(UserWarning, match=r"'other', which this block runs, failed .*\n    ValueError: no trips\n"):
        assert trigger_pipeline("other", check_status=True, verbose=False).status == "failed"
    with pytest.raises(BlockError, match=r"'other', which this block runs, failed .*\n    ValueError: no trips\n"):
        trigger_pipeline("other", check_status=True, error_on_failure=True, verbose=False)
    with pytest.raises(UsageError, match="Did you mean 'other'"):
        trigger_pipeline("othr")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"variables": [1]}, "variables of trigger_pipeline must be a dict, not list: [1]"),
        ({"variables": {1: 2}}, "a variable of trigger_pipeline is called 1"),
        ({"variables": {"rows": [{1, 2}]}}, "'rows' of trigger_pipeline cannot be handed to another run: .* a set"),
        ({"poll_timeout": "1h"}, "poll_timeout of trigger_pipeline must be a number of seconds, not str: '1h'"),
        ({"pipeline_uuid": None}, "pipeline_uuid of trigger_pipeline must be a name, not NoneType: None"),
    ],
    ids=str,
)
def test_what_no_run_can_be_given_is_an_error_that_names_it(project, given, said):
    with pytest.raises(BlockError, match=re.escape(said).replace(re.escape(".*"), ".*")):
        trigger_pipeline(**{"pipeline_uuid": "other", **given})


def test_a_pipeline_that_takes_too_long_is_ended(project):
    sleeps = "import time\n@custom\ndef wait(*args, **kwargs):\n    time.sleep(60)\n"
    write_project(project, [block("wait", "custom")], {"wait": sleeps}, pipeline="other")
    with pytest.raises(BlockError, match=r"ran longer than 1 s"):
        trigger_pipeline("other", check_status=True, poll_timeout=1)


class Notes(BaseFile):
    """A connector of a project's own."""

    def load(self, *args, **kwargs):
        return self._get_file_format(args[0])

    def export(self, df, *args, **kwargs):
        return None

    def exists(self, *args, **kwargs):
        return True


def test_a_project_may_bring_a_connector_of_its_own():
    assert Notes().load("folder/trips.parquet") == FileFormat.PARQUET
    assert DataSource.POSTGRES == "postgres"
    with pytest.raises(TypeError, match="abstract"):
        BaseFile()


class Lines(BaseSQLConnection):
    """A connection that is a list of what it was told."""

    def open(self):
        self._ctx = Told()

    def execute(self, query_string, **kwargs):
        self.conn.append(self._clean_query(query_string))

    def load(self, *args, **kwargs):
        return args[0]

    def export(self, df, *args, **kwargs):
        return None


class Told(list[str]):
    def commit(self):
        self.append("commit")

    def rollback(self):
        self.append("rollback")

    def close(self):
        self.append("close")


def test_a_connection_is_open_inside_with():
    lines = Lines(host="here")
    with lines:
        told = lines.conn
        lines.execute("  SELECT 1\n")
        lines.commit()
        lines.rollback()
    assert told == ["SELECT 1", "commit", "rollback", "close"]
    assert lines.sample("ny", "trips", 5) == "SELECT * FROM ny.trips LIMIT 5;"
    with pytest.raises(StoreError, match="no open connection"):
        lines.commit()
