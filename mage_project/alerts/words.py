"""What an alert says: an occasion, and the texts that are made of it, by Mage's templates or by our own."""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mage_project.errors import did_you_mean
from mage_project.masking import masked

#: Names that a template may have: Mage's, then ours.
NAMES = (
    *("error", "execution_time", "pipeline_run_url", "pipeline_schedule_description", "pipeline_schedule_id"),
    *("pipeline_schedule_name", "pipeline_uuid", "stacktrace"),
    *("host", "resume", "rows", "run_id", "seconds", "status"),
)
_TITLES = {
    "failure": "{pipeline_uuid} {status}",
    "success": "{pipeline_uuid} completed",
    "passed_sla": "{pipeline_uuid} is late",
    "warning": "{pipeline_uuid} completed with warnings of its checks",
}
#: Characters of a cause at most: the log has all of it.
_LONGEST = 1500


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What there is to tell of a run; or, as its `subject`, of a whole `backfill`, whose name then is `run_id`.

    `error` is the run's own text: what, where, what next; or why a check warned.
    """

    event: str
    pipeline: str
    subject: str = "run"
    status: str = ""
    run_id: str | None = None
    trigger: str | None = None
    resumes: str | None = None
    execution_time: str | None = None
    error: str | None = None
    resume: str | None = None
    log: str | None = None
    host: str = ""
    rows: int | None = None
    seconds: float | None = None
    description: str | None = None
    templates: Mapping[str, str] = field(default_factory=dict)

    def title(self, escape: Callable[[str], str] = str) -> str:
        """One line."""
        text = self._filled(self.templates.get("title") or self._title(), escape)
        return " ".join(text.split())

    def summary(self, escape: Callable[[str], str] = str) -> str:
        """Some lines, for a chat."""
        template = self.templates.get("summary")
        return self._filled(template, escape) if template else escape(self._told())

    def details(self, escape: Callable[[str], str] = str) -> str:
        """All there is to say, for a mail. A summary that was asked for goes before our own."""
        template = self.templates.get("details")
        return self._filled(template, escape) if template else self.summary(escape)

    def _title(self) -> str:
        return _TITLES[self.event] if self.subject == "run" else f"{self.subject} of {_TITLES[self.event]}"

    def _told(self) -> str:
        due = "due " if self.subject == "run" else ""
        moment = f"{due}{self.execution_time}" if self.execution_time else None
        trigger = self.trigger and f"trigger {self.trigger}"
        resumes = self.resumes and f"resumes {self.resumes}"
        of = f"{self.subject} {self.run_id} of {self.pipeline}" if self.run_id else f"a run of {self.pipeline}"
        after = f" after {self.seconds:.1f} s" if self.seconds is not None else ""
        rows = f", {self.rows:,} rows" if self.rows is not None and self.event != "failure" else ""
        address = (
            _address(self.pipeline, self.run_id)
            if self.subject == "run" and os.environ.get("MAGE_PUBLIC_HOST")
            else None
        )
        lines = [
            f"{of}: {self.status}{after}{rows}",
            ", ".join(part for part in (trigger, resumes, moment, self.host) if part),
            _shortened(self.error or ""),
            f"next: {self.resume}" if self.resume else "",
            f"log:  {self.log}" if self.log else "",
            f"page: {address}" if address else "",
        ]
        return masked("\n".join(line for line in lines if line))

    def _filled(self, template: str, escape: Callable[[str], str]) -> str:
        # Mage's own templates come with a \n in quotes that mean a new line.
        return _filled(template.replace("\\n", "\n"), {name: escape(value) for name, value in self._values().items()})

    def _values(self) -> dict[str, str]:
        return {
            name: "" if value is None else masked(str(value))
            for name, value in {
                "error": _shortened(self.error or ""),
                "execution_time": self.execution_time,
                "pipeline_run_url": _address(self.pipeline, self.run_id),
                "pipeline_schedule_description": self.description,
                "pipeline_schedule_id": self.trigger,
                "pipeline_schedule_name": self.trigger,
                "pipeline_uuid": self.pipeline,
                "stacktrace": self.error,
                "host": self.host,
                "resume": self.resume,
                "rows": self.rows,
                "run_id": self.run_id,
                "seconds": None if self.seconds is None else f"{self.seconds:.1f}",
                "status": self.status,
            }.items()
        }


def unknown_names(template: str) -> Iterator[str]:
    """What is wrong with the names in a template."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        yield f"cannot be filled in: {error}"
        return
    for _, name, _, _ in parts:
        if name is not None and name not in NAMES:
            yield f"knows no {{{name}}}.{did_you_mean(name, NAMES)} (names: {', '.join(NAMES)})"


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """As `str.format`, but a name is only a name (nothing of a value can be reached), and an unknown one stays."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return template
    return "".join(text + ("" if name is None else values.get(name, f"{{{name}}}")) for text, name, _, _ in parts)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _address(pipeline: str, run_id: str | None) -> str:
    """Where Mage would show the run, on `MAGE_PUBLIC_HOST`."""
    host = os.environ.get("MAGE_PUBLIC_HOST") or "http://localhost:6789"
    return f"{host}/pipelines/{pipeline}/runs/{run_id or ''}"
