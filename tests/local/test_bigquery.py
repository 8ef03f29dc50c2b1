"""The local BigQuery as Google's client sees it, and its life."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
from google.api_core.exceptions import BadRequest, Conflict
from google.cloud import bigquery, storage

from mage_project.errors import ConfigError
from mage_project.local import LocalStack
from tests.local.owners import OwnerFactory, eventually, processes_of, running
from tests.local.warehouses import DAYS, Dataset, client_of, dataset, parquet

pytest.importorskip("local_bigquery", reason="the packages of the server are for Python 3.13")


def test_a_load_job_takes_parquet(trips: Dataset) -> None:
    assert trips.load(DAYS, "days").output_rows == 2
    assert trips.rows("SELECT SUM(n) FROM {}.days") == [(3,)]


@pytest.mark.filterwarnings("ignore:Loading:FutureWarning", "ignore:Loading:PendingDeprecationWarning")
def test_a_load_job_takes_a_dataframe(trips: Dataset) -> None:
    frame = pd.DataFrame({"n": [1, 2], "zone": ["Astoria", None]})
    trips.client.load_table_from_dataframe(frame, f"{trips.name}.zones").result()
    assert trips.rows("SELECT n, zone FROM {}.zones ORDER BY n") == [(1, "Astoria"), (2, None)]


def test_a_load_job_takes_the_objects_of_the_local_gcs(trips: Dataset, bucket: storage.Bucket) -> None:
    bucket.blob("days.parquet").upload_from_string(parquet(DAYS))
    assert trips.load_objects("gs://bigquery-lake/days.parquet", "days").output_rows == 2


def test_an_object_that_was_written_again_is_read_again(trips: Dataset, bucket: storage.Bucket) -> None:
    for n in (1, 2):
        bucket.blob("days.csv").upload_from_string(f"n\n{n}\n")
        trips.load_objects("gs://bigquery-lake/days.csv", "days", source_format="CSV", autodetect=True)
    assert trips.rows("SELECT n FROM {}.days ORDER BY n") == [(1,), (2,)]


def test_partitioning_and_clustering_are_kept(trips: Dataset) -> None:
    partitioning = bigquery.TimePartitioning(field="day", type_="MONTH")
    trips.load(DAYS, "days", time_partitioning=partitioning, clustering_fields=["n"])
    table = trips.get("days")
    assert (table.time_partitioning.field, table.time_partitioning.type_) == ("day", "MONTH")
    assert table.clustering_fields == ["n"]


@pytest.mark.parametrize(("disposition", "rows"), [("WRITE_APPEND", 4), ("WRITE_TRUNCATE", 2)])
def test_a_second_load_obeys_its_disposition(trips: Dataset, disposition: str, rows: int) -> None:
    trips.load(DAYS, "days")
    trips.load(DAYS, "days", write_disposition=disposition)
    assert trips.get("days").num_rows == rows


def test_a_second_load_into_what_should_be_empty_is_a_conflict(trips: Dataset) -> None:
    trips.load(DAYS, "days")
    with pytest.raises(Conflict, match="Already Exists"):
        trips.load(DAYS, "days", write_disposition="WRITE_EMPTY")


def test_an_error_in_a_query_is_an_error(trips: Dataset) -> None:
    with pytest.raises(BadRequest, match="nowhere"):
        trips.rows("SELECT nowhere FROM (SELECT 1 AS n)")


def test_the_storage_api_reads_the_same_rows(local_stack: LocalStack, trips: Dataset) -> None:
    import grpc
    from google.cloud import bigquery_storage_v1
    from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

    trips.load(DAYS, "days")
    with grpc.insecure_channel(local_stack.env(("bigquery",))["BIGQUERY_STORAGE_EMULATOR_HOST"]) as channel:
        reader = bigquery_storage_v1.BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
        rows = trips.client.query_and_wait(f"SELECT * FROM {trips.name}.days ORDER BY n")
        assert rows.to_arrow(bqstorage_client=reader)["n"].to_pylist() == [1, 2]


def test_only_missing_datasets_are_made(local_stack: LocalStack, trips: Dataset) -> None:
    assert local_stack.ensure_datasets([trips.name, "zones"]) == ["zones"]
    assert local_stack.ensure_datasets(["zones"], project="another-project") == ["zones"]
    trips.client.delete_dataset("zones")
    trips.client.delete_dataset("another-project.zones")


@pytest.mark.usefixtures("trips")
@pytest.mark.parametrize("name", ["", "a-b", "a.b", "ä"])
def test_a_dataset_name_that_google_refuses_is_refused(local_stack: LocalStack, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        local_stack.ensure_datasets([name])


def test_rows_outlive_a_kill_of_the_server(project: Path) -> None:
    stack = LocalStack(project)
    stack.up(("bigquery",))
    before = stack.env(("bigquery",))
    with dataset(stack) as trips:
        trips.load(DAYS, "days")
        os.kill(int((project / ".mage_project/local/bigquery.lock").read_text()), signal.SIGKILL)
        eventually(lambda: running(project) == set())
        stack.up(("bigquery",))
        assert trips.rows("SELECT COUNT(*) FROM {}.days") == [(2,)]
    assert stack.env(("bigquery",)) == before
    assert stack.down() == ["bigquery"]


def test_a_project_that_was_moved_keeps_its_rows(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    stack = LocalStack(tmp_path / "before")
    stack.up(("bigquery",))
    with dataset(stack) as trips:
        trips.load(DAYS, "days")
    stack.down()
    (tmp_path / "before").rename(tmp_path / "after")
    stack = LocalStack(tmp_path / "after")
    stack.up(("bigquery",))
    with client_of(stack) as client:
        assert client.get_table("trips.days").num_rows == 2
    stack.down()


def test_users_that_race_share_one_server(project: Path, owner: OwnerFactory) -> None:
    code = "stack.up(('bigquery',)); print(stack.env(('bigquery',)), flush=True)"
    owners = [owner(project, code) for _ in "ab"]
    assert len({process.process.stdout.readline() for process in owners if process.process.stdout}) == 1
    for process in owners:
        process.is_ready().kill()
    eventually(lambda: not processes_of(project))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's table of sockets")
def test_it_listens_on_the_loopback_interface_only(local_stack: LocalStack, trips: Dataset) -> None:
    env = local_stack.env(("bigquery",))
    ports = {int(env[name].rpartition(":")[2]) for name in env if name.endswith("EMULATOR_HOST")}
    sockets = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    listening = [words[1].split(":") for words in sockets if words[3] == "0A"]
    assert {int(port, 16) for _, port in listening} >= ports
    assert all(host.endswith("0100007F") for host, port in listening if int(port, 16) in ports)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_the_server_of_root_is_not_root(project: Path) -> None:
    stack = LocalStack(project)
    stack.up(("bigquery",))
    pid = int((project / ".mage_project/local/bigquery.lock").read_text())
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    stack.down()
