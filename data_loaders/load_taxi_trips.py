"""Months of New York's taxi trips: from the course's releases, from TLC itself, or from any copy of them."""

import sys

import pandas as pd
from mage_ai.settings.repo import get_repo_path

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

sys.path.append(get_repo_path())  # taxi/ is in the project's folder, and Mage looks only in the one above it

from taxi.checks import loaded_as_known
from taxi.files import RELEASES
from taxi.trips import month_frames, one_frame


@data_loader
def load_taxi_trips(*args, **kwargs):
    """
    Variables of the pipeline:
        service: green, yellow, fhv or fhvhv
        months: a list of YYYY-MM and of ranges YYYY-MM..YYYY-MM, or execution_date: the month of the run's date
        source: an address, a folder or gs://bucket/prefix; which files are looked for there is in taxi/files.py
        format: csv.gz, csv or parquet, where the source has more than one or is an address of Parquet
        contract: evolve, freeze or discard, for all that is odd about columns or for unknown, changed and missing
            ones (a mapping): taxi/contracts.py

    Returns all trips as one frame; in a stream an iterator of frames of about 40,000 trips each.
    What the columns are and which types they get is written in taxi/services.py.
    """
    months = kwargs.get("months", ["2020-10", "2020-11", "2020-12"])
    if months == "execution_date":
        months = [f"{pd.Timestamp(kwargs.get('execution_date', 'now')):%Y-%m}"]

    frames = month_frames(
        kwargs.get("service", "green"),
        months,
        kwargs.get("source", RELEASES),
        project=get_repo_path(),
        contract=kwargs.get("contract", "evolve"),
        file_format=kwargs.get("format"),
        progress=kwargs.get("progress"),
    )
    return frames if kwargs.get("stream") else one_frame(frames)


@test
def test_known_answers(trips, *args, stream=False):
    """For months whose answers are known: rows, columns, vendors, pickup dates and the sum of total_amount."""
    return loaded_as_known(trips if stream else [trips])
