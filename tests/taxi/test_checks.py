"""Comparing with known answers: on a stream and on a frame, and what is said of files that are not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from taxi.checks import kept_as_known, loaded_as_known, passengers_as_known
from taxi.counting import FIELDS, counted
from taxi.trips import one_frame
from tests.taxi.making import TRIP, UNMETERED, frames_of, text, trip, write_month

FIRST = text(TRIP, UNMETERED, trip(passenger_count="0"), trip(lpep_pickup_datetime="2020-10-07 10:00:00"))
SECOND = text(TRIP, trip(trip_distance=".00"), trip(VendorID="1", lpep_pickup_datetime="2020-11-01 00:00:00"))


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Two months in `tmp_path` and the list of what is known of them."""
    return list_of(tmp_path, write_month(tmp_path, FIRST), write_month(tmp_path, SECOND, "2020-11"))


def list_of(folder: Path, *months: Path, published: str = "yes") -> Path:
    path = folder / "known_answers.csv"
    lines = [counted(month, "a test's", published) for month in months]
    pd.DataFrame(lines, columns=list(FIELDS)).to_csv(path, index=False)
    return path


def cleaned(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    return [clean(frame) for frame in frames]


def clean(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[(frame["passenger_count"] > 0) & (frame["trip_distance"] > 0)]
    return kept.assign(lpep_pickup_date=kept["lpep_pickup_datetime"].astype("date32[pyarrow]"))


def test_counting_agrees_with_what_can_be_seen(tmp_path: Path) -> None:
    line = counted(write_month(tmp_path, FIRST), "a test's", "yes")
    assert {name: line[name] for name in ("rows", "kept", "columns", "vendors")} == {
        "rows": 4,
        "kept": 2,
        "columns": 20,
        "vendors": "2 null",
    }
    assert str(line["total_amount"]) == "43.35"
    assert (line["dates"], line["kept_dates"]) == ("2020-10-01 2020-10-03 2020-10-07", "2020-10-01 2020-10-07")


def test_what_was_loaded_is_compared_month_by_month(tmp_path: Path, answers: Path) -> None:
    assert loaded_as_known(frames_of(tmp_path, "2020-10,2020-11"), answers).splitlines() == [
        "2020-10 ✓ 4 rows × 20 columns, total_amount 43.35, vendors 2 and null, 3 pickup dates",
        "2020-11 ✓ 3 rows × 20 columns, total_amount 23.64, vendors 1 and 2, 2 pickup dates",
        "together ✓ 7 rows × 20 columns, total_amount 66.99, vendors 1, 2 and null, 4 pickup dates",
    ]


def test_what_was_kept_is_compared_month_by_month(tmp_path: Path, answers: Path) -> None:
    assert kept_as_known(cleaned(frames_of(tmp_path, "2020-10,2020-11")), answers).splitlines() == [
        "2020-10 ✓ 4 rows, 2 kept, 2 pickup dates",
        "2020-11 ✓ 3 rows, 2 kept, 2 pickup dates",
        "together ✓ 7 rows, 4 kept, 3 pickup dates",
    ]


def test_one_frame_of_all_months_is_compared_as_a_whole(tmp_path: Path, answers: Path) -> None:
    whole = one_frame(frames_of(tmp_path, "2020-10,2020-11"))
    assert loaded_as_known([whole], answers).startswith("2020-10 and 2020-11 ✓ 7 rows × 20 columns")
    assert kept_as_known([clean(whole)], answers) == "2020-10 and 2020-11 ✓ 7 rows, 4 kept, 3 pickup dates"


BROKEN: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "loses a row": (lambda trips: trips.iloc[1:], "green 2020-10: 1 kept, but 2 kept are known"),
    "repeats a row": (lambda trips: trips.iloc[[0, 0, 1]], "3 kept, but 2 kept are known"),
    "moves a day": (
        lambda trips: trips.assign(lpep_pickup_date=[date(2020, 10, 1), date(2020, 10, 9)]),
        "differing: 2020-10-07 and 2020-10-09",
    ),
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_a_transformer_that_is_wrong_by_one_row_fails(
    tmp_path: Path, answers: Path, broken: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        kept_as_known([broken(clean(frame)) for frame in frames_of(tmp_path)], answers)


def test_a_cent_more_is_noticed(tmp_path: Path, answers: Path) -> None:
    [frame] = frames_of(tmp_path)
    frame.loc[0, "total_amount"] += 0.01
    with pytest.raises(AssertionError, match=r"total_amount 43\.36, but total_amount 43\.35 are known"):
        loaded_as_known([frame], answers)


def test_a_stream_that_ends_early_is_noticed(tmp_path: Path, answers: Path) -> None:
    with pytest.raises(AssertionError, match="3 rows × 20 columns, but 4 rows"):
        loaded_as_known([frame_of_rows(tmp_path, 3)], answers)


def frame_of_rows(folder: Path, rows: int) -> pd.DataFrame:
    [frame] = frames_of(folder)
    short = frame.head(rows)
    short.attrs["files"] = [{**frame.attrs["files"][0], "rows": rows}]
    return short


def test_another_content_of_a_known_month_is_a_finding_with_both_counts(tmp_path: Path, answers: Path) -> None:
    write_month(tmp_path, text(TRIP, TRIP, TRIP))
    said = kept_as_known(cleaned(frames_of(tmp_path)), answers)
    assert said.startswith("2020-10 ! 3 rows, 3 kept, 1 pickup dates: the file is not one that is known")
    assert "(4 rows, 2 kept, 2 pickup dates)" in said


def test_a_sample_says_nothing_about_the_month_it_is_of(tmp_path: Path) -> None:
    answers = list_of(tmp_path, write_month(tmp_path, FIRST), published="no")
    write_month(tmp_path, SECOND)
    assert kept_as_known(cleaned(frames_of(tmp_path)), answers).endswith(": no answer is known")


def test_a_month_that_is_not_listed_says_so(tmp_path: Path, answers: Path) -> None:
    write_month(tmp_path, SECOND, "2020-12")
    said = kept_as_known(cleaned(frames_of(tmp_path, "2020-10,2020-12")), answers).splitlines()
    assert said[1] == "2020-12 · 3 rows, 2 kept, 2 pickup dates: no answer is known"
    assert said[2].startswith("together · 7 rows")


def test_trips_of_unknown_origin_are_not_compared(tmp_path: Path, answers: Path) -> None:
    [frame] = frames_of(tmp_path)
    frame.attrs = {}
    assert loaded_as_known([frame], answers).startswith("! not compared with known answers")


def test_only_trips_of_unknown_origin_are_not_compared(tmp_path: Path, answers: Path) -> None:
    first, second = frames_of(tmp_path, "2020-10,2020-11")
    stray = first.copy()
    stray.attrs = {}
    said = loaded_as_known([first, stray, second], answers).splitlines()
    assert [line[:9] for line in said[:2]] == ["2020-10 ✓", "2020-11 ✓"]
    assert said[2].startswith("! not compared with known answers: 4 rows × 20 columns")
    assert len(said) == 3


def test_an_empty_frame_of_unknown_origin_is_nothing_to_tell(tmp_path: Path, answers: Path) -> None:
    [frame] = frames_of(tmp_path)
    nothing = frame.head(0)
    nothing.attrs = {}
    assert loaded_as_known([nothing, frame], answers) == loaded_as_known([frame], answers)


def test_a_month_without_a_trip_is_mentioned(tmp_path: Path) -> None:
    write_month(tmp_path, FIRST)
    none = list_of(tmp_path, write_month(tmp_path, text(), "2020-11"))
    with pytest.warns(UserWarning, match="a header and no rows"):
        frames = list(frames_of(tmp_path, "2020-10,2020-11"))
    assert "2020-11 ✓ 0 rows × 20 columns, total_amount 0.00" in loaded_as_known(frames, none)
    assert "2020-11 ✓ 0 rows, 0 kept, 0 pickup dates" in kept_as_known(cleaned(frames), none)


def test_trips_with_passengers_are_compared_too(tmp_path: Path, answers: Path) -> None:
    [frame] = frames_of(tmp_path)
    assert passengers_as_known([frame[frame["passenger_count"] > 0]], answers) == "2020-10 ✓ 4 rows, 2 with passengers"
    with pytest.raises(AssertionError, match="4 with passengers, but 2 with passengers are known"):
        passengers_as_known([frame], answers)


def test_without_a_list_nothing_is_known(tmp_path: Path) -> None:
    write_month(tmp_path, FIRST)
    assert loaded_as_known(frames_of(tmp_path), tmp_path / "none.csv").endswith(": no answer is known")
