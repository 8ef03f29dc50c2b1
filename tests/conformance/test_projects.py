"""The harness for other people's projects, on two written here in their style."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from mage_project.project.model import FOLDERS
from tests.conformance import projects
from tests.conformance.found import named_objects, projects_below
from tests.conformance.left import Content
from tests.conformance.taxi_files import TaxiFiles
from tests.projects import block

URL = "https://github.com/DataTalksClub/nyc-tlc-data/releases/download/green/green_tripdata_2021-01.csv.gz"
TRIPS = """\
VendorID,lpep_pickup_datetime,passenger_count,trip_distance
1,2020-01-01 00:10:00,1,2.5
2,2020-01-02 00:20:00,0,1.5
2,2020-01-02 00:30:00,3,0.5
"""
UNGUARDED = """
import io
import pandas as pd
import requests
from mage_ai.data_preparation.decorators import data_loader

@data_loader
def load(*args, **kwargs):
    assert requests.get('URL').ok
    return pd.read_csv('URL', sep=',', compression='gzip', parse_dates=['lpep_pickup_datetime'])
"""
CLEAN = """
@transformer
def clean(data, *args, **kwargs):
    data = data[data['passenger_count'] > 0].copy()
    data['lpep_pickup_date'] = data['lpep_pickup_datetime'].dt.date
    return data.rename(columns={'VendorID': 'vendor_id'})

@test
def known(output, *args):
    assert 'vendor_id' in output.columns
"""
TO_LAKE = """
import os
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

os.environ['GOOGLE_APPLICATION_CREDENTIALS'] = '/home/src/only-there.json'

@data_exporter
def export(data, *args, **kwargs):
    gcs = pa.fs.GcsFileSystem()
    table = pa.Table.from_pandas(data)
    pq.write_to_dataset(table, root_path='her-lake/green', partition_cols=['lpep_pickup_date'], filesystem=gcs)
"""
TO_POSTGRES = """
from os import path
from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path

@data_exporter
def export(df, **kwargs):
    config = ConfigFileLoader(path.join(get_repo_path(), 'io_config.yaml'), 'dev')
    with Postgres.with_config(config) as loader:
        loader.export(df, 'mage', 'green_taxi', index=False, if_exists='replace')
"""
FROM_GCS = """
from os import path
from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.google_cloud_storage import GoogleCloudStorage
from mage_ai.settings.repo import get_repo_path

@data_loader
def load(*args, **kwargs):
    bucket_name = 'her-bucket'
    object_key = 'green_tripdata_2021-01.parquet'
    config = ConfigFileLoader(path.join(get_repo_path(), 'io_config.yaml'), 'default')
    return GoogleCloudStorage.with_config(config).load(bucket_name, object_key)

@test
def there(output, *args):
    assert len(output) == 3
"""
BROKEN = "@data_loader\ndef load(*args, **kwargs):\n    return taxi_trips\n"
IO_CONFIG = """
version: 0.1.1
default:
  GOOGLE_SERVICE_ACC_KEY_FILEPATH: "/home/src/only-there.json"
dev:
  POSTGRES_DBNAME: "{{ env_var('POSTGRES_DBNAME') }}"
  POSTGRES_SCHEMA: mage
  POSTGRES_USER: root
  POSTGRES_PASSWORD: password
  POSTGRES_HOST: postgres
  POSTGRES_PORT: 5432
"""
CHECK = {
    "data_provider": "postgres",
    "data_provider_profile": "dev",
    "export_write_policy": "append",
    "limit": 1000,
    "use_raw_sql": False,
}
PIPELINES = {
    "green_taxi_etl": [
        (block("load_green", "data_loader"), UNGUARDED),
        (block("clean_green", "transformer", "load_green"), CLEAN),
        (block("green_to_lake", "data_exporter", "clean_green"), TO_LAKE),
        (block("green_to_postgres", "data_exporter", "clean_green"), TO_POSTGRES),
        (
            {**block("check_green", "data_loader"), "language": "sql", "configuration": CHECK},
            "SELECT count(*) FROM mage.green_taxi",
        ),
    ],
    "gcs_to_nowhere": [(block("load_from_gcs", "data_loader"), FROM_GCS)],
    "unfinished": [(block("broken", "data_loader"), BROKEN)],
    "not_about_it": [(block("seven", "data_loader"), "@data_loader\ndef load(*args, **kwargs):\n    return 7\n")],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project in a folder of a folder."""
    folder = tmp_path_factory.mktemp("found")
    root = folder / "her-course" / "magic-zoomcamp"
    for name, blocks in PIPELINES.items():
        (root / "pipelines" / name).mkdir(parents=True)
        content = {"uuid": name, "type": "python", "blocks": [entry for entry, _ in blocks]}
        (root / "pipelines" / name / "metadata.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        for entry, code in blocks:
            end = "sql" if entry["language"] == "sql" else "py"
            path = root / FOLDERS[entry["type"]] / f"{entry['uuid']}.{end}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code.replace("URL", URL))
    (root / "io_config.yaml").write_text(IO_CONFIG)
    return folder


@pytest.fixture(scope="module")
def taxi_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    with gzip.open(folder / "green_tripdata_2020-01.csv.gz", "wt") as file:
        file.write(TRIPS)
    return folder


@pytest.fixture(scope="module")
def report(found: Path, taxi_files: Path) -> str:
    command = [sys.executable, projects.__file__, str(found), str(taxi_files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240).stdout


def test_pipelines_about_taxis_are_found_and_those_that_fetch_come_first(found: Path) -> None:
    [project] = projects_below(found)
    assert project.name == "her-course/magic-zoomcamp"
    found = project.pipelines(of_all_kinds=False)
    assert [pipeline.uuid for pipeline in found] == ["green_taxi_etl", "gcs_to_nowhere", "unfinished"]


def test_a_project_runs_as_it_is_in_a_web_of_taxi_files(report: str) -> None:
    assert report.startswith("# 3 pipelines of 1 projects: 2 passed, 1 failed")
    assert "green_tripdata_2021-01.csv.gz was answered with green_tripdata_2020-01.csv.gz" in report
    assert "green_tripdata_2021-01.parquet was put into its bucket" in report


def test_what_fails_is_told_with_its_cause(report: str) -> None:
    assert "| 1 | NameError: name … is not defined |" in report
    assert "broken: NameError: name 'taxi_trips' is not defined" in report


def test_a_month_that_is_missing_is_another_one_of_its_service_in_the_form_that_is_asked(
    taxi_files: Path, tmp_path: Path
) -> None:
    files = TaxiFiles(taxi_files, tmp_path)
    plain = files.answer("green_tripdata_2020-01.csv")
    assert plain is not None
    assert plain.path.read_text() == TRIPS
    parquet = files.answer("green_tripdata_2022-02.parquet")
    assert parquet is not None
    assert parquet.path.read_bytes().startswith(b"PAR1")
    assert parquet.note == "green_tripdata_2022-02.parquet was answered with green_tripdata_2020-01.csv.gz"


@pytest.mark.parametrize("name", ["yellow_tripdata_2020-01.csv.gz", "green_tripdata_2020-1.csv.gz", "titanic.csv"])
def test_what_no_file_stands_for_is_not_answered(name: str, taxi_files: Path, tmp_path: Path) -> None:
    assert TaxiFiles(taxi_files, tmp_path).answer(name) is None


def test_the_objects_that_a_loader_names_are_found_with_unknown_parts_as_months() -> None:
    code = """
    bucket_name = 'her-bucket'
    service = 'yellow'
    for i in range(1, 13):
        object_key = f'{service}/{service}_tripdata_2020-{i:02}.parquet'
    """
    objects = list(named_objects(textwrap.dedent(code)))
    assert objects[0] == ("her-bucket", "yellow/yellow_tripdata_2020-01.parquet")
    assert len(objects) == 12


def test_contents_are_the_same_in_any_order_and_with_other_types() -> None:
    import pandas as pd

    one = pd.DataFrame({"n": [1, None], "day": ["2020-01-02", None], "s": ["a", None]})
    other = pd.DataFrame({"s": [None, "a"], "n": [None, 1.0], "day": pd.to_datetime([None, "2020-01-02"])})
    assert Content.of(one).difference(Content.of(other)) == ""
    assert Content.of(one).difference(Content.of(other.assign(n=[2, 1]))) == "other values in ['n']"
    assert Content.of(one).difference(Content.of(other[:1])) == "2 and 1 rows"
