"""Which rules are for some data: those that are named, or those of the pipeline that writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mage_project.errors import ConfigError, MageProjectError, UsageError, did_you_mean
from mage_project.project import Pipeline, Project, document
from mage_project.quality.addresses import Address
from mage_project.quality.reading import read_rules
from mage_project.quality.rules import Rule

_VARIABLE = re.compile(r"\{(\w+)\}")


def named(project: Project, name: str, address: Address, variables: Mapping[str, Any]) -> list[Rule]:
    """The rules of `PIPELINE.BLOCK`, of all blocks of `PIPELINE`, or in a YAML file.

    Of rules that are for some runs only they are those for the `variables` or, where the pipeline writes to the
    address, for the run that does, else for a run with the pipeline's own.
    Raises UsageError where there are none, ConfigError for a mistake in the file.
    """
    if name.endswith((".yaml", ".yml")):
        return _in_file(project, name)
    uuid, _, block = name.partition(".")
    pipeline = project.pipeline(uuid)
    uuids = [each.uuid for each in pipeline.blocks if each.checks]
    if block and block not in uuids:
        raise UsageError(f"pipeline '{uuid}' has no block '{block}' with checks.{did_you_mean(block, uuids)}")
    found = [each for each in pipeline.blocks if each.uuid in uuids and block in ("", each.uuid)]
    there = {**pipeline.variables, **(_written(pipeline, address) or {}), **variables}
    rules = [rule for each in found for rule in each.checks if rule.is_for(there)]
    if not rules and uuids:
        known = sorted(
            {f"--var {name}={value}" for each in found for rule in each.checks for name, value in rule.given}
        )
        raise UsageError(f"pipeline '{uuid}' has no checks for these variables", hint=" | ".join(known))
    if not rules:
        raise UsageError(f"pipeline '{uuid}' declares no checks", hint="declare them: docs/checks.md")
    return rules


def of_writer(project: Project, address: Address, variables: Mapping[str, Any]) -> list[Rule]:
    """The rules of the rows that the project's pipeline writes to the address; none where none is found.

    A pipeline writes there if its variables name the parts of the address (schema and table, dataset and table, bucket
    and prefix); `{service}` in one of them stands for a variable, unless it is one of the `variables` that are given.
    Raises UsageError where several have different rules.
    """
    found: dict[str, list[Rule]] = {}
    for uuid in project.uuids:
        try:
            pipeline, _ = project.inspect(uuid)
        except MageProjectError:
            continue  # a pipeline that cannot be read is not to blame here
        given = _written(pipeline, address)
        if given is not None:
            for name, rules in _before_exporters(pipeline, {**pipeline.variables, **given, **variables}):
                if rules not in found.values():
                    found[name] = rules
    if len(found) > 1:
        raise UsageError(f"several pipelines write '{address.name}'", hint=f"--rules {' | '.join(found)}")
    return next(iter(found.values()), [])


def _in_file(project: Project, name: str) -> list[Rule]:
    path = project.root / name
    if not path.is_file():
        beside = [str(each.relative_to(project.root)) for each in path.parent.glob("*.y*ml")]
        raise UsageError(f"there is no file of rules {name}.{did_you_mean(name, beside)}")
    rules, flaws = read_rules(document.parse(path.read_text(encoding="utf-8-sig"), path))
    if flaws:
        first, more = flaws[0], f" (and {len(flaws) - 1} more)" if len(flaws) > 1 else ""
        raise ConfigError(first.message + more, where=f"{path}:{first.line}", hint=first.hint)
    return rules


def _written(pipeline: Pipeline, address: Address) -> Mapping[str, Any] | None:
    """The variables with which the pipeline writes to the address, None if it does not."""
    names = [value for value in pipeline.variables.values() if isinstance(value, str)]
    given: dict[str, str] = {}
    for part in _parts(address):
        matches = [(name, match) for name in names if (match := _match(name, part))]
        if not matches:
            return None
        _, closest = max(matches, key=lambda each: (each[1].end(1), len(_VARIABLE.sub("", each[0]))))
        given |= closest.groupdict()
    return given


def _parts(address: Address) -> list[str]:
    if address.store == "files":
        return [address.name]
    if address.store == "gcs":
        bucket, _, prefix = address.name.partition("/")
        return [bucket, prefix.strip("/")]
    return address.name.split(".")[-2:]


def _match(name: str, part: str) -> re.Match[str] | None:
    """`{service}_trips` and `green_trips`; a prefix in a bucket may go on: its first group is what is named."""
    parts = _VARIABLE.split(name)
    shape = "".join(f"(?P<{each}>[^/]+)" if place % 2 else re.escape(each) for place, each in enumerate(parts))
    return re.fullmatch(f"({shape})(?:/.*)?", part) if len(set(parts[1::2])) == len(parts[1::2]) else None


def _before_exporters(pipeline: Pipeline, variables: Mapping[str, Any]) -> Iterator[tuple[str, list[Rule]]]:
    """The rules of exporters, and of the blocks that feed one."""
    exporters = [block for block in pipeline.blocks if block.type == "data_exporter"]
    last = {block.uuid for block in exporters} | {uuid for block in exporters for uuid in block.upstream}
    for block in pipeline.blocks:
        rules = [rule for rule in block.checks if rule.is_for(variables)]
        if block.uuid in last and rules:
            yield f"{pipeline.uuid}.{block.uuid}", rules
