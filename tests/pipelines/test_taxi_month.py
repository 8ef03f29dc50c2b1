"""Months loaded by the pipeline `taxi_month`: exactly once, whatever happens to the runs.

`PIPELINE_KILLS_SEED` repeats the moments at which runs are killed.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random, randrange
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery

from mage_project.local import LocalStack
from taxi.load_jobs import bigquery_client
from tests.pipelines.lab import Lab, Result, eventually
from tests.pipelines.stores import Stores
from tests.taxi.making import text, trip, write_month

pytestmark = pytest.mark.slow
KILLS = 3
SEED = int(os.environ.get("PIPELINE_KILLS_SEED", randrange(1_000_000)))
OCTOBER, NOVEMBER = "2020-10", "2020-11"
#: Rows and dollars of each month in a store.
Months = dict[str, tuple[int, float]]


@dataclass(kw_only=True)
class Scene:
    """A project whose releases can be issued again, and what it has loaded into three stores."""

    lab: Lab
    stores: Stores
    warehouse: bigquery.Client
    name: str

    def publish(self, month: str, dollars: float, rows: int = 3_000) -> None:
        """Make the file of a month, or issue it again."""
        lines = (trip(total_amount=str(dollars), trip_distance=str(row)) for row in range(rows))
        write_month(self.lab.root / "releases", text(*lines), month)

    def variables(self, *months: str) -> dict[str, Any]:
        places = {"schema": self.name, "dataset": self.name, "bucket": self.name}
        return {"source": "releases", "months": list(months), **places}

    def load(self, *months: str) -> Result:
        result = self.lab.run(self.variables(*months))
        assert result.exit_code == 0, result.report
        return result

    def loaded(self) -> list[Months]:
        """What each store holds: Postgres, the lake, BigQuery."""
        return [self._postgres(), self._lake(), self._bigquery()]

    def _postgres(self) -> Months:
        [(there,)] = self.stores.query("SELECT to_regclass(%s) IS NOT NULL", f"{self.name}.green_trips")
        rows = self.stores.query(f"SELECT source_month, total_amount FROM {self.name}.green_trips") if there else []
        return summed((f"{month:%Y-%m}", amount) for month, amount in rows)

    def _lake(self) -> Months:
        rows = []
        for blob in self.stores.gcs.list_blobs(self.name, prefix="taxi/green/"):
            if blob.name.endswith(".parquet"):
                month = blob.name.split("source_month=")[1][:7]
                amounts = pq.read_table(io.BytesIO(blob.download_as_bytes()))["total_amount"].to_pylist()
                rows += [(month, amount) for amount in amounts]
        return summed(rows)

    def _bigquery(self) -> Months:
        if self.name not in {found.dataset_id for found in self.warehouse.list_datasets()}:
            return {}
        if "green_trips" not in {found.table_id for found in self.warehouse.list_tables(self.name)}:
            return {}
        rows = self.warehouse.list_rows(self.warehouse.get_table(f"{self.name}.green_trips"))
        return summed((f"{row['source_month']:%Y-%m}", row["total_amount"]) for row in rows)


def summed(rows: Any) -> Months:
    found: dict[str, list[float]] = {}
    for month, amount in rows:
        found.setdefault(month, []).append(amount)
    return {month: (len(amounts), round(sum(amounts), 2)) for month, amounts in found.items()}


@pytest.fixture(scope="module")
def warehouse(local_stack: LocalStack) -> Iterator[bigquery.Client]:
    if lack := local_stack.missing("bigquery"):
        pytest.skip(lack)
    local_stack.up(("bigquery",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", local_stack.env(("bigquery",))["BIGQUERY_EMULATOR_HOST"])
        with closing(bigquery_client({})) as client:
            yield client


@pytest.fixture
def scene(stores: Stores, warehouse: bigquery.Client, local_stack: LocalStack, tmp_path: Path) -> Scene:
    root = tmp_path / "project"
    root.mkdir()
    name = f"months_{randrange(16**8):08x}"
    stores.gcs.create_bucket(name)
    lab = Lab(root=root, env=local_stack.env(("postgres", "gcs", "bigquery")), pipeline="taxi_month")
    return Scene(lab=lab, stores=stores, warehouse=warehouse, name=name)


def test_each_month_is_loaded_once_and_replaced_where_it_is_issued_again(scene: Scene) -> None:
    scene.publish(OCTOBER, 1)
    scene.publish(NOVEMBER, 2)
    scene.load(OCTOBER)
    scene.publish(OCTOBER, 3, rows=10)
    result = scene.load(OCTOBER, NOVEMBER)
    assert scene.loaded() == [{OCTOBER: (10, 30), NOVEMBER: (3_000, 6_000)}] * 3
    assert result.said.count("2020-10 was issued again, 10 rows replace 3,000") == 3
    assert scene.load(NOVEMBER, OCTOBER).said.count("unchanged (10 rows): nothing was written") == 3
    assert scene.loaded() == [{OCTOBER: (10, 30), NOVEMBER: (3_000, 6_000)}] * 3


def test_ten_times_the_trips_take_the_same_memory(scene: Scene) -> None:
    """Checked and into three stores. Batches and row groups are a tenth of what they are, so that few trips do."""
    scene.lab.edit("taxi/parquet_batches.py", "BATCH_BYTES = 3_000_000", "BATCH_BYTES = 300_000")
    scene.lab.edit("taxi/partitions.py", "GROUP_ROWS = 60_000", "GROUP_ROWS = 6_000")
    month = scene.lab.root / "sample_data" / "fhvhv" / "fhvhv_tripdata_2025-01.parquet"
    trips, peaks = pq.read_table(month), list[int]()
    for copies in (50, 500):
        pq.write_table(pa.concat_tables([trips] * copies), month)
        result = scene.lab.run({**scene.variables("2025-01"), "service": "fhvhv", "source": "sample_data"})
        assert result.said.count(f"{trips.num_rows * copies:,} rows") >= 3, result.report
        peaks.append(result.report["peak_rss_bytes"])
    assert peaks[1] - peaks[0] < trips.nbytes * 500 / 3, peaks


def test_a_failing_test_leaves_every_store_as_it_was(scene: Scene) -> None:
    scene.publish(OCTOBER, 1)
    scene.load(OCTOBER)
    scene.publish(OCTOBER, 2)
    scene.publish(NOVEMBER, 2)
    scene.lab.edit(
        "transformers/conform_taxi_trips.py",
        '    return f"{outside:,}',
        '    assert not rows\n    return f"{outside:,}',
    )
    assert scene.lab.run(scene.variables(OCTOBER, NOVEMBER)).exit_code == 3
    assert scene.loaded() == [{OCTOBER: (3_000, 3_000)}] * 3


def test_a_store_that_fails_in_the_end_leaves_the_others_as_they_were(scene: Scene) -> None:
    scene.publish(OCTOBER, 1)
    scene.load(OCTOBER)
    scene.publish(OCTOBER, 2)
    code = scene.lab.root / "taxi" / "month_partitions.py"
    right = code.read_text()
    scene.lab.edit("taxi/month_partitions.py", "table = self._made(month)", "raise ConnectionError('no answer')")
    assert scene.lab.run(scene.variables(OCTOBER)).exit_code == 1
    assert scene.loaded() == [{OCTOBER: (3_000, 3_000)}] * 3
    assert not list(scene.stores.gcs.list_blobs(scene.name, prefix="_staging/"))
    code.write_text(right)
    scene.load(OCTOBER)
    assert scene.loaded() == [{OCTOBER: (3_000, 6_000)}] * 3


def test_of_two_runs_at_once_one_loads_the_month_and_the_other_finds_it_loaded(scene: Scene) -> None:
    scene.publish(OCTOBER, 1, rows=60_000)
    first, second = (scene.lab.start(scene.variables(OCTOBER)) for _ in range(2))
    said = [process.communicate(timeout=120)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    lines = [line for line in "".join(said).splitlines() if f"month_to_postgres: {scene.name}" in line]
    lines = [line for line in lines if "is loading 2020-10: waiting" not in line]  # said by one that came too early
    assert sorted(line.partition("green_trips: ")[2] for line in lines) == [
        "2020-10 is loaded already, unchanged (60,000 rows): nothing was written",
        "2020-10 loaded, 60,000 rows",
    ]
    assert scene.loaded() == [{OCTOBER: (60_000, 60_000)}] * 3
    [ledger] = scene.stores.query(f"SELECT count(*) FROM {scene.name}.loaded_months")
    noted = list(scene.warehouse.list_rows(scene.warehouse.get_table(f"{scene.name}.loaded_months")))
    assert (ledger, len(noted)) == ((1,), 1)


def test_months_of_one_service_are_loaded_side_by_side(scene: Scene) -> None:
    for month, dollars in ((OCTOBER, 1), (NOVEMBER, 2)):
        scene.publish(month, dollars)
    running = [scene.lab.start(scene.variables(month)) for month in (OCTOBER, NOVEMBER)]
    said = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert scene.loaded() == [{OCTOBER: (3_000, 3_000), NOVEMBER: (3_000, 6_000)}] * 3


def test_a_killed_run_leaves_each_store_the_old_month_or_the_new_one_and_the_next_run_all_of_them_the_new(
    scene: Scene,
) -> None:
    scene.publish(OCTOBER, 0)
    started = time.monotonic()
    scene.load(OCTOBER)
    run_s = time.monotonic() - started
    for kill in range(1, KILLS + 1):
        scene.publish(OCTOBER, kill, rows=3_000 + kill)
        command = scene.lab.start(scene.variables(OCTOBER))
        time.sleep(Random(f"{SEED} {kill}").uniform(run_s / 3, run_s))
        for pid in scene.lab.processes():
            os.kill(pid, 9)
        command.communicate(timeout=60)
        eventually(lambda: not scene.lab.processes(), "its processes are gone")
        old, new = ({OCTOBER: (3_000 + n if n else 3_000, (3_000.0 + n) * n)} for n in (kill - 1, kill))
        told = f"kill {kill}, PIPELINE_KILLS_SEED={SEED}"
        postgres, _, warehouse = scene.loaded()
        assert postgres in (old, new), told
        assert warehouse in (old, new), told
        scene.load(OCTOBER)
        assert scene.loaded() == [new] * 3, told
