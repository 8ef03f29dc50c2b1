"""How an export to BigQuery is to be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mage_project.errors import StoreError
from mage_project.io.bigquery_tables import Layout, layout_asked
from mage_project.io.options import POLICIES, Conflict, Policy, check_unknown, conflict_of, one_of

_DISPOSITIONS: dict[str, Policy] = {"WRITE_TRUNCATE": "replace", "WRITE_APPEND": "append", "WRITE_EMPTY": "fail"}
_LAYOUT = ("partition_by", "cluster_by", "time_partitioning", "range_partitioning", "clustering_fields")
#: Options of Google's LoadJobConfig that say what is so here anyway.
_IMPLIED = {"autodetect", "create_disposition", "source_format", "parquet_options", "index"}
_KNOWN = {
    *_LAYOUT, "table_id", "database", "if_exists", "overwrite_types", "query_string", "unique_conflict_method",
    "unique_constraints", "write_disposition", "create_dataset", "schema", "labels", "maximum_bytes_billed",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to export. `unique` are the key columns, `conflict` what happens to a row whose key is there."""

    if_exists: Policy = "replace"
    layout: Layout = field(default_factory=Layout)
    overwrite_types: Mapping[str, str] = field(default_factory=dict)
    unique: tuple[str, ...] = ()
    conflict: Conflict | None = None
    create_dataset: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_merge(self) -> bool:
        return bool(self.unique and self.conflict and self.if_exists == "append")

    @property
    def disposition(self) -> str:
        """Google's word for `if_exists`."""
        return next(word for word, policy in _DISPOSITIONS.items() if policy == self.if_exists)


def options_of(
    *,
    if_exists: str,
    write_disposition: str | None = None,
    overwrite_types: Mapping[str, str] | None = None,
    unique_constraints: Iterable[str] | None = None,
    unique_conflict_method: str | None = None,
    create_dataset: bool = True,
    **configuration: Any,
) -> Options:
    """The options of an export; `configuration` is what it says of layout, schema and labels.

    Raises StoreError for a value that is none, and for a name that is a known one misspelt.
    """
    check_unknown({name: value for name, value in configuration.items() if name not in _KNOWN | _IMPLIED}, _KNOWN)
    return Options(
        if_exists=_policy(if_exists, write_disposition),
        layout=layout_asked(**{name: configuration[name] for name in _LAYOUT if name in configuration}),
        overwrite_types={**_types(configuration.get("schema")), **(overwrite_types or {})},
        unique=tuple(unique_constraints or ()),
        conflict=conflict_of(unique_conflict_method),
        create_dataset=create_dataset,
        labels=configuration.get("labels") or {},
    )


def _policy(if_exists: str, write_disposition: str | None) -> Policy:
    if not write_disposition:
        policy: Policy = one_of("if_exists", if_exists, POLICIES)
        return policy
    return _DISPOSITIONS[one_of("write_disposition", write_disposition, tuple(_DISPOSITIONS))]


def _types(schema: Any) -> dict[str, str]:
    """The types by column of Google's list of SchemaFields."""
    fields = schema or []
    nested = [found.name for found in fields if found.mode == "REPEATED" or found.fields]
    if nested:
        raise StoreError(f"column '{nested[0]}': nested and repeated columns are not loaded", hint="load it as STRING")
    return {found.name: found.field_type for found in fields}
