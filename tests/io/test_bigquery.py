from __future__ import annotations

import datetime as dt
import gc
import secrets
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from google.cloud import bigquery

from mage_project.errors import StoreError
from mage_project.io import bigquery_staging, commits
from mage_project.io.bigquery import BigQuery
from mage_project.io.bigquery_staging import PREFIX

DAYS = [dt.date(2020, 10, day) for day in (1, 2, 2)]


class Warehouse:
    """A dataset of a test's own."""

    def __init__(self) -> None:
        self.store = BigQuery()
        self.dataset = f"test_{secrets.token_hex(4)}"
        self.table = f"{self.dataset}.trips"

    def export(self, data: Any, **options: Any) -> None:
        self.store.export(data, self.table, **options)

    def rows(self, order: str = "1") -> list[tuple[Any, ...]]:
        query = f"SELECT * FROM {self.table} ORDER BY {order}"
        return [tuple(row.values()) for row in self.store.execute_query_raw(query)]

    def ids(self) -> list[int]:
        return [row[0] for row in self.rows()]

    def types(self) -> dict[str, str]:
        return self.store.get_column_types(self.dataset, "trips")

    def tables(self) -> list[str]:
        return [table.table_id for table in self.store.client.list_tables(self.dataset)]

    def resource(self) -> Any:
        return self.store.client.get_table(self.table_name)

    @property
    def table_name(self) -> str:
        return f"{self.store.client.project}.{self.table}"


@pytest.fixture
def warehouse(bigquery_env: dict[str, str]) -> Iterator[Warehouse]:
    warehouse = Warehouse()
    yield warehouse
    warehouse.store.client.delete_dataset(warehouse.dataset, delete_contents=True, not_found_ok=True)
    warehouse.store.close()
    gc.collect()


@pytest.fixture
def trips() -> pd.DataFrame:
    return pd.DataFrame({"id": [1, 2, 3], "fare amount": [1.5, None, 3.5], "day": pd.Series(DAYS, dtype="object")})


def frame(*ids: int, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": list(ids), **columns})


# -- export


def test_a_frame_becomes_a_table_in_a_dataset_that_is_made(warehouse, trips, capsys):
    warehouse.export(trips)
    assert warehouse.rows() == [(1, 1.5, DAYS[0]), (2, None, DAYS[1]), (3, 3.5, DAYS[2])]
    assert warehouse.tables() == ["trips"]
    assert f"made the dataset {warehouse.store.client.project}.{warehouse.dataset} in US" in capsys.readouterr().out


def test_types_follow_the_arrow_types(warehouse):
    columns = {
        "a": pa.array([1], pa.int16()),
        "b": pa.array([1.5], pa.float32()),
        "c": pa.array([dt.datetime(2020, 10, 1, 12, 30, 1, 234567)], pa.timestamp("us")),
        "d": pa.array([dt.datetime(2020, 10, 1)], pa.timestamp("ns", "UTC")),
        "e": pa.array([dt.date(2020, 10, 1)]),
        "f": pa.array(["x"], pa.dictionary(pa.int32(), pa.string())),
        "g": pa.array([None], pa.null()),
        "h": pa.array([True]),
        "i": pa.array([b"x"]),
        "j": pa.array([dt.time(1, 2, 3)], pa.time64("us")),
        "k": pa.array([2**63], pa.uint64()),
    }
    warehouse.export(pa.table(columns))
    words = "INT64 FLOAT64 DATETIME TIMESTAMP DATE STRING STRING BOOL BYTES TIME NUMERIC"
    assert list(warehouse.types().values()) == words.split()
    row = warehouse.rows()[0]
    assert row[2] == dt.datetime(2020, 10, 1, 12, 30, 1, 234567)
    assert row[8:] == (b"x", dt.time(1, 2, 3), 2**63)


def test_a_stream_of_many_pieces_arrives_whole(warehouse, monkeypatch):
    monkeypatch.setattr(bigquery_staging, "PIECE_BYTES", 1)
    warehouse.export(frame(number) for number in range(5))
    assert warehouse.ids() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("policy", "ids"), [("replace", [3]), ("append", [1, 2, 3])], ids=["replace", "append"])
def test_a_table_that_is_there_is_replaced_or_appended_to(warehouse, policy, ids):
    warehouse.export(frame(1, 2))
    warehouse.export(frame(3), if_exists=policy)
    assert warehouse.ids() == ids


def test_the_same_rows_can_be_appended_again(warehouse):
    for _ in range(3):
        warehouse.export(frame(1), if_exists="append")
    assert warehouse.ids() == [1, 1, 1]


def test_fail_wants_no_table(warehouse):
    warehouse.export(frame(1), if_exists="fail")
    with pytest.raises(StoreError, match=r"trips already exists"):
        warehouse.export(frame(2), if_exists="fail")
    assert warehouse.ids() == [1]


def test_google_s_own_word_for_the_policy_counts(warehouse):
    warehouse.export(frame(1))
    warehouse.export(frame(2), if_exists="replace", write_disposition="WRITE_APPEND")
    assert warehouse.ids() == [1, 2]


def test_an_empty_frame_makes_an_empty_table(warehouse):
    warehouse.export(frame(1))
    warehouse.export(frame(1).head(0))
    assert warehouse.ids() == []
    assert warehouse.types() == {"id": "INT64"}


def test_a_stream_without_a_frame_is_an_error(warehouse):
    with pytest.raises(StoreError, match=r"nothing came to write"):
        warehouse.export(iter([]))


def test_the_table_is_partitioned_and_clustered_as_the_exporter_says(warehouse, trips):
    warehouse.export(trips, partition_by="day", cluster_by=["id"])
    table = warehouse.resource()
    assert (table.time_partitioning.field, table.time_partitioning.type_) == ("day", "DAY")
    assert table.clustering_fields == ["id"]


def test_a_replaced_table_keeps_its_layout(warehouse, trips):
    monthly = bigquery.TimePartitioning(type_="MONTH", field="day")
    warehouse.export(trips, time_partitioning=monthly, clustering_fields=["id"])
    warehouse.export(trips)
    table = warehouse.resource()
    assert (table.time_partitioning.field, table.time_partitioning.type_) == ("day", "MONTH")
    assert table.clustering_fields == ["id"]


def test_a_replaced_table_can_get_another_layout(warehouse, trips):
    warehouse.export(trips)
    warehouse.export(trips, partition_by="day:MONTH")
    assert warehouse.resource().time_partitioning.type_ == "MONTH"
    assert len(warehouse.rows()) == 3


def test_a_table_does_not_expire_with_its_staging_table(warehouse, trips):
    warehouse.export(trips)
    assert warehouse.resource().expires is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition_by": "dayy"}, "partitioned or clustered by 'dayy'.*Did you mean 'day'"),
        ({"partition_by": "day:WEEK"}, "none of HOUR, DAY, MONTH, YEAR"),
        ({"cluster_by": "ide"}, "Did you mean 'id'"),
        ({"if_exists": "repalce"}, "Did you mean 'replace'"),
        ({"partition_buy": "day"}, "Did you mean 'partition_by'"),
        ({"overwrite_types": {"idd": "STRING"}}, "Did you mean 'id'"),
        ({"overwrite_types": {"id": "STRINGG"}}, "Did you mean 'STRING'"),
    ],
)
def test_an_option_that_is_wrong_is_told_with_the_one_that_may_be_meant(warehouse, trips, options, words):
    with pytest.raises(StoreError, match=words):
        warehouse.export(trips, **options)
    assert "trips" not in (warehouse.tables() if _exists(warehouse) else [])


def _exists(warehouse: Warehouse) -> bool:
    return warehouse.dataset in [found.dataset_id for found in warehouse.store.client.list_datasets()]


@pytest.mark.parametrize("name", ["trips", "a.b.c.d e", "p.d.", "", "d.tab;le"])
def test_a_name_that_is_no_table_is_refused(bigquery_env, name):
    with BigQuery() as store, pytest.raises(StoreError, match=r"no table of BigQuery"):
        store.export(frame(1), name)


def test_columns_that_bigquery_does_not_take_are_refused(warehouse):
    with pytest.raises(StoreError, match=r"takes no column named '2nd'"):
        warehouse.export(pd.DataFrame({"2nd": [1]}))
    with pytest.raises(StoreError, match=r"'VendorID' and 'vendorid' are the same"):
        warehouse.export(pd.DataFrame({"VendorID": [1], "vendorid": [2]}))


def test_types_can_be_said(warehouse):
    warehouse.export(frame(1, n=[2]), overwrite_types={"id": "STRING"}, schema=[bigquery.SchemaField("n", "FLOAT")])
    assert warehouse.types() == {"id": "STRING", "n": "FLOAT64"}


def test_appended_values_get_the_types_of_the_table(warehouse):
    warehouse.export(frame(1, n=[1.5]))
    warehouse.export(frame(2, n=[2]), if_exists="append")
    warehouse.export(frame(3), if_exists="append")
    assert warehouse.rows() == [(1, 1.5), (2, 2.0), (3, None)]


def test_an_appended_value_that_does_not_fit_is_told_with_its_row(warehouse):
    warehouse.export(frame(1))
    with pytest.raises(StoreError, match=r"column 'id': 2.5 in row 2 does not fit"):
        warehouse.export(pd.DataFrame({"id": [1.0, 2.5]}), if_exists="append")
    assert warehouse.ids() == [1]


def test_an_appended_column_that_the_table_has_not_is_told(warehouse):
    warehouse.export(frame(1, fare=[1.0]))
    with pytest.raises(StoreError, match=r"has no column 'fares' to append to.*Did you mean 'fare'"):
        warehouse.export(frame(1, fares=[1.0]), if_exists="append")


@pytest.mark.parametrize(("method", "names"), [("UPDATE", "adef"), ("IGNORE", "abef")], ids=["update", "ignore"])
def test_rows_are_merged_by_their_key(warehouse, method, names):
    warehouse.export(frame(1, 2, name=["a", "b"]))
    new = frame(2, 2, 3, 4, name=["c", "d", "e", "f"])
    keys = {"unique_constraints": ["id"], "unique_conflict_method": method}
    warehouse.export(new, if_exists="append", **keys)
    assert "".join(row[1] for row in warehouse.rows()) == names
    assert warehouse.types() == {"id": "INT64", "name": "STRING"}


def test_a_merge_keeps_the_layout(warehouse, trips):
    warehouse.export(trips, partition_by="day", cluster_by="id")
    warehouse.export(trips, if_exists="append", unique_constraints=["id"], unique_conflict_method="UPDATE")
    assert warehouse.resource().time_partitioning.field == "day"
    assert warehouse.ids() == [1, 2, 3]


def test_a_query_fills_a_table(warehouse):
    warehouse.export(frame(1, 2))
    for policy, total in (("replace", 1), ("append", 2)):
        query = f"SELECT max(id) AS id FROM {warehouse.table};"
        warehouse.store.export(None, f"{warehouse.dataset}.most", if_exists=policy, query_string=query)
        assert len(warehouse.store.load(f"{warehouse.dataset}.most")) == total
    assert warehouse.tables() == ["most", "trips"]


# -- whole or not at all


def test_a_stream_that_breaks_leaves_the_table_as_it_was(warehouse, failing):
    warehouse.export(frame(1))
    with pytest.raises(RuntimeError, match=r"the source broke"):
        warehouse.export(failing(frame(2)))
    assert warehouse.ids() == [1]
    assert warehouse.tables() == ["trips"]


def test_a_collected_export_appears_with_the_commit(warehouse):
    with commits.collecting() as collected:
        warehouse.export(frame(1))
    assert "trips" not in warehouse.tables()
    collected.commit_all()
    assert warehouse.ids() == [1]
    assert warehouse.tables() == ["trips"]


def test_a_collected_export_can_be_rolled_back(warehouse):
    warehouse.export(frame(1))
    with commits.collecting() as collected:
        warehouse.export(frame(2))
    collected.rollback_all()
    assert warehouse.ids() == [1]
    assert warehouse.tables() == ["trips"]


def test_a_staging_table_that_nobody_removes_expires(warehouse):
    with commits.collecting() as collected:
        warehouse.export(frame(1))
    [name] = warehouse.tables()
    assert name.startswith(PREFIX)
    left = warehouse.store.client.get_table(f"{warehouse.dataset}.{name}").expires - dt.datetime.now(dt.UTC)
    assert dt.timedelta(hours=23) < left < dt.timedelta(hours=25)
    collected.rollback_all()


# -- where and how long


def made(warehouse: Warehouse, **settings: Any) -> None:
    dataset = bigquery.Dataset(f"{warehouse.store.client.project}.{warehouse.dataset}")
    for name, value in settings.items():
        setattr(dataset, name, value)
    warehouse.store.client.create_dataset(dataset)


def test_a_dataset_elsewhere_is_an_error_before_anything_is_sent(warehouse):
    made(warehouse, location="europe-west1")
    with (
        BigQuery(location="US") as store,
        pytest.raises(StoreError, match=r"is in europe-west1, but .* is US") as caught,
    ):
        store.export(iter(()), warehouse.table)
    assert "set GOOGLE_LOCATION to europe-west1" in str(caught.value)


def test_the_dataset_is_made_where_the_location_says(warehouse):
    with BigQuery(location="europe-west1") as store:
        store.export(frame(1), warehouse.table)
    assert warehouse.store.client.get_dataset(warehouse.dataset).location == "europe-west1"


def test_a_dataset_is_not_made_where_that_is_not_wanted(warehouse):
    with pytest.raises(StoreError, match=r"there is no dataset"):
        warehouse.export(frame(1), create_dataset=False)


def test_rows_that_the_sandbox_would_drop_at_once_are_refused(warehouse, trips):
    made(warehouse, default_partition_expiration_ms=60 * 24 * 3600 * 1000)
    with pytest.raises(StoreError, match=r"live for 60 days: a row of 'day' 2020-10-01 would be gone at once"):
        warehouse.export(trips, partition_by="day")
    warehouse.export(trips)
    assert len(warehouse.rows()) == 3


def test_a_view_is_not_written_over(warehouse):
    warehouse.export(frame(1))
    warehouse.store.execute(f"CREATE VIEW {warehouse.dataset}.seen AS SELECT * FROM {warehouse.table}")
    with pytest.raises(StoreError, match=r"is no table but a view"):
        warehouse.store.export(frame(1), f"{warehouse.dataset}.seen")


# -- load and the rest


def test_a_query_and_a_table_load_with_google_s_types(warehouse, trips):
    warehouse.export(trips)
    for source in (warehouse.table, warehouse.table_name, f"SELECT * FROM {warehouse.table};"):
        types = [str(dtype) for dtype in warehouse.store.load(source).dtypes]
        assert types == ["Int64", "float64", "dbdate"]


def test_a_load_can_be_limited(warehouse, trips):
    warehouse.export(trips)
    assert len(warehouse.store.load(f"SELECT * FROM {warehouse.table}", limit=2)) == 2
    assert len(warehouse.store.load(warehouse.table, limit=2)) == 2
    assert len(warehouse.store.sample(warehouse.dataset, "trips", 1)) == 1


def test_rows_come_by_rest_where_there_is_no_storage_api(warehouse, trips, monkeypatch):
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST", raising=False)
    warehouse.export(trips)
    assert warehouse.store.load(warehouse.table)["id"].tolist() == [1, 2, 3]


def test_statements_run_to_their_end(warehouse):
    warehouse.export(frame(1))
    warehouse.store.execute(f"CREATE TABLE {warehouse.dataset}.more AS SELECT 1 AS n; DROP TABLE {warehouse.table};")
    assert warehouse.tables() == ["more"]
    assert [len(found) for found in warehouse.store.execute_queries(["SELECT 1", "SELECT 2"])] == [1, 1]


def test_columns_are_added(warehouse):
    warehouse.export(frame(1))
    warehouse.store.alter_table(frame(1, name=["a"], id2=[1.5]), warehouse.table)
    assert warehouse.types() == {"id": "INT64", "name": "STRING", "id2": "FLOAT64"}


def test_a_table_is_deleted(warehouse):
    warehouse.export(frame(1))
    warehouse.store.delete_table(warehouse.table)
    warehouse.store.delete_table(warehouse.table, not_found_ok=True)
    assert not warehouse.store.table_exists(warehouse.dataset, "trips")
    with pytest.raises(StoreError, match=r"there is no table"):
        warehouse.store.delete_table(warehouse.table)
