"""Known answers: a file that was altered is a finding, a pipeline that loses a row of a known file fails."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.pipelines.conftest import Refused
from tests.pipelines.lab import PROJECT, Lab
from tests.pipelines.stores import Target
from tests.taxi.making import TRIP, month_path

SAMPLE = PROJECT / "sample_data"
REAL = Path(os.environ.get("TAXI_DATA") or PROJECT.parent / "shared" / "data" / "nyc-tlc-data")
FILE = "green/green_tripdata_2020-10.csv.gz"
needs_real = pytest.mark.skipif(not (REAL / FILE).is_file(), reason=f"no real months in {REAL}; TAXI_DATA names them")
CLEANER = "transformers/clean_taxi_trips.py"
KEEP = "clean = trips[keep]"


@pytest.mark.parametrize(
    ("source", "kept", "known"),
    [
        pytest.param(SAMPLE, "1,660 kept", "1,661 kept", id="sample"),
        pytest.param(REAL, "49,268 kept", "49,269 kept", id="real", marks=needs_real),
    ],
)
def test_a_transformer_that_loses_a_row_of_a_known_file_fails(
    lab: Lab, refused: Refused, source: Path, kept: str, known: str
) -> None:
    lab.edit(CLEANER, "\nDATE =", "\nLOST = [1]\nDATE =")
    lab.edit(CLEANER, KEEP, f"{KEEP}.iloc[LOST.pop() if LOST else 0 :]")
    result = refused(
        "green 2020-10", kept, known, "clean_taxi_trips.py", exit_code=3, source=str(source), months=["2020-10"]
    )
    verdicts = {test["name"]: test["passed"] for test in result.report["blocks"][1]["tests"]}
    assert [name for name, passed in verdicts.items() if not passed] == ["test_known_answers"]


@pytest.mark.parametrize(
    ("source", "rows"),
    [pytest.param(SAMPLE, "3,201 rows", id="sample"), pytest.param(REAL, "95,121 rows", id="real", marks=needs_real)],
)
def test_a_month_altered_by_one_row_is_a_finding_with_both_counts(
    lab: Lab, target: Target, source: Path, rows: str
) -> None:
    packed = gzip.compress(gzip.decompress((source / FILE).read_bytes()) + f"{TRIP}\r\n".encode(), 1)
    month_path(lab.root / "altered").write_bytes(packed)
    result = lab.run({**target.variables, "source": "altered", "months": ["2020-10"]})
    assert result.exit_code == 0, result.error
    assert f"2020-10 ! {rows}" in result.findings
    assert "is not one that is known (95,120 rows × 20 columns" in result.findings
    assert "issued again or altered" in result.findings


def test_a_month_that_is_not_listed_says_that_no_answer_is_known(lab: Lab, target: Target) -> None:
    month_path(lab.root / "new", "2031-01").write_bytes((SAMPLE / FILE).read_bytes())
    result = lab.run({**target.variables, "source": "new", "months": ["2031-01"]})
    assert result.exit_code == 0, result.error
    assert "2031-01 · 3,200 rows × 20 columns" in result.findings
    assert "no answer is known" in result.findings


def test_the_sample_is_as_known(lab: Lab, target: Target) -> None:
    result = lab.run({**target.variables, "source": "sample_data"})
    assert "together ✓ 8,800 rows × 20 columns, total_amount 172,904.80, vendors 1, 2 and null" in result.findings
    assert "together ✓ 8,800 rows, 4,575 kept, 95 pickup dates" in result.findings
    assert target.rows("count(*)") == [(4575,)]
    assert len(target.state().objects) == 95


@needs_real
def test_the_real_quarter_is_as_known(lab: Lab, target: Target) -> None:
    result = lab.run({**target.variables, "source": str(REAL)})
    assert "together ✓ 266,855 rows × 20 columns, total_amount 6,193,245.02" in result.findings
    assert "together ✓ 266,855 rows, 139,370 kept, 95 pickup dates" in result.findings
    assert target.rows("count(*)") == [(139_370,)]
    assert len(target.state().objects) == 95


def test_a_transformer_that_forgets_where_rows_are_from_is_compared_all_the_same(lab: Lab, target: Target) -> None:
    lab.edit(CLEANER, "    clean.attrs[", "    clean.attrs.clear()\n    clean.attrs[")
    result = lab.run({**target.variables, "source": "sample_data", "months": ["2020-10"]})
    assert result.exit_code == 0, result.error
    assert "2020-10 ✓ 3,200 rows × 20 columns" in result.findings
    assert "2020-10 ✓ 3,200 rows, 1,661 kept, 33 pickup dates" in result.findings


def test_a_loader_that_loses_a_row_of_a_known_file_fails(lab: Lab, refused: Refused) -> None:
    lab.edit(
        "data_loaders/load_taxi_trips.py",
        "return frames if",
        "frames = (f.iloc[1:] for f in frames)\n    return frames if",
    )
    result = refused("green 2020-10", "3,199 rows", "3,200 rows", exit_code=3, source="sample_data", months=["2020-10"])
    assert not result.report["blocks"][0]["tests"][0]["passed"]
