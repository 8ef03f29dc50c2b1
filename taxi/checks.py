"""Comparing what was loaded, and what was kept, with the known answers: on a frame or on a stream of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from taxi.answers import ANSWERS, Count, FileKey, known_answers
from taxi.words import listed

LOADED = ("shape", "total_amount", "vendors", "dates")
KEPT = ("rows", "kept", "kept_dates")
WITH_PASSENGERS = ("rows", "with_passengers")
HALF_A_CENT = 0.005

UNTRACED = ()  # where frames of unknown files are counted

#: The files that rows come from, and what was counted of those rows.
Counts = dict[tuple[FileKey, ...], Count]

_WORDS: dict[str, Callable[[Count], str]] = {
    "rows": lambda count: f"{count.rows:,} rows",
    "shape": lambda count: f"{count.rows:,} rows × {count.columns} columns",
    "total_amount": lambda count: f"total_amount {count.total_amount:,.2f}",
    "vendors": lambda count: f"vendors {listed(sorted(map(_vendor, count.vendors or ())))}",
    "dates": lambda count: f"{len(count.dates)} pickup dates",
    "kept": lambda count: f"{count.kept:,} kept",
    "kept_dates": lambda count: f"{len(count.kept_dates or ())} pickup dates",
    "with_passengers": lambda count: f"{count.with_passengers:,} with passengers",
}


def loaded_as_known(frames: Iterable[pd.DataFrame], answers: Path = ANSWERS) -> str:
    """Compare trips as they were loaded with the known answers, and say so: a line for each month, one for all.

    Raises AssertionError where a known file gave anything else. A month that is known with another content, or not
    at all, is only mentioned.
    """
    return _compared(_counted(frames, _loaded), LOADED, known_answers(answers))


def kept_as_known(frames: Iterable[pd.DataFrame], answers: Path = ANSWERS) -> str:
    """Compare cleaned trips with the known answers: rows before, rows and pickup dates after. See loaded_as_known."""
    return _compared(_counted(frames, _kept), KEPT, known_answers(answers))


def passengers_as_known(frames: Iterable[pd.DataFrame], answers: Path = ANSWERS) -> str:
    """Compare trips with passengers with the known answers: rows before and after. See loaded_as_known."""
    return _compared(_counted(frames, _with_passengers), WITH_PASSENGERS, known_answers(answers))


def _counted(frames: Iterable[pd.DataFrame], count_of: Callable[[pd.DataFrame], Count]) -> Counts:
    counts: Counts = {}
    for frame in frames:
        files = frame.attrs.get("files", [])
        if not files and frame.empty:
            continue
        count = count_of(frame)
        origin = tuple((file["service"], file["month"], file["sha256"]) for file in files)
        counts.setdefault(origin, Count()).add(count)
    return counts


def _loaded(trips: pd.DataFrame) -> Count:
    [pickup] = [name for name in trips.columns if name.endswith("pickup_datetime")]
    return Count(
        rows=len(trips),
        columns=_columns(trips),
        total_amount=float(trips["total_amount"].sum()) if "total_amount" in trips else None,
        vendors=set(pc.unique(pa.array(trips["VendorID"])).to_pylist()) or None if "VendorID" in trips else None,
        dates=set(pc.unique(pa.array(trips[pickup]).cast(pa.date32())).to_pylist()) - {None},
    )


def _columns(trips: pd.DataFrame) -> int:
    """How many columns of the files the frame has: those that were added for other months do not count."""
    added = [set(file.get("added", ())) for file in trips.attrs.get("files", [])]
    return len(set(trips.columns) - set.intersection(*added)) if added else len(trips.columns)


def _kept(trips: pd.DataFrame) -> Count:
    [pickup_date] = [name for name in trips.columns if name.endswith("pickup_date")]
    return Count(
        rows=_rows_before(trips),
        kept=len(trips),
        kept_dates=set(pc.unique(pa.array(trips[pickup_date])).to_pylist()) - {None},
    )


def _with_passengers(trips: pd.DataFrame) -> Count:
    return Count(rows=_rows_before(trips), with_passengers=len(trips))


def _rows_before(trips: pd.DataFrame) -> int:
    """How many rows the frame had when it was loaded."""
    return sum(file["rows"] for file in trips.attrs.get("files", []))


def _compared(counts: Counts, facts: Sequence[str], known: dict[FileKey, Count]) -> str:
    untraced = counts.pop(UNTRACED, None)
    marks = {origin: _mark(origin, count, facts, known) for origin, count in counts.items()}
    lines = [
        f"{_months(origin)} {marks[origin]} {_said(count, facts)}{_remark(origin, facts, known)}"
        for origin, count in counts.items()
    ]
    if untraced:
        lines.append(f"! not compared with known answers: {_said(untraced, facts)}, as they do not say which file they "
                     "are of (attrs['files'])")  # fmt: skip
    elif len(counts) > 1:
        mark = "✓" if set(marks.values()) == {"✓"} else "·"
        lines.append(f"together {mark} {_said(_sum(counts.values()), facts)}")
    return "\n".join(lines)


def _mark(origin: tuple[FileKey, ...], count: Count, facts: Sequence[str], known: dict[FileKey, Count]) -> str:
    """✓ as known, ! another content than the known one, · no answer known. Raises AssertionError where it differs."""
    if all(file in known for file in origin):
        _refuse_difference(origin, count, _sum(known[file] for file in origin), facts)
        return "✓"
    return "!" if any(_other_contents(file, known) for file in origin) else "·"


def _refuse_difference(origin: tuple[FileKey, ...], count: Count, right: Count, facts: Sequence[str]) -> None:
    differences = [
        f"{_said(count, [fact]) or 'nothing'}, but {_said(right, [fact]) or 'nothing'} are known"
        f"{_odd_days(count, right, fact)}"
        for fact in facts
        if not _same(getattr(count, fact), getattr(right, fact))
    ]
    months = listed(f"{service} {month}" for service, month, _ in origin)
    if differences:
        raise AssertionError(f"{months}: {'; '.join(differences)}")


def _same(found: object, right: object) -> bool:
    if isinstance(found, float) and isinstance(right, float):
        return abs(found - right) < HALF_A_CENT
    return found == right


def _odd_days(count: Count, right: Count, fact: str) -> str:
    days = (getattr(count, fact) or set()) ^ (getattr(right, fact) or set()) if "dates" in fact else ()
    return f" (differing: {listed(sorted(days)[:3])})" if days else ""


def _remark(origin: tuple[FileKey, ...], facts: Sequence[str], known: dict[FileKey, Count]) -> str:
    if all(file in known for file in origin):
        return ""
    others = [_said(count, facts) for file in origin for count in _other_contents(file, known)]
    if others:
        return f": the file is not one that is known ({' or '.join(others)}), so it was issued again or altered"
    return ": no answer is known"


def _other_contents(file: FileKey, known: dict[FileKey, Count]) -> list[Count]:
    """What is known of this month as it was published; nothing if this very file is known."""
    same_month = [count for key, count in known.items() if key[:2] == file[:2] and count.published]
    return [] if file in known else same_month


def _months(origin: tuple[FileKey, ...]) -> str:
    return listed(month for _, month, _ in origin)


def _said(count: Count, facts: Sequence[str]) -> str:
    return ", ".join(_WORDS[fact](count) for fact in facts if getattr(count, fact) is not None)


def _sum(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total.add(count)
    return total


def _vendor(vendor: int | None) -> str:
    return "null" if vendor is None else str(vendor)
