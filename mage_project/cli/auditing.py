"""`mage-project runs verify | receipt | diff`: what was written down, whether it still is so, how two runs differ."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mage_project.cli.options import project_option
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.history.comparing import Difference
    from mage_project.history.verifying import Verification


@click.command()
@click.option("--noted", metavar="HASH", help="A last hash that was noted before: the chain must still hold it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@project_option
def verify(project: Project, noted: str | None, as_json: bool) -> None:
    """Compare all receipts with each other, and the runs with their receipts.

    Exit code 0: everything is as it was written, 1: something was changed, taken out or put in.
    """
    from dataclasses import asdict

    from mage_project.cli.runs import store_of_project
    from mage_project.history.verifying import verify

    if noted is not None and not noted.strip():
        raise click.BadParameter("it is empty: name a hash, or its beginning", param_hint="--noted")
    found = verify(store_of_project(project), noted=noted)
    click.echo(json.dumps({"passed": found.passed, **asdict(found)}) if as_json else _verdict(found, noted))
    sys.exit(0 if found.passed else 1)


@click.command()
@click.argument("run_id", metavar="RUN")
@project_option
def receipt(project: Project, run_id: str) -> None:
    """Print the receipt of one run as JSON.

    RUN is its name, or the beginning of it.
    """
    from mage_project.cli.runs import store_of_project
    from mage_project.history.receipts import receipt_of
    from mage_project.history.runs import details

    store = store_of_project(project)
    click.echo(json.dumps(receipt_of(store, details(store, run_id).run.run_id), ensure_ascii=False, indent=2))


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@project_option
def diff(project: Project, before: str, after: str, as_json: bool) -> None:
    """Say what two runs differ in: code, variables, input, columns, counts and checks.

    A and B are their names, or the beginnings of them.
    """
    from dataclasses import asdict

    from mage_project.cli.runs import store_of_project
    from mage_project.history.comparing import differences
    from mage_project.history.runs import details

    store = store_of_project(project)
    old, new = details(store, before), details(store, after)
    found = differences(old, new)
    if as_json:
        click.echo(json.dumps([asdict(difference) for difference in found], ensure_ascii=False))
        return
    click.echo(_differences(found, old.run.run_id, new.run.run_id) if found else "nothing differs")


def _differences(found: Sequence[Difference], before: str, after: str) -> str:
    from mage_project.cli.tables import aligned

    lines = [(each.aspect, each.name, _value(each.before), _value(each.after)) for each in found]
    return aligned(("what", "", before, after), lines)


def _value(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)


def _verdict(found: Verification, noted: str | None) -> str:
    lines = list(found.findings)
    if found.holds is False:
        lines.append(f"no receipt has the hash {noted}: the receipts were written anew, or it is of another history")
    if lines:
        return "\n".join(f"✗ {line}" for line in lines)
    count = f"{found.receipts:,} receipt{'s' * (found.receipts != 1)}"
    return f"✓ {count}, each as it was written" + (f"; the last hash is {found.head}" if found.receipts else "")
