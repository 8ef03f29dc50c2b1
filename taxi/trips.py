"""The trips of some months as pandas frames with Arrow types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from taxi.batches import batches, header_of
from taxi.columns import columns_of
from taxi.files import TripFile, trip_file
from taxi.months import asked_months
from taxi.remotes import Progress


def month_frames(
    service: str,
    months: str | Iterable[str],
    source: str,
    *,
    project: str | Path,
    progress: Progress | None = None,
) -> Iterator[pd.DataFrame]:
    """Frames of about 40,000 trips, month after month, columns and types as declared in taxi.columns.

    Every file is here and every header checked before this returns; what is wrong inside a file is raised by the
    iterator, before it ends. Raises ValueError and OSError that name file, line and column.

    Each frame says where its rows come from in `attrs["files"]`: a list of one dict with service, month, sha256 (of
    the .csv.gz) and rows (how many of this frame).
    """
    columns = columns_of(service)
    files = [
        trip_file(source, month, project=Path(project), progress=progress) for month in asked_months(service, months)
    ]
    headers = [header_of(file, columns) for file in files]

    def frames() -> Iterator[pd.DataFrame]:
        for file, header in zip(files, headers, strict=True):
            for table in batches(file, columns, header):
                frame = table.to_pandas(types_mapper=pd.ArrowDtype)
                frame.attrs["files"] = [_described(file, len(frame))]
                yield frame

    return frames()


def one_frame(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All frames as one; `attrs["files"]` then lists every month once, with all its rows."""
    every = list(frames)
    whole = pd.concat(every, ignore_index=True)
    months: dict[tuple[str, str], dict[str, object]] = {}
    for described in (described for frame in every for described in frame.attrs["files"]):
        key = described["service"], described["month"]
        rows = months[key]["rows"] + described["rows"] if key in months else described["rows"]
        months[key] = {**described, "rows": rows}
    whole.attrs = {"files": list(months.values())}
    return whole


def _described(file: TripFile, rows: int) -> dict[str, object]:
    return {"service": file.month.service, "month": file.month.month, "sha256": file.sha256, "rows": rows}
