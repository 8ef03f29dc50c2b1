"""A trace of each run for OpenTelemetry, with a span of each block, where OpenTelemetry's own variables ask for one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from mage_project.history.facts import RunFacts
from mage_project.observers.course import Course

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

#: Seconds for one export, where no variable says otherwise: less than the end of a run waits.
_TIMEOUT_S = 8
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
#: By what the protocols of OTLP are known among the exporters that are installed.
_PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
#: Where they send to; the first one that is set counts, else this machine and these ports.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PORTS = {"otlp_proto_http": 4318, "otlp_proto_grpc": 4317}
_OF_BLOCK = ("type", "status", "rows_in", "rows_out", "rows_written", "bytes_in", "bytes_out", "peak_rss_bytes")


def is_configured() -> bool:
    """Whether traces are asked for: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    return exporters != "none" if exporters else any(os.environ.get(name, "").strip() for name in _ENDPOINTS)


class Tracing:
    """The trace of one run, made and sent when it has ended."""

    name = "traces"

    def began(self, facts: RunFacts, at: float) -> None: ...

    def ended(self, course: Course) -> Sequence[str]:
        try:
            spans = _spans(course)
        except ImportError as error:
            return [f"warning: no trace is sent: {error}: pip install 'mage-project[otel]'"]
        context = spans[-1].get_span_context() if spans else None
        if context is None:
            return []  # the sampler has left it out
        identity = f"{context.trace_id:032x}"
        wrong = [why for name in _wanted() if (why := _exported(name, spans)) is not None]
        return [f"warning: trace {identity} is not sent: {why}" for why in wrong] or [f"trace {identity} is sent"]


def _wanted() -> list[str]:
    return [name.strip() for name in os.environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()] or ["otlp"]


def _exported(name: str, spans: Sequence[ReadableSpan]) -> str | None:
    """Why they were not sent by that exporter; None where they were."""
    from opentelemetry.sdk.trace.export import SpanExportResult

    with heard() as lines:
        exporter = _exporter(name)
        if exporter is None:
            return f"there is no exporter '{name}' of traces here"
        try:
            if why := _refused(name):
                return why
            if exporter.export(spans) is SpanExportResult.SUCCESS:
                return None
        finally:
            exporter.shutdown()
    return " ".join(lines.values()) or "it was not taken"


def _refused(name: str) -> str | None:
    """Why no attempt to send a trace is worth it: the library makes several, and waits between them."""
    from mage_project.observers.refusals import refusal

    name = _full(name)
    given = next((text for each in _ENDPOINTS if (text := os.environ.get(each, "").strip())), None)
    return refusal(given or f"http://localhost:{_PORTS[name]}") if name in _PORTS else None


def _full(name: str) -> str:
    """The name of the exporter among those that are installed."""
    if name != "otlp":
        return name
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return _PROTOCOLS.get(protocol or "http/protobuf", protocol or "")


def _exporter(name: str) -> SpanExporter | None:
    options: dict[str, Any] = {}
    name = _full(name)
    if name in _PROTOCOLS.values() and not any(os.environ.get(each) for each in _TIMEOUTS):
        options["timeout"] = _TIMEOUT_S
    for entry in entry_points(group="opentelemetry_traces_exporter", name=name):
        exporter: SpanExporter = entry.load()(**options)
        return exporter
    return None


@contextmanager
def heard() -> Iterator[dict[str, str]]:
    """What the library logs in this thread: why something was not sent. It would print that by itself.

    Of lines that differ only in their numbers the last one: each attempt says the same.
    """
    lines: dict[str, str] = {}
    thread, log = threading.get_ident(), logging.getLogger("opentelemetry")

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                lines[str(record.msg)] = record.getMessage()

    handler, propagates = Heard(logging.WARNING), log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.propagate = propagates


# -- the spans


def _spans(course: Course) -> Sequence[ReadableSpan]:
    """The spans of the blocks, then the run's. What has set off this process may be its parent: `TRACEPARENT`."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    kept = InMemorySpanExporter()
    given = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "mage-project"}
    provider = TracerProvider(resource=Resource.create(given), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("mage_project")
    carrier = {name: os.environ[name.upper()] for name in ("traceparent", "tracestate") if name.upper() in os.environ}
    record = course.record
    run = tracer.start_span(
        f"run {course.facts.pipeline}",
        context=TraceContextTextMapPropagator().extract(carrier),
        attributes=_known(_of_run(course)),
        start_time=_ns(course.began),
    )
    for block in record["blocks"]:
        _span_of_block(tracer, course, block, set_span_in_context(run))
    _end(run, record["status"], record["error"], course.ended)
    provider.shutdown()
    return kept.get_finished_spans()


def _span_of_block(tracer: Tracer, course: Course, block: Mapping[str, Any], context: Any) -> None:
    """The block's span, and those of its runs where it ran several times. A block that did not run has none."""
    from opentelemetry.trace import set_span_in_context

    if block["uuid"] not in course.spans:
        return
    began, ended = course.spans[block["uuid"]]
    attributes = {f"mage_project.block.{name}": block[name] for name in _OF_BLOCK}
    attributes["mage_project.block.uuid"] = block["uuid"]
    attributes["mage_project.block.dropped_rows"] = sum(each["rows"] for each in block["dropped"].values()) or None
    attributes["mage_project.block.written"] = block["written"] or None
    attributes["mage_project.pipeline"] = course.facts.pipeline
    attributes["mage_project.run_id"] = course.facts.run_id
    name = f"block {block['uuid']}"
    span = tracer.start_span(name, context=context, attributes=_known(attributes), start_time=_ns(began))
    for child in block["children"] or ():
        _span_of_block(tracer, course, child, set_span_in_context(span))
    for test in block["tests"]:
        if not test["passed"]:
            said = _known({"test": test["name"], "message": test["message"]})
            span.add_event("test failed", said, timestamp=_ns(ended))
    _end(span, block["status"], block["error"], ended)


def _of_run(course: Course) -> dict[str, Any]:
    facts, record = course.facts, course.record
    return {
        "mage_project.pipeline": facts.pipeline,
        "mage_project.run_id": facts.run_id,
        "mage_project.status": record["status"],
        "mage_project.exit_code": course.exit_code,
        "mage_project.trigger": facts.trigger_name,
        "mage_project.resumes": facts.resumes,
        "mage_project.backfill": facts.backfill_id,
        "mage_project.execution_date": facts.execution_date.isoformat(),
        "mage_project.peak_rss_bytes": record["peak_rss_bytes"],
        "mage_project.warnings": list(record["warnings"]) or None,
    }


def _end(span: Span, status: str, error: str | None, at: float) -> None:
    from opentelemetry.trace import Status, StatusCode

    if status in ("failed", "cancelled", "crashed"):
        why = error or status
        span.set_status(Status(StatusCode.ERROR, why.splitlines()[0]))
        span.add_event("exception", {"exception.message": why}, timestamp=_ns(at))
    elif status in ("completed", "sampled"):
        span.set_status(Status(StatusCode.OK))
    span.end(_ns(at))


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
