"""What is known of a run before it begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project import masking

#: What the history has for a trigger of a run that goes on with another one, before the name of that one.
RESUMES = "resumes "
#: What differs from interval to interval, and does not make two runs different kinds of run.
_OF_THE_INTERVAL = frozenset(
    {"execution_date", "ds", "hr", "interval_start_datetime", "interval_end_datetime", "interval_seconds"}
    | {"interval_start_datetime_previous"}
)


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """`variables` are the pipeline's with the run's over them; `files` the blocks' files by uuid.

    `resumes`: the run that this one goes on with; then `trigger_name` is that of the first of them.
    `alerts`: whether people are to hear of it from whoever finds it crashed; a scheduler that has started it does so
    by itself.
    """

    run_id: str
    pipeline: str
    root: Path
    variables: Mapping[str, Any]
    execution_date: datetime
    interval_end: datetime | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    trigger_name: str | None = None
    resumes: str | None = None
    backfill_id: str | None = None
    parent_run_id: str | None = None
    alerts: bool = False


def variables_text(variables: Mapping[str, Any]) -> str:
    """The variables as JSON for keeping, without secrets."""
    return storable(json.dumps(without_secrets(variables), default=str, ensure_ascii=False))


def variables_key(variables: Mapping[str, Any]) -> str:
    """The same for runs that differ in their interval only. A new password does not change it either."""
    rest = {name: value for name, value in variables.items() if name not in _OF_THE_INTERVAL}
    text = json.dumps(without_secrets(rest, masked=masking.without_passwords), default=str, sort_keys=True)
    return _hash(text.encode())


def code_hashes(files: Mapping[str, Path]) -> dict[str, str]:
    """A hash of each block's file, by the block's uuid; those that cannot be read are left out."""
    found = {}
    for uuid, path in files.items():
        try:
            found[uuid] = _hash(path.read_bytes())
        except OSError:
            continue
    return found


def moment_text(moment: datetime) -> str:
    """As execution dates are kept: to the microsecond only where there are any, so that equal ones are equal texts."""
    return moment.isoformat()


def without_secrets(value: Any, name: str = "", *, masked: Callable[[str], str] = masking.masked) -> Any:
    """The value with `***` in the place of what is secret by its name or its form, all through maps and lists."""
    if masking.is_private(name):
        return masking.STARS
    if isinstance(value, Mapping):
        return {key: without_secrets(inner, str(key), masked=masked) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_secrets(inner, masked=masked) for inner in value]
    return masked(value) if isinstance(value, str) else value


def masked_texts(value: Any) -> Any:
    """The value with `***` in the place of every known secret in its texts: a block may have said one in a warning."""
    if isinstance(value, Mapping):
        return {key: masked_texts(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked_texts(inner) for inner in value]
    return storable(masking.masked(value)) if isinstance(value, str) else value


def storable(text: str) -> str:
    """The text with escapes for what is no text in a database: halves of characters, and NUL."""
    if not text.isascii():
        text = text.encode(errors="backslashreplace").decode()
    return text.replace("\0", "\\x00")


def rows_at_end(blocks: Sequence[Mapping[str, Any]]) -> int | None:
    """How many rows a run brought to its end: the most that an exporter of it was given, else its last output."""
    given = [block["rows_in"] for block in blocks if block["type"] == "data_exporter" and block["rows_in"] is not None]
    if given:
        return int(max(given))
    outputs = [block["rows_out"] for block in blocks if block["rows_out"] is not None]
    return int(outputs[-1]) if outputs else None


def _hash(content: bytes) -> str:
    import hashlib  # OpenSSL, which who only reads the history does without

    return hashlib.sha256(content).hexdigest()[:16]
