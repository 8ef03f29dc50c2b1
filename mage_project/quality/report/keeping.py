"""Profiles in files, so that later data can be compared with them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from mage_project.errors import StoreError
from mage_project.quality.report.profile import Profile


def keep(profile: Profile, path: Path) -> None:
    """Write the profile as JSON. Raises StoreError where that cannot be written."""
    write(path, json.dumps(profile.as_dict(), ensure_ascii=False))


def kept(path: Path) -> Profile | None:
    """The profile that `keep` wrote to a file; None for any other file. Raises StoreError for another version's."""
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None  # JSON lines, which are data
    if not isinstance(data, dict) or not {"version", "rows", "columns", "months"} <= data.keys():
        return None
    try:
        return Profile.from_dict(data)
    except ValueError as error:
        raise StoreError(str(error), where=str(path), hint="make it again with --save-profile") from error


def write(path: Path, text: str) -> None:
    """Write a text file as a whole, or not at all. Raises StoreError where that cannot be."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
