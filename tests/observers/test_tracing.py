"""A run is one trace, with a span of each block, as an OTLP receiver decodes it; without one the run goes its way."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from mage_project.history.logs import lines, path_of
from mage_project.observers import observation, tracing
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.alerts.receivers import silence
from tests.projects import block, write_project
from tests.serving import served

CODE = {
    "load": """
        import pandas as pd

        @data_loader
        def load(**kwargs):
            return pd.DataFrame({'a': [1, 2, 3]})
    """,
    "save": """
        @data_exporter
        def save(frame, **kwargs):
            if kwargs.get('broken'):
                raise ValueError(f"the disk of {kwargs.get('password')} is full")
    """,
}


class Collector:
    """What an OTLP/HTTP receiver has been sent."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.status = 200
        self.url = ""

    @property
    def spans(self) -> dict[str, Span]:
        every = [span for request in self.requests for each in request.resource_spans for scope in each.scope_spans
                 for span in scope.spans]  # fmt: skip
        return {span.name: span for span in every}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
            request = ExportTraceServiceRequest()
            request.ParseFromString(body)
            found.requests += [request] if found.status == 200 else []
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path, [block("load", "data_loader"), block("save", "data_exporter", "load")], CODE)


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def logged(root: Path, run_id: str) -> list[str]:
    return [f"{line['level']}: {line['text']}" for line in lines(path_of(root, run_id))]


def test_a_run_is_a_trace_with_a_span_of_each_block(project: Project, collector: Collector) -> None:
    record = run_pipeline(project, "p", {"execution_date": "2024-01-02"})
    run, load, save = (collector.spans[name] for name in ("run p", "block load", "block save"))
    assert {load.parent_span_id, save.parent_span_id} == {run.span_id}
    assert {span.trace_id for span in (load, save)} == {run.trace_id}
    assert run.start_time_unix_nano <= load.start_time_unix_nano <= load.end_time_unix_nano
    assert load.end_time_unix_nano <= save.start_time_unix_nano <= save.end_time_unix_nano <= run.end_time_unix_nano
    assert {span.status.code for span in (run, load, save)} == {Status.STATUS_CODE_OK}
    told = attributes(load)
    assert (told["mage_project.block.rows_out"], told["mage_project.block.bytes_out"]) == (3, 24)
    assert told["mage_project.run_id"] == attributes(run)["mage_project.run_id"] == record.run_id
    [resource] = [each.resource for request in collector.requests for each in request.resource_spans]
    assert ("service.name", "mage-project") in [(each.key, each.value.string_value) for each in resource.attributes]
    assert f"info: trace {run.trace_id.hex()} is sent" in logged(project.root, record.run_id)


def test_a_failure_is_in_its_span_without_secrets(project: Project, collector: Collector) -> None:
    run_pipeline(project, "p", {"broken": True, "password": "hunter2hunter2"})
    save = collector.spans["block save"]
    assert save.status.code == Status.STATUS_CODE_ERROR
    assert "the disk of *** is full" in save.status.message
    assert [event.name for event in save.events] == ["exception"]
    assert collector.spans["run p"].status.code == Status.STATUS_CODE_ERROR
    assert "hunter2" not in str(collector.requests)


def test_a_trace_goes_on_with_the_one_that_has_set_it_off(
    project: Project, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{'ab' * 16}-{'cd' * 8}-01")
    run_pipeline(project, "p")
    run = collector.spans["run p"]
    assert (run.trace_id.hex(), run.parent_span_id.hex()) == ("ab" * 16, "cd" * 8)


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=none"])
def test_traces_can_be_switched_off(
    project: Project, collector: Collector, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(*variable.split("="))
    run_pipeline(project, "p")
    assert collector.requests == []


def test_a_receiver_that_refuses_or_an_exporter_that_is_not_there_is_said(
    project: Project, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.status = 400
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp,jaeger")
    record = run_pipeline(project, "p")
    said = [line for line in logged(project.root, record.run_id) if "is not sent" in line]
    assert record.status == "completed"
    assert "400" in said[0]
    assert said[1].endswith("is not sent: there is no exporter 'jaeger' of traces here")


def test_a_port_that_refuses_is_said_once_and_not_tried_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OPENLINEAGE_URL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    record = run_pipeline(project, "p")
    said = [line.rpartition(" is not sent: ")[2] for line in logged(project.root, record.run_id) if "sent" in line]
    assert said == [f"127.0.0.1:{port} refuses connections: nothing listens there"] * 2


def test_what_each_attempt_says_is_told_once() -> None:
    with tracing.heard() as said:
        for wait in (1, 2):
            logging.getLogger("opentelemetry.exporter").warning("it is busy, retrying in %ds", wait)
    assert list(said.values()) == ["it is busy, retrying in 2s"]


def test_a_receiver_that_hangs_is_not_waited_for_long(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "PATIENCE_S", 0.5)
    with silence() as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{address}")
        record = run_pipeline(project, "p")
    assert record.status == "completed"
    assert "warning: traces: no end within 0.5 s" in logged(project.root, record.run_id)


def test_nothing_of_opentelemetry_is_imported_where_nobody_asks(project: Project) -> None:
    code = "import mage_project, sys; mage_project.run('p'); print([m for m in sys.modules if m.startswith('opentel')])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=project.root, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
