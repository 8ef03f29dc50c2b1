"""How many runs of a pipeline, and how many blocks of a run, may go on at once: its `concurrency_config`, as in Mage.

A limit of runs counts those of one trigger; a trigger's own `settings.pipeline_run_limit` goes before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mage_project.errors import did_you_mean
from mage_project.project import document
from mage_project.project.checking import MOST_AT_ONCE, Checker

_WORDS = ("wait", "skip")
#: What a limit must be.
LIMIT = f"a number from 1 to {MOST_AT_ONCE:,}"


@dataclass(frozen=True, kw_only=True)
class Concurrency:
    """None: no limit. What is over a limit of runs waits for its turn, or is skipped."""

    block_run_limit: int | None = None
    pipeline_run_limit: int | None = None
    pipeline_run_limit_all_triggers: int | None = None
    on_pipeline_run_limit_reached: Literal["wait", "skip"] = "wait"


def of_pipeline(path: Path, checker: Checker) -> Concurrency:
    """That of the pipeline whose metadata.yaml is `path`."""
    # Parsing YAML costs more than a look at the clock should.
    if not path.is_file() or b"concurrency_config" not in path.read_bytes():
        return Concurrency()
    return concurrency(document.read(path), checker)


def concurrency(content: document.Mapping, checker: Checker) -> Concurrency:
    """What stands under `concurrency_config`; what is wrong in it goes to the checker, and does not count."""
    given = checker.mapping(content, "concurrency_config")
    if not isinstance(given, document.Mapping):
        return Concurrency()
    checker.keys(given, "concurrency_config")
    found: dict[str, Any] = {}
    for name, value in given.items():
        if wanted := _wanted(name, value):
            meant = did_you_mean(str(value), _WORDS) if name == "on_pipeline_run_limit_reached" else ""
            checker.error(
                f"'{name}' of concurrency_config must be {wanted}, not {value!r}.{meant}", given.line_of(name)
            )
        elif value is not None and name in Concurrency.__dataclass_fields__:
            found[name] = value
    return Concurrency(**found)


def is_limit(value: Any) -> bool:
    """Whether it is a number of runs or blocks, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_AT_ONCE


def _wanted(name: str, value: Any) -> str | None:
    """What should stand there, if it does not."""
    if value is None:
        return None
    if name == "on_pipeline_run_limit_reached":
        return None if value in _WORDS else "wait or skip"
    return LIMIT if "limit" in name and not is_limit(value) else None
