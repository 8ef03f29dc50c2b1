"""How the columns of one file become those that are loaded, and what is odd about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from taxi.columns import CODE, TEXT, WALL_TIME, Column, Columns, Service, key_of
from taxi.contracts import DISCARD, EVOLVE, FREEZE, Contract
from taxi.kinds import NULL, NUMBER, TEXTUAL, TIME, WORDS, family, loadable
from taxi.words import CORRECT, QUOTED, did_you_mean, listed, quoted

#: Left behind by pandas in TLC's yellow files of 2010-02 and 2010-03: row numbers.
ROW_NUMBERS = "__index_level_0__"

#: The families of types that TLC's files have for a declared type: none of them is a finding.
_USUAL = {CODE: (NUMBER, NULL), pa.float64(): (NUMBER, NULL), WALL_TIME: (TIME, NULL), TEXT: (WORDS, NULL)}
_LAST_EARLY_MONTH = "2010-12"
_LAST_EARLY_CSV = "2014-12"  # the CSVs have words for codes until then


@dataclass(frozen=True, kw_only=True)
class Found:
    """A column as a file has it; `kind` is None where a file does not say types."""

    name: str
    kind: pa.DataType | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is read of a file, and what comes of it.

    `names` are the file's columns in its order, spelled as declared. `reads` are those that are read, with the type
    to read them as; `gives` are those that loading the file gives, the null ones too, in order. `texts` are the
    columns whose text becomes a code, `text_names` those that keep the text. `added` are of `gives` those that the
    file does not have. `lenient`: what does not fit its type becomes null, but never in `pickup`.
    """

    names: list[str]
    reads: Columns
    gives: Columns
    texts: dict[str, Column]
    text_names: dict[str, str]
    added: list[str]
    findings: list[str]
    lenient: bool
    pickup: str


@dataclass(frozen=True, kw_only=True)
class _Finding:
    """What is odd, and what comes of it under the contract's word."""

    aspect: str
    what: str
    effect: str = ""
    missing: str | None = None  # the first column that is missing

    def __str__(self) -> str:
        return f"{self.what}{self.effect}"


def layout_of(
    found: Sequence[Found], service: Service, month: str, file_format: str, contract: Contract, where: str
) -> Layout:
    """The layout of a file of `month` with the columns `found`. `where` begins messages.

    Raises ValueError, naming the columns, where a name occurs twice, the pickup time is missing, a type cannot be
    loaded, or the contract refuses what was found.
    """
    declared = service.names()
    columns = {column.name: declared.get(key_of(column.name)) for column in found}
    _refuse_duplicates(found, declared, where)
    own = {known.name: column for column in found if (known := columns[column.name])}
    unknown = [column for column in found if columns[column.name] is None and _key(column.name) != ROW_NUMBERS]
    valued = [column for column in unknown if column.kind is None or family(column.kind) != NULL]
    findings = [
        *_ignored(found),
        *_unknown(unknown if contract.unknown == FREEZE else valued, contract),
        *([] if contract.unknown == FREEZE else _empty(unknown)),
        *_changed(own, service, month, contract),
        *_missing(own, unknown, service, month, file_format, contract),
    ]
    _refuse(findings, service, own, found, contract, where)
    loaded = {column.name: loadable(column, where) for column in valued} if contract.unknown == EVOLVE else {}
    texts = {
        name: column
        for name, column in ((name, declared[key_of(name)]) for name in own)
        if _is_text(column, own[name], service, month)
    }
    declared_given = {
        column.name: column.kind
        for column in service.columns
        if column.in_force(month, file_format) or column.name in own or (column.text_of in texts)
    }
    return Layout(
        names=[known.name if (known := columns[column.name]) else column.name for column in found],
        reads={name: TEXT if name in texts else declared[key_of(name)].kind for name in own} | loaded,
        gives=declared_given | loaded,
        texts=texts,
        text_names={column.text_of: column.name for column in service.columns if column.text_of in texts},
        added=[name for name in declared_given if name not in own],
        findings=[str(finding) for finding in findings],
        lenient=contract.changed == DISCARD,
        pickup=service.pickup,
    )


def _key(name: str) -> str:
    return name.strip().casefold()


def _is_text(column: Column, found: Found, service: Service, month: str) -> bool:
    """Whether the file has words where the column is a code. (Where a file does not say, it may have them.)"""
    last = _LAST_EARLY_CSV if found.kind is None else _LAST_EARLY_MONTH
    coded = service.text_column(column) is not None and month <= last
    return coded and (found.kind is None or family(found.kind) in TEXTUAL)


def _refuse_duplicates(found: Sequence[Found], declared: dict[str, Column], where: str) -> None:
    meant = {
        column.name: known.name if (known := declared.get(key_of(column.name))) else _key(column.name)
        for column in found
    }
    counts = Counter(meant[column.name] for column in found)
    twice = [quoted(column.name) for column in found if counts[meant[column.name]] > 1]
    if twice:
        raise ValueError(f"{where}: column names occur more than once: {listed(twice)}. {CORRECT}")


def _ignored(found: Sequence[Found]) -> list[_Finding]:
    ignored = [column.name for column in found if _key(column.name) == ROW_NUMBERS]
    return [_Finding(aspect="ignored", what=f"{name}: row numbers left by pandas, not loaded") for name in ignored]


def _unknown(unknown: Sequence[Found], contract: Contract) -> list[_Finding]:
    if not unknown:
        return []
    names = listed(quoted(column.name) + ("" if column.kind is None else f" ({column.kind})") for column in unknown)
    effect = {
        EVOLVE: "a new column, loaded as text" if unknown[0].kind is None else "a new column, loaded with its own type",
        DISCARD: "a new column, not loaded because no type is declared",
        FREEZE: "a column that is not declared",
    }
    return [_Finding(aspect="unknown", what=f"{effect[contract.unknown]}: {names}")]


def _empty(unknown: Sequence[Found]) -> list[_Finding]:
    """A column of nulls only has no type: whatever it is taken for, the month that has values may be of another one."""
    empty = [quoted(column.name) for column in unknown if column.kind is not None and family(column.kind) == NULL]
    effect = "a new column that is entirely null, not loaded: it is added when it has values"
    return [_Finding(aspect="unknown", what=f"{effect}: {listed(empty)}")] if empty else []


def _changed(own: dict[str, Found], service: Service, month: str, contract: Contract) -> Iterable[_Finding]:
    for column in service.columns:
        kind = own[column.name].kind if column.name in own else None
        if kind is None or family(kind) in _USUAL[column.kind]:
            continue
        if month <= _LAST_EARLY_MONTH and (column.early_text or column.kind == TEXT):
            continue
        effect = {EVOLVE: ", cast", DISCARD: ", cast, with null for what does not fit", FREEZE: ""}
        what = f"column {column.name} is {kind} instead of {column.kind}"
        yield _Finding(aspect="changed", what=what, effect=effect[contract.changed])


def _missing(
    own: dict[str, Found],
    unknown: Sequence[Found],
    service: Service,
    month: str,
    file_format: str,
    contract: Contract,
) -> list[_Finding]:
    missing = [
        column.name
        for column in service.columns
        if column.name not in own and column.text_of is None and column.in_force(month, file_format)
    ]
    if not missing:
        return []
    perhaps = did_you_mean(missing[0], [column.name for column in unknown])
    word = "column" if len(missing) == 1 else "columns"
    effect = "" if contract.missing == FREEZE else f", loaded as null.{perhaps}".rstrip(".")
    what = f"missing {word} {listed(missing)}"
    return [_Finding(aspect="missing", what=what, effect=effect, missing=missing[0])]


def _refuse(
    findings: Sequence[_Finding],
    service: Service,
    own: dict[str, Found],
    found: Sequence[Found],
    contract: Contract,
    where: str,
) -> None:
    """Raise ValueError for all that the contract refuses, and for a missing pickup time."""
    refused = [finding for finding in findings if finding.aspect != "ignored" and contract[finding.aspect] == FREEZE]
    if not refused and service.pickup not in own:
        refused = [_Finding(aspect="missing", what=f"missing column {service.pickup}", missing=service.pickup)]
    if refused:
        words = "; ".join(finding.what for finding in refused)
        raise ValueError(f"{where}: {words}.{_options(refused[-1].missing, found)} {CORRECT}")


def _options(missing: str | None, found: Sequence[Found]) -> str:
    """What the file has instead of the missing column."""
    if missing is None:
        return ""
    names = [column.name for column in found]
    if not names:
        return " The file has no columns."
    has = "The file has: " if found[0].kind is not None else "The header has: "
    shown = ", ".join(quoted(name)[1:-1] if len(name) <= QUOTED else quoted(name) for name in names[:30])
    return f"{did_you_mean(missing, names)} {has}{shown}."
