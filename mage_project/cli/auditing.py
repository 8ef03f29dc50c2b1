"""`mage-project runs verify | receipt`: what was written down of runs, and whether it still is so."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from mage_project.cli.options import project_option
from mage_project.project import Project

if TYPE_CHECKING:
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


def _verdict(found: Verification, noted: str | None) -> str:
    lines = list(found.findings)
    if found.holds is False:
        lines.append(f"no receipt has the hash {noted}: the receipts were written anew, or it is of another history")
    if lines:
        return "\n".join(f"✗ {line}" for line in lines)
    count = f"{found.receipts:,} receipt{'s' * (found.receipts != 1)}"
    return f"✓ {count}, each as it was written" + (f"; the last hash is {found.head}" if found.receipts else "")
