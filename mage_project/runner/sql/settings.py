"""What the configuration of a SQL block asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mage_project.errors import ConfigError, did_you_mean
from mage_project.project import Block

PROVIDERS = ("postgres", "bigquery", "duckdb")
POLICIES = ("append", "replace", "fail")
#: Keys that Mage reads in the configuration of a SQL block.
KEYS = frozenset(
    """
    data_provider data_provider_database data_provider_profile data_provider_schema data_provider_table
    disable_query_preprocessing export_write_policy limit limit_in_pipeline_run unique_upstream_table_name
    upstream_block_configuration use_raw_sql dynamic file_path file_source reduce_output
    """.split()
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one SQL block. Where a text is None the profile or the store says."""

    provider: str
    profile: str = "default"
    database: str | None = None
    schema: str | None = None
    table: str | None = None
    policy: str = "append"
    is_raw: bool = False
    is_one_statement: bool = False
    row_limit: int | None = None
    upstream_tables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, block: Block) -> Settings:
        """The block's settings. Raises ConfigError for a store or a policy that is not known."""
        given = block.configuration
        return cls(
            provider=_provider(block, _text(given, "data_provider")),
            profile=_text(given, "data_provider_profile") or "default",
            database=_text(given, "data_provider_database"),
            schema=_text(given, "data_provider_schema"),
            table=_text(given, "data_provider_table"),
            policy=_policy(block, _text(given, "export_write_policy") or "append"),
            is_raw=bool(given.get("use_raw_sql")),
            is_one_statement=bool(given.get("use_raw_sql") and given.get("disable_query_preprocessing")),
            row_limit=_limit(block, given.get("limit_in_pipeline_run")),
            upstream_tables=_upstream_tables(given.get("upstream_block_configuration")),
        )


def _text(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    return str(value).strip() or None if value is not None else None


def _provider(block: Block, name: str | None) -> str:
    if name in PROVIDERS:
        return name
    known = f"data_provider is one of {', '.join(PROVIDERS)}"
    if name is None:
        raise ConfigError(without_store(block), hint=known)
    guess = did_you_mean(name.lower(), PROVIDERS)
    raise ConfigError(f"the SQL block '{block.uuid}' wants the store '{name}', which is not here.{guess}", hint=known)


def without_store(block: Block) -> str:
    """What is said of a SQL block whose configuration names no store."""
    near = [guess for key in block.configuration.keys() - KEYS if (guess := did_you_mean(str(key), ["data_provider"]))]
    return f"the SQL block '{block.uuid}' names no store (data_provider), so nothing is run, as in Mage.{''.join(near)}"


def _policy(block: Block, name: str) -> str:
    if name.lower() in POLICIES:
        return name.lower()
    guess = did_you_mean(name.lower(), POLICIES)
    what = f"export_write_policy '{name}' of block '{block.uuid}' is none of {', '.join(POLICIES)}.{guess}"
    raise ConfigError(what)


def _limit(block: Block, value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"limit_in_pipeline_run '{value}' of block '{block.uuid}' is no number") from error


def _upstream_tables(value: Any) -> dict[str, str]:
    """`{block: {table_name: database.schema.table}}` as `{block: table name}`."""
    if not isinstance(value, Mapping):
        return {}
    named = {uuid: entry.get("table_name") for uuid, entry in value.items() if isinstance(entry, Mapping)}
    return {str(uuid): str(name) for uuid, name in named.items() if name}
