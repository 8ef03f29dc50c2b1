"""`check --io`: whether the stores of a profile can be used, and what to change where not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from mage_project.errors import MageProjectError
from mage_project.io.diagnosis import Finding
from mage_project.project import Project

_MARKS = {True: "✓", False: "✗", None: "·"}


def examine(
    project: Project,
    pipelines: Iterable[str],
    profile: str,
    *,
    buckets: Sequence[str],
    datasets: Sequence[str],
    as_json: bool,
) -> int:
    """Print what is found, store by store; the exit code: 0 where everything works, else 1.

    Where no bucket or no dataset is named they are those of the pipelines' variables.
    """
    from mage_project.io import diagnosis
    from mage_project.io.config import ConfigFileLoader

    config = ConfigFileLoader(project.root / "io_config.yaml", profile)
    variables = [_variables(project, uuid) for uuid in pipelines]
    buckets = buckets or sorted({name for known in variables for name in _named(known, "bucket")})
    datasets = datasets or sorted({name for known in variables for name in _named(known, "dataset")})
    all_findings: list[Finding] = []
    for findings in diagnosis.examine(config, buckets=buckets, datasets=datasets):
        findings = [
            replace(found, what=found.what.replace(f"({project.root}/io_config", "(io_config")) for found in findings
        ]
        all_findings += findings
        if not as_json:
            _tell(findings)
    passed = all(found.passed is not False for found in all_findings)
    if as_json:
        click.echo(json.dumps({"profile": profile, "passed": passed, "checks": _as_dicts(all_findings)}))
    return 0 if passed else 1


def _variables(project: Project, uuid: str) -> Mapping[str, Any]:
    try:
        return project.pipeline(uuid).variables
    except MageProjectError:  # `check` without --io tells what is wrong with it
        return {}


def _named(variables: Mapping[str, Any], kind: str) -> Iterator[str]:
    """The values of variables whose names say that they are buckets, or datasets."""
    yield from (value for name, value in variables.items() if kind in name and isinstance(value, str) and value)


def _tell(findings: Sequence[Finding]) -> None:
    for number, found in enumerate(findings):
        store = found.store if number == 0 else ""
        click.echo(f"{store:<9} {_MARKS[found.passed]} {found.check:<12} {found.what}")
        if found.fix:
            click.echo(f"{'':<9}   {'next:':<12} {found.fix}")


def _as_dicts(findings: Sequence[Finding]) -> list[dict[str, object]]:
    return [
        {"store": found.store, "check": found.check, "passed": found.passed, "what": found.what, "next": found.fix}
        for found in findings
    ]
