"""What an observer is told of a run, and what an observer is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mage_project.history.facts import RunFacts


@dataclass(frozen=True, kw_only=True)
class Course:
    """A run that has ended.

    `record` is what `run --json` prints, without secrets; `again` is the command that does the same again, `upstream`
    names the blocks that feed each block. `spans` says of each block (by its uuid) when it began and ended, in seconds
    since 1970, as `began` and `ended` do of the run.
    """

    facts: RunFacts
    record: Mapping[str, Any]
    exit_code: int
    began: float
    ended: float
    again: str
    upstream: Mapping[str, Sequence[str]] = field(default_factory=dict)
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal ended it."""
        return self.exit_code > 128


class Observer(Protocol):
    """Told of a run's beginning, then of its end when the history has it. Either may take its time, and may raise."""

    @property
    def name(self) -> str: ...

    def began(self, facts: RunFacts, at: float) -> None: ...

    def ended(self, course: Course) -> Sequence[str]:
        """Returns what there is to say about it, a line each; one that begins with `warning: ` is one."""
        ...
