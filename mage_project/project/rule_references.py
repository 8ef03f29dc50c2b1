"""What `relationships` rules refer to: whether the files are there, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mage_project.errors import ConfigError, did_you_mean
from mage_project.project.checking import Checker
from mage_project.quality.rules import Rule


def look_for_references(rules: Iterable[Rule], root: Path, checker: Checker) -> None:
    """What is neither a file that is there, nor a bucket or a table by its name, goes to the checker."""
    for rule in rules:
        if rule.to and (wrong := _wrong(rule.to, root)):
            checker.error(f"check '{rule.name}': {wrong}", rule.line)


def _wrong(to: str, root: Path) -> str | None:
    from mage_project.quality.addresses import address_of

    try:
        address = address_of(to, root)
    except ConfigError as error:
        return error.what
    if address.store != "files" or Path(address.name).exists():
        return None
    beside = Path(address.name).parent
    names = [str(Path(to).parent / path.name) for path in beside.iterdir()] if beside.is_dir() else []
    return f"there is no {to}.{did_you_mean(to, names)}"
