"""Which stores a pipeline needs, and when the local ones serve them."""

from __future__ import annotations

import http.server
from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.io import machine_account
from mage_project.runner.services import _why_local, needed
from tests.projects import block, write_project
from tests.serving import served

SOURCES = {
    "from mage_ai.io.postgres import Postgres": ("postgres",),
    "from sqlalchemy import create_engine": ("postgres",),
    "from mage_ai.io.google_cloud_storage import GoogleCloudStorage": ("gcs",),
    "from google.cloud import storage": ("gcs",),
    "gcs = pa.fs.GcsFileSystem()": ("gcs",),
    "pd.read_parquet('gs://lake/trips.parquet')": ("gcs",),
    "from mage_ai.io.bigquery import BigQuery": ("bigquery",),
    "from google.cloud import bigquery": ("bigquery",),
    "from google.cloud import bigquery, storage": ("gcs", "bigquery"),
    "import pandas_gbq": ("bigquery",),
    "import pandas as pd": (),
}


@pytest.mark.parametrize(("source", "stores"), SOURCES.items(), ids=SOURCES)
def test_a_blocks_file_says_which_stores_it_needs(tmp_path: Path, source: str, stores: tuple[str, ...]) -> None:
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": source + "\n"})
    assert needed(project.pipeline("p"), {}) == stores


@pytest.mark.parametrize("provider", ["postgres", "bigquery"])
def test_a_sql_block_needs_its_provider(tmp_path: Path, provider: str) -> None:
    (tmp_path / "data_loaders").mkdir()
    (tmp_path / "data_loaders/a.sql").write_text("SELECT 1")
    sql = block("a", "data_loader", configuration={"data_provider": provider}) | {"language": "sql"}
    assert needed(write_project(tmp_path, [sql], {}).pipeline("p"), {}) == (provider,)


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "POSTGRES_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name in machine_account._SIGNS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setattr(machine_account, "_PRODUCT", tmp_path / "product_name")


@pytest.mark.parametrize("store", ["gcs", "bigquery"])
def test_google_is_local_where_nobody_has_an_account(tmp_path: Path, store: str) -> None:
    assert _why_local(store, tmp_path, local=False) == "GOOGLE_APPLICATION_CREDENTIALS is not set"


@pytest.mark.parametrize("store", ["gcs", "bigquery"])
def test_an_account_that_gcloud_left_is_used(tmp_path: Path, store: str) -> None:
    (tmp_path / "gcloud").mkdir()
    (tmp_path / "gcloud/application_default_credentials.json").write_text("{}")
    assert _why_local(store, tmp_path, local=False) is None
    assert _why_local(store, tmp_path, local=True) == "--local"


@pytest.mark.parametrize("store", ["gcs", "bigquery"])
def test_an_emulator_that_is_named_is_used(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = {"gcs": "STORAGE_EMULATOR_HOST", "bigquery": "BIGQUERY_EMULATOR_HOST"}[store]
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert _why_local(store, tmp_path, local=False) is None


class _Metadata(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path.endswith("/default/email") and self.headers["Metadata-Flavor"] == "Google"
        self.send_response(200 if known else 404)
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def metadata_server() -> Iterator[str]:
    with served(http.server.HTTPServer(("127.0.0.1", 0), _Metadata)) as server:
        yield f"127.0.0.1:{server.server_port}"


def test_the_account_of_a_machine_in_googles_cloud_is_used(
    tmp_path: Path, metadata_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", metadata_server)
    assert _why_local("gcs", tmp_path, local=False) is None
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    assert _why_local("gcs", tmp_path, local=False)


def test_a_machine_in_googles_cloud_without_an_account_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    assert _why_local("gcs", tmp_path, local=False)
