"""Rules in files of their own: `checks: rules/{region}.yaml`, where {region} is a variable of the run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from mage_project.errors import ConfigError, did_you_mean
from mage_project.project import document
from mage_project.project.checking import Checker
from mage_project.project.rule_references import look_for_references
from mage_project.quality.reading import read_rules
from mage_project.quality.rules import Rule

_VARIABLE = re.compile(r"\{(\w+)\}")


def rules_in_files(pattern: str, root: Path, checker: Checker, line: int) -> list[Rule]:
    """The rules of every file that the pattern can name, each `given` the variables with which it names that file.

    What is wrong in them goes to the checker: a pattern that names no file too, at `line`.
    """
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        checker.error(f"'checks: {pattern}' leads out of the project", line, hint="name a file in it")
        return []
    found = []
    for path in sorted(root.glob(_VARIABLE.sub("*", pattern))):
        given = _given(pattern, path.relative_to(root).as_posix())
        if given is not None:
            found.append((path, given))
    if not found:
        beside = (root / pattern).parent
        names = [path.relative_to(root).as_posix() for path in beside.glob("*.yaml")]
        checker.error(f"there is no file of rules {pattern}.{did_you_mean(pattern, names)}", line)
    return [rule for path, given in found for rule in _rules(path, given, root, checker.of(path))]


def _given(pattern: str, name: str) -> tuple[tuple[str, str], ...] | None:
    """The variables with which the pattern is this name; None where it cannot be."""
    parts = _VARIABLE.split(pattern)  # text and variables by turns
    once = {variable: f"(?P<{variable}>[^/]+)" for variable in parts[1::2]}
    shape = "".join(
        once.pop(part, f"(?P={part})") if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    match = re.fullmatch(shape, name)
    return None if match is None else tuple(match.groupdict().items())


def _rules(path: Path, given: tuple[tuple[str, str], ...], root: Path, checker: Checker) -> list[Rule]:
    try:
        content = document.parse(path.read_text(encoding="utf-8-sig"), path)
    except (ConfigError, OSError, UnicodeDecodeError) as error:
        checker.error(f"the rules cannot be read: {error}", 1)
        return []
    rules, flaws = read_rules(content)
    for flaw in flaws:
        checker.error(flaw.message, flaw.line, hint=flaw.hint)
    look_for_references(rules, root, checker)
    return [replace(rule, given=given) for rule in rules]
