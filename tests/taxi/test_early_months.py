"""Yellow 2009 and 2010: other names, words for codes, coordinates for zones."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from tests.taxi.drift import load, month_table, write_parquet

#: Five trips as TLC's file of the year has them; the values are invented, the columns and their types are not.
Y2009 = {
    "vendor_name": ["VTS", "CMT", "DDS", None, "vts "],
    "Trip_Pickup_DateTime": ["2009-01-04 02:52:00"] * 5,
    "Trip_Dropoff_DateTime": ["2009-01-04 03:02:00"] * 5,
    "Passenger_Count": [1, 2, 3, 4, 0],
    "Trip_Distance": [2.63, 4.55, 10.35, 5.0, 0.4],
    "Start_Lon": [-73.99, -73.98, -74.0, 0.0, None],
    "Start_Lat": [40.72, 40.73, 40.74, 0.0, None],
    "Rate_Code": pa.nulls(5, pa.float64()),
    "store_and_forward": [None, 0.0, 1.0, None, None],
    "End_Lon": [-73.99, -73.95, -74.0, 0.0, None],
    "End_Lat": [40.69, 40.76, 40.77, 0.0, None],
    "Payment_Type": ["CASH", "Credit", "No Charge", "Dispute", "CREDIT"],
    "Fare_Amt": [8.9, 12.1, 23.7, 14.9, 3.7],
    "surcharge": [0.5, 0.5, 0.0, 0.5, 0.0],
    "mta_tax": pa.nulls(5, pa.float64()),
    "Tip_Amt": [0.0, 2.0, 4.74, 3.05, 0.0],
    "Tolls_Amt": [0.0, 0.0, 0.0, 0.0, 0.0],
    "Total_Amt": [9.4, 14.6, 28.44, 18.45, 3.7],
}
NAMES_2010 = (
    "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,"
    "rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,surcharge,mta_tax,"
    "tip_amount,tolls_amount,total_amount"
).split(",")
Y2010 = dict(zip(NAMES_2010, Y2009.values(), strict=True)) | {
    "rate_code": ["1", "2", "M", "", "210"],
    "store_and_fwd_flag": ["0", None, "1", "*", ""],
    "payment_type": ["CAS", "CRE", "NOC", "DIS", "NA "],
}


def values(trips: pd.DataFrame, name: str) -> list[object]:
    return list(pa.array(trips[name]).to_pylist())


def test_2009_gets_the_names_and_codes_of_today(tmp_path: Path) -> None:
    write_parquet(tmp_path, "yellow", "2009-01", pa.table(Y2009))
    trips = load(tmp_path, "yellow", "2009-01", "freeze")
    assert values(trips, "VendorID") == [2, 1, None, None, 2]
    assert values(trips, "vendor_name") == ["VTS", "CMT", "DDS", None, "vts "]
    assert values(trips, "payment_type") == [2, 1, 3, 4, 1]
    assert values(trips, "payment_type_text")[1] == "Credit"
    assert values(trips, "pickup_longitude") == Y2009["Start_Lon"]
    assert values(trips, "extra") == Y2009["surcharge"]
    assert values(trips, "store_and_fwd_flag") == [None, "0", "1", None, None]
    assert trips["tpep_pickup_datetime"].dtype == pd.ArrowDtype(pa.timestamp("us"))
    assert "PULocationID" not in trips
    assert trips["total_amount"].sum() == pytest.approx(74.59)


def test_2010_keeps_the_words_that_have_no_code(tmp_path: Path) -> None:
    write_parquet(tmp_path, "yellow", "2010-04", pa.table(Y2010))
    trips = load(tmp_path, "yellow", "2010-04", "freeze")
    assert values(trips, "RatecodeID") == [1, 2, None, None, 210]
    assert values(trips, "rate_code_text") == ["1", "2", "M", "", "210"]
    assert values(trips, "payment_type") == [2, 1, 3, 4, None]
    assert values(trips, "payment_type_text")[4] == "NA "


@pytest.mark.parametrize("rates", [pa.array([1.0, 2.0, 5.0, None, 1.0]), pa.array([1, 2, 5, None, 1])], ids=str)
def test_rate_codes_of_2010_are_numbers_in_some_months(tmp_path: Path, rates: pa.Array) -> None:
    write_parquet(tmp_path, "yellow", "2010-01", pa.table(Y2010 | {"rate_code": rates}))
    trips = load(tmp_path, "yellow", "2010-01", "freeze")
    assert values(trips, "RatecodeID") == [1, 2, 5, None, 1]
    assert values(trips, "rate_code_text") == [None] * 5


def test_the_csv_of_2009_is_the_same_month(tmp_path: Path) -> None:
    table = pa.table(Y2009).to_pandas()
    path = tmp_path / "csv" / "yellow" / "yellow_tripdata_2009-01.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    write_parquet(tmp_path, "yellow", "2009-01", pa.table(Y2009))
    from_csv, from_parquet = (load(folder, "yellow", "2009-01", "freeze") for folder in (tmp_path / "csv", tmp_path))
    different = ["store_and_fwd_flag"]  # 0.0 in the text
    pd.testing.assert_frame_equal(from_csv.drop(columns=different), from_parquet.drop(columns=different))


def test_early_and_late_months_fit_together(tmp_path: Path) -> None:
    write_parquet(tmp_path, "yellow", "2010-12", pa.table(Y2010))
    write_parquet(tmp_path, "yellow", "2011-01", month_table("yellow", "2011-01"))
    trips = load(tmp_path, "yellow", "2010-12..2011-01", "freeze")
    assert values(trips, "PULocationID") == [None] * 5 + [1] * 3
    assert values(trips, "vendor_name")[5:] == [None] * 3
