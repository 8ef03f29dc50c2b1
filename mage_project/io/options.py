"""How an export to a table is to be made."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from mage_project.errors import StoreError, did_you_mean
from mage_project.io import names
from mage_project.io.frames import Rename

log = logging.getLogger(__name__)

Policy = Literal["replace", "append", "fail"]
Conflict = Literal["UPDATE", "IGNORE"]

POLICIES = ("replace", "append", "fail")
_CONFLICTS = ("UPDATE", "IGNORE")
#: Options of Mage's `export` that change nothing here.
_IGNORED = {"fast_execute", "skip_semicolon_at_end", "verbose"}
_OPTIONS = {
    "schema_name", "table_name", "if_exists", "index", "allow_reserved_words", "auto_clean_name", "case_sensitive",
    "cascade_on_drop", "drop_table_on_replace", "overwrite_types", "query_string", "unique_conflict_method",
    "unique_constraints",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to export. `unique` are the key columns, `conflict` what happens to a row whose key is there."""

    if_exists: Policy = "replace"
    index: bool = False
    rename: Rename | None = None
    overwrite_types: Mapping[str, str] = field(default_factory=dict)
    drop_on_replace: bool = False
    cascade: bool = False
    unique: tuple[str, ...] = ()
    conflict: Conflict | None = None

    @property
    def is_merge(self) -> bool:
        return bool(self.unique and self.conflict)


def options_of(
    *,
    if_exists: str,
    index: bool,
    allow_reserved_words: bool,
    auto_clean_name: bool,
    case_sensitive: bool,
    overwrite_types: Mapping[str, str] | None,
    cascade_on_drop: bool = False,
    drop_table_on_replace: bool = False,
    unique_conflict_method: str | None = None,
    unique_constraints: Iterable[str] | None = None,
) -> Options:
    """The options of an export by Mage's names, the columns in them named as in the table.

    Raises StoreError for a value that is none.
    """
    clean = partial(
        names.column_names,
        clean=auto_clean_name,
        allow_reserved_words=allow_reserved_words,
        case_sensitive=case_sensitive,
    )
    return Options(
        if_exists=one_of("if_exists", if_exists, POLICIES),
        index=index,
        rename=clean,
        overwrite_types={clean([name])[0]: type_ for name, type_ in (overwrite_types or {}).items()},
        drop_on_replace=drop_table_on_replace,
        cascade=cascade_on_drop,
        unique=tuple(clean(unique_constraints or ())),
        conflict=conflict_of(unique_conflict_method),
    )


def check_unknown(options: Mapping[str, Any], known: Collection[str] = _OPTIONS) -> None:
    """An option that is not known is ignored, as in Mage, unless it is a known one misspelt."""
    for name in options.keys() - _IGNORED:
        if difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            raise StoreError(f"export has no option '{name}'.{did_you_mean(name, known)}")
        log.warning("export ignores the option '%s'", name)


def one_of(option: str, value: Any, known: tuple[str, ...]) -> Any:
    """The one of those that are known that the value is, in small letters or capitals. StoreError if it is none."""
    text = str(value)
    found = next((each for each in known if each.casefold() == text.casefold()), None)
    if found is None:
        raise StoreError(f"{option}={value!r} is none of {', '.join(known)}.{did_you_mean(text, known)}")
    return found


def conflict_of(method: str | None) -> Any:
    """'UPDATE' or 'IGNORE', in any case; None without a method."""
    return one_of("unique_conflict_method", method, _CONFLICTS) if method else None
