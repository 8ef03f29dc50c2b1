"""Every name of Mage 0.9.80 at the top, and every connector, is answered or described; the page lists them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import pytest

from docs import make_names
from mage_project import mage_ai
from mage_project.mage_ai.finder import answered
from mage_project.mage_ai.unanswered import described

#: The packages and modules of mage-ai 0.9.80: at the top, and in the packages that blocks import from.
TOP = """ai api authentication autocomplete cache cli cluster_manager command_center data data_cleaner data_integrations
    data_preparation errors extensions frameworks io kernels orchestration presenters sample_datasets server services
    settings shared streaming system tests usage_statistics utils version_control""".split()
BELOW = {
    "data_cleaner": "analysis cleaning_rules column_types data_cleaner estimators pipelines shared statistics"
    " transformer_actions",
    "data_preparation": "decorators executors git logging models preferences repo_manager shared storage sync templates"
    " utils variable_manager",
    "io": "airtable algolia azure_blob_storage backblaze_b2 base bigquery chroma clickhouse config constants druid"
    " duckdb export_utils file google_cloud_storage google_sheets io_config mongodb mssql mysql oracledb pinot postgres"
    " qdrant redshift s3 snowflake spark sql trino utils weaviate",
    "orchestration": "ai airflow backfills concurrency constants db execution_process_manager job_manager metrics"
    " monitor notification pipeline_scheduler queue run_status_checker triggers utils",
    "settings": "backends constants keys models platform repo secret_generation server utils",
    "shared": "array code column_type_detector complex config constants conversions croniter custom_logger custom_types"
    " dates enum environments files hash http_client io logger models multi outputs parsers path_fixer queues requests"
    " retry security singletons strings urls utils yaml",
    "streaming": "sources sinks",
}
NAMES = [*TOP, *(f"{package}.{name}" for package, names in BELOW.items() for name in names.split())]
DECORATORS = """callback condition custom data_exporter data_loader extension sensor transformer test on_success
    on_failure data_source xy x y configuration render columns data_integration_destination data_integration_source
    data_integration_catalog data_integration_config data_integration_selected_streams data_integration_query
    preprocesser_functions streaming_source streaming_sink collect_decorated_objs""".split()


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    mage_ai.install()
    yield
    mage_ai.uninstall()


@pytest.mark.parametrize("name", [f"mage_ai.{name}" for name in NAMES])
def test_a_name_of_mage_is_answered_or_described(name):
    assert name in answered() or described(name)


@pytest.mark.parametrize("name", [name for name in answered() if name != "mage_ai"])
def test_what_is_answered_can_be_imported_and_says_its_name(name):
    module = importlib.import_module(name)
    assert sys.modules[name] is module
    assert (module.__doc__ or "").startswith(name)


@pytest.mark.parametrize("name", DECORATORS)
def test_every_decorator_of_mage_is_here(name):
    assert callable(getattr(importlib.import_module("mage_ai.data_preparation.decorators"), name))


def test_a_page_lists_every_answered_name():
    assert make_names.PAGE.read_text(encoding="utf-8") == make_names.page(), "run python docs/make_names.py"
