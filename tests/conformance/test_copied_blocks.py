"""Each shipped block alone, in a project that `mage init` made and `mage-project copy` filled."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conformance.conftest import sample_months
from tests.conformance.pipelines import write_block, write_pipeline
from tests.conformance.runners import Both, Mage
from tests.conformance.stores import Stores, in_order
from tests.projects import block

MONTH = "green/green_tripdata_2020-10.csv.gz"
KEPT = 1661
PICKUP = ["lpep_pickup_datetime", "lpep_dropoff_datetime"]
READ_CSV = """
import pandas as pd

@data_loader
def read(*args, **kwargs):
    return pd.read_csv(kwargs["csv"], parse_dates=["lpep_pickup_datetime", "lpep_dropoff_datetime"], low_memory=False)
"""
READ_PARQUET = """
import pandas as pd
import pyarrow as pa

@data_loader
def read(*args, **kwargs):
    return pd.read_parquet(kwargs["parquet"], dtype_backend="pyarrow")
"""
WRITE = """
@data_exporter
def write(trips, *args, **kwargs):
    trips.to_parquet(kwargs["to"])
"""


@pytest.fixture(scope="module")
def initialised(mage: Mage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `mage init` makes, and its user's first edit: how to reach her own Postgres, and no reports to Mage."""
    project = tmp_path_factory.mktemp("init") / "project"
    mage.init(project)
    for name in ("DBNAME", "HOST", "PASSWORD", "PORT", "USER"):
        set_line(project / "io_config.yaml", f"  POSTGRES_{name}", f"\"{{{{ env_var('POSTGRES_{name}') }}}}\"")
    set_line(project / "metadata.yaml", "help_improve_mage", "false")
    return project


def set_line(path: Path, key: str, value: str) -> None:
    text, changed = re.subn(f"^{key}: .*$", f"{key}: {value}", path.read_text(), flags=re.MULTILINE)
    assert changed == 1
    path.write_text(text)


@pytest.fixture
def project(initialised: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(initialised, tmp_path / "fresh"))


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    """Clean trips with declared types, as a Parquet file."""
    path = tmp_path / "clean.parquet"
    trips = pd.read_csv(sample_months() / MONTH, parse_dates=PICKUP, low_memory=False)[:500]
    table = pa.Table.from_pandas(trips.rename(columns=str.lower), preserve_index=False)
    dates = table["lpep_pickup_datetime"].cast(pa.date32())
    pq.write_table(table.append_column("lpep_pickup_date", dates), path)
    return path


def test_the_loader_gives_the_trips_of_its_months(project: Path, shipped: Path, both: Both, tmp_path: Path) -> None:
    both.ours.copy(shipped, "load_taxi_trips", project)
    write_block(project, "data_exporter", "write", WRITE)
    variables = {"service": "green", "months": ["2020-10", "2020-11"], "source": str(sample_months())}
    write_pipeline(
        project,
        "p",
        [block("load_taxi_trips", "data_loader"), block("write", "data_exporter", "load_taxi_trips")],
        variables,
    )
    both.succeed(project, "p", lambda name: {"to": str(tmp_path / name)})
    found = pq.read_table(tmp_path / "mage")
    assert (found.num_rows, found.num_columns) == (6100, 20)
    assert same(found, pq.read_table(tmp_path / "ours"))


@pytest.mark.parametrize("read", [pytest.param(READ_CSV, id="read_csv"), pytest.param(READ_PARQUET, id="read_parquet")])
def test_the_transformer_cleans_what_any_loader_read(
    read: str, project: Path, shipped: Path, both: Both, tmp_path: Path
) -> None:
    both.ours.copy(shipped, "clean_taxi_trips", project)
    pd.read_csv(sample_months() / MONTH, parse_dates=PICKUP, low_memory=False).to_parquet(tmp_path / "month.parquet")
    write_block(project, "data_loader", "read", read)
    write_block(project, "data_exporter", "write", WRITE)
    blocks = [
        block("read", "data_loader"),
        block("clean_taxi_trips", "transformer", "read"),
        block("write", "data_exporter", "clean_taxi_trips"),
    ]
    write_pipeline(
        project, "p", blocks, {"csv": str(sample_months() / MONTH), "parquet": str(tmp_path / "month.parquet")}
    )
    both.succeed(project, "p", lambda name: {"to": str(tmp_path / name)})
    found = pq.read_table(tmp_path / "mage")
    assert (found.num_rows, found.num_columns) == (KEPT, 21)
    assert same(found, pq.read_table(tmp_path / "ours"))


def test_the_transformers_for_odd_trips_do_the_same(project: Path, shipped: Path, both: Both, tmp_path: Path) -> None:
    """On the sample's month with three trips repeated and two reversed."""
    trips = pd.read_csv(sample_months() / MONTH, parse_dates=PICKUP, low_memory=False)
    reversals = trips[-2:].assign(total_amount=-trips[-2:]["total_amount"])
    pd.concat([trips, trips[:3], reversals], ignore_index=True).to_parquet(tmp_path / "month.parquet")
    transformers = ["add_zone_names", "flag_implausible_trips", "drop_duplicate_trips", "pair_reversals"]
    for name in ("load_taxi_zones", *transformers):
        both.ours.copy(shipped, name, project)
    write_block(project, "data_loader", "read", READ_PARQUET)
    write_block(project, "data_exporter", "write", WRITE)
    chain = zip(transformers[1:], transformers, strict=False)
    blocks = [
        *(block(name, "data_loader") for name in ("read", "load_taxi_zones")),
        block(transformers[0], "transformer", "read", "load_taxi_zones"),
        *(block(name, "transformer", before) for name, before in chain),
        block("write", "data_exporter", transformers[-1]),
    ]
    write_pipeline(project, "p", blocks, {"parquet": str(tmp_path / "month.parquet"), "source": str(sample_months())})
    both.succeed(project, "p", lambda name: {"to": str(tmp_path / name)})
    found = pq.read_table(tmp_path / "mage")
    assert found.num_rows == len(trips) - 2
    assert {"pickup_zone", "dropoff_borough", "implausible_speed"} <= set(found.column_names)
    assert same(found, pq.read_table(tmp_path / "ours"))


def test_the_table_s_exporter_writes_what_any_loader_read(
    project: Path, shipped: Path, trips: Path, both: Both, stores: Stores
) -> None:
    both.ours.copy(shipped, "trips_to_postgres", project)
    write_export(project, "trips_to_postgres", {"schema": "mage", "parquet": str(trips)})
    both.succeed(project, "p", lambda name: {"table": f"copied_{name}"})
    types = stores.columns("copied_ours")
    assert stores.count("copied_mage") == stores.count("copied_ours") == 500
    assert stores.surplus("copied_mage", "copied_ours", types) == []


def test_the_lake_s_exporter_writes_what_any_loader_read(
    project: Path, shipped: Path, trips: Path, both: Both, stores: Stores
) -> None:
    both.ours.copy(shipped, "trips_to_gcs", project)
    write_export(project, "trips_to_gcs", {"bucket": "nyc-taxi-lake", "parquet": str(trips)})
    both.succeed(project, "p", lambda name: {"lake_table": f"copied_{name}"})
    found = stores.lake("copied_mage")
    assert sum(day.num_rows for day in found.values()) == 500
    assert found == stores.lake("copied_ours")


def write_export(project: Path, exporter: str, variables: dict[str, str]) -> None:
    """A pipeline that exports what a loader reads from the variable `parquet`."""
    write_block(project, "data_loader", "read", READ_PARQUET)
    write_pipeline(project, "p", [block("read", "data_loader"), block(exporter, "data_exporter", "read")], variables)


def same(one: pa.Table, other: pa.Table) -> bool:
    """Whether the rows are the same, however wide the types are that two versions of pandas gave them."""
    return in_order(one.cast(other.schema)).equals(in_order(other))
