"""Results of checks as text for people: how many passed, and of each broken rule the rows that break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mage_project.characters import visible
from mage_project.cli.tables import aligned

if TYPE_CHECKING:
    from mage_project.quality.results import CheckResult

#: Columns of an offending row that are shown; the rule's own come first.
_COLUMNS = 6
_WIDEST = 40


def checks_table(title: str, results: Sequence[CheckResult]) -> str:
    """Nothing for no checks; of those that passed only the number."""
    if not results:
        return ""
    broken = [result for result in results if not result.passed]
    lines = [f"{title}: {counted(results)}", *(line for result in broken for line in check_lines(result))]
    return "\n".join(lines)


def counted(results: Sequence[CheckResult]) -> str:
    """`14 of 15 checks passed`."""
    return f"{sum(result.passed for result in results)} of {len(results)} checks passed"


def rows_table(rows: Sequence[Mapping[str, Any]], columns: int = _COLUMNS) -> str:
    """The rows under the names of their first columns."""
    names = list(rows[0])[:columns] if rows else []
    left = len(rows[0]) - len(names) if rows else 0
    header = [*map(_text, names), *([f"({left} more)"] if left else [])]
    return aligned(header, [[*(_text(row.get(name)) for name in names), *([""] if left else [])] for row in rows])


def check_lines(result: CheckResult) -> list[str]:
    """A broken rule: what it says, some of the rows, and the command that shows more."""
    mark = "✗" if result.failed else "!"
    lines = [f"  {mark} {visible(f'{result.name}: {result.message}')}"]
    if result.examples:
        lines += [f"      {line}" for line in rows_table(result.examples).splitlines()]
    if result.more and (result.failing or 0) > len(result.examples):
        lines.append(f"      more: {result.more}")
    return lines


def _text(value: Any) -> str:
    text = "null" if value is None else str(value)
    return visible(text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…")
