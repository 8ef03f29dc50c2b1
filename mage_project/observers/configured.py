"""Which observers a run has: asked at the start of every run, and answered without importing one that it has not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mage_project.observers import lineage

if TYPE_CHECKING:
    from mage_project.observers.course import Observer


def observers_of(root: Path, *, alerts: bool, has_begun: bool = False) -> Iterator[Observer]:
    """`alerts`: whether anybody wants to hear of this run at all. `has_begun`: its beginning has been told."""
    if alerts:
        from mage_project.observers.alerting import Alerting

        yield Alerting()
    if any(name.startswith("OTEL_") for name in os.environ):
        from mage_project.observers import tracing

        if tracing.is_configured():
            yield tracing.Tracing()
    if lineage.is_configured(root):
        yield lineage.Lineage(has_begun=has_begun)
