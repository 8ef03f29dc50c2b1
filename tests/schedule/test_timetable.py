"""When a schedule is due, on days on which the clock is put forward and back as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mage_project.errors import ConfigError
from mage_project.project import Trigger
from mage_project.project.model import TriggerSettings
from mage_project.schedule.catalogue import entry_of
from mage_project.schedule.timetable import Timetable, timetable

NEW_YORK = ZoneInfo("America/New_York")  # forward on 2024-03-10 at 02:00, back on 2024-11-03 at 02:00


def trigger(interval: str | None, zone: str | None = None) -> Trigger:
    return Trigger(name="t", schedule_type="time", schedule_interval=interval, timezone=zone)


@pytest.mark.parametrize(
    ("cron", "since", "expected"),
    [
        ("30 2 * * *", "2024-03-09T12:00-05:00", ["10T03:30-04:00", "11T02:30-04:00"]),
        ("30 2,3 * * *", "2024-03-09T12:00-05:00", ["10T03:30-04:00", "11T02:30-04:00"]),
        ("30 1 * * *", "2024-11-02T12:00-04:00", ["03T01:30-04:00", "04T01:30-05:00"]),
        ("*/30 * * * *", "2024-03-10T01:00-05:00", ["10T01:30-05:00", "10T03:00-04:00"]),
        ("*/30 * * * *", "2024-11-03T01:00-04:00", ["03T01:30-04:00", "03T01:00-05:00", "03T01:30-05:00"]),
        ("0 0 * * *", "2024-11-03T00:00-04:00", ["04T00:00-05:00"]),
    ],
    ids=["in the missing hour", "twice there is once", "in the double hour", "across it", "through both", "25 hours"],
)
def test_days_on_which_the_clock_changes(cron: str, since: str, expected: list[str]) -> None:
    found = islice(Timetable(cron, NEW_YORK).after(datetime.fromisoformat(since)), len(expected))
    assert [f"{moment.astimezone(NEW_YORK).isoformat()[8:16]}{since_offset(moment)}" for moment in found] == expected


def since_offset(moment: datetime) -> str:
    return moment.astimezone(NEW_YORK).isoformat()[-6:]


@settings(max_examples=60, deadline=None)
@given(
    cron=st.sampled_from(["*/7 * * * *", "0 * * * *", "30 2 * * *", "15 1,2,3 * * 0", "0 0 1 * *", "0 */5 * * *"]),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    minutes=st.integers(0, 2 * 366 * 24 * 60),
)
def test_looking_back_sees_what_looking_ahead_saw(cron: str, zone: str, minutes: int) -> None:
    table, moment = Timetable(cron, ZoneInfo(zone)), datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ahead = list(islice(table.after(moment), 12))
    assert ahead == sorted(set(ahead))
    assert list(islice(table.until(ahead[-1]), 12)) == ahead[::-1]
    assert next(table.until(ahead[0] - timedelta(seconds=1))) <= moment


@pytest.mark.parametrize(
    ("interval", "first"),
    [
        ("@hourly", "2024-01-03T11:00"),
        ("@daily", "2024-01-04"),
        ("@weekly", "2024-01-08"),
        ("@monthly", "2024-02-01"),
        ("@yearly", "2025-01-01"),
    ],
)
def test_mages_words(interval: str, first: str) -> None:
    table = timetable(trigger(interval))
    assert table is not None
    wednesday = datetime(2024, 1, 3, 10, 30, tzinfo=UTC)
    assert next(table.after(wednesday)) == datetime.fromisoformat(first).replace(tzinfo=UTC), "weeks begin on Monday"


@pytest.mark.parametrize(
    ("interval", "zone", "expected"),
    [
        ("@hourly", None, "2024-01-03T11:15"),
        ("@daily", None, "2024-01-03T12:15"),
        ("@daily", "America/New_York", "2024-01-03T12:15"),
        ("@weekly", None, "2024-01-07T12:15"),
        ("@monthly", None, "2024-01-31T12:15"),
        ("0 5 * * *", None, "2024-01-04T05:00"),
    ],
)
def test_a_landing_time_is_that_of_the_start(interval: str, zone: str | None, expected: str) -> None:
    """31 December 2023 is a Sunday."""
    lands, start = TriggerSettings(landing_time_enabled=True), datetime(2023, 12, 31, 12, 15, tzinfo=UTC)
    table = timetable(replace(trigger(interval, zone), start_time=start, settings=lands))
    assert table is not None
    wednesday = datetime(2024, 1, 3, 10, 30, tzinfo=UTC)
    assert next(table.after(wednesday)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_day_that_never_comes_is_never_due() -> None:
    assert list(Timetable("0 0 31 2 *", NEW_YORK).after(datetime(2024, 1, 1, tzinfo=UTC))) == []

    with pytest.raises(ConfigError, match="trigger 't' is never due: no day is as its schedule_interval says"):
        timetable(trigger("0 0 30 2 *"))


@pytest.mark.parametrize("interval", ["61 * * * *", "@dayly", "", None, "R 5 * * *", "@reboot", "* * *"])
def test_what_is_no_schedule_is_an_error(interval: str | None) -> None:
    with pytest.raises(ConfigError, match="no schedule_interval that can be understood"):
        timetable(trigger(interval))


def test_the_trigger_that_mage_writes_for_data_products_is_never_due(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, "p", replace(trigger(None), name="GLOBAL_DATA_PRODUCT_TRIGGER"))
    assert (entry.status(None), entry.problem) == ("inactive", None)


def test_an_unknown_zone_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'America/New_York'"):
        timetable(trigger("@daily", "America/NewYork"))
