"""What a run has read and written is told to OpenLineage's own client, and comes out of it as the receipt has it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mage_project.history.logs import lines, path_of
from mage_project.observers import observation
from mage_project.observers.datasets import name_of_file, name_of_target
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.alerts.receivers import silence
from tests.projects import block, write_project
from tests.serving import served

Event = dict[str, Any]
CODE = {
    "load": """
        import pandas as pd

        @data_loader
        def load(**kwargs):
            frame = pd.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', 'z']})
            frame.attrs['files'] = [{'url': 'https://tlc.example/trips/2024-01.csv', 'size': 77, 'etag': 'e1',
                                     'sha256': 'ab' * 32, 'rows': 3}]
            return frame
    """,
    "save": """
        from mage_ai.io.file import FileIO

        @data_exporter
        def save(frame, **kwargs):
            if kwargs.get('broken'):
                raise ValueError('full')
            if kwargs.get('stopped'):
                import os, signal
                os.kill(os.getpid(), signal.SIGINT)
            FileIO().export(frame, kwargs['target'])
    """,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path, [block("load", "data_loader"), block("save", "data_exporter", "load")], CODE)


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that OpenLineage's client appends to."""
    path = tmp_path / "events.jsonl"
    (tmp_path / "lineage.yml").write_text(
        json.dumps({"transport": {"type": "file", "log_file_path": str(path), "append": True}})
    )
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(tmp_path / "lineage.yml"))
    return path


def read(path: Path) -> list[Event]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def short(events: list[Event]) -> list[tuple[str, str]]:
    return [(event["eventType"], event["job"]["name"]) for event in events]


def test_a_run_and_its_blocks_are_told_with_files_tables_and_columns(
    project: Project, events: Path, tmp_path: Path
) -> None:
    target = str(tmp_path / "out.csv")
    record = run_pipeline(project, "p", {"execution_date": "2024-01-02", "target": target})
    found = read(events)
    assert short(found) == [("START", "p"), ("START", "p.load"), ("COMPLETE", "p.load"), ("START", "p.save"),
                            ("COMPLETE", "p.save"), ("COMPLETE", "p")]  # fmt: skip
    first, load, save, last = found[0], found[2], found[4], found[-1]
    [read_file] = last["inputs"]
    assert (read_file["namespace"], read_file["name"]) == ("https://tlc.example", "/trips/2024-01.csv")
    assert read_file["inputFacets"]["inputStatistics"].items() >= {"rowCount": 3, "size": 77}.items()
    assert {tag["key"]: tag["value"] for tag in read_file["facets"]["tags"]["tags"]} == {
        "etag": "e1",
        "sha256": "ab" * 32,
    }
    assert [each["name"] for each in load["inputs"][0]["facets"]["schema"]["fields"]] == ["a", "b"]
    [written] = save["outputs"]
    assert (written["namespace"], written["name"]) == ("file", target)
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert [each["name"] for each in written["facets"]["schema"]["fields"]] == ["a", "b"]
    assert first["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2024-01-02T00:00:00Z"
    assert load["run"]["facets"]["parent"]["run"]["runId"] == first["run"]["runId"] == last["run"]["runId"]
    assert {"key": "run_id", "value": record.run_id, "source": "MAGE_PROJECT"} in first["run"]["facets"]["tags"]["tags"]
    assert len({event["run"]["runId"] for event in found}) == 3


def test_a_failure_is_told_with_why(project: Project, events: Path) -> None:
    run_pipeline(project, "p", {"broken": True})
    found = read(events)
    assert short(found)[-2:] == [("FAIL", "p.save"), ("FAIL", "p")]
    assert "full" in found[-1]["run"]["facets"]["errorMessage"]["message"]


def test_a_run_that_was_stopped_is_aborted(project: Project, events: Path) -> None:
    run_pipeline(project, "p", {"stopped": True})
    assert short(read(events))[-2:] == [("ABORT", "p.save"), ("ABORT", "p")]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Event]]:
    """A lineage server: its events, as they arrive at the usual endpoint."""
    found: list[Event] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/v1/lineage"
            found.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as running:
        monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{running.server_address[1]}")
        yield found


def test_events_go_to_a_server_by_its_address(project: Project, server: list[Event], tmp_path: Path) -> None:
    record = run_pipeline(project, "p", {"target": str(tmp_path / "out.csv")})
    assert short(server)[-1] == ("COMPLETE", "p")
    assert len(server) == 6
    assert not [name for name in os.environ if name.startswith("OPENLINEAGE__")]
    assert "lineage is sent" in [line["text"] for line in lines(path_of(project.root, record.run_id))]


@pytest.mark.parametrize(
    "config", ["transport: {type: nothing}", "transport: {type: file}"], ids=["unknown", "no path"]
)
def test_a_wrong_configuration_costs_no_run_and_is_said(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: str
) -> None:
    (tmp_path / "openlineage.yml").write_text(config)
    record = run_pipeline(project, "p", {"target": str(tmp_path / "out.csv")})
    assert record.status == "completed"
    said = [line["text"] for line in lines(path_of(project.root, record.run_id))]
    assert any(line.startswith("lineage is not sent: ") for line in said)


def test_a_server_that_hangs_is_not_waited_for_long(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(observation, "PATIENCE_S", 0.5)
    with silence() as address:
        monkeypatch.setenv("OPENLINEAGE_URL", f"http://{address}")
        record = run_pipeline(project, "p", {"target": str(tmp_path / "out.csv")})
    assert record.status == "completed"
    assert "lineage: no end within 0.5 s" in [line["text"] for line in lines(path_of(project.root, record.run_id))]


@pytest.mark.parametrize(
    ("written", "namespace", "name"),
    [
        ("mage.trips at localhost:5432/mage", "postgres://localhost:5432", "mage.mage.trips"),
        ("local.ny_taxi.green_taxi", "bigquery", "local.ny_taxi.green_taxi"),
        ("gs://lake/green/2024.parquet", "gs://lake", "green/2024.parquet"),
        ("s3://user:secret@lake/x", "s3://lake", "x"),
        ("the file /srv/out.csv", "file", "/srv/out.csv"),
        ("DuckDB /srv/out.db", "duckdb", "/srv/out.db"),
        ("the month 2024-01", "mage-project", "the month 2024-01"),
    ],
)
def test_what_was_written_is_named_as_openlineage_names_it(written: str, namespace: str, name: str) -> None:
    assert name_of_target(written) == (namespace, name)


def test_a_file_without_an_address_goes_by_its_name() -> None:
    assert name_of_file({"name": "green_2024-01.csv.gz"}) == ("file", "green_2024-01.csv.gz")
    assert name_of_file({"url": "https://h.example/a.csv?sig=secret"}) == ("https://h.example", "/a.csv")
