"""SQL errors as people need them: the statement as it stands in the file, with a mark under the place."""

from __future__ import annotations

import re
from pathlib import Path

from mage_project.errors import MageProjectError, StoreError
from mage_project.io import names
from mage_project.runner.sql.statements import Statement
from mage_project.runner.sql.templating import Rendered

#: As Postgres says it, and DuckDB, of a name alone and of one with its table.
_MISSING = re.compile(
    r'column (?:named )?"?(?:[^\s"]*\.)?([^\s".]+)"?(?= does not exist| not found|\s*$)', re.MULTILINE
)
#: Lines of a statement that are shown at most.
SHOWN_LINES = 12


def told(error: MageProjectError, rendered: Rendered, statement: Statement, offset: int | None, of: int) -> StoreError:
    """The store's error about a statement, `offset` characters into it, one `of` so many.

    Shows the text of the file, so that no value of a variable is in it.
    """
    start = rendered.origin(statement.start)
    end = max(rendered.origin(statement.start + len(statement.text)), start)
    place = start if offset is None else rendered.origin(statement.start + offset)
    line, column = _line_and_column(rendered.source, place)
    which = f" (statement {statement.number} of {of})" if of > 1 else ""
    shown = _shown(rendered.source, start, end, None if offset is None else place)
    hint = "; ".join(each for each in (_renamed(error.what), error.hint) if each)
    known = StoreError(
        f"{rendered.hidden(error.what)}\n{shown}",
        where=f"{_short(rendered.path)}:{line}" + (f":{column}" if offset is not None else "") + which,
        hint=rendered.hidden(hint) if hint else None,
    )
    known.transient, known.exit_code = error.transient, error.exit_code
    return known


def _renamed(what: str) -> str | None:
    """What a missing column is called in the tables of frames, where that is something else than in the frame."""
    missing = _MISSING.search(what)
    name = missing[1] if missing else ""
    renamed = names.column_name(name)
    return f"the column '{name}' of a frame is called '{renamed}' in its table, as in Mage" if renamed != name else None


def _line_and_column(source: str, offset: int) -> tuple[int, int]:
    """Both from 1."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _shown(source: str, start: int, end: int, place: int | None) -> str:
    """The lines of the file from `start` to `end`, numbered, those around `place` where they are too many."""
    lines = source.split("\n")
    first, last = _line_and_column(source, start)[0], _line_and_column(source, max(start, end - 1))[0]
    marked, column = (None, 0) if place is None else _line_and_column(source, place)
    if last - first >= SHOWN_LINES:
        first = max(first, (marked or first) - SHOWN_LINES // 2)
        last = min(last, first + SHOWN_LINES - 1)
    width = len(str(last))
    shown = []
    for number in range(first, last + 1):
        shown.append(f"  {number:>{width}} | {lines[number - 1]}".rstrip())
        if number == marked:
            shown.append(f"  {'':{width}} | {' ' * (column - 1)}^")
    return "\n".join(shown)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
