"""The trips of some months as pandas frames with Arrow types."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from taxi.batches import Batch, arranged
from taxi.columns import PARQUET, Columns, Service
from taxi.contracts import Contract, contract_of
from taxi.files import TripFile, trip_file
from taxi.layout import Layout
from taxi.months import asked_months
from taxi.remotes import Progress
from taxi.services import service_of
from taxi.union import columns_of_all


class MonthReader(Protocol):
    """A month's file whose columns are known and whose rows can be read, once or more often."""

    layout: Layout

    def batches(self) -> Iterator[Batch]: ...


def month_frames(
    service: str,
    months: str | Iterable[str],
    source: str,
    *,
    project: str | Path,
    contract: str | Mapping[str, str] = "evolve",
    file_format: str | None = None,
    progress: Progress | None = None,
) -> Iterator[pd.DataFrame]:
    """Frames of at most about 40,000 trips, month after month, columns and types as declared in taxi.services.

    The columns are those that any of the months has, in the declared order, and behind them those that are not
    declared, if the contract (taxi.contracts) lets them in. All frames have the same columns.
    Every file is here and its columns are checked before this returns; what is wrong inside a file is raised by the
    iterator, before it ends. Raises ValueError and OSError that name file, line or row, and column.

    Each frame says where its rows come from in `attrs["files"]`: a list of one dict with service, month, the file's
    name, size_bytes and sha256, rows (how many of this frame) and added (columns that this file lacks). What is odd
    about a month is a warning and is in `attrs["findings"]`, a list of texts, of its first frame; of its last one if
    it needs counting.
    """
    kind, agreed = service_of(service), contract_of(contract)
    files = [
        trip_file(source, month, project=Path(project), file_format=file_format, progress=progress)
        for month in asked_months(service, months)
    ]
    readers = [reader_of(file, kind, agreed) for file in files]
    labelled = [(file.label, reader.layout) for file, reader in zip(files, readers, strict=True)]
    wanted = columns_of_all(labelled, kind)
    for label, layout in labelled:
        for finding in layout.findings:
            warnings.warn(f"{label}: {finding}", stacklevel=2)

    def frames() -> Iterator[pd.DataFrame]:
        for file, reader in zip(files, readers, strict=True):
            yield from _month(file, reader, wanted)

    return frames()


def reader_of(file: TripFile, service: Service, contract: Contract) -> MonthReader:
    """What reads the file. Raises ValueError where its columns are not as the contract wants them."""
    if file.file_format == PARQUET:
        from taxi.parquet_batches import ParquetMonth

        return ParquetMonth(file, service, contract)
    from taxi.csv_batches import CsvMonth

    return CsvMonth(file, service, contract)


def _month(file: TripFile, reader: MonthReader, wanted: Columns) -> Iterator[pd.DataFrame]:
    """The frames of one month. Where values are counted one is held back, as only the last can say how many."""
    findings = list(reader.layout.findings)
    refused = Counter[str]()
    held: pd.DataFrame | None = None
    for batch in reader.batches():
        frame = arranged(batch, reader.layout, wanted).to_pandas(types_mapper=pd.ArrowDtype)
        frame.attrs["files"] = [_described(file, len(frame), _added(reader.layout, wanted))]
        if findings:
            frame.attrs["findings"], findings = findings, []
        if held is not None:
            yield held
        held = frame if reader.layout.lenient else None
        if held is None:
            yield frame
        refused.update(batch.refused)
    if held is not None:
        for name, count in refused.items():
            finding = f"column {name}: {count:,} value{'s' * (count != 1)} did not fit and became null"
            warnings.warn(f"{file.label}: {finding}", stacklevel=2)
            held.attrs["findings"] = [*held.attrs.get("findings", []), finding]
        yield held


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
    if findings := [finding for frame in every for finding in frame.attrs.get("findings", [])]:
        whole.attrs["findings"] = findings
    return whole


def _added(layout: Layout, wanted: Columns) -> list[str]:
    """The columns of the frames that the file does not have."""
    given = {name.casefold() for name in layout.gives if name not in layout.added}
    return [name for name in wanted if name.casefold() not in given]


def _described(file: TripFile, rows: int, added: Sequence[str]) -> dict[str, object]:
    return {
        "service": file.month.service,
        "month": file.month.month,
        "name": file.path.name,
        "size_bytes": file.path.stat().st_size,
        "sha256": file.sha256,
        "rows": rows,
        "added": list(added),
    }
