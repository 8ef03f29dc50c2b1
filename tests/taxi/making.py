"""Months as the releases have them, written for a test, and the reading of them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from taxi.columns import CSV_GZ
from taxi.services import columns_of
from taxi.trips import month_frames

GREEN = columns_of("green", "2020-10", CSV_GZ)
#: The contract of the pipelines that have one table for a service.
STRICT = {"unknown": "discard", "missing": "freeze"}
HEADER = ",".join(GREEN)
TRIP = "2,2020-10-01 00:31:19,2020-10-01 00:34:55,N,1,7,7,1,.79,5,0.5,0.5,1.58,0,,0.3,7.88,1,1,0"
UNMETERED = ",2020-10-03 05:26:00,2020-10-03 05:31:00,,,65,25,,1.29,16.66,0,0,2.75,0,,0.3,19.71,,,"


def trip(**values: str) -> str:
    """The line of a trip with some values changed."""
    return ",".join((dict(zip(GREEN, TRIP.split(","), strict=True)) | values).values())


def text(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    return "".join(f"{line}{end}" for line in (header, *lines)).encode()


def month_path(folder: Path, month: str = "2020-10") -> Path:
    path = folder / "green" / f"green_tripdata_{month}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_month(folder: Path, content: bytes, month: str = "2020-10") -> Path:
    path = month_path(folder, month)
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def frames_of(folder: Path, months: str = "2020-10") -> Iterator[pd.DataFrame]:
    return month_frames("green", months, str(folder), project=folder, contract=STRICT)


def load(folder: Path, months: str = "2020-10") -> pd.DataFrame:
    return pd.concat(list(frames_of(folder, months)), ignore_index=True)
