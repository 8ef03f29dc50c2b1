"""How often a block is tried: `retry_config` of the project, of a pipeline and of a block; the nearest one counts.

Mage 0.9.80 has it with `retries` (0), `delay` (5), `max_delay` (60) and `exponential_backoff` (true). There each key of
a block's goes over the project's, and a pipeline's counts for streaming pipelines only. `retry_on` is not Mage's: there
a block fails that has it in its `retry_config`, or in the project's, so it may stand in its `configuration` too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mage_project.project import document
from mage_project.project.checking import MOST_SECONDS, Checker


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Seconds. `max_delay` is, as in Mage, what all pauses together stay below.

    `retry_on: transient` tries again only what may pass, as a dropped connection does.
    """

    retries: int = 0
    delay: float = 5
    max_delay: float = 60
    exponential_backoff: bool = True
    retry_on: Literal["transient", "all"] = "transient"

    def delays_s(self) -> Iterator[float]:
        """The pause before each further attempt."""
        delay, waited = self.delay, 0.0
        for _ in range(self.retries):
            if waited + delay >= self.max_delay:
                return
            yield delay
            waited += delay
            delay *= 2 if self.exponential_backoff else 1


def of_project(root: Path, checker: Checker) -> dict[str, Any]:
    """The project's own, from its metadata.yaml."""
    path = root / "metadata.yaml"
    # Most projects have none, and parsing YAML costs more than the rest of a small run.
    if not path.is_file() or b"retry_config" not in path.read_bytes():
        return {}
    return configured(document.read(path), checker.of(path), fails_in_mage=True)


def of_block(entry: document.Mapping, checker: Checker) -> dict[str, Any]:
    """A block's own: its `retry_config`, and `retry_on` of its `configuration`."""
    own = checker.mapping(entry, "configuration")
    value, line = own.get("retry_on"), entry.line_of("configuration")
    if value is not None and (wanted := _wanted("retry_on", value)):
        line = own.line_of("retry_on") if isinstance(own, document.Mapping) else line
        checker.error(f"'retry_on' of a block's configuration must be {wanted}, not {value!r}", line)
        value = None
    return {**({"retry_on": value} if value is not None else {}), **configured(entry, checker, fails_in_mage=True)}


def configured(content: document.Mapping, checker: Checker, *, fails_in_mage: bool = False) -> dict[str, Any]:
    """What stands under `retry_config`; what is wrong in it goes to the checker, and does not count.

    `fails_in_mage`: whether Mage reads it there, and so knows no `retry_on`.
    """
    given = checker.mapping(content, "retry_config")
    if not isinstance(given, document.Mapping):
        return {}
    checker.keys(given, "retry_config")
    if fails_in_mage and "retry_on" in given:
        what = "Mage fails every block with 'retry_on' in this retry_config"
        hint = "write it in the block's configuration, or in the retry_config of the pipeline, which Mage passes over"
        checker.error(what, given.line_of("retry_on"), hint=hint, warning=True)
    found = {}
    for name, value in given.items():
        wanted = _wanted(name, value)
        if wanted:
            checker.error(f"'{name}' of retry_config must be {wanted}, not {value!r}", given.line_of(name))
        elif value is not None and name in Retries.__dataclass_fields__:
            found[name] = value
    return found


def _wanted(name: str, value: Any) -> str | None:
    """What should stand there, if it does not."""
    if value is None:
        return None
    if name in ("retries", "delay", "max_delay"):
        kinds = (int,) if name == "retries" else (int, float)
        most = float("inf") if name == "retries" else MOST_SECONDS
        right = isinstance(value, kinds) and not isinstance(value, bool) and 0 <= value <= most
        seconds = f"a number of seconds, {MOST_SECONDS:,} at the most"
        return None if right else "a number, 0 or more" if name == "retries" else seconds
    if name == "exponential_backoff":
        return None if isinstance(value, bool) else "true or false"
    return "transient or all" if name == "retry_on" and value not in ("transient", "all") else None
