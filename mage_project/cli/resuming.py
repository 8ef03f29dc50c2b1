"""`mage-project resume`: what is left of a run that failed: a plan, then the run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from mage_project.cli.options import MEMORY, SECONDS, project_option
from mage_project.errors import MageProjectError, UsageError
from mage_project.project import Project
from mage_project.project.command import command

if TYPE_CHECKING:
    from mage_project.runner.resuming import Plan


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--var", "assignments", multiple=True, metavar="NAME=VALUE", help="Set a variable; VALUE is YAML. May be repeated."
)
@click.option("--timeout", "timeout_s", type=SECONDS, metavar="SECONDS",
              help="End a run that takes longer [default: the failed run's].")  # fmt: skip
@click.option("--memory", "memory_bytes", type=MEMORY, metavar="SIZE",
              help="Stay within SIZE (as 1GB or 800MB) [default: the failed run's].")  # fmt: skip
@click.option("--yes", "-y", is_flag=True, help="Go on though code or variables have changed.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and run nothing.")
@click.option(
    "--local", is_flag=True, help="Use the local stack, whatever io_config.yaml names [default: as the run did]."
)
@click.option("--alert", is_flag=True, help="Send alerts, also where the failed run sent none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@project_option
def resume(
    project: Project,
    run_id: str,
    assignments: Sequence[str],
    timeout_s: float | None,
    memory_bytes: int | None,
    yes: bool,
    dry_run: bool,
    local: bool,
    alert: bool,
    as_json: bool,
) -> None:
    """Go on with RUN, which has failed or crashed: run what is left of it.

    RUN is its name, or the beginning of it. What completed blocks gave was kept when it failed; of one that crashed it
    is lost, and made again where it is needed. Exit codes as of `run`.
    """
    from mage_project.cli.again import masked_assignment
    from mage_project.cli.guard import guarded
    from mage_project.runner.resuming import plan
    from mage_project.runner.variables import parse_assignments

    made = plan(project, run_id, parse_assignments(assignments))
    if not as_json:
        _show(made)
    if dry_run:
        if as_json:
            click.echo(json.dumps(made.as_dict(), ensure_ascii=False))
        return
    words = [word for given in assignments for word in ("--var", masked_assignment(given))]
    words += ["--timeout", f"{timeout_s:g}"] if timeout_s else []
    words += ["--memory", f"{memory_bytes / 1e6:g}MB"] if memory_bytes else []
    words += [*(["--local"] if local else []), *(["--alert"] if alert else [])]
    again = command(project.root, "resume", made.failure.run_id, *words)
    _ask(made, again, yes=yes)
    options = {"timeout_s": timeout_s, "memory_bytes": memory_bytes, "alert": alert}
    work = partial(_work, made, again, options, local=local, as_json=as_json)
    sys.exit(guarded(work, killed=_tell, again=again))


def _work(made: Plan, again: str, options: Mapping[str, Any], *, local: bool, as_json: bool) -> int:
    from mage_project.cli.reporters import reporter_for
    from mage_project.cli.running import tell_failure
    from mage_project.runner.resuming import resume

    try:
        return resume(made, reporter=reporter_for(as_json=as_json, again=again), local=local, **options).exit_code
    except MageProjectError as error:  # another run was faster
        tell_failure(made.pipeline.uuid, error.within(made.pipeline.root), as_json=as_json)
        return error.exit_code


def _tell(what: str, next_: str | None) -> None:
    click.echo(f"error: {what}\n  next:  {next_}", err=True)


def _show(made: Plan) -> None:
    from mage_project.cli.tables import aligned

    click.echo(f"resume {made.failure.run_id} of {made.pipeline.uuid}")
    lines = [(f"  {step.block}", step.action, step.why) for step in made.steps]
    click.echo(f"\n{aligned(('  block', 'plan', 'why'), lines)}\n")
    for line in (*made.told, *made.doubts):
        click.echo(f"  {line}")


def _ask(made: Plan, again: str, *, yes: bool) -> None:
    """Ask whether to go on where what is kept may not be what a new run would make; without a terminal, refuse."""
    if yes or not made.doubts:
        return
    if sys.stdin.isatty() and click.confirm("Go on?"):
        return
    raise UsageError(f"not resumed: {'; '.join(made.doubts)}", hint=f"if that is meant: {again} --yes")
