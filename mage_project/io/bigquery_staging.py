"""Rows on their way to a table: in pieces, by load jobs, to a table beside it that expires by itself."""

from __future__ import annotations

import hashlib
import logging
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mage_project.errors import StoreError
from mage_project.io import bigquery_errors
from mage_project.io.bigquery_jobs import asking, finished, retry, started
from mage_project.io.bigquery_tables import Layout
from mage_project.io.bigquery_targets import Target

log = logging.getLogger(__name__)

PREFIX = "_mage_project_staging_"
#: How long a staging table lives that nobody could remove.
_LIFE = timedelta(hours=24)
#: The size at which a piece is sent, and about what an upload holds in memory.
PIECE_BYTES = 16 * 1024 * 1024
#: Google's library tries a chunk of an upload again so often, with growing pauses; then the whole upload is.
_CHUNK_RETRIES = 2


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A Parquet file with some of the rows, and the checksum of what is in it."""

    file: Path
    digest: str
    rows: int


class Staging:
    """A table beside the target, with the target's columns and layout."""

    def __init__(self, client: Any, target: Target, fields: Sequence[Any], layout: Layout, *, retry_s: float) -> None:
        self.name = target.name.beside(f"{PREFIX}{secrets.token_hex(8)}")
        self.rows = 0
        self._client = client
        self._target = target
        self._fields = list(fields)
        self._retry_s = retry_s
        self._jobs: list[Any] = []
        self._digest = hashlib.sha256()
        self._expires = datetime.now(UTC) + _LIFE
        self._create(layout)

    @property
    def content(self) -> str:
        """The checksum of everything that was loaded."""
        return self._digest.hexdigest()

    def fill(self, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
        """Load the tables, all of them with this schema. BigQuery reads a piece while the next one is made."""
        given = {name.lower() for name in schema.names}
        fields = [field for field in self._fields if field.name.lower() in given]
        with tempfile.TemporaryDirectory(prefix="mage-project-") as folder:
            for piece in _pieces((table for table in tables if table.num_rows), schema, Path(folder)):
                self._send(piece, fields)
                piece.file.unlink()
        self._wait()

    def fill_from(self, query: str, config: Any) -> None:
        """Load what a query gives. `config`: Google's QueryJobConfig."""
        config.destination = str(self.name)
        config.create_disposition, config.write_disposition = "CREATE_NEVER", "WRITE_APPEND"
        token = secrets.token_hex(8)
        self._digest.update(token.encode())
        start = asking(self._client, query, config, self._target.location, retry_s=self._retry_s)
        job = started(self._client, f"query_{token}", self._target.location, start, retry_s=self._retry_s)
        self.rows = finished(job, retry_s=self._retry_s).result().total_rows or 0

    def expires_with(self, table: Any) -> bool:
        """Whether Google's Table ends when this one does."""
        return table.expires is not None and abs(table.expires - self._expires) < timedelta(minutes=1)

    def drop(self) -> None:
        """Remove it. Where that fails it expires by itself."""
        with suppress(*bigquery_errors.ALL):
            self._client.delete_table(str(self.name), not_found_ok=True, retry=retry(self._retry_s))

    # -- within

    def _create(self, layout: Layout) -> None:
        from google.cloud.bigquery import Table

        table = Table(str(self.name), schema=self._fields)
        layout.put_on(table)
        table.expires = self._expires
        self._client.create_table(table, exists_ok=True, retry=retry(self._retry_s))

    def _send(self, piece: Piece, fields: list[Any]) -> None:
        from google.cloud.bigquery import LoadJobConfig

        config = LoadJobConfig(
            source_format="PARQUET",
            schema=fields,
            create_disposition="CREATE_NEVER",
            write_disposition="WRITE_APPEND",
        )

        def start(job_id: str) -> Any:
            with piece.file.open("rb") as file:
                return self._client.load_table_from_file(
                    file,
                    str(self.name),
                    job_id=job_id,
                    job_config=config,
                    location=self._target.location,
                    num_retries=_CHUNK_RETRIES,
                )

        self._digest.update(piece.digest.encode())
        token = self.name.table.removeprefix(PREFIX)
        name = f"load_{token}_{len(self._jobs)}_{piece.digest[:16]}"
        self._jobs.append(started(self._client, name, self._target.location, start, retry_s=self._retry_s))
        self.rows += piece.rows

    def _wait(self) -> None:
        loaded = sum(int(finished(job, retry_s=self._retry_s).output_rows or 0) for job in self._jobs)
        if loaded != self.rows:
            raise StoreError(f"BigQuery took {loaded:,} of {self.rows:,} rows for {self._target.name}")


def _pieces(tables: Iterable[pa.Table], schema: pa.Schema, folder: Path) -> Iterator[Piece]:
    """The rows in files of about PIECE_BYTES."""
    incoming = iter(tables)
    for number, first in enumerate(incoming):
        file, rows = folder / f"{number}.parquet", 0
        with file.open("wb") as sink, pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            table: pa.Table | None = first
            while table is not None:
                writer.write_table(table)
                rows += table.num_rows
                table = next(incoming, None) if sink.tell() < PIECE_BYTES else None
        yield Piece(file=file, digest=_digest(file), rows=rows)


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
