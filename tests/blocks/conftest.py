"""The shipped blocks as plain functions, and real months where they are."""

from __future__ import annotations

import os
import runpy
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from google.cloud import storage

from mage_project import mage_ai
from mage_project.io.repo_path import set_repo_path

PROJECT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("TAXI_DATA", PROJECT.parent / "shared" / "data"))

Block = Callable[..., SimpleNamespace]


@pytest.fixture
def block() -> Iterator[Block]:
    """The names that a block's file defines: `block("transformers/clean_taxi_trips").clean_taxi_trips(trips)`."""
    mage_ai.install()
    set_repo_path(PROJECT)
    yield lambda name: SimpleNamespace(**runpy.run_path(str(PROJECT / f"{name}.py")))
    set_repo_path(None)


@pytest.fixture
def real_months() -> str:
    """The folder with real months."""
    folder = DATA / "nyc-tlc-data"
    if not folder.is_dir():
        pytest.skip(f"no real months here: {folder} is not there (TAXI_DATA names another folder)")
    return str(folder)


@pytest.fixture
def quarter(block: Block, real_months: str) -> pd.DataFrame:
    """The homework's quarter, all 266,855 trips."""
    trips: pd.DataFrame = block("data_loaders/load_taxi_trips").load_taxi_trips(source=real_months)
    return trips


@pytest.fixture
def bucket(gcs_client: storage.Client) -> storage.Bucket:
    return gcs_client.create_bucket(f"lake-{secrets.token_hex(4)}")
