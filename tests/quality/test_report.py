"""The report's profile: what is counted, what is estimated, and what is compared."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from mage_project.errors import UsageError
from mage_project.quality.report import Profile, profile
from mage_project.quality.report.changes import changes
from mage_project.quality.report.profile import ColumnProfile, Numbers
from mage_project.quality.report.spans import span


def column(table: pa.Table, name: str) -> ColumnProfile:
    found = profile(table.to_batches(max_chunksize=7)).column(name)
    assert found is not None
    return found


def numbers(values: Sequence[float | None]) -> Numbers:
    found = profile([pa.table({"n": values})]).columns[0].numbers
    assert found is not None
    return found


def test_batches_give_what_the_whole_gives() -> None:
    table = pa.table({"n": [number % 16 for number in range(128)], "code": ["a", None, "b", "b"] * 32})
    assert profile(table.to_batches(max_chunksize=8)).column("code") == profile([table]).column("code")
    one, other = column(table, "n"), profile([table]).column("n")
    assert other is not None
    assert other.numbers is not None
    assert one.numbers == dataclasses.replace(other.numbers, mean=pytest.approx(7.5), deviation=pytest.approx(4.60977))


def test_numbers_are_measured_exactly() -> None:
    found = numbers([1.0, None, 2.0, 3.0, 10.0, float("nan")])
    assert (found.least, found.greatest, found.mean, found.quantile(500)) == (1.0, 10.0, 4.0, 2.0)
    assert found.deviation == pytest.approx(np.std([1, 2, 3, 10]))


def test_a_value_that_is_no_number_is_counted_apart() -> None:
    found = column(pa.table({"n": [1.0, float("nan"), float("inf"), None]}), "n")
    assert (found.nulls, found.odd, found.distinct) == (1, {"NaN": 1, "infinite": 1}, 1)


def test_a_few_extreme_values_do_not_stretch_the_bins() -> None:
    bins = numbers([*[float(number % 50) for number in range(10_000)], 205_654.0, -9_000.0]).bins
    assert (bins.below, bins.above) == (1, 1)
    assert bins.end <= 60
    assert sum(bins.rows) == 10_000


def test_a_default_far_from_all_others_does_not_stretch_the_bins() -> None:
    bins = numbers([*[40.7 + number % 50 / 1000 for number in range(980)], *[0.0] * 20]).bins
    assert (bins.start, bins.below, bins.above) == (pytest.approx(40.7), 20, 0)


def test_all_rows_are_in_the_bins_and_beside_them() -> None:
    values = np.random.default_rng(3).lognormal(sigma=2, size=5_000)
    bins = numbers(list(values)).bins
    assert bins.below + sum(bins.rows) + bins.above == 5_000


def test_more_values_than_are_counted_are_estimated_and_said_to_be() -> None:
    table = pa.table({"n": np.random.default_rng(4).normal(size=200_000), "id": [f"id{n}" for n in range(200_000)]})
    found = profile([table])
    normal, ids = found.columns
    assert (normal.is_exact, ids.is_exact) == (False, False)
    assert normal.numbers is not None
    assert normal.numbers.quantile(500) == pytest.approx(0, abs=0.02)
    assert normal.numbers.greatest == table["n"].to_numpy().max()
    assert ids.distinct == pytest.approx(200_000, rel=0.08)


def test_a_frequent_value_is_found_among_very_many() -> None:
    values = [f"id{n}" if n % 10 else "often" for n in range(100_000)]
    first = profile([pa.table({"id": values})]).columns[0].top[0]
    assert first.value == "often"
    assert first.rows == 10_000


def test_rows_are_counted_by_day_and_by_hour_of_the_week() -> None:
    monday = datetime.datetime(2024, 1, 1, 13, 59)
    times = column(pa.table({"at": [monday, monday, monday + datetime.timedelta(days=1)]}), "at").times
    assert times is not None
    assert times.days == {"2024-01-01": 2, "2024-01-02": 1}
    assert (times.hours[13], times.hours[24 + 13], sum(times.hours)) == (2, 1, 3)


def test_times_count_by_the_clock_of_their_zone() -> None:
    at = pa.array([datetime.datetime(2024, 1, 1, 2, tzinfo=datetime.UTC)], pa.timestamp("us", "America/New_York"))
    times = column(pa.table({"at": at}), "at").times
    assert times is not None
    assert times.days == {"2023-12-31": 1}


def test_days_far_from_the_others_are_outside_of_the_main_span() -> None:
    days = {f"2020-10-{day:02d}": 3_000 + day for day in range(1, 32)} | {"2008-12-31": 1, "2020-11-01": 5}
    found = span(days)
    assert (found.first, found.last, found.outside) == ("2020-10-01", "2020-10-31", {"2008-12-31": 1, "2020-11-01": 5})


def test_a_time_beyond_the_calendar_is_counted_apart() -> None:
    at = pa.array([0, 2**62], pa.int64()).cast(pa.timestamp("s"))
    found = column(pa.table({"at": at}), "at")
    assert found.odd == {"outside the years 1 to 9999": 1}


def test_nulls_are_counted_by_day() -> None:
    days = [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2), datetime.date(2024, 1, 2), None]
    found = column(pa.table({"day": days, "n": [1, None, None, None]}), "n")
    assert (found.nulls, found.nulls_by_day) == (3, {"2024-01-02": 2})


def test_a_time_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match="Did you mean 'picked'"):
        profile([pa.table({"picked": pa.array([0], pa.timestamp("s"))})], time_column="pickd")


def test_every_type_of_arrow_has_a_profile() -> None:
    table = pa.table(
        {
            "null": pa.nulls(2),
            "list": [[1], None],
            "bytes": [b"\xff", b""],
            "decimal": pa.array(["1.50", "2.25"]).cast(pa.decimal128(9, 2)),
            "dictionary": pa.array(["a", "b"]).dictionary_encode(),
            "time": [datetime.time(1), datetime.time(2)],
            "duration": [datetime.timedelta(1), None],
            "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", "[]"])),
        }
    )
    found = profile([table])
    assert {column.name: column.kind for column in found.columns} == {
        "null": "other", "list": "other", "bytes": "other", "decimal": "number",
        "dictionary": "text", "time": "text", "duration": "other", "json": "text",
    }  # fmt: skip
    assert Profile.from_dict(json.loads(json.dumps(found.as_dict()))) == found


@pytest.mark.parametrize("table", [pa.table({}), pa.table({"n": pa.array([], pa.int64())})], ids=["none", "no rows"])
def test_data_without_rows_has_a_profile(table: pa.Table) -> None:
    assert profile([table]).rows == 0


def month(number: int, rows: int, code: str) -> pa.Table:
    return pa.table(
        {"source_month": pa.array([datetime.date(2024, number, 1)] * rows), "code": [code, "usual"] * (rows // 2)}
    )


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)], ids=str)
def test_the_last_two_months_are_compared_whatever_their_order(order: tuple[int, ...]) -> None:
    tables = {1: month(1, 10, "old"), 2: month(2, 20, "old"), 3: month(3, 40, "new")}
    found = profile(tables[number] for number in order)
    assert [(name, profile.rows) for name, profile in found.months] == [("2024-02", 20), ("2024-03", 40)]
    [change] = changes(found.months[0][1], found.months[1][1])
    assert (change.name, change.size) == ("code", 0.5)
    assert [fact.replace("\u202f", " ") for fact in change.facts[:2]] == ["new: new (50.0 %)", "gone: old (50.0 %)"]


def test_batches_without_rows_change_nothing() -> None:
    tables = [month(1, 10, "a"), month(2, 20, "b")]
    empty = tables[0].slice(0, 0)
    assert profile([empty, tables[0], empty, tables[1]]) == profile(tables)


def test_rows_without_a_month_belong_to_none() -> None:
    nowhere = pa.table({"source_month": pa.nulls(3, pa.date32()), "code": ["x"] * 3})
    found = profile([month(1, 10, "a"), nowhere, month(2, 20, "b")])
    assert [profile.rows for _, profile in found.months] == [10, 20]


def test_months_in_one_batch_are_told_apart() -> None:
    found = profile([pa.concat_tables([month(1, 10, "a"), month(2, 20, "b")])])
    assert [(name, profile.rows) for name, profile in found.months] == [("2024-01", 10), ("2024-02", 20)]


def test_dates_that_are_not_all_firsts_of_months_are_no_key() -> None:
    days = pa.table({"source_month": [datetime.date(2024, 1, 1), datetime.date(2024, 2, 1), datetime.date(2024, 2, 2)]})
    found = profile(days.to_batches(max_chunksize=1))
    assert (found.month_column, found.months) == (None, ())


def test_the_biggest_change_comes_first() -> None:
    before = pa.table({"same": [1, 2] * 50, "little": [0.0] * 100, "much": ["a"] * 100, "gone": [1] * 100})
    little = [None] * 5 + [0.0] * 95
    after = pa.table({"same": [1, 2] * 50, "little": little, "much": ["b"] * 100, "new": [1] * 100})
    assert [change.name for change in changes(profile([before]), profile([after]))] == ["new", "gone", "much", "little"]
