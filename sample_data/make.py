"""Makes the sample months: invented trips in the layout, the number formats and the oddities of the published files.

    python sample_data/make.py [FOLDER]

Every trip is drawn from a seeded generator and none is real. Like the published months of late 2020 each has
trips that a base reported without a meter (no vendor, passengers, rate or payment), trips with no passengers or no
distance, corrections with negative amounts, and pickups on the wrong side of midnight or in 2009.

misc/taxi_zone_lookup.csv is not made here: it is TLC's own list of its zones, which are open data.
"""

from __future__ import annotations

import calendar
import gzip
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

TRIPS = {
    ("green", "2020-10"): 3200,
    ("green", "2020-11"): 2900,
    ("green", "2020-12"): 2700,
    ("yellow", "2021-01"): 3000,
}
UNMETERED_SHARE = {"green": 0.45, "yellow": 0.07}
LINE_END = {"green": "\r\n", "yellow": "\n"}  # as the releases have them
GREEN = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,"
    "passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,"
    "improvement_surcharge,total_amount,payment_type,trip_type,congestion_surcharge"
)
YELLOW = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,"
    "PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    "improvement_surcharge,total_amount,congestion_surcharge"
)


def month_text(service: str, month: str, trips: int) -> str:
    """The CSV of one month, with the line ends of the releases."""
    random = Random(f"{service} {month}")  # noqa: S311 (nothing to keep secret)
    metered = round(trips * (1 - UNMETERED_SHARE[service]))
    lines = [_metered(random, month) for _ in range(metered)]
    lines.sort(key=lambda line: line[1][:10])
    lines += [_unmetered(random, month) for _ in range(trips - metered)]
    header, fields = (GREEN, lines) if service == "green" else (YELLOW, map(_as_yellow, lines))
    return "".join(f"{line}{LINE_END[service]}" for line in [header, *map(",".join, fields)])


def _as_yellow(green: list[str]) -> list[str]:
    """The trip's fields in the order of the yellow files, which lack two of them."""
    values = dict(zip(GREEN.replace("lpep", "tpep").split(","), green, strict=True))
    return [values[name] for name in YELLOW.split(",")]


def _metered(random: Random, month: str) -> list[str]:
    pickup = pickup_time(random, month, odd_share=0.003)
    miles = 0.0 if random.random() < 0.03 else round(0.4 + 4 * random.random() ** 2 + 9 * random.random() ** 6, 2)
    fare = 2.5 + round(2 * (2.5 * miles + 5 * random.random())) / 2
    extra, surcharge = _one_of(random, (0, 0.5, 1)), _one_of(random, (0, 0, 0, 2.75))
    card = random.random() < 0.55
    tip = round(0.2 * fare * random.random(), 2) if card else 0
    sign = -1 if random.random() < 0.004 else 1
    amounts = [sign * amount for amount in (fare, extra, 0.5, tip, 6.12 if miles > 9 else 0)]
    total = sum(amounts) + sign * (0.3 + surcharge)
    return [
        _one_of(random, "12222"),
        f"{pickup}",
        f"{pickup + timedelta(seconds=60 + round(240 * miles + 600 * random.random()))}",
        _one_of(random, "NNNNNNNNNNNNNNNNNNNNNNNNY"),
        _one_of(random, ("1",) * 30 + ("5",)),
        *_zones(random),
        _one_of(random, ("0",) + ("1",) * 40 + ("2",) * 5 + ("3", "5", "6")),
        _miles(miles),
        *map(_dollars, amounts),
        "",
        _dollars(sign * 0.3),
        _dollars(total),
        "1" if card else "2" if sign > 0 else "3",
        "1",
        _dollars(sign * surcharge),
    ]


def _unmetered(random: Random, month: str) -> list[str]:
    pickup = pickup_time(random, month, odd_share=0).replace(second=0)
    miles = 0.5 + round(12 * random.random() ** 3, 2)
    fare = 9 + 3 * miles + 5 * random.random()
    return [
        "",
        f"{pickup}",
        f"{pickup + timedelta(minutes=5 + round(4 * miles))}",
        *("", ""),
        *_zones(random),
        "",
        _miles(miles),
        *map(_dollars, (fare, 0, 0, 2.75, 0)),
        "",
        "0.3",
        _dollars(round(fare, 2) + 3.05),
        *("", "", ""),
    ]


def pickup_time(random: Random, month: str, odd_share: float) -> datetime:
    """A moment in the month; now and then one just outside it, or in 2009, as meters with a wrong clock send."""
    first = datetime.fromisoformat(f"{month}-01")
    days = calendar.monthrange(first.year, first.month)[1]
    if random.random() < odd_share:
        return _one_of(random, (first - timedelta(seconds=95), first + timedelta(days, 310), datetime(2009, 1, 1)))
    return first + timedelta(seconds=int(days * 86400 * random.random()))


def _zones(random: Random) -> list[str]:
    """TLC zones of pickup and drop-off, 1 to 263; 264 and 265 where they are not known."""
    return [str(1 + int(263 * random.random())) if random.random() > 0.005 else "264" for _ in range(2)]


def _one_of(random: Random, options):
    return options[int(len(options) * random.random())]


def _miles(miles: float) -> str:
    """Two decimals and no zero before the point, as the releases write distances."""
    return f"{miles:.2f}".removeprefix("0")


def _dollars(amount: float) -> str:
    """As short as possible: 5, 0.5, 7.88."""
    return f"{round(amount, 2) + 0:.2f}".rstrip("0").rstrip(".")


def main(folder: Path) -> None:
    for (service, month), trips in TRIPS.items():
        path = folder / service / f"{service}_tripdata_{month}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(month_text(service, month, trips).encode(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent))
