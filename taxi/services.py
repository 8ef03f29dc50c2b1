"""The columns of TLC's four kinds of trip records, with the months each was in force: declared, never inferred.

Sources. The meanings: TLC's data dictionaries, of March 2025 (data_dictionary_trip_records_yellow.pdf, ..._green.pdf,
..._fhv.pdf and ..._hvfhs.pdf below https://www.nyc.gov/assets/tlc/downloads/pdf/). Months and old names: the footers of
TLC's 188 yellow Parquet files from 2009-01 to 2024-08, as listed in github.com/snowch/vast-docker-compose-examples;
the headers of the CSVs that TLC published until 2022, and of the course's copies of them; and
github.com/toddwschneider/nyc-taxi-data, which has loaded all of them. TLC gave every column of 2022 to the older files
when it turned them into Parquet, so that `congestion_surcharge` is there since 2011, empty. The CSVs do not have it,
and there are none since.
"""

from __future__ import annotations

from taxi.columns import (
    CODE,
    COUNT,
    DEGREES,
    DOLLARS,
    FLAG,
    MILES,
    NEVER,
    SECONDS,
    TEXT,
    WALL_TIME,
    Column,
    Columns,
    Service,
)
from taxi.words import did_you_mean

_PAGES = "https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_"
#: In 2009 and 2010: CMT is Creative Mobile Technologies, VTS is VeriFone; DDS (Digital Dispatch Systems) has no code.
_VENDORS = (("cmt", 1), ("vts", 2))
#: The spellings of 2009 and 2010, from files and from toddwschneider/nyc-taxi-data; `NA` has no code.
_PAYMENTS = (
    *(("credit", 1), ("crd", 1), ("cre", 1)),
    *(("cash", 2), ("csh", 2), ("cas", 2)),
    *(("no charge", 3), ("noc", 3), ("no", 3)),
    *(("dispute", 4), ("dis", 4)),
    *(("unknown", 5), ("unk", 5)),
)
_COORDINATES_UNTIL = "2016-06"  # since 2016-07 the CSVs have zones instead
_ZONES = ("2016-07", None)

YELLOW = Service(
    name="yellow",
    pickup="tpep_pickup_datetime",
    dictionary=f"{_PAGES}yellow.pdf",
    columns=(
        # Who recorded the trip: 1 Creative Mobile Technologies, 2 Curb (VeriFone until 2018), 6 Myle, 7 Helix.
        Column(name="VendorID", kind=CODE, aliases=("vendor_name", "vendor_id"), codes=_VENDORS, early_text=True),
        # The meter was engaged, the meter was disengaged.
        Column(
            name="tpep_pickup_datetime",
            kind=WALL_TIME,
            aliases=("Trip_Pickup_DateTime", "pickup_datetime"),
            early_text=True,
        ),
        Column(
            name="tpep_dropoff_datetime",
            kind=WALL_TIME,
            aliases=("Trip_Dropoff_DateTime", "dropoff_datetime"),
            early_text=True,
        ),
        Column(name="passenger_count", kind=COUNT),  # entered by the driver
        Column(name="trip_distance", kind=MILES),  # from the taximeter
        # 1 standard, 2 JFK, 3 Newark, 4 Nassau or Westchester, 5 negotiated, 6 group ride, 99 unknown.
        Column(name="RatecodeID", kind=CODE, aliases=("rate_code",), early_text=True),
        Column(name="store_and_fwd_flag", kind=FLAG, aliases=("store_and_forward",)),  # Y: held in the vehicle first
        Column(name="PULocationID", kind=CODE, since="2011-01", csv=_ZONES),  # TLC's zones; 264 and 265 are unknown
        Column(name="DOLocationID", kind=CODE, since="2011-01", csv=_ZONES),
        # 0 flex fare, 1 credit card, 2 cash, 3 no charge, 4 dispute, 5 unknown, 6 voided.
        Column(name="payment_type", kind=CODE, codes=_PAYMENTS, early_text=True),
        Column(name="fare_amount", kind=DOLLARS, aliases=("Fare_Amt",)),  # time and distance
        # Rush hour, overnight and other extras: the `surcharge` of 2009 to 2014.
        Column(name="extra", kind=DOLLARS, aliases=("surcharge",)),
        Column(name="mta_tax", kind=DOLLARS),
        Column(name="tip_amount", kind=DOLLARS, aliases=("Tip_Amt",)),  # credit-card tips only
        Column(name="tolls_amount", kind=DOLLARS, aliases=("Tolls_Amt",)),
        Column(name="improvement_surcharge", kind=DOLLARS, since="2011-01", csv=("2015-01", None)),
        Column(name="total_amount", kind=DOLLARS, aliases=("Total_Amt",)),  # without cash tips
        Column(name="congestion_surcharge", kind=DOLLARS, since="2011-01", csv=("2019-01", None)),
        # Pickups at LaGuardia and JFK; `Airport_fee` since 2023-02.
        Column(name="airport_fee", kind=DOLLARS, since="2011-01", csv=NEVER),
        Column(name="cbd_congestion_fee", kind=DOLLARS, since="2025-01", csv=NEVER),  # the MTA's zone, since 2025-01-05
        # What only 2009 and 2010 have: the places as coordinates, and the words behind three of the codes above.
        *(
            Column(name=name, kind=DEGREES, until="2010-12", csv=(None, _COORDINATES_UNTIL), aliases=(alias,))
            for name, alias in (
                ("pickup_longitude", "Start_Lon"),
                ("pickup_latitude", "Start_Lat"),
                ("dropoff_longitude", "End_Lon"),
                ("dropoff_latitude", "End_Lat"),
            )
        ),
        Column(name="vendor_name", kind=TEXT, until="2010-12", text_of="VendorID"),
        Column(name="rate_code_text", kind=TEXT, until="2010-12", text_of="RatecodeID"),
        Column(name="payment_type_text", kind=TEXT, until="2010-12", text_of="payment_type"),
    ),
)

GREEN = Service(
    name="green",
    pickup="lpep_pickup_datetime",
    dictionary=f"{_PAGES}green.pdf",
    columns=(
        Column(name="VendorID", kind=CODE),
        Column(name="lpep_pickup_datetime", kind=WALL_TIME),
        Column(name="lpep_dropoff_datetime", kind=WALL_TIME),
        Column(name="store_and_fwd_flag", kind=FLAG),
        Column(name="RatecodeID", kind=CODE),
        Column(name="PULocationID", kind=CODE, csv=_ZONES),
        Column(name="DOLocationID", kind=CODE, csv=_ZONES),
        Column(name="passenger_count", kind=COUNT),
        Column(name="trip_distance", kind=MILES),
        Column(name="fare_amount", kind=DOLLARS),
        Column(name="extra", kind=DOLLARS),
        Column(name="mta_tax", kind=DOLLARS),
        Column(name="tip_amount", kind=DOLLARS),
        Column(name="tolls_amount", kind=DOLLARS),
        Column(name="ehail_fee", kind=DOLLARS),  # empty in every month that known_answers.csv lists
        Column(name="improvement_surcharge", kind=DOLLARS, csv=("2015-01", None)),
        Column(name="total_amount", kind=DOLLARS),
        Column(name="payment_type", kind=CODE),
        Column(name="trip_type", kind=CODE),  # 1 street hail, 2 dispatch
        Column(name="congestion_surcharge", kind=DOLLARS, csv=("2019-01", None)),
        Column(name="cbd_congestion_fee", kind=DOLLARS, since="2025-01", csv=NEVER),
        *(
            Column(name=name, kind=DEGREES, since=NEVER[0], csv=(None, _COORDINATES_UNTIL))
            for name in ("pickup_longitude", "pickup_latitude", "dropoff_longitude", "dropoff_latitude")
        ),
    ),
)

FHV = Service(
    name="fhv",
    pickup="pickup_datetime",
    dictionary=f"{_PAGES}fhv.pdf",
    columns=(
        Column(name="dispatching_base_num", kind=TEXT),  # the licence of the base that sent the car
        Column(name="pickup_datetime", kind=WALL_TIME, aliases=("Pickup_date",)),
        Column(name="dropOff_datetime", kind=WALL_TIME, csv=("2017-01", None)),
        Column(name="PUlocationID", kind=CODE, aliases=("locationID",)),
        Column(name="DOlocationID", kind=CODE, csv=("2017-01", None)),
        Column(name="SR_Flag", kind=CODE, csv=("2017-07", None)),  # 1: part of a shared ride; else empty
        Column(name="Affiliated_base_number", kind=TEXT, csv=("2020-01", None)),  # of the base that the car belongs to
        # The CSVs of 2018 have the number under this name, and dispatching_base_num beside it: empty, or the same.
        Column(name="Dispatching_base_number", kind=TEXT, since=NEVER[0], csv=NEVER),
    ),
)

FHVHV = Service(
    name="fhvhv",
    pickup="pickup_datetime",
    dictionary=f"{_PAGES}hvfhs.pdf",
    columns=(
        Column(name="hvfhs_license_num", kind=TEXT),  # HV0002 Juno, HV0003 Uber, HV0004 Via, HV0005 Lyft
        Column(name="dispatching_base_num", kind=TEXT),
        Column(name="originating_base_num", kind=TEXT, csv=NEVER),  # the base that the passenger asked
        Column(name="request_datetime", kind=WALL_TIME, csv=NEVER),
        Column(name="on_scene_datetime", kind=WALL_TIME, csv=NEVER),  # wheelchair-accessible vehicles only
        Column(name="pickup_datetime", kind=WALL_TIME),
        Column(name="dropoff_datetime", kind=WALL_TIME),
        Column(name="PULocationID", kind=CODE),
        Column(name="DOLocationID", kind=CODE),
        Column(name="trip_miles", kind=MILES, csv=NEVER),
        Column(name="trip_time", kind=SECONDS, csv=NEVER),
        Column(name="base_passenger_fare", kind=DOLLARS, csv=NEVER),  # before tolls, tips, taxes and fees
        Column(name="tolls", kind=DOLLARS, csv=NEVER),
        Column(name="bcf", kind=DOLLARS, csv=NEVER),  # Black Car Fund
        Column(name="sales_tax", kind=DOLLARS, csv=NEVER),
        Column(name="congestion_surcharge", kind=DOLLARS, csv=NEVER),
        Column(name="airport_fee", kind=DOLLARS, csv=NEVER),
        Column(name="tips", kind=DOLLARS, csv=NEVER),
        Column(name="driver_pay", kind=DOLLARS, csv=NEVER),
        Column(name="shared_request_flag", kind=FLAG, csv=NEVER),
        Column(name="shared_match_flag", kind=FLAG, csv=NEVER),
        Column(name="access_a_ride_flag", kind=FLAG, csv=NEVER),
        Column(name="wav_request_flag", kind=FLAG, csv=NEVER),
        Column(name="wav_match_flag", kind=FLAG, csv=NEVER),
        Column(name="cbd_congestion_fee", kind=DOLLARS, since="2025-01", csv=NEVER),
        # What the CSVs have instead of all the above: 1 or empty at first, Y and N in 2021.
        Column(name="SR_Flag", kind=FLAG, since=NEVER[0], csv=(None, None)),
        Column(name="Affiliated_base_number", kind=TEXT, since=NEVER[0], csv=NEVER),  # in 2021
    ),
)

SERVICES = {service.name: service for service in (GREEN, YELLOW, FHV, FHVHV)}


def service_of(name: str) -> Service:
    """The service of that name. Raises ValueError for another word."""
    if name not in SERVICES:
        raise ValueError(
            f"service {name!r} is not known here: the services are {', '.join(SERVICES)}."
            + did_you_mean(name, SERVICES)
        )
    return SERVICES[name]


def columns_of(service: str, month: str, file_format: str) -> Columns:
    """The declared columns that the files of that month have, in the order in which they are loaded."""
    return {column.name: column.kind for column in service_of(service).columns if column.in_force(month, file_format)}
