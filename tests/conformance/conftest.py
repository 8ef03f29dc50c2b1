"""Real Mage and the runner beside each other, with the same stores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.local import LocalStack
from mage_project.project.model import FOLDERS
from tests.conformance.box import REPOSITORY, Box
from tests.conformance.runners import Both, Mage, Ours, mage_commands, our_commands
from tests.conformance.stores import Stores

HERE = Path(__file__).parent
#: What of this repository is the Mage project; the rest is the runner and what is around it.
PARTS = ("metadata.yaml", "io_config.yaml", "pipelines", "taxi", *FOLDERS.values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.mage)


@pytest.fixture(scope="session")
def stores(local_stack: LocalStack) -> Iterator[Stores]:
    with Stores.at(local_stack.env()) as stores:
        yield stores


@pytest.fixture(scope="session")
def box(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Box:
    return Box(folder=tmp_path_factory.mktemp("box"), stores=stores.env)


@pytest.fixture(scope="session")
def mage(box: Box) -> Mage:
    commands = mage_commands()
    if commands is None:
        pytest.skip("no real Mage to compare with: `make mage-venv` installs it (MAGE_VENV names another place)")
    return Mage(name="mage", commands=commands, box=box)


@pytest.fixture(scope="session")
def ours(box: Box) -> Ours:
    return Ours(name="ours", commands=our_commands(), box=box)


@pytest.fixture(scope="session")
def both(mage: Mage, ours: Ours) -> Both:
    return Both(mage=mage, ours=ours)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A copy of the project, as a user has it."""
    return copy_of_the_project(tmp_path / "shipped")


def copy_of_the_project(folder: Path) -> Path:
    folder.mkdir()
    for part in filter(Path.exists, map(REPOSITORY.joinpath, PARTS)):
        if part.is_dir():
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(part, folder)
    return folder


def sample_months() -> Path:
    return REPOSITORY / "sample_data"


def real_months() -> Path:
    """The folder of real months in the releases' layout: below TAXI_DATA, else below `../shared/data`."""
    folder = Path(os.environ.get("TAXI_DATA", REPOSITORY.parent / "shared" / "data")) / "nyc-tlc-data"
    if not (folder / "green" / "green_tripdata_2020-10.csv.gz").exists():
        pytest.skip(f"no real months in {folder}: TAXI_DATA names the folder that has nyc-tlc-data in it")
    return folder
