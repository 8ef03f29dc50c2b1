"""Small months in the shapes that TLC's Parquet files have had, written for a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from taxi.columns import PARQUET, TEXT, WALL_TIME
from taxi.services import columns_of
from taxi.trips import month_frames, one_frame

TIME = dt.datetime(2024, 1, 31, 23, 59, 58)


def month_table(service: str, month: str, rows: int = 3, **columns: pa.Array | None) -> pa.Table:
    """A month with the declared columns and types, some of them replaced, added, or (None) left out."""
    values = {WALL_TIME: TIME, TEXT: "N"}
    table = {
        name: pa.array([values.get(kind, 1)] * rows, kind)
        for name, kind in columns_of(service, month, PARQUET).items()
        if name not in ("vendor_name", "rate_code_text", "payment_type_text")
    }
    return pa.table({name: array for name, array in {**table, **columns}.items() if array is not None})


def write_parquet(folder: Path, service: str, month: str, table: pa.Table, **options: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{service}_tripdata_{month}.parquet"
    pq.write_table(table, path, **options)
    return path


def load(
    folder: Path, service: str, months: str, contract: str | Mapping[str, str] = "evolve", **options: Any
) -> pd.DataFrame:
    return one_frame(month_frames(service, months, str(folder), project=folder, contract=contract, **options))


def roundtrip(folder: Path, service: str, month: str, contract: str = "evolve", **columns: pa.Array) -> pd.DataFrame:
    """What comes of a month with these columns."""
    write_parquet(folder, service, month, month_table(service, month, **columns))
    return load(folder, service, month, contract)
