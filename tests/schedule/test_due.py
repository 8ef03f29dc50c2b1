"""What is due is a function of the trigger, of what is dealt with and of now: clocks jump, machines sleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mage_project.project import Trigger
from mage_project.project.model import TriggerSettings
from mage_project.schedule.due import MOST, Due, begin, due, upcoming
from mage_project.schedule.timetable import timetable

MONDAY = datetime(2024, 1, 1, 5, tzinfo=UTC)
DAY, HOUR, MINUTE, SECOND = (timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "seconds"))


def daily(**more: Any) -> Trigger:
    given = {"name": "t", "schedule_type": "time", "schedule_interval": "0 5 * * *", **more}
    return Trigger(**given)


def look(trigger: Trigger, handled: datetime | None, now: datetime, busy: str | None = None) -> Due:
    return due(trigger, timetable(trigger), handled, now, busy)


def test_a_run_is_due_once() -> None:
    trigger = daily(catch_up="none")
    assert look(trigger, MONDAY - HOUR, MONDAY - SECOND) == Due(handled=MONDAY - HOUR)
    found = look(trigger, MONDAY - HOUR, MONDAY + SECOND)
    assert found == Due(handled=MONDAY, runs=(MONDAY,))
    assert look(trigger, found.handled, MONDAY + 2 * SECOND) == Due(handled=MONDAY)


@pytest.mark.parametrize(
    ("catch_up", "runs", "skipped"), [("none", 0, 7), ("last", 1, 6), ("all", 7, 0)], ids=["none", "last", "all"]
)
def test_a_machine_that_slept_for_a_week(catch_up: str, runs: int, skipped: int) -> None:
    found = look(daily(catch_up=catch_up), MONDAY, MONDAY + 7 * DAY + HOUR)
    assert found.handled == MONDAY + 7 * DAY
    assert found.runs == tuple(MONDAY + day * DAY for day in range(8 - runs, 8))
    assert [(each.first, each.count) for each in found.skipped] == ([(MONDAY + DAY, skipped)] if skipped else [])
    assert all(each.reason == f"no scheduler was there; catch_up: {catch_up}" for each in found.skipped)


def test_what_is_on_time_runs_beside_what_was_missed() -> None:
    found = look(daily(), MONDAY, MONDAY + 2 * DAY + SECOND)
    assert (found.runs, found.skipped[0].last) == ((MONDAY + 2 * DAY,), MONDAY + DAY)


def test_what_is_to_have_ended_later_is_not_missed_when_runs_take_longer_than_before() -> None:
    trigger, now = daily(schedule_interval="@hourly", catch_up="none"), MONDAY - 15 * MINUTE
    found = due(trigger, timetable(trigger), MONDAY - HOUR, now, None, 20 * MINUTE)
    assert found == Due(handled=MONDAY, runs=(MONDAY,))
    assert due(trigger, timetable(trigger), found.handled, now + MINUTE, None, 10 * SECOND) == Due(handled=MONDAY)
    late = due(trigger, timetable(trigger), MONDAY - HOUR, MONDAY + 2 * MINUTE, None, 20 * MINUTE)
    assert (late.runs, [each.first for each in late.skipped]) == ((), [MONDAY])


def test_a_clock_that_goes_back_an_hour_makes_nothing_due_again() -> None:
    trigger = daily(schedule_interval="*/10 * * * *")
    now, handled = MONDAY, MONDAY
    for _ in range(61):
        assert look(trigger, handled, now - HOUR) == Due(handled=handled)
        now += MINUTE
    assert look(trigger, handled, now + 10 * MINUTE).runs


def test_a_clock_that_was_years_ahead_and_is_put_right_holds_nothing_up() -> None:
    wrong = look(daily(), MONDAY, MONDAY + 3650 * DAY)
    right = look(daily(), wrong.handled, MONDAY + 2 * DAY + MINUTE)
    assert right == Due(handled=MONDAY + 2 * DAY + MINUTE)
    assert look(daily(), right.handled, MONDAY + 3 * DAY).runs == (MONDAY + 3 * DAY,)


@settings(max_examples=40, deadline=None)
@given(
    moves=st.lists(st.tuples(st.integers(-30, 4000), st.booleans()), max_size=25),
    cron=st.sampled_from(["*/20 * * * *", "30 2 * * *", "0 */6 * * *"]),
    catch_up=st.sampled_from(["none", "last", "all"]),
)
def test_whatever_the_clock_does_each_due_run_is_run_or_skipped_once(
    moves: list[tuple[int, bool]], cron: str, catch_up: str
) -> None:
    more = {"timezone": "America/New_York", "settings": TriggerSettings(skip_if_previous_running=True)}
    trigger = daily(schedule_interval=cron, catch_up=catch_up, **more)
    table = timetable(trigger)
    assert table is not None
    start = now = handled = datetime(2024, 3, 9, tzinfo=UTC)
    dealt_with: list[datetime] = []
    for minutes, busy in moves:
        now += timedelta(minutes=minutes)
        found = due(trigger, table, handled, now, "RUN" if busy else None)
        dealt_with += found.runs
        for skipped in found.skipped:
            many = list(takewhile(lambda each: each <= skipped.last, table.after(skipped.first - SECOND)))  # noqa: B023
            assert len(many) == skipped.count
            dealt_with += many
        assert found.handled is not None
        handled = found.handled
    assert sorted(dealt_with) == list(takewhile(lambda each: each <= handled, table.after(start)))


def test_more_than_anybody_wants_is_not_counted() -> None:
    found = look(daily(schedule_interval="* * * * *", catch_up="none"), MONDAY, MONDAY + 30 * DAY)
    assert [each.count for each in found.skipped] == [MOST - 2], "the last two are on time"


def test_a_run_that_overlaps_the_one_before_is_skipped_where_that_is_wanted() -> None:
    [skipped] = look(
        daily(settings=TriggerSettings(skip_if_previous_running=True)), MONDAY - HOUR, MONDAY, busy="RUN"
    ).skipped
    assert (skipped.first, skipped.reason) == (MONDAY, "the previous run, RUN, has not ended")
    assert look(daily(), MONDAY - HOUR, MONDAY, busy="RUN").runs == (MONDAY,)


def test_once_is_when_it_is_first_seen_after_its_start() -> None:
    trigger = daily(schedule_interval="@once", start_time=MONDAY)
    assert look(trigger, None, MONDAY - SECOND) == Due(handled=None)
    assert look(trigger, None, MONDAY + HOUR) == Due(handled=MONDAY + HOUR, runs=(MONDAY + HOUR,))
    assert look(trigger, MONDAY + HOUR, MONDAY + 9 * DAY).runs == ()


def test_always_on_is_due_when_its_last_run_has_ended() -> None:
    trigger = daily(schedule_interval="@always_on")
    assert look(trigger, None, MONDAY).runs == (MONDAY,)
    assert look(trigger, MONDAY, MONDAY + HOUR, busy="RUN").runs == ()
    assert look(trigger, MONDAY, MONDAY + HOUR).runs == (MONDAY + HOUR,)


@pytest.mark.parametrize(
    ("more", "since"),
    [
        ({}, MONDAY + HOUR),
        ({"last_enabled_at": MONDAY - 3 * DAY}, MONDAY - 3 * DAY),
        ({"settings": TriggerSettings(create_initial_pipeline_run=True)}, MONDAY),
        ({"start_time": MONDAY - 9 * DAY}, MONDAY + HOUR),
        ({"start_time": MONDAY - 9 * DAY, "catch_up": "all"}, MONDAY - 9 * DAY),
    ],
    ids=["a new one", "enabled by Mage", "with an initial run", "started", "started, all of it"],
)
def test_a_trigger_that_is_new_begins(more: dict[str, Any], since: datetime) -> None:
    trigger = daily(**more)
    begun = begin(trigger, timetable(trigger), MONDAY + HOUR)
    assert begun is not None
    assert timedelta(0) <= since - begun < SECOND


def test_what_comes_up() -> None:
    trigger = daily(start_time=MONDAY + 3 * DAY)
    assert next(upcoming(trigger, timetable(trigger), None, MONDAY)) == MONDAY + 3 * DAY
    assert list(upcoming(daily(schedule_interval="@once"), None, MONDAY, MONDAY)) == []
