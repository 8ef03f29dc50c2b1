"""TLC's rules, as taxi_month checks them: true counts on real months, and every rule noticed where it is broken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pytest

from mage_project.project import Project
from mage_project.quality.comparisons import mask
from mage_project.quality.engine import Checks
from mage_project.quality.references import References
from mage_project.quality.results import CheckResult
from mage_project.quality.rows import Rows
from taxi.services import SERVICES
from tests.blocks.conftest import DATA, PROJECT, Block

LACKING = "a tenth of the trips at most lack passenger_count"
MTA, PEOPLE, MILES = "mta_tax is 0.50", "passengers are 0 to 6", "distances are 0 to 100 miles"
DOLLARS, TIME, HOURS = "amounts are 0 to 1000 dollars", "trips take time", "trips take 12 hours at most"
STATE = "congestion_surcharge is 2.75 or 0.75 since 2019-02-02"
YELLOW = "congestion_surcharge is 2.50 or 0.75 since 2019-02-02"
VENDOR = "vendor_id is in the dictionary"
#: Counted by SQL over the files as text, without a line of this project's code.
REAL = {
    "green 2020-03": {LACKING: 47119, MTA: 1, STATE: 68, PEOPLE: 10, MILES: 12, DOLLARS: 684, TIME: 240, HOURS: 678},
    "green 2020-04": {LACKING: 11110, STATE: 22, PEOPLE: 6, MILES: 10, DOLLARS: 122, TIME: 76, HOURS: 87},
    "green 2020-07": {LACKING: 29030, STATE: 86, PEOPLE: 6, MILES: 62, DOLLARS: 143, TIME: 101, HOURS: 149},
    "green 2020-10": {LACKING: 42510, MTA: 1, STATE: 79, PEOPLE: 5, MILES: 32, DOLLARS: 188, TIME: 163, HOURS: 257},
    "green 2020-11": {LACKING: 40114, STATE: 50, PEOPLE: 5, MILES: 58, DOLLARS: 174, TIME: 104, HOURS: 249},
    "green 2020-12": {LACKING: 36838, STATE: 8, PEOPLE: 6, MILES: 40, DOLLARS: 182, TIME: 84, HOURS: 187},
    "green 2024-01": {MTA: 7080, STATE: 143, PEOPLE: 3, MILES: 46, DOLLARS: 186, TIME: 76, HOURS: 173},
    "yellow 2018-01": {DOLLARS: 2, TIME: 10, HOURS: 12},
    "yellow 2018-06": {DOLLARS: 3, TIME: 8, HOURS: 14},
    "yellow 2019-01": {VENDOR: 96, MTA: 1, DOLLARS: 8, TIME: 8, HOURS: 20},
    "yellow 2019-02": {VENDOR: 86, "no congestion_surcharge before 2019-02-02": 12, DOLLARS: 15, TIME: 10, HOURS: 20},
    "yellow 2019-03": {VENDOR: 61, DOLLARS: 13, TIME: 4, HOURS: 19},
    "yellow 2020-01": {YELLOW: 2, MILES: 2, DOLLARS: 26, TIME: 10, HOURS: 20},
}  # fmt: skip


def results(service: str, batches: Iterable[pd.DataFrame | pa.Table]) -> list[CheckResult]:
    pipeline = Project(PROJECT).pipeline("taxi_month")
    [rules] = [block.checks for block in pipeline.blocks if block.checks]
    checks = Checks([rule for rule in rules if rule.is_for({"service": service})], reference=References(PROJECT))
    try:
        for batch in batches:
            checks.take(batch)
        return checks.results()
    finally:
        checks.close()


@pytest.mark.parametrize("month", REAL)
def test_real_months_pass_or_warn_with_the_true_counts(block: Block, real_months: str, month: str) -> None:
    service, month_only = month.split()
    source = str(DATA / "trip-data") if month_only == "2024-01" else real_months
    variables = {"service": service, "months": [month_only], "source": source, "stream": True}
    conform = block("transformers/conform_taxi_trips").conform_taxi_trips
    found = results(service, map(conform, block("data_loaders/load_taxi_trips").load_taxi_trips(**variables)))
    assert {result.name: result.failing for result in found if not result.passed} == REAL[month]
    assert not any(result.failed for result in found)


# -- what no real month here shows

TIMES = {"pickup_datetime": datetime(2025, 1, 5), "dropoff_datetime": datetime(2025, 1, 5, 0, 10)}
ZONES = {"pu_location_id": 7, "do_location_id": 265}
METERED = {
    **{"vendor_id": 1, "ratecode_id": 99, "payment_type": 0, "passenger_count": 1, "store_and_fwd_flag": "Y", **ZONES},
    **{"trip_distance": 0.8, "total_amount": 9.3, "mta_tax": 0.5, "improvement_surcharge": 1.0},
    "cbd_congestion_fee": 0.75,
}
GOOD = {
    "green": {**METERED, "trip_type": 1, "congestion_surcharge": 2.75, **{f"lpep_{k}": v for k, v in TIMES.items()}},
    "yellow": {
        **{**METERED, "congestion_surcharge": 2.5, "airport_fee": 1.75},
        **{f"tpep_{name}": time for name, time in TIMES.items()},
    },
    "fhv": {**TIMES, **ZONES, "dispatching_base_num": "B00001", "affiliated_base_number": "B00001", "sr_flag": 1},
    "fhvhv": {
        **{**TIMES, **ZONES, "hvfhs_license_num": "HV0003", "dispatching_base_num": "B02764", "trip_miles": 1.5},
        **{"trip_time": 600, "base_passenger_fare": 9.5, "driver_pay": 7.0, "tips": 0.0, "congestion_surcharge": 2.75},
        **{"airport_fee": 2.5, "cbd_congestion_fee": 1.5, "shared_request_flag": "N", "shared_match_flag": "N"},
        **{"access_a_ride_flag": " ", "wav_request_flag": "Y", "wav_match_flag": "N"},
    },
}
EARLY = {f"{prefix}pickup_datetime": datetime(2019, 2, 1, 23, 59, 59) for prefix in ("", "lpep_", "tpep_")}
#: For each service rows that break rules, by what is wrong in them, with the number of rules that each breaks.
BAD: dict[str, list[tuple[dict[str, object], int]]] = {
    "green": [
        ({"vendor_id": 7}, 1),
        ({"ratecode_id": 7}, 1),
        ({"payment_type": 7}, 1),
        ({"trip_type": 0}, 1),
        ({"store_and_fwd_flag": "y"}, 1),
        ({"pu_location_id": 266, "do_location_id": 0}, 2),
        ({"improvement_surcharge": 0.5}, 1),
        ({"congestion_surcharge": 2.5}, 1),
        ({"cbd_congestion_fee": 1.5}, 1),
        ({"lpep_pickup_datetime": datetime(2025, 1, 4, 23, 59, 59)}, 1),  # the fee began a second later
        ({**EARLY, "lpep_dropoff_datetime": datetime(2019, 2, 2)}, 3),  # three amounts that were not in force
        ({"lpep_dropoff_datetime": None}, 1),
    ],
    "yellow": [
        ({"vendor_id": 4}, 1),
        ({"airport_fee": 2.5}, 1),
        ({**EARLY, "tpep_dropoff_datetime": datetime(2019, 2, 2)}, 4),
        ({"improvement_surcharge": 0.3}, 1),
        ({"improvement_surcharge": -1.0, "congestion_surcharge": -2.5, "mta_tax": -0.5}, 0),  # a reversal
    ],
    "fhv": [
        ({"dispatching_base_num": "b00001"}, 1),
        ({"dispatching_base_num": None}, 1),
        ({"affiliated_base_number": None}, 1),
        ({"sr_flag": 0}, 1),
        ({"pu_location_id": None, "do_location_id": 300}, 1),
        ({"dropoff_datetime": TIMES["pickup_datetime"]}, 1),
        ({"dropoff_datetime": datetime(2025, 1, 5, 12, 0, 1)}, 1),
    ],
    "fhvhv": [
        ({"hvfhs_license_num": "HV0001"}, 2),
        ({"hvfhs_license_num": "HV0002"}, 1),  # Juno, after it had closed
        ({"shared_request_flag": "", "shared_match_flag": "y", "wav_request_flag": "0", "wav_match_flag": " "}, 4),
        ({"access_a_ride_flag": "?"}, 1),
        ({"congestion_surcharge": 2.5, "airport_fee": 7.5, "cbd_congestion_fee": 0.75}, 3),
        ({"trip_miles": -1.0, "trip_time": 0, "base_passenger_fare": -2.0, "driver_pay": 1e4, "tips": -1.0}, 5),
        ({"dropoff_datetime": TIMES["pickup_datetime"], "dispatching_base_num": "HV0003"}, 2),
    ],
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_trip_in_order_breaks_no_rule(service: str) -> None:
    found = results(service, [pa.Table.from_pylist([GOOD[service]])])
    assert [result.name for result in found if not result.passed] == []
    assert {result.severity for result in found} == {"fail", "warn"}


@pytest.mark.parametrize(
    ("service", "wrong", "rules"), [(service, *case) for service, cases in BAD.items() for case in cases], ids=str
)
def test_a_trip_out_of_order_is_noticed(service: str, wrong: dict[str, object], rules: int) -> None:
    known = {name: value for name, value in wrong.items() if name in GOOD[service]}
    found = results(service, [pa.Table.from_pylist([GOOD[service], GOOD[service] | known])])
    broken = [result.name for result in found if not result.passed]
    assert len(broken) == rules, broken


@pytest.mark.parametrize("service", SERVICES)
def test_no_rule_needs_duckdb_which_would_take_some_forty_megabytes(service: str) -> None:
    [rules] = [block.checks for block in Project(PROJECT).pipeline("taxi_month").blocks if block.checks]
    asked = {sql for rule in rules if rule.is_for({"service": service}) for sql in (rule.where, rule.sql) if sql}
    rows = Rows(pa.Table.from_pylist([GOOD[service]]))
    assert [sql for sql in asked if mask(sql, rows, negate=False) is None] == []
    assert asked


@pytest.mark.parametrize("service", SERVICES)
def test_columns_that_a_month_does_not_have_are_no_error(service: str) -> None:
    """The oldest files have few."""
    always = {"fhv": {"pu_location_id"}, "fhvhv": {"hvfhs_license_num", *ZONES}}.get(service, set())
    always |= {"dispatching_base_num"} if service.startswith("fhv") else set(METERED) - {"cbd_congestion_fee", *ZONES}
    always |= {"trip_type"} | {name for name in GOOD[service] if name.endswith("datetime")}
    always -= {"improvement_surcharge"} | ({"dropoff_datetime"} if service == "fhv" else set())
    old = {name: value for name, value in GOOD[service].items() if name in always}
    assert all(result.passed for result in results(service, [pa.Table.from_pylist([old])]))
