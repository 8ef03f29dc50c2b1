from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.errors import ConfigError
from mage_project.io import config
from mage_project.io.config import ConfigFileLoader, ConfigKey, EnvironmentVariableLoader
from mage_project.io.repo_path import set_repo_path


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str, profile: str = "default") -> ConfigFileLoader:
        path = tmp_path / "io_config.yaml"
        path.write_text(text)
        return ConfigFileLoader(path, profile)

    return write


def test_settings_are_read_by_key_name_and_get(written):
    loader = written("version: 0.1.1\ndefault:\n  POSTGRES_HOST: db\n")
    assert loader[ConfigKey.POSTGRES_HOST] == loader["POSTGRES_HOST"] == loader.get("POSTGRES_HOST") == "db"
    assert ConfigKey.POSTGRES_HOST in loader
    assert ConfigKey.POSTGRES_PORT not in loader
    assert loader["POSTGRES_PORT"] is None
    assert loader.get("POSTGRES_PORT", 5432) == 5432
    assert loader.version == "0.1.1"


def test_variables_stand_where_env_var_names_them(written, monkeypatch):
    monkeypatch.setenv("DB_HOST", "example")
    monkeypatch.setenv("DB_PORT", "5433")
    loader = written(
        "default:\n  POSTGRES_HOST: pg-{{ env_var('DB_HOST') }}.org\n  POSTGRES_PORT: {{ env_var('DB_PORT') }}\n"
        "  POSTGRES_SCHEMA: \"{{ env_var('DB_SCHEMA', 'mage') }}\"\n  POSTGRES_USER: {{ env_var('DB_HOST') | upper }}\n"
    )
    assert loader.config == {
        "POSTGRES_HOST": "pg-example.org",
        "POSTGRES_PORT": 5433,
        "POSTGRES_SCHEMA": "mage",
        "POSTGRES_USER": "EXAMPLE",
    }


@pytest.mark.parametrize("quotes", ["", '"'])
def test_a_password_may_hold_any_character(written, monkeypatch, quotes):
    password = "a\"b': #{{ 1/0 }} {% x %}\n- y"
    monkeypatch.setenv("DB_PASSWORD", password)
    loader = written(f"default:\n  POSTGRES_PASSWORD: {quotes}{{{{ env_var('DB_PASSWORD') }}}}{quotes}\n")
    assert loader["POSTGRES_PASSWORD"] == password


def test_an_unset_variable_matters_only_where_its_field_is_needed(written):
    loader = written("default:\n  POSTGRES_USER: me\n  POSTGRES_HOST: \"{{ env_var('NOT_SET_HERE') }}\"\n")
    assert loader["POSTGRES_HOST"] is None
    assert "POSTGRES_HOST" not in loader
    with pytest.raises(ConfigError, match=r"POSTGRES_HOST in profile 'default' needs .* NOT_SET_HERE") as caught:
        config.required(loader, "POSTGRES_HOST")
    assert caught.value.where == f"{loader.filepath}:3"


def test_an_unset_variable_is_false_and_has_defaults(written):
    loader = written(
        "default:\n  A: {{ env_var('NOT_SET_HERE') or 'one' }}\n  B: {{ env_var('NOT_SET_HERE') | default('two') }}\n"
        "  C: {% if env_var('NOT_SET_HERE') %}set{% else %}three{% endif %}\n"
    )
    assert loader.config == {"A": "one", "B": "two", "C": "three"}


def test_a_secret_of_mages_is_refused_only_where_it_is_needed(written):
    loader = written("default:\n  A: 1\n  B: \"{{ mage_secret_var('key') }}\"\n")
    assert loader["A"] == 1
    with pytest.raises(ConfigError, match=r"the secret 'key' of mage_secret_var.*use env_var"):
        config.required(loader, "B")


@pytest.mark.parametrize("variable", ["db-password", "DB_PASSWORD"])
def test_an_environment_variable_may_stand_for_a_secret_of_mages(written, monkeypatch, variable):
    monkeypatch.setenv(variable, "{{ 1: #")
    assert written("default:\n  B: {{ mage_secret_var('db-password') }}\n")["B"] == "{{ 1: #"


def test_a_part_of_json_can_be_taken(written, monkeypatch):
    monkeypatch.setenv("DB", '{"login": {"user": "me: #"}}')
    loader = written("default:\n  POSTGRES_USER: {{ json_value(env_var('DB'), 'login.user') }}\n")
    assert loader["POSTGRES_USER"] == "me: #"


def test_the_nested_form_of_old_projects_is_understood(written):
    loader = written("dev:\n  PostgreSQL:\n    database: taxi\n    host: db\n", "dev")
    assert loader[ConfigKey.POSTGRES_DBNAME] == "taxi"
    assert ConfigKey.POSTGRES_PORT not in loader


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("default:\n  A: [1\n", 3, "not valid YAML"),
        ("default:\n  A: 1\n  B: !!int secret\n", 3, "is read as a whole number, and is none"),
        ("default:\n  A: {{ env_var('X' }}\n", 2, "the template is wrong"),
        ("default:\n  A: 1\n  B: {{ env_vra('X') }}\n", 3, "'env_vra' is undefined"),
        ("default:\n  A: {{ ''.__class__.__mro__ }}\n", 2, "unsafe"),
        ("default: 3\n", 1, "not a mapping"),
        ("- default\n", 1, "not a mapping"),
        ("", 1, "not a mapping"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(written, text, line, words):
    with pytest.raises(ConfigError, match=words) as caught:
        written(text)
    assert str(caught.value.where).endswith(f"io_config.yaml:{line}")
    assert caught.value.hint


def test_errors_show_no_secret(written, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    with pytest.raises(ConfigError) as caught:
        written("default:\n  A: {{ env_var('DB_PASSWORD') }} : [\n")
    assert "hunter2" not in str(caught.value)
    loader = written("default:\n  A: {{ env_var('DB_PASSWORD') }}\n")
    assert "hunter2" not in f"{loader!r} {loader._profile!r}"


def test_a_missing_profile_is_told_with_those_there_are(written):
    with pytest.raises(ConfigError, match=r"no profile 'defualt' \(there is: default, dev\). Did you mean 'default'"):
        written("version: 1\ndefault:\n  A: 1\ndev:\n  A: 2\n", "defualt")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"no such file") as caught:
        ConfigFileLoader(tmp_path / "io_config.yaml")
    assert str(tmp_path) in str(caught.value.where)


def test_a_missing_file_is_an_empty_profile_where_local_stores_stand_in(tmp_path):
    with config.overridden({}, fallbacks={"POSTGRES_HOST": "localhost"}):
        loader = ConfigFileLoader(tmp_path / "io_config.yaml", "dev")
        assert loader["POSTGRES_HOST"] == "localhost"
        assert loader["POSTGRES_USER"] is None


def test_the_file_is_looked_for_in_the_project(tmp_path):
    (tmp_path / "io_config.yaml").write_text("default:\n  A: 1\n")
    set_repo_path(tmp_path)
    try:
        assert ConfigFileLoader()["A"] == 1
    finally:
        set_repo_path(None)


def test_settings_can_be_given_without_a_file():
    assert ConfigFileLoader(config={"POSTGRES_HOST": "db"})["POSTGRES_HOST"] == "db"


def test_a_needed_setting_that_is_not_there_has_a_did_you_mean(written):
    loader = written("default:\n  POSTGRES_HOTS: db\n")
    with pytest.raises(ConfigError, match=r"has no POSTGRES_HOST. Did you mean 'POSTGRES_HOTS'"):
        config.required(loader, ConfigKey.POSTGRES_HOST)


@pytest.mark.parametrize("empty", ["", " ", "None", None])
def test_an_empty_setting_is_no_setting(empty):
    assert config.setting({"A": empty}, "A", "other") == "other"


def test_overrides_come_first_and_can_hide(written, monkeypatch):
    monkeypatch.setenv("POSTGRES_USER", "me")
    loader = written("default:\n  POSTGRES_HOST: db\n  GOOGLE_SERVICE_ACC_KEY_FILEPATH: /key.json\n")
    with config.overridden({"POSTGRES_HOST": "localhost", "GOOGLE_SERVICE_ACC_KEY_FILEPATH": None}):
        assert loader["POSTGRES_HOST"] == "localhost"
        assert "GOOGLE_SERVICE_ACC_KEY_FILEPATH" not in loader
        with config.overridden({"POSTGRES_USER": "local"}):
            assert EnvironmentVariableLoader()["POSTGRES_USER"] == "local"
            assert loader["POSTGRES_HOST"] == "localhost"
    assert loader["POSTGRES_HOST"] == "db"
    assert EnvironmentVariableLoader()["POSTGRES_USER"] == "me"


def test_the_environment_is_a_configuration_too(monkeypatch):
    monkeypatch.setenv("POSTGRES_HOST", "db")
    loader = EnvironmentVariableLoader()
    assert loader[ConfigKey.POSTGRES_HOST] == "db"
    with pytest.raises(ConfigError, match=r"NOT_SET_HERE is not set"):
        config.required(loader, "NOT_SET_HERE")
