"""Whole processes, measured from outside: seconds, processor seconds and peak memory.

This process stays small on purpose: Linux counts a parent's memory at the moment of the fork into the child's peak.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_S = 1800


class RunFailed(Exception):
    """A measured command ended with an error, or left something wrong; `said` is the end of what it printed."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run. `cpu_s` is user and system time of the process and what it started; `peak_rss_bytes` of the largest."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to do the work: what to set up (not measured), the command, and a check of what it left behind."""

    name: str
    command: Sequence[str]
    env: dict[str, str]
    folder: Path
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None


@dataclass(kw_only=True)
class Series:
    """The runs of one variant; `trouble` says why there are none, or no more."""

    name: str
    samples: list[Sample] = field(default_factory=list)
    trouble: str | None = None

    def median(self, figure: str) -> float:
        return statistics.median(getattr(sample, figure) for sample in self.samples)

    def spread(self, figure: str) -> tuple[float, float]:
        values = [getattr(sample, figure) for sample in self.samples]
        return min(values), max(values)


def interleaved(variants: Sequence[Variant], runs: int, tell: Callable[[str], None]) -> dict[str, Series]:
    """Runs A B C, A B C, ...; a variant that fails is left out of the further rounds, with its reason."""
    series = {variant.name: Series(name=variant.name) for variant in variants}
    for number in range(runs):
        for variant in variants:
            mine = series[variant.name]
            if mine.trouble is None:
                try:
                    mine.samples.append(measured(variant))
                    tell(f"  {number + 1}/{runs} {variant.name}: {mine.samples[-1].wall_s:.2f} s")
                except RunFailed as failure:
                    mine.trouble = str(failure)
                    tell(f"  {number + 1}/{runs} {variant.name}: {failure}\n{failure.said}")
    return series


def measured(variant: Variant) -> Sample:
    """One run of the variant. Raises RunFailed."""
    variant.before()
    sample = run(variant)
    variant.after()
    return sample


def run(variant: Variant) -> Sample:
    """The command from its start to its end; what it prints is kept for the error message only."""
    log = variant.folder / "last-run.log"
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            variant.command, cwd=variant.folder, env=variant.env, stdout=out, stderr=subprocess.STDOUT
        )
        watch = threading.Timer(LONGEST_S, process.kill)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
        raise RunFailed(f"failed with exit code {process.returncode}", end)
    return Sample(wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, peak_rss_bytes=usage.ru_maxrss * 1024)


def ratio(one: Series | None, other: Series | None) -> float | None:
    """How long `one` takes in units of `other`: the median over the rounds, each compared with itself."""
    if one is None or other is None:
        return None
    pairs = list(zip(one.samples, other.samples, strict=False))
    return statistics.median(a.wall_s / b.wall_s for a, b in pairs) if pairs else None
