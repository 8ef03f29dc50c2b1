"""What blocks do with Postgres by themselves, on the local server."""

from __future__ import annotations

import psycopg2
import pytest

from mage_project.local import LocalStack
from tests.standins.conftest import RunCode

PROFILE = """
default:
  POSTGRES_DBNAME: {name}
  POSTGRES_SCHEMA: magic
  POSTGRES_USER: their_user
  POSTGRES_PASSWORD: postgres
  POSTGRES_HOST: host.docker.internal
  POSTGRES_PORT: 5432
"""
START = """
import pandas as pd
from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path
@data_loader
def load(*args, **kwargs):
    frame = pd.DataFrame({"n": [1, 2, 3]})
    config = ConfigFileLoader(get_repo_path() + "/io_config.yaml", "default")
"""
WAYS = {
    "SQLAlchemy, a compose service": """
    from sqlalchemy import create_engine
    engine = create_engine("postgresql+psycopg2://root:root@postgres:5432/<db>?sslmode=require")
    frame.to_sql("trips", engine, index=False)
    engine.dispose()
    """,
    "SQLAlchemy, the profile's values": """
    from sqlalchemy import create_engine
    user, password, db = (config[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DBNAME"))
    host, port = config["POSTGRES_HOST"], config["POSTGRES_PORT"]
    engine = create_engine(f"postgresql+psycopg2://{user}:{password}@{host}:{port}/{db}")
    frame.to_sql("trips", engine, schema="magic", index=False)
    engine.dispose()
    """,
    "psycopg2, a text": """
    import psycopg2
    connection = psycopg2.connect("host=localhost port=5432 dbname=<db> user=postgres password=postgres")
    connection.cursor().execute("CREATE TABLE trips AS SELECT 1 AS n")
    connection.commit()
    connection.close()
    """,
    "psycopg2, an address": """
    from psycopg2 import connect
    connection = connect("postgresql://postgres:postgres@host.docker.internal/<db>")
    connection.cursor().execute("CREATE TABLE trips AS SELECT 1 AS n")
    connection.commit()
    connection.close()
    """,
    "psycopg2, names": """
    import psycopg2
    connection = psycopg2.connect(host="10.1.2.3", database="<db>", user="somebody", password="x", port=5431)
    connection.cursor().execute("CREATE TABLE trips AS SELECT 1 AS n")
    connection.commit()
    connection.close()
    """,
    "Mage's connector": """
    with Postgres.with_config(config) as loader:
        loader.export(frame, "magic", "trips", index=False, if_exists="replace")
    """,
}


def has_table(stack: LocalStack, database: str) -> bool:
    env = stack.env(("postgres",))
    connection = psycopg2.connect(
        host=env["PGHOST"], port=env["PGPORT"], user="mage", password=env["PGPASSWORD"], dbname=database
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_tables WHERE tablename = 'trips'")
            return cursor.fetchone() is not None
    finally:
        connection.close()


def test_psycopg_3_reaches_the_local_server_too(run_code: RunCode, stack: LocalStack) -> None:
    pytest.importorskip("psycopg")
    code = """
    import psycopg
    from sqlalchemy import create_engine
    with psycopg.connect("host=postgres dbname=third user=postgres password=postgres", autocommit=True) as connection:
        connection.execute("CREATE TABLE trips AS SELECT 1 AS n")
    engine = create_engine("postgresql+psycopg://postgres:postgres@postgres/third")
    assert len(pd.read_sql("SELECT * FROM trips", engine)) == 1
    engine.dispose()
    """
    record, _ = run_code(START + code, profile=PROFILE.format(name="x"))
    assert record.error is None
    assert has_table(stack, "third")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_server_a_block_names_is_the_local_one(run_code: RunCode, stack: LocalStack, way: str) -> None:
    name = f"theirs_{list(WAYS.values()).index(way)}"
    record, lines = run_code(START + way.replace("<db>", name), profile=PROFILE.format(name=name))
    assert record.error is None
    assert has_table(stack, name)
    assert any(f"database '{name}'" in line for line in lines)


def test_what_was_made_is_said_once_and_in_one_line(run_code: RunCode) -> None:
    code = START + 2 * WAYS["psycopg2, names"].replace("<db>", "said_once").replace("TABLE trips", "TEMP TABLE trips")
    record, lines = run_code(code.replace("somebody", "somebody new"), profile=PROFILE.format(name="x"))
    assert record.error is None
    assert [line for line in lines if "made" in line] == [
        "Postgres: made the local role 'somebody new', database 'said_once', schema 'magic'"
    ]


def test_each_role_reads_what_the_others_wrote(run_code: RunCode) -> None:
    code = """
    from sqlalchemy import create_engine
    engine = create_engine("postgresql://another:root@postgres/shared")
    frame.to_sql("trips", engine, schema="magic", index=False)
    engine.dispose()
    with Postgres.with_config(config) as loader:
        assert len(loader.load("SELECT * FROM magic.trips")) == 3
    """
    assert run_code(START + code, profile=PROFILE.format(name="shared"))[0].error is None


def test_without_local_a_server_that_is_named_is_not_taken_over(run_code: RunCode) -> None:
    code = """
    import psycopg2
    psycopg2.connect("host=127.0.0.1 port=1 dbname=x user=postgres password=postgres")
    """
    record, lines = run_code(START + code, local=False)
    assert "port 1" in str(record.error)
    assert lines[0].startswith("Postgres: POSTGRES_HOST is not set, so the local one is used")


HALF = """
default:
  POSTGRES_DBNAME: halfway
  POSTGRES_USER: postgres
  POSTGRES_PASSWORD: postgres
  POSTGRES_HOST: "{{ env_var('POSTGRES_HOST') }}"
  POSTGRES_PORT: "{{ env_var('POSTGRES_PORT') }}"
"""


def test_without_local_what_a_profile_without_a_host_names_is_made(run_code: RunCode, stack: LocalStack) -> None:
    record, _ = run_code(START + WAYS["Mage's connector"], local=False, profile=HALF)
    assert record.error is None
    assert has_table(stack, "halfway")


def test_after_the_run_psycopg2_is_as_it_was(run_code: RunCode) -> None:
    before = psycopg2._connect
    assert run_code(START + "    return 1\n", profile=PROFILE.format(name="x"))[0].error is None
    assert psycopg2._connect is before


def test_a_profile_without_a_host_has_the_local_server_whatever_else_it_says(run_code: RunCode) -> None:
    profile = """
default:
  POSTGRES_HOST: "{{ env_var('NOBODY_SET_IT') }}"
  POSTGRES_PORT: 1
  POSTGRES_USER: somebody
  POSTGRES_PASSWORD: wrong
  POSTGRES_DBNAME: theirs
  POSTGRES_SCHEMA: public
"""
    code = """
    with Postgres.with_config(config) as loader:
        loader.export(frame, "public", "hostless", index=False)
        assert len(loader.load("SELECT * FROM hostless")) == 3
    """
    assert run_code(START + code, profile=profile, local=False)[0].error is None
