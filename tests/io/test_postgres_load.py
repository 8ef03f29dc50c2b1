from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from mage_project.errors import ConfigError, StoreError
from mage_project.io.config import ConfigFileLoader, EnvironmentVariableLoader
from mage_project.io.postgres import Postgres


@pytest.fixture
def loader(database):
    database.export(pd.DataFrame({"n": [1, 2, 3], "t": ["a%", "b", None]}))
    with database.connector() as loader:
        yield loader


def test_every_row_is_loaded(database, loader):
    assert loader.load(f"SELECT * FROM {database.schema}.trips;")["n"].tolist() == [1, 2, 3]


def test_a_limit_limits(database, loader):
    assert len(loader.load(f"SELECT * FROM {database.schema}.trips -- all of them", limit=2)) == 2


def test_a_percent_sign_is_itself(database, loader):
    assert loader.load(f"SELECT n FROM {database.schema}.trips WHERE t LIKE 'a%'")["n"].tolist() == [1]


def test_parameters_are_bound(database, loader):
    query = f"SELECT n FROM {database.schema}.trips WHERE t = %(t)s"
    assert loader.load(query, params={"t": "b"})["n"].tolist() == [2]


def test_other_options_go_to_pandas(database, loader):
    frame = loader.load(f"SELECT * FROM {database.schema}.trips", index_col="n", dtype_backend="pyarrow")
    assert frame.index.name == "n"
    assert str(frame["t"].dtype) == "string[pyarrow]"


def test_times_beyond_nanoseconds_load(loader):
    assert loader.load("SELECT timestamp '3019-01-01 00:00:00' AS t")["t"][0] == dt.datetime(3019, 1, 1)


def test_loading_leaves_the_transaction_as_it_is(database, loader):
    loader.execute(f"INSERT INTO {database.schema}.trips VALUES (4, 'd')")
    assert len(loader.load(f"SELECT * FROM {database.schema}.trips")) == 4
    loader.commit()
    assert len(database.rows()) == 4


def test_a_wrong_query_is_told(loader):
    with pytest.raises(StoreError, match=r'while loading: relation "nowhere" does not exist'):
        loader.load("SELECT * FROM nowhere")


@pytest.mark.parametrize("limit", [None, 2])
def test_the_line_of_a_statement_that_is_wrong_is_told(loader, limit):
    with pytest.raises(StoreError, match=r'column "m" does not exist .*\[in the line: m AS many\]'):
        loader.load("\nSELECT\n  m AS many\nFROM generate_series(1, 3) AS n", limit=limit)


def test_the_line_of_a_wrong_statement_that_is_executed_is_told(loader):
    with pytest.raises(StoreError, match=r"syntax error .*\[in the line: SELEC 2\]"):
        loader.execute("SELECT 1;\nSELEC 2")


def test_execute_is_undone_without_a_commit(database, loader):
    loader.execute(f"DELETE FROM {database.schema}.trips")
    loader.close()
    assert len(database.rows()) == 3


def test_execute_takes_variables_and_percent_signs(database, loader):
    table = f"{database.schema}.trips"
    loader.execute(f"INSERT INTO {table} VALUES (%(n)s, %(t)s)", n=5 % 3, t="it's")
    loader.execute(f"UPDATE {table} SET t = 'x' WHERE t LIKE 'a%'")
    loader.execute(f"UPDATE {table} SET n = n %% 2")
    loader.commit()
    assert set(database.rows()) == {(1, "x"), (0, "b"), (1, None), (0, "it's")}


def test_a_sample_has_some_rows(database, loader):
    assert len(loader.sample(database.schema, "trips", 2)) == 2
    assert len(loader.sample(database.schema, "trips")) == 3


def test_a_table_exists_or_not(database, loader):
    assert loader.table_exists(database.schema, "trips")
    assert not loader.table_exists(database.schema, "other")


def test_the_schema_is_that_of_the_profile_or_else_the_servers(database, loader):
    loader.export(pd.DataFrame({"n": [1]}), table_name="unnamed")
    assert database.rows("SELECT * FROM $.unnamed") == [(1,)]
    assert loader.default_schema() == database.schema
    with database.connector(schema=None) as other:
        other.export(pd.DataFrame({"n": [1]}), table_name=f"{database.schema}.dotted")
        assert other.default_schema() is None
        assert other.table_exists(None, "pg_class") is False
    assert database.rows("SELECT * FROM $.dotted") == [(1,)]


def test_a_profile_makes_a_connector(database, tmp_path, monkeypatch):
    path = tmp_path / "io_config.yaml"
    path.write_text(
        "default:\n"
        "  POSTGRES_HOST: \"{{ env_var('POSTGRES_HOST') }}\"\n"
        "  POSTGRES_PORT: \"{{ env_var('POSTGRES_PORT') }}\"\n"
        "  POSTGRES_USER: \"{{ env_var('POSTGRES_USER') }}\"\n"
        "  POSTGRES_PASSWORD: \"{{ env_var('POSTGRES_PASSWORD') }}\"\n"
        "  POSTGRES_DBNAME: \"{{ env_var('POSTGRES_DBNAME') }}\"\n"
        "  POSTGRES_CONNECT_TIMEOUT: 5\n"
    )
    with Postgres.with_config(ConfigFileLoader(path, "default")) as loader:
        assert loader.load("SELECT 1 AS one")["one"].tolist() == [1]
    with Postgres.with_config(EnvironmentVariableLoader(), verbose=False) as loader:
        assert loader.default_database() == database.settings["dbname"]
    monkeypatch.delenv("POSTGRES_HOST")
    with pytest.raises(ConfigError, match=r"POSTGRES_HOST in profile 'default' needs the environment variable"):
        Postgres.with_config(ConfigFileLoader(path, "default"))
