"""Which table of BigQuery is meant, and how it is laid out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mage_project.errors import StoreError

#: A project may have a domain before it (`example.com:project`). Dataset and table: letters, digits, underscores;
#: tables also dashes (https://cloud.google.com/bigquery/docs/tables#table_naming has what Google allows beyond that).
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[A-Za-z0-9-]+")
_DATASET = re.compile(r"\w{1,1024}", re.ASCII)
_TABLE = re.compile(r"[\w -]{1,1024}")
_UNITS = ("HOUR", "DAY", "MONTH", "YEAR")


@dataclass(frozen=True, kw_only=True)
class TableName:
    """A table, written `project.dataset.table`."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"

    @property
    def sql(self) -> str:
        """The name in a statement."""
        return f"`{self}`"

    def beside(self, table: str) -> TableName:
        """Another table of the same dataset."""
        return TableName(project=self.project, dataset=self.dataset, table=table)


def table_name(name: str, project: str, dataset: str | None = None) -> TableName:
    """The table that `project.dataset.table`, `dataset.table` or, with a default dataset, `table` means.

    `project` is that of a name without one. Raises StoreError for what cannot be a table.
    """
    parts = str(name).replace("`", "").strip().rsplit(".", 2)
    if len(parts) == 1 and dataset:
        parts = [dataset, *parts]
    if len(parts) == 2:
        parts = [project, *parts]
    patterns = (_PROJECT, _DATASET, _TABLE)
    if len(parts) != 3 or not all(pattern.fullmatch(part) for pattern, part in zip(patterns, parts, strict=True)):
        raise StoreError(f"'{name}' is no table of BigQuery", hint="write it as 'project.dataset.table'")
    return TableName(project=parts[0], dataset=parts[1], table=parts[2])


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a table is cut up: Google's TimePartitioning or RangePartitioning, and the columns that order it."""

    partitioning: Any = None
    clustering: tuple[str, ...] = ()

    @property
    def field(self) -> str | None:
        """The column of the partitions."""
        return getattr(self.partitioning, "field", None)

    @property
    def expires_after_ms(self) -> int | None:
        """How long a partition lives after its day."""
        return getattr(self.partitioning, "expiration_ms", None)

    def or_else(self, other: Layout) -> Layout:
        """This layout, with the other's where it says nothing."""
        return Layout(
            partitioning=self.partitioning if self.partitioning is not None else other.partitioning,
            clustering=self.clustering or other.clustering,
        )

    def within(self, columns: Sequence[str]) -> Layout:
        """Without what names columns that are not there."""
        known = {name.lower() for name in columns}
        keeps = self.field is None or self.field.lower() in known
        clusters = all(name.lower() in known for name in self.clustering)
        return Layout(
            partitioning=self.partitioning if keeps else None,
            clustering=self.clustering if clusters else (),
        )

    def checked(self, columns: Sequence[str], table: TableName) -> Layout:
        """The layout itself. Raises StoreError if it names a column that is not there."""
        from mage_project.errors import did_you_mean

        known = {name.lower() for name in columns}
        for name in (*((self.field,) if self.field else ()), *self.clustering):
            if name.lower() not in known:
                guess = did_you_mean(name, columns)
                what = f"{table} is to be partitioned or clustered by '{name}', which is no column of it.{guess}"
                raise StoreError(what, hint=f"its columns are: {', '.join(columns)}")
        return self

    def put_on(self, table: Any) -> None:
        """Lay out Google's Table, or the one that a QueryJobConfig makes."""
        if hasattr(self.partitioning, "type_"):
            table.time_partitioning = self.partitioning
        elif self.partitioning is not None:
            table.range_partitioning = self.partitioning
        table.clustering_fields = list(self.clustering) or None

    def cuts_like(self, other: Layout) -> bool:
        """Whether the partitions are the same, apart from when they expire."""
        return bool(_cut(self.partitioning) == _cut(other.partitioning))


def _cut(partitioning: Any) -> Any:
    if partitioning is None:
        return None
    spec = partitioning.to_api_repr()
    kept = {key: value for key, value in spec.items() if key in {"type", "range"}}
    return kept | {"field": (spec.get("field") or "").lower()}


def layout_of(table: Any) -> Layout:
    """The layout of Google's Table."""
    return Layout(
        partitioning=table.time_partitioning or table.range_partitioning,
        clustering=tuple(table.clustering_fields or ()),
    )


def layout_asked(
    partition_by: Any = None,
    cluster_by: str | Sequence[str] | None = None,
    time_partitioning: Any = None,
    range_partitioning: Any = None,
    clustering_fields: str | Sequence[str] | None = None,
) -> Layout:
    """What an exporter asks for. `partition_by`: a column of dates or times, or `column:MONTH`."""
    clusters = cluster_by or clustering_fields or ()
    return Layout(
        partitioning=_partitioning(partition_by) or time_partitioning or range_partitioning,
        clustering=(clusters,) if isinstance(clusters, str) else tuple(clusters),
    )


def _partitioning(by: Any) -> Any:
    if not isinstance(by, str):
        return by
    from google.cloud.bigquery import TimePartitioning

    field, _, unit = by.partition(":")
    unit = (unit or "DAY").strip().upper()
    if unit not in _UNITS:
        raise StoreError(f"partition_by='{by}' has a unit that is none of {', '.join(_UNITS)}")
    return TimePartitioning(type_=unit, field=field.strip())
