"""Every command that a page shows is run, in the order of the page, in a fresh copy of the project."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import GENERATED, PAGES, ROOT, Command, commands, steps
from tests.docs.terminal import Terminal, compare

REAL = Path(os.environ.get("TAXI_DATA") or ROOT.parent / "shared" / "data" / "nyc-tlc-data")
RELEASES = "https://github.com/DataTalksClub/nyc-tlc-data/releases/download"
MONTHS = ("2020-10", "2020-11", "2020-12")
MAGE = ROOT / ".venv-mage"
REAL_RUN = "mage-project run green_taxi_etl"
#: Too heavy, or these tests themselves: make only has to know how.
HEAVY = {"make test", "make bench", "make mage-venv", "make types", "make lint"}

needs_real_months = pytest.mark.skipif(
    not all((REAL / f"green/green_tripdata_{month}.csv.gz").is_file() for month in MONTHS),
    reason=f"no real months in {REAL}; TAXI_DATA names a folder with them",
)
needs_mage = pytest.mark.skipif(not (MAGE / "bin/mage").exists(), reason="no .venv-mage; `make mage-venv` makes it")


def _page(path: Path) -> object:
    marks = [needs_mage, pytest.mark.mage] if path.stem == "real-mage" else []
    return pytest.param(path, id=path.name, marks=[*marks, pytest.mark.slow])


@pytest.mark.parametrize("page", [_page(page) for page in PAGES if page != GENERATED and commands(page)])
def test_what_the_page_shows_is_so(page: Path, terminal: Terminal, clone: Path) -> None:
    if MAGE.exists():
        (clone / MAGE.name).symlink_to(MAGE)
    for step in steps(page):
        if isinstance(step, Command) and step.text in HEAVY:
            step = Command(text=f"{step.text} -n", shown=[])
        if isinstance(step, Command) and step.text == REAL_RUN:
            continue  # the next test
        terminal.take(step)


@needs_real_months
def test_the_real_months_give_what_the_readme_shows(terminal: Terminal, clone: Path) -> None:
    """The loader asks the releases whether its copies are new. Where they cannot be reached it uses them, and warns."""
    for month in MONTHS:
        put_into_cache(clone / ".mage_project/cache", f"green_tripdata_{month}.csv.gz")
    [command] = [command for command in commands(ROOT / "README.md") if command.text == REAL_RUN]
    said, code = terminal.type(command.text)
    assert code == 0, said
    compare(Command(text=command.text, shown=readme_run()), said)


def put_into_cache(cache: Path, name: str) -> None:
    address = f"{RELEASES}/green/{name}"
    place = cache / hashlib.sha256(address.encode()).hexdigest()[:12] / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REAL / "green" / name, place)
    note = {"sha256": hashlib.sha256(place.read_bytes()).hexdigest(), "url": address}
    place.with_name(f"{name}.json").write_text(json.dumps(note))


def readme_run() -> list[str]:
    from docs.make_picture import run_as_text

    return run_as_text().splitlines()
