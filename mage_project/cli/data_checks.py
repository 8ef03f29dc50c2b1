"""`mage-project check --data`: rules on a table, on files, or on objects in a bucket."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mage_project.cli import data_rules
from mage_project.cli.check_tables import checks_table, rows_table
from mage_project.cli.data_reports import Report, Wanted
from mage_project.cli.tables import count
from mage_project.errors import UsageError
from mage_project.project import Project
from mage_project.project.command import command
from mage_project.quality.addresses import Address, address_of
from mage_project.quality.results import EXAMPLES, CheckResult, exit_code
from mage_project.quality.rules import Rule
from mage_project.runner.variables import parse_assignments

if TYPE_CHECKING:
    import pyarrow as pa

#: Offending rows that the command shows which is told.
_SHOWN_ROWS = 50
#: Columns that are shown of rows, where there is nothing else to say.
_COLUMNS = 8


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for: `data` is an address, `rules` names them, `assignments` say for which run.

    `rows` are those to show.
    """

    data: str
    rules: str | None = None
    assignments: Sequence[str] = ()
    profile: str = "default"
    local: bool = False
    rows: int | None = None
    as_json: bool = False
    report: Wanted = field(default_factory=Wanted)


def check_data(project: Project, asked: Asked) -> int:
    """Check the rows and tell of them. Returns the exit code: 0, or 3 where a rule fails.

    With `rows`, and no rules to be found, the first rows are shown. Raises UsageError where no rules are known.
    """
    address = address_of(asked.data, project.root)
    if address.store == "files":
        from mage_project.quality import files

        files.look_for(Path(address.name))
    rules = _rules(project, address, asked)
    if not rules and asked.rows is None and not asked.report:
        raise UsageError(f"no pipeline with checks writes '{asked.data}'", hint="--rules PIPELINE.BLOCK or FILE.yaml")
    with _reached(project, address, rules, asked):
        if not rules and not asked.report:
            return _show(project, asked)
        results, rows = _results(project, rules, asked)
    code = exit_code(results)
    if asked.as_json:
        status = "failed" if code else "passed"
        said = {"data": asked.data, "status": status, "rows": rows, "checks": [each.as_dict() for each in results]}
        click.echo(json.dumps(said, ensure_ascii=False))
    elif not results:
        click.echo(f"{asked.data}, {count(rows)} rows: no checks")
    else:
        click.echo(f"{'✗' if code else '✓'} {checks_table(f'{asked.data}, {count(rows)} rows', results)}")
    return code


def _rules(project: Project, address: Address, asked: Asked) -> list[Rule]:
    """The rules; where they are for the runs with some variables only, these are told."""
    variables = parse_assignments(asked.assignments)
    if asked.rules:
        rules = data_rules.named(project, asked.rules, address, variables)
    else:
        rules = data_rules.of_writer(project, address, variables)
    given = sorted({f"{name}={value}" for rule in rules for name, value in rule.given})
    if given:
        click.echo(f"rules: those for {', '.join(given)}", err=True)
    return rules


def _reached(project: Project, address: Address, rules: Sequence[Rule], asked: Asked) -> AbstractContextManager[None]:
    """The stores of the data and of what its rules refer to: the profile's, or the local ones."""
    from mage_project.runner.services import stores

    others = [*(rule.to for rule in rules if rule.to), *([asked.report.against] if asked.report.against else [])]
    addresses = [address, *(address_of(other, project.root) for other in others)]
    names = {each.store for each in addresses} - {"files"}
    if not names or (asked.profile != "default" and not asked.local):
        return nullcontext()
    return stores(project.root, sorted(names), local=asked.local, said=functools.partial(click.echo, err=True))


def _tables(project: Project, asked: Asked) -> Iterator[pa.Table]:
    from mage_project.quality.sources import tables

    return tables(asked.data, project.root, asked.profile)


def _results(project: Project, rules: Sequence[Rule], asked: Asked) -> tuple[list[CheckResult], int]:
    from mage_project.quality.engine import Checks
    from mage_project.quality.naming import Naming
    from mage_project.quality.references import References

    rows = 0
    naming = Naming(rules)
    report = Report(project, asked.report, data=asked.data, profile=asked.profile)
    checks = Checks(
        rules,
        reference=References(project.root, asked.profile),
        examples=EXAMPLES if asked.rows is None else asked.rows,
        keep=lambda rule, found: _more(project, asked),
    )
    with closing(checks):
        for table in report.watched(_tables(project, asked)):
            rows += len(table)
            checks.take(naming.of(table))
        results = checks.results()
    if naming.renamed:
        said = ", ".join(f"{wanted} is {there}" for wanted, there in sorted(naming.renamed.items()))
        click.echo(f"columns: {said}", err=True)
    report.write(naming.results_of(results), naming.rules_of(rules))
    return results, rows


def _more(project: Project, asked: Asked) -> str | None:
    """The same command with more rows, unless it has said how many."""
    if asked.rows is not None:
        return None
    options = {"rules": asked.rules, "profile": asked.profile if asked.profile != "default" else None}
    words = [f"--{name}={value}" for name, value in options.items() if value]
    words += [f"--var={assignment}" for assignment in asked.assignments]
    words += ["--local"] if asked.local else []
    return command(project.root, "check", f"--data={asked.data}", *words, "--rows", str(_SHOWN_ROWS))


def _show(project: Project, asked: Asked) -> int:
    """The first rows, as they are."""
    shown: list[dict[str, Any]] = []
    for table in _tables(project, asked):
        shown += table.slice(0, (asked.rows or 0) - len(shown)).to_pylist()
        if len(shown) >= (asked.rows or 0):
            break
    if asked.as_json:
        from mage_project.quality.results import plain

        click.echo(json.dumps({"data": asked.data, "rows": [plain(row) for row in shown]}, ensure_ascii=False))
    else:
        click.echo(rows_table(shown, columns=_COLUMNS) if shown else "no rows")
    return 0
