"""The loader, on the sample and on real months."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.blocks.conftest import PROJECT, Block

SAMPLE = {"service": "green", "months": ["2020-10", "2020-11", "2020-12"], "source": "sample_data"}
REAL = [
    ("green", "2020-03", "2020-03 ✓ 223,406 rows × 20 columns, total_amount 3,733,767.72, vendors 1, 2 and null, 40 "),
    ("green", "2020-04", "2020-04 ✓ 35,612 rows × 20 columns, total_amount 701,002.26, vendors 1, 2 and null, 35 "),
    ("green", "2020-07", "2020-07 ✓ 72,257 rows × 20 columns, total_amount 1,750,474.13, vendors 1, 2 and null, 34 "),
    ("yellow", "2018-01", "2018-01 ✓ 10,000 rows × 18 columns, total_amount 156,794.41, vendors 1 and 2, 31 "),
    ("yellow", "2018-06", "2018-06 ✓ 10,000 rows × 18 columns, total_amount 166,510.25, vendors 1 and 2, 30 "),
    ("yellow", "2019-01", "2019-01 ✓ 10,000 rows × 18 columns, total_amount 157,242.31, vendors 1, 2 and 4, 31 "),
    ("yellow", "2019-02", "2019-02 ✓ 10,000 rows × 18 columns, total_amount 184,926.70, vendors 1, 2 and 4, 28 "),
    ("yellow", "2019-03", "2019-03 ✓ 10,000 rows × 18 columns, total_amount 189,345.94, vendors 1, 2 and 4, 32 "),
    ("yellow", "2020-01", "2020-01 ✓ 10,000 rows × 18 columns, total_amount 184,811.75, vendors 1, 2 and null, 31 "),
]


def test_all_months_are_one_frame(block: Block) -> None:
    trips = block("data_loaders/load_taxi_trips").load_taxi_trips(**SAMPLE)
    assert trips.shape == (8800, 20)
    assert [file["rows"] for file in trips.attrs["files"]] == [3200, 2900, 2700]


def test_a_stream_has_the_rows_of_the_frame(block: Block) -> None:
    loader = block("data_loaders/load_taxi_trips")
    frames = loader.load_taxi_trips(**SAMPLE, stream=True)
    pd.testing.assert_frame_equal(pd.concat(list(frames), ignore_index=True), loader.load_taxi_trips(**SAMPLE))


@pytest.mark.parametrize("stream", [False, True], ids=["frame", "stream"])
def test_the_sample_has_its_known_answers(block: Block, stream: bool) -> None:
    loader = block("data_loaders/load_taxi_trips")
    said = loader.test_known_answers(loader.load_taxi_trips(**SAMPLE, stream=stream), stream=stream)
    assert "✓ 8,800 rows × 20 columns, total_amount 172,904.80, vendors 1, 2 and null, 95 pickup dates" in said


@pytest.mark.parametrize(("service", "month", "answer"), REAL, ids=[f"{real[0]} {real[1]}" for real in REAL])
def test_real_months_have_their_known_answers(
    block: Block, real_months: str, service: str, month: str, answer: str
) -> None:
    loader = block("data_loaders/load_taxi_trips")
    trips = loader.load_taxi_trips(service=service, months=month, source=real_months)
    assert loader.test_known_answers(trips) == f"{answer}pickup dates"


def test_the_homework_s_quarter_has_its_known_answers(block: Block, real_months: str) -> None:
    loader = block("data_loaders/load_taxi_trips")
    said = loader.test_known_answers(loader.load_taxi_trips(source=real_months, stream=True), stream=True)
    assert said.splitlines()[-1] == (
        "together ✓ 266,855 rows × 20 columns, total_amount 6,193,245.02, vendors 1, 2 and null, 96 pickup dates"
    )


def test_tlc_s_own_parquet_has_its_known_answer(block: Block, real_months: str) -> None:
    loader = block("data_loaders/load_taxi_trips")
    trips = loader.load_taxi_trips(months="2024-01", source=str(Path(real_months).parent / "trip-data"))
    assert loader.test_known_answers(trips) == (
        "2024-01 ✓ 56,551 rows × 20 columns, total_amount 1,266,922.59, vendors 1 and 2, 32 pickup dates"
    )


SERVICES = {
    "yellow": ("2024-12..2025-01", "together ✓ 900 rows × 20 columns, total_amount 15,119.79"),
    "green": ("2025-01", "2025-01 ✓ 300 rows × 21 columns, total_amount 6,225.97"),
    "fhv": ("2025-01", "2025-01 ✓ 300 rows × 7 columns, 31 pickup dates"),
    "fhvhv": ("2025-01", "2025-01 ✓ 400 rows × 25 columns, 31 pickup dates"),
}


@pytest.mark.parametrize(("service", "months", "answer"), [(s, *a) for s, a in SERVICES.items()], ids=SERVICES)
def test_every_service_has_a_sample_with_known_answers(block: Block, service: str, months: str, answer: str) -> None:
    loader = block("data_loaders/load_taxi_trips")
    trips = loader.load_taxi_trips(service=service, months=months, source="sample_data", contract="freeze", stream=True)
    assert answer in loader.test_known_answers(trips, stream=True)


def test_progress_is_for_downloads_only(block: Block) -> None:
    told: list[object] = []
    block("data_loaders/load_taxi_trips").load_taxi_trips(**SAMPLE, progress=lambda *news: told.append(news))
    assert told == []


@pytest.mark.parametrize(
    "path", sorted(PROJECT.glob("data_*/*.py")) + sorted(PROJECT.glob("transformers/*.py")), ids=str
)
def test_a_block_is_short_and_knows_nothing_of_the_runner(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 90
    assert "mage_project" not in text
