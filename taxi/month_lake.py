"""A lake's table that keeps each month in a folder of its own, loaded exactly once.

The trips of a month are in `<table>/source_month=YYYY-MM-01/part-0.parquet`, those of a large one in part-1 and so on
as well, some four million in each, beside `_month.json`, which says which file they are from and what its objects are.
The folder is replaced as a unit, as taxi/lake.py has it; `_month.json` is one of its objects, so that it is never about
another load than the rest. Readers of Parquet pass over names with an underscore in front.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from taxi.lake import RETRY_S, Lake
from taxi.lake_errors import explained
from taxi.month_frames import KEY, MonthFile, MonthFrames
from taxi.month_ledger import Loaded, listed_columns, refuse_beside, unchanged, written
from taxi.month_loads import at_once
from taxi.partitions import write_partitions

NOTE = "_month.json"
_RETRY = DEFAULT_RETRY.with_timeout(RETRY_S)


class MonthLake:
    """A table of months in a bucket. Raises OSError, saying what to do, where Google refuses or is away."""

    def __init__(
        self,
        client: storage.Client,
        bucket: str,
        table: str,
        *,
        folder: Path,
        commit_later: Callable[..., None] = at_once,
    ) -> None:
        """`folder` is where files are written on this machine; `commit_later` takes the last step of a load."""
        self._folder = folder
        self._commit_later = commit_later
        self._client = client
        self._bucket = client.bucket(bucket)
        self._table = table

    def __str__(self) -> str:
        return f"gs://{self._bucket.name}/{self._table}"

    def unchanged(self, month: MonthFrames) -> str | None:
        """The line that says that the month is loaded; None where it has to be written.

        Finishes what killed runs have committed, and clears away what they have left, of every month.
        """
        for folder in {_folder(month.file), *self._staged()}:
            self._lake(folder).recover()
        self._refuse_others(month.file)
        return unchanged(str(self), month, self._loaded(month.file))

    def write(self, month: MonthFrames) -> None:
        """Write the trips to Parquet files on this machine."""
        write_partitions(month, self._folder, KEY)

    def replace(self, month: MonthFrames) -> str:
        """Upload what was written, and make it the month. Returns what that does, in one line."""
        before, files = self._loaded(month.file), self._folder / _folder(month.file)
        files.mkdir(parents=True, exist_ok=True)  # where the month has no trips
        (files / NOTE).write_text(json.dumps(_note(month, files), indent=1))
        lake = self._lake(files.name)
        load = lake.stage(files)
        self._commit_later(
            commit=self._closing(lambda: lake.publish(load)),
            rollback=self._closing(lambda: lake.abandon(load)),
            what=f"{self}/{files.name}",
        )
        return written(str(self), month, before)

    def _loaded(self, file: MonthFile) -> Loaded | None:
        """What is loaded of the month; None where one of its objects is not there."""
        place = f"{self._table}/{_folder(file)}/"
        with explained(self._bucket.name, "nothing was changed"):
            blobs = self._client.list_blobs(self._bucket, prefix=place, retry=_RETRY)
            found = {blob.name.removeprefix(place): blob for blob in blobs}
            if NOTE not in found:
                return None
            note = json.loads(found.pop(NOTE).download_as_bytes(retry=_RETRY))
        if note["objects"] != {name: blob.size for name, blob in found.items()}:
            return None
        return Loaded(sha256=note["sha256"], columns=note["columns"], rows=note["rows"])

    def _refuse_others(self, file: MonthFile) -> None:
        """Raise ValueError where the month that is there, or one other month of the table, is of another service."""
        with explained(self._bucket.name, "nothing was changed"):
            blobs = self._client.list_blobs(self._bucket, prefix=f"{self._table}/{KEY}=", retry=_RETRY)
            notes = [blob for blob in blobs if blob.name.endswith(f"/{NOTE}")]
            own = [blob for blob in notes if blob.name == f"{self._table}/{_folder(file)}/{NOTE}"]
            found = [json.loads(blob.download_as_bytes(retry=_RETRY)) for blob in (own or notes)[:1]]
        for note in found:
            there = MonthFile(service=note["service"], month=note["month"], sha256=note["sha256"])
            refuse_beside(str(self), file, there, "lake_table")

    def _staged(self) -> set[str]:
        """The folders of months of which something is in staging."""
        place = f"_staging/{self._table}/"
        with explained(self._bucket.name, "nothing was changed"):
            blobs = self._client.list_blobs(self._bucket, prefix=f"{place}{KEY}=", retry=_RETRY)
            return {blob.name.removeprefix(place).partition("/")[0] for blob in blobs}

    def _lake(self, folder: str) -> Lake:
        return Lake(self._client, self._bucket.name, f"{self._table}/{folder}")

    def _closing(self, step: Callable[[], None]) -> Callable[[], None]:
        """The step, for later: whoever made the client may have closed it by then, and the step opens it again."""

        def closing() -> None:
            try:
                step()
            finally:
                self._client.close()

        return closing


def _folder(file: MonthFile) -> str:
    return f"{KEY}={file.source_month}"


def _note(month: MonthFrames, files: Path) -> dict[str, Any]:
    return {
        "service": month.file.service,
        "month": month.file.month,
        "sha256": month.file.sha256,
        "columns": listed_columns(month.columns),
        "rows": month.rows,
        "loaded_at": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "objects": {path.name: path.stat().st_size for path in files.iterdir() if path.name != NOTE},
    }
