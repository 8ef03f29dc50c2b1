"""Finds what is wrong in a pipeline's files and collects it, so that one look shows everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mage_project.errors import did_you_mean
from mage_project.project import document
from mage_project.project.document import Mapping
from mage_project.project.graph import find_cycle
from mage_project.project.model import Block, Problem

#: Keys that Mage 0.9.80 reads or writes in these places (its own models' `to_dict`), and `configuration`'s are free.
KNOWN_KEYS: dict[str, frozenset[str]] = {
    "pipeline": frozenset(
        """
        alerts blocks cache_block_output_in_memory callbacks concurrency_config conditionals created_at created_by
        data_integration description destination_uuid execution_framework executor_config executor_count
        executor_type extensions name notification_config remote_variables_dir retry_config
        run_pipeline_in_one_process settings source_type source_uuid spark_config state_store_config tags type
        updated_at updated_by uuid variables variables_dir version version_name widgets
        """.split()
    ),
    "block": frozenset(
        """
        all_upstream_blocks_executed block_color callback_blocks catalog color conditional_blocks configuration
        content data_integration description destination_table downstream_blocks error executor_config
        executor_type extension_uuid file file_path group_uuid has_callback language metadata name outputs
        pipelines priority replicated_block replicated_blocks retry_config selected status tags timeout type
        upstream_blocks uuid
        """.split()
    ),
    "concurrency_config": frozenset(
        """
        block_run_limit on_pipeline_run_limit_reached pipeline_run_limit pipeline_run_limit_all_triggers
        """.split()
    ),
    "retry_config": frozenset("retries delay max_delay exponential_backoff retry_on".split()),
    "trigger": frozenset(
        """
        created_at description envs event_matchers global_data_product_uuid id last_enabled_at name
        pipeline_uuid repo_path schedule_interval schedule_type settings sla start_time status token
        updated_at variables
        """.split()
    ),
    "trigger under mage_project": frozenset("catch_up lookback poll_interval timezone watch".split()),
    "trigger's settings": frozenset(
        """
        allow_blocks_to_fail create_initial_pipeline_run invalid_schedule_interval landing_time_enabled
        pipeline_run_limit skip_if_previous_running timeout timeout_status
        """.split()
    ),
}


#: A year: what is to wait for longer is a slip of the hand, and more than clocks can count.
MOST_SECONDS = 366 * 24 * 3600
#: Runs or blocks that may go on at once, where somebody says how many.
MOST_AT_ONCE = 10_000


def is_duration(value: Any) -> bool:
    """Whether it is a number of seconds that something may take."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= MOST_SECONDS


class Checker:
    """Collects the problems of one file (and of the files read beside it)."""

    def __init__(self, path: Path, problems: list[Problem] | None = None) -> None:
        self.path = path
        self.problems: list[Problem] = [] if problems is None else problems

    def of(self, path: Path) -> Checker:
        """A checker of another file that adds to the same list."""
        return Checker(path, self.problems)

    def error(self, message: str, line: int, *, hint: str | None = None, warning: bool = False) -> None:
        self.problems.append(Problem(message=message, path=self.path, line=line, hint=hint, warning=warning))

    def keys(self, mapping: Mapping, place: str, *, warning: bool = False) -> None:
        """A key that is nearly a known one is an error (it would be ignored); any other unknown one a warning.

        Nothing is said of one without a value, as newer Mages leave them.
        """
        own = KNOWN_KEYS["trigger under mage_project"] if place == "trigger" else frozenset[str]()
        for key in mapping.keys() - KNOWN_KEYS[place] - own:
            meant = did_you_mean(str(key), KNOWN_KEYS[place])
            if not meant and mapping[key] is None:
                continue
            self.error(f"unknown key '{key}' of a {place}.{meant}", mapping.line_of(key), warning=warning or not meant)

    def entries(self, content: Mapping, key: str) -> Iterator[Mapping]:
        """The mappings listed under `key`; anything else there is an error."""
        value = content.get(key) or []
        if not isinstance(value, list):
            self.error(f"'{key}' must be a list", content.line_of(key))
            return
        for place, entry in enumerate(value):
            if isinstance(entry, Mapping):
                yield entry
            else:
                line = document.line_of_item(self.path, key, place) or content.line_of(key)
                self.error(f"an entry of '{key}' is not a mapping: {entry!r}", line)

    def mapping(self, content: Mapping, key: str) -> dict[str, Any]:
        value = content.get(key) or {}
        if isinstance(value, dict):
            return value
        self.error(f"'{key}' must be a mapping, not {value!r}", content.line_of(key))
        return {}

    def seconds(self, content: Mapping, key: str) -> float | None:
        value = content.get(key)
        if value is None or is_duration(value):
            return value
        what = f"'{key}' must be a number of seconds, {MOST_SECONDS:,} at the most, not {value!r}"
        self.error(what, content.line_of(key))
        return None

    def text(self, entry: Mapping, key: str) -> str:
        value = entry.get(key)
        if isinstance(value, str) and value.strip():
            return value
        self.error(f"a block needs '{key}'", entry.line_of(key))
        return ""

    def only_in_mage(self, what: str, line: int) -> None:
        self.error(f"{what}: that is not run here", line, hint="run it in Mage, or take it out")

    def graph(self, blocks: Sequence[Block]) -> None:
        """Names that are not there, names used twice, cycles, and flags that cannot be.

        An upstream block that the pipeline does not have feeds nobody in Mage, and keeps nothing from running.
        """
        names = [block.uuid for block in blocks]
        for block in blocks:
            if names.count(block.uuid) > 1:
                self.error(f"two blocks are called '{block.uuid}'", block.line, hint="give each its own uuid")
            others = ", ".join(name for name in names if name != block.uuid)
            for name in block.upstream:
                if name not in names:
                    self.error(
                        f"block '{block.uuid}' names the upstream block '{name}', which the pipeline does not have: "
                        f"as in Mage it gives no input.{did_you_mean(name, names)}",
                        block.line,
                        hint=f"take '{name}' out of upstream_blocks, or name one of: {others or 'no other'}",
                        warning=True,
                    )
            self._flags(block)
        cycle = find_cycle(blocks)
        if cycle:
            path = " → ".join([*cycle, cycle[0]])
            line = next(block.line for block in blocks if block.uuid == cycle[0])
            self.error(f"the blocks feed each other in a circle: {path}", line, hint="remove one upstream_blocks")

    def _flags(self, block: Block) -> None:
        for name in ("dynamic", "reduce_output", "side_by_side", "stream"):
            given = block.configuration.get(name, False)
            if isinstance(given, dict):  # of Mage's dynamic blocks of version 2, which it has to be told to read
                what = f"'{name}' of block '{block.uuid}' is a mapping, which Mage reads with DYNAMIC_BLOCKS_VERSION=2"
                hint = "write `dynamic: true` for `parent: true`, and `reduce_output: true` beside it, not below"
                self.error(f"{what}, and this runner not: it takes true or false", block.line, hint=hint)
            elif not isinstance(given, bool):
                self.error(f"'{name}' of block '{block.uuid}' must be true or false", block.line)
        if not is_duration(block.configuration.get("poke_interval", 1)):
            what = f"'poke_interval' of block '{block.uuid}' must be a number of seconds, {MOST_SECONDS:,} at the most"
            self.error(what, block.line)
        if block.is_dynamic and block.reduces:
            what = f"block '{block.uuid}' is dynamic (its readers run once for each item) and reduces its output"
            self.error(what, block.line, hint="take `dynamic` or `reduce_output` off; a reader of it may reduce")
