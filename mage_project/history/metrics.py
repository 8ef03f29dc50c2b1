"""The history as figures for Prometheus: how many runs ended how, and what the last one of each pipeline was like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mage_project.history.runs import StoredRun, going_on, newest
from mage_project.history.stores import Store

_ENDED = (
    "SELECT pipeline, status, count(*) AS runs, coalesce(sum(seconds), 0) AS seconds FROM run "
    "GROUP BY pipeline, status ORDER BY pipeline, status"
)
_LAST_SUCCESS = "SELECT pipeline, max(ended_at) AS moment FROM run WHERE status = 'completed' GROUP BY pipeline"


def registry_of(store: Store) -> CollectorRegistry:
    """A registry that reads the history whenever it is asked. Names and units follow Prometheus' own rules:
    https://prometheus.io/docs/practices/naming/
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_History(store))
    return registry


def as_text(store: Store) -> str:
    """The figures in Prometheus' text format."""
    return generate_latest(registry_of(store)).decode()


def write(store: Store, path: Path) -> None:
    """Write the figures for node_exporter's textfile collector, which must never read half a file."""
    write_to_textfile(str(path), registry_of(store))


class _History(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        with self._store.transaction() as transaction:
            ended = transaction.run(_ENDED)
            successes = transaction.run(_LAST_SUCCESS)
        running = Counter(run.pipeline for run in going_on(self._store))
        pipelines = sorted({row["pipeline"] for row in ended})
        yield from _counts([(row["pipeline"], row["status"], row["runs"], row["seconds"]) for row in ended], running)
        success = _gauge("last_success_timestamp_seconds", "When the last run ended that was completed.")
        for row in successes:
            success.add_metric([row["pipeline"]], row["moment"])
        yield success
        yield from _last([run for pipeline in pipelines for run in self._newest(pipeline)])

    def _newest(self, pipeline: str) -> Sequence[StoredRun]:
        """The last run of the whole pipeline, if one of the last hundred runs is one."""
        whole = [run for run in newest(self._store, pipeline=pipeline, limit=100) if run.status != "sampled"]
        return whole[:1]


def _counts(rows: Sequence[tuple[str, str, int, float]], running: Counter[str]) -> Iterator[Metric]:
    """Runs that ended, by how; those that say they go on and have no process have crashed."""
    runs = CounterMetricFamily("mage_project_runs", "Runs that have ended.", labels=["pipeline", "status"])
    seconds = CounterMetricFamily(
        "mage_project_run_seconds", "Time that runs have taken.", labels=["pipeline", "status"]
    )
    going = _gauge("runs_running", "Runs that go on.")
    totals: dict[tuple[str, str], tuple[int, float]] = {}
    for pipeline, status, count, time_s in rows:
        if status == "running":
            going.add_metric([pipeline], running[pipeline])
            status, count = "crashed", count - running[pipeline]
        before = totals.get((pipeline, status), (0, 0.0))
        totals[pipeline, status] = (before[0] + count, before[1] + time_s)
    for (pipeline, status), (count, time_s) in totals.items():
        runs.add_metric([pipeline, status], count)
        seconds.add_metric([pipeline, status], time_s)
    yield from (runs, seconds, going)


def _last(runs: Sequence[StoredRun]) -> Iterator[Metric]:
    start = _gauge("last_run_timestamp_seconds", "When the last run began.")
    success = _gauge("last_run_success", "Whether the last run was completed (1) or not (0); none while it goes on.")
    seconds = _gauge("last_run_seconds", "How long the last run took.")
    rows = _gauge("last_run_rows", "Rows that the last run brought to its end.")
    peak = _gauge("last_run_peak_rss_bytes", "The most memory that the last run held.")
    for run in runs:
        figures = ((seconds, run.seconds), (rows, run.rows), (peak, run.peak_rss_bytes), (start, run.started_at))
        for gauge, figure in figures:
            if figure is not None:
                gauge.add_metric([run.pipeline], figure)
        if not run.is_running:
            success.add_metric([run.pipeline], run.status == "completed")
    yield from (start, success, seconds, rows, peak)


def _gauge(name: str, told: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mage_project_{name}", told, labels=["pipeline"])
