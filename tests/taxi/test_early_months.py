"""Early months: other names, words for codes, coordinates for zones, and CSVs with more fields than names."""

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


def write_csv(folder: Path, service: str, month: str, text: str) -> None:
    path = folder / service / f"{service}_tripdata_{month}.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_csvs_have_words_for_codes_until_2014(tmp_path: Path) -> None:
    row = "CMT,2014-06-04 02:52:00,2014-06-04 03:02:00,1,2.6,-73.9,40.7,1,N,-73.9,40.6,CSH,8.9,0.5,0.5,0,0,9.9"
    write_csv(tmp_path, "yellow", "2014-06", f"{', '.join(NAMES_2010)}\n\n{row}\n")
    trips = load(tmp_path, "yellow", "2014-06", "freeze")
    assert values(trips, "VendorID") == [1]
    assert values(trips, "payment_type") == [2]
    assert values(trips, "payment_type_text") == ["CSH"]


HEADER_2015 = (
    "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,Pickup_latitude,"
    "Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,Tip_amount,Tolls_amount,"
    "Ehail_fee,improvement_surcharge,Total_amount,Payment_type,Trip_type "
)
ROW_2015 = "2,2015-01-01 08:14:37,2015-01-01 09:09:06,N,1,0,0,0,0,1,.5,21.25,0,0,0,0,,0.3,21.55,2"


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_empty_fields_behind_those_of_the_header_are_passed_over_and_told(tmp_path: Path, end: str) -> None:
    write_csv(tmp_path, "green", "2015-01", end.join([HEADER_2015, "", f"{ROW_2015},1,,", f"{ROW_2015},,,"]))
    with pytest.warns(UserWarning, match="2 empty fields behind those that the header names"):
        trips = load(tmp_path, "green", "2015-01", "freeze")
    assert values(trips, "trip_type") == [1, None]
    assert values(trips, "total_amount") == [21.55, 21.55]


@pytest.mark.parametrize("second", [f"{ROW_2015},1,,x", f"{ROW_2015},,", f'{ROW_2015},"1",,'], ids=str)
@pytest.mark.filterwarnings("ignore:.*empty fields behind")
def test_a_row_that_is_not_like_the_first_is_refused(tmp_path: Path, second: str) -> None:
    write_csv(tmp_path, "green", "2015-01", f"{HEADER_2015}\n{ROW_2015},1,,\n{second}\n")
    with pytest.raises(ValueError, match=r"line \d.*fields? where the header has 21 columns"):
        load(tmp_path, "green", "2015-01")


#: By service and month: a CSV's header and row, and what else is loaded of it.
FOR_HIRE = {
    "a base's number under two names": (
        *("fhv", "2018-01"),
        "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,Dispatching_base_num",
        "2018-01-01 00:00:16,2018-01-01 00:02:00,1,2,1,B00001,",
        {"SR_Flag": [1], "Dispatching_base_number": ["B00001"], "dispatching_base_num": [None]},
    ),
    "flags of shared rides in words": (
        *("fhvhv", "2021-06"),
        "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag,Affiliated_base_number",
        "B02764,2021-06-01 00:02:41,2021-06-01 00:07:46,174,18,N,B02764",
        {"SR_Flag": ["N"], "Affiliated_base_number": ["B02764"], "hvfhs_license_num": [None]},
    ),
}


@pytest.mark.filterwarnings("ignore:.*missing column hvfhs_license_num, loaded as null")
@pytest.mark.parametrize(("service", "month", "header", "row", "loaded"), FOR_HIRE.values(), ids=FOR_HIRE)
def test_csvs_of_hired_vehicles_have_had_other_columns(
    tmp_path: Path, service: str, month: str, header: str, row: str, loaded: dict[str, list[object]]
) -> None:
    write_csv(tmp_path, service, month, f"{header}\n{row}\n")
    trips = load(tmp_path, service, month, {"unknown": "freeze"})
    assert {name: values(trips, name) for name in loaded} == loaded
