"""The report on other people's projects, for a terminal and as Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.conformance.found_runs import Run


@dataclass(frozen=True, kw_only=True)
class Row:
    """A pipeline, run here and perhaps by real Mage."""

    project: str
    pipeline: str
    ours: Run
    mage: Run | None

    @property
    def verdict(self) -> str:
        return "passed" if self.ours.cause is None else "failed"

    @property
    def differences(self) -> list[str]:
        """Between what both left in their stores; none unless both passed."""
        if self.mage is None or self.mage.cause or self.ours.cause:
            return []
        here, there = self.ours.left, self.mage.left
        common, lonely = self.places & here.keys() & there.keys(), self.places & (here.keys() ^ there.keys())
        differences = ((name, here[name].difference(there[name])) for name in sorted(common))
        return [f"{name} only {'here' if name in here else 'in Mage'}" for name in sorted(lonely)] + [
            f"{name}: {difference} (here, Mage)" for name, difference in differences if difference
        ]

    @property
    def places(self) -> set[str]:
        """What one of the two changed."""
        return self.ours.changed | (self.mage.changed if self.mage else set())

    @property
    def compared(self) -> str:
        if self.mage is None:
            return ""
        if self.mage.cause:
            return f"Mage fails: {self.mage.cause}"
        if self.ours.cause:
            return "Mage passes"
        equal = f"the same rows in {len(self.places)} places" if self.places else "neither leaves rows"
        return "; ".join(self.differences) or equal


def as_text(row: Row) -> str:
    told = f"{row.verdict} {row.ours.seconds:6.1f} s  {row.project} {row.pipeline}  {row.ours.cause or ''}"
    return f"{told}\n          {row.compared}" if row.mage else told


def as_markdown(rows: Sequence[Row]) -> str:
    """Totals, totals by cause, and a line for each pipeline."""
    passed = sum(row.ours.cause is None for row in rows)
    causes = Counter(kind(row.ours.cause) for row in rows if row.ours.cause)
    projects = {row.project for row in rows}
    parts = [
        f"# {len(rows)} pipelines of {len(projects)} projects: {passed} passed, {len(rows) - passed} failed",
        *_compared(rows),
        _table(("count", "cause"), ((str(count), cause) for cause, count in causes.most_common())),
        _table(
            ("project", "pipeline", "", "seconds", "cause", "real Mage", "notes"),
            (
                (
                    row.project,
                    row.pipeline,
                    row.verdict,
                    f"{row.ours.seconds:.1f}",
                    row.ours.cause or "",
                    row.compared,
                    "; ".join(row.ours.notes),
                )
                for row in rows
            ),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def kind(cause: str) -> str:
    """The cause without what is particular: names, numbers and places."""
    general = re.sub(r"^\w+: ", "", cause.partition(" where: ")[0])
    for what in (r"'[^']*'", r'"[^"]*"', r"\S*/\S+", r"\b[\w-]*\d[\w-]*\b"):
        general = re.sub(what, "…", general)
    return general[:160]


def _compared(rows: Sequence[Row]) -> list[str]:
    if not any(row.mage for row in rows):
        return []
    both = [row for row in rows if row.mage and not row.mage.cause and not row.ours.cause]
    equal = [row for row in both if row.places and not row.differences]
    only = [row for row in rows if row.mage and not row.mage.cause and row.ours.cause]
    return [
        f"Real Mage passes too in {len(both)} pipelines, which left the same rows in {len(equal)} of them"
        f" ({len({row.project for row in equal})} projects); it alone passes in {len(only)}."
    ]


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in (head, rule, *lines)
    )
