"""Tables of BigQuery that keep each month in a partition of its own, loaded exactly once.

A table is partitioned by the month of `source_month`. Loading a month is two load jobs, neither a query nor DML, so
that the free sandbox can do it:

1. The trips, in a Parquet file, replace the partition `table$YYYYMM`; columns that the table lacks are added to it.
2. A line is added to `loaded_months` in the same dataset: which file the month is from. The newest line counts.

A job is done whole or not at all. The ids of both follow from what is loaded and from what was loaded before, so that
whoever tries again, or loads the same month at the same time, finds the job that was begun. A run that is killed
between the two leaves the new month without its line: the next run adds it.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.api_core import exceptions as google_errors
from google.cloud import bigquery

from taxi.lake_errors import GOOGLE_ERRORS
from taxi.load_jobs import load_once
from taxi.month_fields import fields_of, file_schema, other_types, shaped
from taxi.month_frames import KEY, MonthFile, MonthFrames
from taxi.month_ledger import Loaded, listed_columns, refuse_beside, unchanged, written
from taxi.partitions import GROUP_ROWS, PACKED

LEDGER = "loaded_months"
LEDGER_KINDS = {
    "table_name": "STRING",
    "source_month": "DATE",
    "service": "STRING",
    "sha256": "STRING",
    "columns": "STRING",
    "rows": "INTEGER",
    "loaded_at": "TIMESTAMP",
}
RETRIES = 6
_RETRY = bigquery.DEFAULT_RETRY.with_timeout(60)  # seconds; Google's own default is ten minutes


class MonthPartitions:
    """A table of months, `dataset.table`. Raises OSError, with the month as it was, where Google refuses or is away."""

    def __init__(self, client: bigquery.Client, table: str, *, folder: Path) -> None:
        """`folder` is where files are written on this machine."""
        self._client = client
        self._table = bigquery.TableReference.from_string(table, default_project=client.project)
        self._ledger = bigquery.DatasetReference(self._table.project, self._table.dataset_id).table(LEDGER)
        self._folder = folder
        self._fields: dict[MonthFile, list[bigquery.SchemaField]] = {}

    def __str__(self) -> str:
        return f"BigQuery's {self._table.dataset_id}.{self._table.table_id}"

    def unchanged(self, month: MonthFrames) -> str | None:
        """The line that says that the month is loaded; None where it has to be written."""
        with self._telling():
            self._refuse_others(month.file)
            before, _ = self._loaded(month.file)
        return unchanged(str(self), month, before)

    def write(self, month: MonthFrames) -> None:
        """Write the trips to a Parquet file on this machine, with the columns of the table and those that are new."""
        there: list[bigquery.SchemaField] = []
        with self._telling(), suppress(google_errors.NotFound):
            there = self._checked(self._client.get_table(self._table, retry=_RETRY)).schema
        month.fit(other_types(month.schema, there), f"{self}, {month.file}")
        fields = fields_of(month.schema, there, f"{self}, {month.file}")
        schema = file_schema(fields)
        with pq.ParquetWriter(self._file(month.file), schema, **PACKED) as file:
            for rows in _groups(month):
                file.write_table(shaped(rows, schema), row_group_size=max(rows.num_rows, 1))
        self._fields[month.file] = fields

    def replace(self, month: MonthFrames) -> str:
        """Make what was written the month. Returns what that did, in one line."""
        with self._telling():
            before = self._replace(month)
        return written(str(self), month, before)

    def _replace(self, month: MonthFrames) -> Loaded | None:
        """Returns what was loaded before."""
        table = self._made(month)
        before, state = self._loaded(month.file)
        config = bigquery.LoadJobConfig(
            source_format="PARQUET",
            schema=self._fields[month.file],
            time_partitioning=table.time_partitioning,
            write_disposition="WRITE_TRUNCATE",
            schema_update_options=["ALLOW_FIELD_ADDITION"],
        )

        def begin(job_id: str) -> bigquery.LoadJob:
            with self._file(month.file).open("rb") as file:
                return self._load(file, self._partition(month.file), job_id, config)

        what = (str(self._partition(month.file)), month.file.sha256, listed_columns(month.columns), state)
        job = load_once(self._client, begin, *what, is_gone=lambda: month.rows > 0 and self._is_empty(month.file))
        self._note(month, job.job_id)
        return before

    # -- the table

    def _made(self, month: MonthFrames) -> bigquery.Table:
        """The dataset, the ledger and the table, made where they are not there."""
        dataset = self._client.create_dataset(self._ledger.dataset_id, exists_ok=True)
        _check_life(dataset.default_partition_expiration_ms, month.file, self)
        ledger = [bigquery.SchemaField(name, kind) for name, kind in LEDGER_KINDS.items()]
        self._client.create_table(bigquery.Table(self._ledger, ledger), exists_ok=True)
        table = bigquery.Table(self._table, self._fields[month.file])
        table.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field=KEY)
        table = self._checked(self._client.create_table(table, exists_ok=True))
        _check_life(table.time_partitioning.expiration_ms, month.file, self)
        return table

    def _checked(self, table: bigquery.Table) -> bigquery.Table:
        layout = table.time_partitioning
        if layout is None or (layout.type_, layout.field) != ("MONTH", KEY):
            raise ValueError(
                f"{self} is there and keeps no months: it is not partitioned by the month of {KEY}. "
                "Name another one in the variables dataset and bigquery_table, or delete it"
            )
        return table

    def _partition(self, file: MonthFile) -> bigquery.TableReference:
        dataset = bigquery.DatasetReference(self._table.project, self._table.dataset_id)
        return dataset.table(f"{self._table.table_id}${file.month.replace('-', '')}")

    def _is_empty(self, file: MonthFile) -> bool:
        return not list(self._client.list_rows(self._client.get_table(self._partition(file)), max_results=1))

    # -- the ledger

    def _lines(self) -> tuple[dict[dt.date, Any], str]:
        """The newest line of each month of the table, and a text that says which ledger it is."""
        try:
            ledger = self._client.get_table(self._ledger, retry=_RETRY)
        except google_errors.NotFound:
            return {}, "no ledger"
        lines = [line for line in self._client.list_rows(ledger) if line["table_name"] == self._table.table_id]
        newest = sorted(lines, key=lambda line: line["loaded_at"])
        return {line["source_month"]: line for line in newest}, f"{ledger.created}"

    def _refuse_others(self, file: MonthFile) -> None:
        """Raise ValueError where a month in the table is of another service; lines outlive a table that is deleted."""
        lines, _ = self._lines()
        for day, line in lines.items():
            there = MonthFile(service=line["service"], month=f"{day:%Y-%m}", sha256=line["sha256"])
            if there.service != file.service and not self._is_gone(there):
                refuse_beside(str(self), file, there, "bigquery_table")

    def _loaded(self, file: MonthFile) -> tuple[Loaded | None, str]:
        """What is loaded of the month, and a text that is another one after every load of it."""
        lines, ledger = self._lines()
        last = lines.get(file.source_month)
        if last is None:
            return None, ledger
        state = f"{ledger} {last['loaded_at']}"
        if last["rows"] and self._is_gone(file):
            return None, state
        return Loaded(sha256=last["sha256"], columns=last["columns"], rows=last["rows"]), state

    def _is_gone(self, file: MonthFile) -> bool:
        try:
            return self._is_empty(file)
        except google_errors.NotFound:
            return True

    def _note(self, month: MonthFrames, data_job: str) -> None:
        line = {
            "table_name": self._table.table_id,
            "source_month": f"{month.file.source_month}",
            "service": month.file.service,
            "sha256": month.file.sha256,
            "columns": listed_columns(month.columns),
            "rows": month.rows,
            "loaded_at": f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_APPEND")

        def begin(job_id: str) -> bigquery.LoadJob:
            return self._load(io.BytesIO(json.dumps(line).encode()), self._ledger, job_id, config)

        load_once(self._client, begin, data_job, "noted", is_gone=lambda: False)

    # -- within

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Google's errors in words that say what to do next."""
        try:
            yield
        except GOOGLE_ERRORS as error:
            said = getattr(error, "message", None) or error
            if isinstance(error, google_errors.Forbidden | google_errors.Unauthorized):
                raise PermissionError(
                    f"{self}: these credentials may not do that ({said}). Give their account the roles BigQuery "
                    "Data Editor and BigQuery Job User. The month is as it was"
                ) from error
            told = (
                "no answer for a minute" if isinstance(error, google_errors.RetryError) else f"Google answered: {said}"
            )
            raise OSError(f"{self}: {told}. The month is as it was: run it again later") from error

    def _file(self, file: MonthFile) -> Path:
        return self._folder / f"{self._table.table_id}-{file.month}.parquet"

    def _load(self, file: IO[bytes], table: Any, job_id: str, config: bigquery.LoadJobConfig) -> bigquery.LoadJob:
        return self._client.load_table_from_file(
            file, table, job_id=job_id, job_config=config, num_retries=RETRIES, rewind=True
        )


def _groups(month: MonthFrames) -> Iterator[pa.Table]:
    """The trips in tables of some GROUP_ROWS rows. As the lake waits for as many, both wait with the same memory."""
    waiting: list[pa.Table] = []
    for frame in month:
        waiting.append(pa.Table.from_pandas(frame, month.schema, preserve_index=False))
        if sum(rows.num_rows for rows in waiting) >= GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting.clear()
    if waiting:
        yield pa.concat_tables(waiting)


def _check_life(life_ms: int | None, file: MonthFile, table: MonthPartitions) -> None:
    """Raise ValueError where BigQuery would remove the month at once, as the free sandbox does after 60 days."""
    if life_ms and dt.datetime.now() - dt.datetime.combine(file.source_month, dt.time.min) > dt.timedelta(
        milliseconds=int(life_ms)
    ):
        days = dt.timedelta(milliseconds=int(life_ms)).days
        raise ValueError(
            f"{table}: partitions live for {days} days there, so {file.month} would be gone at once. "
            "Enable billing and lift the dataset's expiration, or take the block out of the pipeline"
        )
