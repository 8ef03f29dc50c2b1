"""What blocks do with Google's own BigQuery library, on the local BigQuery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mage_project.local import LocalStack
from mage_project.local.bigquery import BigQueryServer
from mage_project.standins.sql_targets import written
from tests.standins.conftest import RunCode

#: Google's library tells blocks to use another one.
pytestmark = [
    pytest.mark.filterwarnings("ignore:(Loading|Retrieving) .* is deprecated:PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Loading pandas DataFrame into BigQuery will require pandas-gbq"),
    pytest.mark.filterwarnings("ignore:In a future major release:PendingDeprecationWarning"),
]
START = """
import os
os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/home/src/not-there.json"
import pandas as pd
from google.cloud import bigquery
@data_loader
def load(*args, **kwargs):
    frame = pd.DataFrame({"n": [1, 2, 3]})
"""


@pytest.fixture
def bigquery_stack(stack: LocalStack) -> Iterator[LocalStack]:
    lack = stack.missing("bigquery")
    if lack:
        pytest.skip(lack)
    stack.up(("bigquery",))
    return stack


USES = {
    "a load job": """
    client.load_table_from_dataframe(frame, f"{client.project}.<ds>.t").result()
    """,
    "a table as a query's destination": """
    config = bigquery.QueryJobConfig(destination=f"{client.project}.<ds>.t")
    client.query("SELECT n FROM UNNEST([1, 2, 3]) AS n", job_config=config).result()
    """,
    "a statement": """
    client.query("CREATE OR REPLACE TABLE <ds>.t AS SELECT n FROM UNNEST([1, 2, 3]) AS n").result()
    """,
    "a table that is made": """
    client.create_table(bigquery.Table(f"{client.project}.<ds>.t", schema=[bigquery.SchemaField("n", "INT64")]))
    client.query("INSERT INTO <ds>.t VALUES (1), (2), (3)").result()
    """,
    "get_dataset": """
    client.get_dataset("<ds>")
    client.load_table_from_json([{"n": 1}, {"n": 2}, {"n": 3}], "<ds>.t").result()
    """,
}
AGAIN = """
    rows = client.query("SELECT n FROM <ds>.t ORDER BY n").to_dataframe()
    client.close()
    assert rows.n.tolist() == [1, 2, 3]
"""


@pytest.mark.usefixtures("bigquery_stack")
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_datasets_are_made_on_first_use(run_code: RunCode, use: str) -> None:
    name = f"theirs_{list(USES.values()).index(use)}"
    code = START + '    client = bigquery.Client(project="their-project-1234")\n' + use + AGAIN
    record, lines = run_code(code.replace("<ds>", name))
    assert record.error is None
    assert [line for line in lines if "made" in line] == [
        f"BigQuery: made the local dataset 'their-project-1234.{name}'"
    ]


CLIENTS = {
    "nothing": "bigquery.Client()",
    "a key file": "bigquery.Client.from_service_account_json('/home/src/not-there.json')",
    "a key file and a project": "bigquery.Client.from_service_account_json('/not-there.json', project='theirs')",
    "a location": "bigquery.Client(location='europe-west6')",
}


@pytest.mark.usefixtures("bigquery_stack")
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_googles_client_needs_no_credentials(run_code: RunCode, client: str) -> None:
    name = f"clients_{list(CLIENTS.values()).index(client)}"
    code = START + f"    client = {client}\n" + USES["a load job"] + AGAIN
    assert run_code(code.replace("<ds>", name))[0].error is None


@pytest.mark.usefixtures("bigquery_stack")
def test_a_reader_that_a_block_makes_itself_reads_from_the_local_server(run_code: RunCode) -> None:
    code = """
    from google.cloud import bigquery_storage
    client, reader = bigquery.Client(), bigquery_storage.BigQueryReadClient()
    client.load_table_from_dataframe(frame, "readers.t").result()
    assert len(client.query("SELECT * FROM readers.t").to_dataframe(bqstorage_client=reader)) == 3
    client.close()
    """
    assert run_code(START + code)[0].error is None


@pytest.mark.usefixtures("bigquery_stack")
def test_pandas_gbq_asks_nobody_for_an_account(run_code: RunCode) -> None:
    pytest.importorskip("pandas_gbq")
    code = """
    import pandas_gbq
    pandas_gbq.to_gbq(frame, "of_pandas_gbq.t", project_id="their-project-1234", if_exists="replace")
    rows = pandas_gbq.read_gbq("SELECT n FROM of_pandas_gbq.t", project_id="their-project-1234")
    assert len(rows) == 3
    """
    assert run_code(START + code)[0].error is None


@pytest.mark.usefixtures("bigquery_stack")
def test_reading_from_a_dataset_that_is_not_there_is_an_error_and_makes_none(run_code: RunCode) -> None:
    code = START + "    bigquery.Client().query('SELECT * FROM nobodys.trips').result()\n"
    record, lines = run_code(code)
    assert "nobodys" in str(record.error)
    assert not any("made" in line for line in lines)


def test_where_bigquery_cannot_run_only_a_block_that_uses_it_fails(run_code: RunCode, monkeypatch) -> None:
    monkeypatch.setattr(BigQueryServer, "missing", lambda _: "it needs Python 3.13")
    record, lines = run_code(START + "    return frame\n")
    assert record.error is None
    assert lines == ["BigQuery: --local, and no local one can run here: it needs Python 3.13"]
    record, _ = run_code(START + "    bigquery.Client()\n")
    assert "the local BigQuery cannot run on this machine: it needs Python 3.13" in str(record.error)


STATEMENTS = {
    "CREATE OR REPLACE TABLE `p-1.ds.t` AS SELECT * FROM other.t": [("p-1", "ds")],
    "create table if not exists ds.t (n int64)": [("here", "ds")],
    "CREATE TABLE `p`.`ds`.`t` (n INT64); INSERT INTO ds2.t VALUES ('INSERT INTO ds3.t')": [
        ("p", "ds"),
        ("here", "ds2"),
    ],
    "MERGE `ds.t` AS target USING other.t ON FALSE": [("here", "ds")],
    "CREATE TEMP TABLE t AS SELECT 1 -- INSERT INTO ds.t": [],
    "CREATE EXTERNAL TABLE `p`.ds.t OPTIONS (format = 'PARQUET')": [("p", "ds")],
    "SELECT * FROM ds.t": [],
}


@pytest.mark.parametrize(("sql", "targets"), STATEMENTS.items(), ids=STATEMENTS)
def test_the_datasets_that_a_statement_writes_to(sql: str, targets: list[tuple[str, str]]) -> None:
    assert list(written(sql, "here")) == targets
