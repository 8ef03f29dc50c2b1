"""Times that pandas infers have the unit that they have in Mage; what was declared is left alone."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mage_project.standins.old_pandas import understood

MOMENT = datetime(2020, 1, 1, 2, 3, 4, 567)
CSV = "x,d\n1,2020-01-31 10:00\n2,2020-02-03 11:30\n"
NAMES = {"pd": pd, "np": np, "io": io, "date": date, "datetime": datetime, "timedelta": timedelta}
NAMES |= {"MOMENT": MOMENT, "CSV": CSV, "STORED": pd.Series(np.array(["2020-01-01"], "M8[us]"))}

#: Each is what pandas 2.3 gives.
INFERRED = {
    "pd.read_csv(io.StringIO(CSV), parse_dates=['d']).d": "datetime64[ns]",
    "pd.read_csv(io.StringIO(CSV), parse_dates=['d'], index_col='d').index": "datetime64[ns]",
    "pd.read_csv(io.StringIO(CSV), parse_dates=['d'], date_format='%Y-%m-%d %H:%M').d": "datetime64[ns]",
    "next(pd.read_csv(io.StringIO(CSV), parse_dates=['d'], chunksize=1)).d": "datetime64[ns]",
    """pd.read_json(io.StringIO('{"date": {"0": 1577836800000}}')).date""": "datetime64[ns]",
    "pd.to_datetime(pd.Series(['2020-01-01']))": "datetime64[ns]",
    "pd.to_datetime(['2020-01-01'] * 100)": "datetime64[ns]",
    "pd.to_datetime(pd.Series(['2020-01-01']), utc=True)": "datetime64[ns, UTC]",
    "pd.to_datetime(pd.Series([1]), unit='s')": "datetime64[ns]",
    "pd.to_datetime(pd.Series([date(2020, 1, 1)]))": "datetime64[ns]",
    "pd.to_datetime(pd.DataFrame({'year': [2020], 'month': [1], 'day': [2]}))": "datetime64[ns]",
    "pd.to_datetime(pd.Series(['2020-01-01', 'x']), errors='coerce')": "datetime64[ns]",
    "pd.Series([MOMENT])": "datetime64[ns]",
    "pd.DataFrame([{'a': MOMENT}]).a": "datetime64[ns]",
    "pd.Series(['2020-01-01']).apply(lambda text: datetime.strptime(text, '%Y-%m-%d'))": "datetime64[ns]",
    "pd.DatetimeIndex(['2020-01-01'], tz='UTC')": "datetime64[ns, UTC]",
    "pd.date_range('2020-01-01', periods=2, freq='MS')": "datetime64[ns]",
    "STORED.dt.to_period('M').dt.to_timestamp()": "datetime64[ns]",
    "pd.to_timedelta(['1h'])": "timedelta64[ns]",
    "pd.Series([timedelta(1)])": "timedelta64[ns]",
}
DECLARED = {
    "pd.to_datetime(STORED)": "datetime64[us]",
    "STORED.dt.floor('h')": "datetime64[us]",
    "STORED.to_frame('t').resample('D', on='t').size().index": "datetime64[us]",
    "pd.Series(['2020-01-01']).astype('datetime64[us]')": "datetime64[us]",
    "pd.Series([MOMENT], dtype='datetime64[us]')": "datetime64[us]",
    "pd.DatetimeIndex(['2020-01-01'], dtype='datetime64[s]')": "datetime64[s]",
    "pd.date_range('2020-01-01', periods=2, unit='s')": "datetime64[s]",
    "pd.Series([MOMENT], dtype='timestamp[us][pyarrow]')": "timestamp[us][pyarrow]",
    "pd.Series([MOMENT], dtype='timestamp[us][pyarrow]').map(lambda each: each)": "timestamp[us][pyarrow]",
    "pd.Series([date(2020, 1, 1)])": "object",
}


def evaluated(expression: str) -> Any:
    with understood():
        return eval(expression, dict(NAMES))


@pytest.mark.parametrize(("expression", "dtype"), (INFERRED | DECLARED).items(), ids=INFERRED | DECLARED)
def test_times_have_the_unit_that_they_have_in_mage(expression: str, dtype: str) -> None:
    assert str(evaluated(expression).dtype) == dtype


def test_whole_numbers_of_times_are_nanoseconds() -> None:
    assert evaluated("pd.to_datetime(pd.Series(['2020-01-01'])).astype('int64') // 10**9").tolist() == [1577836800]


@pytest.mark.parametrize("value", ["pd.to_datetime(pd.Series(['1600-01-01']))", "pd.Series([datetime(2500, 1, 1)])"])
def test_times_that_nanoseconds_cannot_hold_are_kept(value: str) -> None:
    assert str(evaluated(value).dtype) == "datetime64[us]"


def test_microseconds_in_parquet_stay_microseconds() -> None:
    with understood():
        frame = pa.table({"t": pa.array([MOMENT], pa.timestamp("us"))}).to_pandas()
    assert frame.t.dtype == "datetime64[us]"


def test_after_the_run_times_are_what_pandas_makes_of_them() -> None:
    evaluated("pd.Series([MOMENT])")
    assert pd.Series([MOMENT]).dtype == "datetime64[us]"
