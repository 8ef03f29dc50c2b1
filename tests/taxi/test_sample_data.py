"""The sample months: made by a program, and counted."""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from taxi.answers import ANSWERS, known_answers
from taxi.counting import counted
from taxi.services import SERVICES

PROJECT = Path(__file__).parent.parent.parent
CSVS = sorted((PROJECT / "sample_data").rglob("*.csv.gz"))
PARQUETS = sorted((PROJECT / "sample_data").rglob("*.parquet"))
SAMPLES = CSVS + PARQUETS


def test_the_samples_are_what_their_program_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, PROJECT / "sample_data" / "make.py", tmp_path], check=True)
    assert len(CSVS) == 4
    for sample in CSVS:
        made = tmp_path / sample.relative_to(PROJECT / "sample_data")
        assert gzip.decompress(made.read_bytes()) == gzip.decompress(sample.read_bytes())


def test_the_samples_of_tlc_s_layout_are_what_their_program_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, PROJECT / "sample_data" / "make_parquet.py", tmp_path], check=True)
    assert {path.name.partition("_")[0] for path in PARQUETS} == set(SERVICES)
    for sample in PARQUETS:
        made = tmp_path / sample.relative_to(PROJECT / "sample_data")
        assert pq.read_table(made).equals(pq.read_table(sample))


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_the_answers_of_the_samples_are_listed(sample: Path) -> None:
    line = {name: str(value) for name, value in counted(sample, "invented, sample_data/", "no").items()}
    with ANSWERS.open(newline="") as lines:
        assert line in list(csv.DictReader(lines))


def test_every_listed_answer_can_be_read() -> None:
    answers = known_answers()
    assert len(answers) >= 15
    counted_by_passengers = [known for known in answers.values() if known.kept is not None]
    assert len(counted_by_passengers) == len(answers) - 2  # fhv and fhvhv do not count them
    assert all(0 < known.kept <= known.rows for known in counted_by_passengers if known.kept is not None)
    assert all((known.kept_dates or set()) <= known.dates for known in answers.values())


def test_no_listed_green_month_has_an_ehail_fee() -> None:
    """What taxi/services.py says of it, where the sample can show it."""
    for sample in CSVS:
        if sample.parent.name == "green":
            assert pd.read_csv(sample, usecols=["ehail_fee"])["ehail_fee"].isna().all()
