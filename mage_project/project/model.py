"""What a project consists of: pipelines of blocks, with triggers. Frozen data; nothing here reads or runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mage_project.project.concurrency import Concurrency
    from mage_project.project.retries import Retries
    from mage_project.quality.rules import Rule

#: Folder of each block type under the project's root, as Mage lays them out.
FOLDERS = {
    "callback": "callbacks",
    "chart": "charts",
    "conditional": "conditionals",
    "custom": "custom",
    "data_exporter": "data_exporters",
    "data_loader": "data_loaders",
    "dbt": "dbt",
    "extension": "extensions",
    "markdown": "markdowns",
    "scratchpad": "scratchpads",
    "sensor": "sensors",
    "transformer": "transformers",
}
#: File ending of each language that a block may be written in.
ENDINGS = {"markdown": "md", "python": "py", "r": "r", "sql": "sql", "yaml": "yaml"}
#: Block types that a run passes over: those for people to read, and those that other blocks call.
NOT_RUN = frozenset({"callback", "chart", "conditional", "extension", "markdown", "scratchpad"})
#: What only Mage runs, with what it is there.
ONLY_IN_MAGE = {
    "pipeline": {
        "databricks": "a pipeline on Databricks",
        "integration": "a data integration pipeline (Singer sources and destinations)",
        "pyspark": "a pipeline on Spark",
        "streaming": "a streaming pipeline (Kafka and the like)",
    },
    "block": {
        "dbt": "a dbt block",
        "global_data_product": "a global data product, which runs another pipeline",
        "hook": "a global hook",
    },
}


@dataclass(frozen=True, kw_only=True)
class Block:
    """One entry under `blocks:` of a pipeline. `line` is its line in the pipeline's metadata.yaml.

    `missing` are upstream blocks that it names and the pipeline does not have.
    `path` is the file that is executed: the original's for a replicated block. `conditions` are asked before the block,
    `callbacks` are called when it has ended. `checks` are rules about its rows. `retries` is None where nobody has said
    how often it is tried. `in_process`: it runs in a process of its own.
    """

    uuid: str
    type: str
    language: str = "python"
    upstream: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    line: int = 1
    callbacks: tuple[Block, ...] = ()
    conditions: tuple[Block, ...] = ()
    checks: tuple[Rule, ...] = ()
    retries: Retries | None = None
    timeout_s: float | None = None
    in_process: bool = False
    child_of: str | None = None

    @property
    def original(self) -> str:
        """The uuid that the pipeline knows: that of a dynamic child is `<block>:<child>`."""
        return self.child_of or self.uuid

    @property
    def streams(self) -> bool:
        """Whether it works batch by batch: `configuration: {stream: true}`. One in a process gets whole frames."""
        return self.configuration.get("stream") is True and not self.is_dynamic and not self.in_process

    @property
    def is_dynamic(self) -> bool:
        """Whether its readers run once for each item that it gives: `configuration: {dynamic: true}`."""
        return self.configuration.get("dynamic") is True

    @property
    def reduces(self) -> bool:
        """Whether one reader gets the outputs of all of its runs: `configuration: {reduce_output: true}`."""
        return self.configuration.get("reduce_output") is True

    @property
    def has_no_store(self) -> bool:
        """Whether it is SQL that names no store: Mage runs nothing for it, without a word."""
        return self.language == "sql" and not self.configuration.get("data_provider")

    @property
    def runs(self) -> bool:
        return self.type not in NOT_RUN and not self.has_no_store


@dataclass(frozen=True, kw_only=True)
class TriggerSettings:
    """`timeout_s`: how long a run may take. `pipeline_run_limit`: how many runs of the trigger may go on at once."""

    skip_if_previous_running: bool = False
    allow_blocks_to_fail: bool = False
    create_initial_pipeline_run: bool = False
    landing_time_enabled: bool = False
    pipeline_run_limit: int | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What an event trigger watches: paths and addresses, looked at every `poll_interval_s`.

    Those with a month (or a date, or a year) in them stand for the last `lookback` ones.
    """

    addresses: tuple[str, ...]
    lookback: int = 3
    poll_interval_s: float = 60


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One entry of a pipeline's triggers.yaml. Moments are in UTC; `timezone` is that of the schedule, None: UTC.

    `sla_s`: how long after a run was due it should have ended. `envs`: where it is there at all; empty: everywhere.
    `catch_up`: which of the runs are made up for that were due while no scheduler was there. `token`: an API trigger's.
    `flaws`: how many mistakes the entry has; what is wrong does not count.
    """

    name: str
    schedule_type: str
    schedule_interval: str | None = None
    start_time: datetime | None = None
    last_enabled_at: datetime | None = None
    status: str = "inactive"
    variables: Mapping[str, Any] = field(default_factory=dict)
    settings: TriggerSettings = field(default_factory=TriggerSettings)
    sla_s: int | None = None
    envs: tuple[str, ...] = ()
    timezone: str | None = None
    catch_up: Literal["none", "last", "all"] = "last"
    token: str | None = field(default=None, repr=False)
    watch: Watch | None = None
    flaws: int = 0
    path: Path | None = None
    line: int = 1


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline: its blocks in the order of the file, its variables and its triggers."""

    uuid: str
    root: Path
    path: Path
    name: str
    type: str = "python"
    description: str | None = None
    blocks: tuple[Block, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    concurrency: Concurrency | None = None

    def block(self, uuid: str) -> Block:
        return next(block for block in self.blocks if block.uuid == uuid)

    @property
    def files(self) -> frozenset[Path]:
        """The files that a run may execute, without the modules that they import."""
        every = [each for block in self.blocks if block.runs for each in (block, *block.callbacks, *block.conditions)]
        return frozenset(block.path for block in every if block.path)

    def downstream(self, uuid: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if uuid in block.upstream)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong in a project's files. A warning does not keep a pipeline from running.

    One that `is_mistake` does not either, for no run needs what is wrong there; but `check` fails for it.
    """

    message: str
    path: Path
    line: int = 1
    hint: str | None = None
    warning: bool = False
    is_mistake: bool = False

    @property
    def fails_a_check(self) -> bool:
        return self.is_mistake or not self.warning

    def place(self, root: Path) -> str:
        path = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        return f"{path}:{self.line}"
