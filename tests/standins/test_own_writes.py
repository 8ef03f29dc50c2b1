"""A block finds what it has just written by a connector, however it reads; when it fails, the rest is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standins.conftest import RunCode

START = """
import os
import pandas as pd
from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.file import FileIO
from mage_ai.io.google_cloud_storage import GoogleCloudStorage
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path
frame = pd.DataFrame({"number": [1, 2, 3]})
CONFIG = get_repo_path() + "/io_config.yaml"
@data_loader
def load(*args, **kwargs):
    config = ConfigFileLoader(CONFIG, "default")
"""
PROFILE = """
default:
  POSTGRES_DBNAME: theirs
  POSTGRES_USER: me
  POSTGRES_PASSWORD: mine
  POSTGRES_HOST: postgres
"""
CHECK = """
@test
def check(rows, *args):
    assert rows == 3, rows
"""
READS = {
    "an object by the connector": """
    GoogleCloudStorage.with_config(config).export(frame, "own-writes", "a.parquet")
    return len(GoogleCloudStorage.with_config(config).load("own-writes", "a.parquet"))
    """,
    "objects by Google's client": """
    from google.cloud import storage
    for name in ("b/1.csv", "b/2.csv", "b/3.csv"):
        GoogleCloudStorage.with_config(config).export(frame, "own-writes", name)
    return len(list(storage.Client().list_blobs("own-writes", prefix="b/")))
    """,
    "a table by an engine": """
    from sqlalchemy import create_engine
    with Postgres.with_config(config) as loader:
        loader.export(frame, "own_writes", "a", index=False, if_exists="replace")
    engine = create_engine("postgresql://me:mine@postgres:5432/theirs")
    rows = len(pd.read_sql("SELECT * FROM own_writes.a", engine))
    engine.dispose()
    return rows
    """,
    "a table while the connector is open": """
    import psycopg2
    with Postgres.with_config(config) as loader:
        loader.export(frame, "own_writes", "b", index=False, if_exists="replace")
        connection = psycopg2.connect(host="postgres", user="me", password="mine", dbname="theirs")
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM own_writes.b")
        [rows] = cursor.fetchone()
        connection.close()
        loader.export(frame, "own_writes", "c", index=False, if_exists="replace")
    return rows
    """,
    "a file": """
    path = get_repo_path() + "/out.csv"
    FileIO().export(frame, path)
    GoogleCloudStorage.with_config(config).export(path, "own-writes", "c.csv")
    return len(pd.read_csv(path))
    """,
}


@pytest.mark.parametrize("code", READS.values(), ids=READS)
def test_a_block_reads_what_it_wrote(run_code: RunCode, code: str) -> None:
    record, _ = run_code(START + code + CHECK, profile=PROFILE)
    assert record.error is None


def test_a_file_that_was_there_comes_back_when_the_block_fails(run_code: RunCode, tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("number\n7\n")
    code = f"""
    FileIO().export(frame, {str(old)!r}, index=False)
    FileIO().export(frame, {str(new)!r}, index=False)
    assert len(pd.read_csv({str(old)!r})) == 3
    raise RuntimeError("too late")
    """
    record, _ = run_code(START + code)
    assert "too late" in str(record.error)
    assert old.read_text() == "number\n7\n"
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["old.csv"]
    assert not list(tmp_path.glob(".*.old")), list(tmp_path.glob(".*"))
