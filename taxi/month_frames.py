"""Trips on their way into a store, taken apart by the file that they are of: one month of one service each."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from taxi.month_casts import fitted

KEY = "source_month"  #: The column that the months of every store are told apart by.


@dataclass(frozen=True, kw_only=True)
class MonthFile:
    """The file that trips are of. `sha256` is that of its bytes, `month` is YYYY-MM.

    `added` are columns of the frames that the file has not: null, and there because other months have them.
    """

    service: str
    month: str
    sha256: str
    added: tuple[str, ...] = ()

    @property
    def source_month(self) -> dt.date:
        """The first day of the month: what the column source_month holds."""
        return dt.date.fromisoformat(f"{self.month}-01")

    def __str__(self) -> str:
        return f"{self.service} {self.month}"


class MonthFrames:
    """The trips of one file, to be read once, as the block was given them: one frame, or one after another."""

    def __init__(self, file: MonthFile, frames: Iterator[pd.DataFrame], *, is_whole: bool) -> None:
        """`frames` has at least one; `is_whole` says that it has no other."""
        first = next(frames)
        self.file = file
        self.schema: pa.Schema = pa.Schema.from_pandas(first, preserve_index=False).remove_metadata()
        #: How many rows have been read so far.
        self.rows = 0
        self._frames: Iterator[pd.DataFrame] = itertools.chain([first], frames)
        self._is_whole = is_whole

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that come from the file: the same, whichever months are loaded with it."""
        return tuple(name for name in self.schema.names if name not in self.file.added)

    def fit(self, kinds: Mapping[str, pa.DataType], where: str) -> None:
        """From now on give the columns named in `kinds` as those types. `where` begins messages.

        Reading them raises ValueError where a value would not stay the same.
        """
        if kinds:
            fields = [field.with_type(kinds.get(field.name, field.type)) for field in self.schema]
            self.schema, frames = pa.schema(fields), self._frames
            self._frames = (fitted(frame, kinds, where) for frame in frames)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for frame in self._frames:
            self.rows += len(frame)
            yield frame

    @property
    def for_export(self) -> pd.DataFrame | Iterator[pd.DataFrame]:
        """What a connector's `export` takes: the frame, or in a stream the iterator of frames."""
        return next(iter(self)) if self._is_whole else iter(self)


def by_month(trips: pd.DataFrame | Iterable[pd.DataFrame]) -> Iterator[MonthFrames]:
    """The months that the trips are of, in their order. Whoever asks for the next one passes over the rest of this.

    Frames say in `attrs["files"]` which files they are of; ValueError where they do not. Where a frame is of several
    files its column source_month tells the rows apart.
    """
    is_whole = isinstance(trips, pd.DataFrame)
    frames: Iterable[pd.DataFrame] = [trips] if isinstance(trips, pd.DataFrame) else trips
    parts = (part for frame in frames for part in _parts(frame))
    for file, group in itertools.groupby(parts, key=lambda part: part[0]):
        yield MonthFrames(file, (frame for _, frame in group), is_whole=is_whole)


def _parts(frame: pd.DataFrame) -> list[tuple[MonthFile, pd.DataFrame]]:
    files = [
        MonthFile(
            service=file["service"],
            month=file["month"],
            sha256=file["sha256"],
            added=tuple(file.get("added", ())),
        )
        for file in frame.attrs.get("files", [])
    ]
    if not files:
        raise ValueError(
            "the trips do not say which file they are of, so they cannot be loaded exactly once: a transformer made "
            "a new frame. Let it end with `result.attrs = trips.attrs`"
        )
    if len(files) == 1:
        return [(files[0], frame)]
    months = frame[KEY].astype(pd.ArrowDtype(pa.date32()))
    return [(file, frame[months == file.source_month]) for file in files]
