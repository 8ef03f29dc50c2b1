"""What two runs differ in: the code of their blocks, variables, input, columns, counts and checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mage_project.history.receipts import inputs_of
from mage_project.history.runs import RunDetails

#: What a file is, and not which file it is.
_OF_THE_CONTENT = frozenset({"sha256", "md5", "crc32c", "etag", "size", "size_bytes", "last_modified", "rows", "added"})
_COUNTS = ("rows_in", "rows_out", "rows_written")

Fact = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`before` and `after` are None where a run does not have it."""

    aspect: str
    name: str
    before: Any
    after: Any


def differences(before: RunDetails, after: RunDetails) -> list[Difference]:
    """What differs, in the order in which one would look for a cause: code and variables first, checks last."""
    old, new = _facts(before), _facts(after)
    return [
        Difference(aspect=aspect, name=name, before=old.get((aspect, name)), after=new.get((aspect, name)))
        for aspect, name in _in_order(old, new)
        if old.get((aspect, name)) != new.get((aspect, name))
    ]


def _in_order(old: Mapping[Fact, Any], new: Mapping[Fact, Any]) -> list[Fact]:
    """The facts of both, those of an aspect together."""
    every = list(dict.fromkeys([*old, *new]))
    aspects = list(dict.fromkeys(aspect for aspect, _ in every))
    return sorted(every, key=lambda fact: aspects.index(fact[0]))


def _facts(run: RunDetails) -> dict[Fact, Any]:
    """All that is compared of a run, under an aspect and a name, and always with the aspects in one order."""
    return dict([*_of_the_run(run), *_of_the_input(run), *_of_the_blocks(run)])


def _of_the_run(run: RunDetails) -> Iterator[tuple[Fact, Any]]:
    yield ("pipeline", ""), run.run.pipeline
    yield ("status", ""), run.run.status
    yield ("commit", ""), run.git_commit and f"{run.git_commit[:12]}{' and changes' if run.git_dirty else ''}"
    for uuid, code in run.run.code.items():
        yield ("code", uuid), code
    yield ("execution date", ""), run.run.execution_date
    for name, value in run.variables.items():
        yield ("variable", name), value


def _of_the_input(run: RunDetails) -> Iterator[tuple[Fact, Any]]:
    for file in inputs_of(run.blocks):
        name = " ".join(str(value) for key, value in file.items() if key not in _OF_THE_CONTENT)
        for key in filter(_OF_THE_CONTENT.__contains__, file):
            yield ("input", f"{name} {key}".lstrip()), file[key]


def _of_the_blocks(run: RunDetails) -> Iterator[tuple[Fact, Any]]:
    for aspect, of_block in (("block", _status), ("column", _columns), ("count", _counts), ("check", _checks)):
        for block in run.blocks:
            for name, value in of_block(block):
                yield (aspect, f"{block['uuid']}{name and f'.{name}'}"), value


def _status(block: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "", block["status"]


def _columns(block: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (block.get("columns") or {}).items()


def _counts(block: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _COUNTS:
        yield name, block.get(name)
    for word in ("dropped", "changed"):
        for reason, figures in block[word].items():
            yield f"{word} {reason}", figures["rows"]


def _checks(block: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for test in block["tests"]:
        yield test["name"], "passed" if test["passed"] else "failed"
    for check in block["checks"]:
        yield check["name"], "passed" if check["passed"] else f"failed ({check['failing']} rows)"
