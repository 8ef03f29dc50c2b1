"""The columns of TLC's trip records and the types they get here: declared, never inferred.

Source of the meanings: TLC's data dictionaries of January 2020's layout,
https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_green.pdf and ..._yellow.pdf.
Codes and counts are nullable 32-bit integers (as the ids are in TLC's Parquet since 2023-02), amounts are doubles in
dollars, distances doubles in miles, times are New York wall time without a zone. A column keeps its type in every
month, also where it is empty.
"""

from __future__ import annotations

import pyarrow as pa

from taxi.words import did_you_mean

CODE = COUNT = pa.int32()
DOLLARS = MILES = pa.float64()
WALL_TIME = pa.timestamp("us")
FLAG = pa.string()

Columns = dict[str, pa.DataType]

GREEN: Columns = {
    "VendorID": CODE,  # who recorded the trip: 1 Creative Mobile Technologies, 2 VeriFone (now Curb)
    "lpep_pickup_datetime": WALL_TIME,  # the meter was engaged
    "lpep_dropoff_datetime": WALL_TIME,  # the meter was disengaged
    "store_and_fwd_flag": FLAG,  # Y: held in the vehicle before it was sent, N: not
    "RatecodeID": CODE,  # 1 standard, 2 JFK, 3 Newark, 4 Nassau or Westchester, 5 negotiated, 6 group ride
    "PULocationID": CODE,  # TLC zone of the pickup; 264 and 265 are unknown
    "DOLocationID": CODE,  # TLC zone of the drop-off
    "passenger_count": COUNT,  # entered by the driver
    "trip_distance": MILES,  # from the taximeter
    "fare_amount": DOLLARS,  # time and distance
    "extra": DOLLARS,  # rush hour and overnight charges
    "mta_tax": DOLLARS,
    "tip_amount": DOLLARS,  # credit-card tips only
    "tolls_amount": DOLLARS,
    "ehail_fee": DOLLARS,  # empty in every month that known_answers.csv lists
    "improvement_surcharge": DOLLARS,
    "total_amount": DOLLARS,  # without cash tips
    "payment_type": CODE,  # 1 credit card, 2 cash, 3 no charge, 4 dispute, 5 unknown, 6 voided
    "trip_type": CODE,  # 1 street hail, 2 dispatch
    "congestion_surcharge": DOLLARS,  # since 2019
}

YELLOW: Columns = {
    "VendorID": CODE,
    "tpep_pickup_datetime": WALL_TIME,
    "tpep_dropoff_datetime": WALL_TIME,
    "passenger_count": COUNT,
    "trip_distance": MILES,
    "RatecodeID": CODE,
    "store_and_fwd_flag": FLAG,
    "PULocationID": CODE,
    "DOLocationID": CODE,
    "payment_type": CODE,
    "fare_amount": DOLLARS,
    "extra": DOLLARS,
    "mta_tax": DOLLARS,
    "tip_amount": DOLLARS,
    "tolls_amount": DOLLARS,
    "improvement_surcharge": DOLLARS,
    "total_amount": DOLLARS,
    "congestion_surcharge": DOLLARS,
}

SERVICES: dict[str, Columns] = {"green": GREEN, "yellow": YELLOW}


def columns_of(service: str) -> Columns:
    """The declared columns of `service`, in the order of the releases. Raises ValueError for another service."""
    if service not in SERVICES:
        raise ValueError(
            f"service {service!r} is not known here: the services are {', '.join(SERVICES)}."
            + did_you_mean(service, SERVICES)
        )
    return SERVICES[service]
