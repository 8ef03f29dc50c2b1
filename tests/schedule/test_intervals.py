"""What intervals there are: as Mage's backfills have them, and as a trigger's schedule makes them."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from mage_project.errors import UsageError
from mage_project.history.sqlite import SqliteStore
from mage_project.project import Pipeline, Trigger
from mage_project.schedule.intervals import Interval, intervals, period, steps
from mage_project.schedule.requests import Request, prepare


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("interval", "start", "end", "names"),
    [
        ("month", "2019-11", "2020-02", ["2019-11", "2019-12", "2020-01", "2020-02"]),
        ("day", "2020-02-28", "2020-03-01", ["2020-02-28", "2020-02-29", "2020-03-01"]),
        ("week", "2020-02-24", "2020-03-09", ["2020-02-24", "2020-03-02", "2020-03-09"]),
        ("12 hours", "2020-01-01", "2020-01-01", ["2020-01-01", "2020-01-01T12:00"]),
        ("0 5 * * *", "2020-01-01", "2020-01-02", ["2020-01-01T05:00", "2020-01-02T05:00"]),
        ("* * * * * */30", "2020-01-01", "2020-01-01T00:00:30",
         ["2020-01-01", "2020-01-01T00:00:30"]),
        ("@monthly", "2020", "2020-02", ["2020-01", "2020-02"]),
        ("year", "2019", "2020", ["2019-01", "2020-01"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_intervals_cover_start_to_end(interval: str, start: str, end: str, names: list[str]) -> None:
    found = intervals(steps(interval, period(start, "--start")[0]), period(end, "--end")[1])
    assert [each.name for each in found] == names
    assert all(each.end == after.start and each.start == after.previous for each, after in pairwise(found))


def test_months_from_the_31st_come_back_to_it(  # Mage counts them one from the other, and ends at the 28th
) -> None:
    found = intervals(steps("month", moment("2019-01-31")), moment("2019-04-01"))
    assert [each.start.day for each in found] == [31, 28, 31]


def test_an_interval_has_mages_variables() -> None:
    [found] = intervals(steps("month", moment("2019-03-01")), moment("2019-04-01"))
    assert found == Interval(start=moment("2019-03-01"), end=moment("2019-04-01"), previous=moment("2019-02-01"))
    assert found.seconds == 31 * 86_400


@pytest.mark.parametrize("interval", ["mnth", "0 hours", "fortnight", "61 * * * *", ""])
def test_an_unknown_interval_is_an_error(interval: str) -> None:
    with pytest.raises(UsageError):
        steps(interval, moment("2019-01-01"))


@pytest.mark.parametrize("text", ["2019-13", "yesterday", "2019-01-01T00:00+01:00", ""])
def test_what_is_no_date_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="--start"):
        period(text, "--start")


@pytest.mark.parametrize("text", ["9999", "9999-12", "9999-12-31", "9999-12-31T23:59:59.999999"])
def test_a_date_that_nothing_follows_is_out_of_range(text: str) -> None:
    with pytest.raises(UsageError, match="--start is out of range"):
        period(text, "--start")


def test_too_many_intervals_are_an_error() -> None:
    with pytest.raises(UsageError, match="more than"):
        intervals(steps("minute", moment("2000-01-01")), moment("2020-01-01"))


@pytest.mark.parametrize(
    ("start", "schedule", "interval"),
    [
        ("2019-01", None, "month"),
        ("2019-01-01", None, "day"),
        ("2019-01", "@once", "month"),
        ("2019-01", "0 5 * * *", "0 5 * * *"),
    ],
)
def test_the_interval_is_the_triggers_or_fits_the_start(
    tmp_path: Path, start: str, schedule: str | None, interval: str
) -> None:
    triggers = (Trigger(name="t", schedule_type="time", schedule_interval=schedule),) if schedule else ()
    pipeline = Pipeline(uuid="p", root=tmp_path, path=tmp_path, name="p", triggers=triggers)
    store = SqliteStore(tmp_path / "history.db", print)
    assert prepare(pipeline, Request(start=start, end="2019-02"), {}, store, moment("2024-01-01")).interval == interval


def test_what_has_not_ended_is_not_run_yet(tmp_path: Path) -> None:
    pipeline = Pipeline(uuid="p", root=tmp_path, path=tmp_path, name="p")
    store = SqliteStore(tmp_path / "history.db", print)
    prepared = prepare(pipeline, Request(start="2019-01", end="2019-04"), {}, store, moment("2019-03-31T23:59"))
    assert [planned.action for planned in prepared.plan] == ["run", "run", "not_yet", "not_yet"]
