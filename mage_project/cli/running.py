"""`mage-project run`: one run of a pipeline, and what is told where it could not begin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from mage_project.cli.options import AT_ONCE, MEMORY, PROFILE, ROWS, SECONDS, project_option
from mage_project.errors import ConfigError, MageProjectError
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.runner.profiling import Profiling
    from mage_project.runner.records import RunRecord
    from mage_project.runner.reporting import Reporter


@click.command()
@click.argument("pipeline")
@click.option(
    "--var", "assignments", multiple=True, metavar="NAME=VALUE", help="Set a variable; VALUE is YAML. May be repeated."
)
@click.option("--from", "first", multiple=True, metavar="BLOCK", help="Run BLOCK and what depends on it.")
@click.option("--only", multiple=True, metavar="BLOCK", help="Run nothing but BLOCK.")
@click.option("--skip", multiple=True, metavar="BLOCK", help="Do not run BLOCK.")
@click.option(
    "--timeout",
    "timeout_s",
    type=SECONDS,
    metavar="SECONDS",
    help="End a run that takes longer.",
)
@click.option("--allow-blocks-to-fail", is_flag=True, help="Still run the blocks that need none that failed.")
@click.option(
    "--block-run-limit",
    "blocks_at_once",
    type=AT_ONCE,
    metavar="N",
    help="Run N blocks side by side at the most [default: concurrency_config's, else 4].",
)
@click.option("--memory", "memory_bytes", type=MEMORY, metavar="SIZE",
              help="Stay within SIZE (as 1GB or 800MB): what waits between blocks goes to disk.")  # fmt: skip
@click.option(
    "--sample",
    "sample_rows",
    type=ROWS,
    metavar="N",
    help="Try it on the first N rows of each loader; no exporter and no SQL block runs.",
)
@click.option("--debug", is_flag=True, help="Open Python's debugger at the line where a block fails.")
@click.option("--profile", "profiling", is_flag=False, flag_value="", type=PROFILE, metavar="[FILE.svg]",
              help="Draw a flame graph of the run's threads [default: in .mage_project/profiles].")  # fmt: skip
@click.option("--local", is_flag=True, help="Use the local stack, whatever io_config.yaml names.")
@click.option("--alert", is_flag=True, help="Send the alerts that a trigger's run would send.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@project_option
def run(
    project: Project,
    pipeline: str,
    assignments: Sequence[str],
    first: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    timeout_s: float | None,
    allow_blocks_to_fail: bool,
    blocks_at_once: int | None,
    memory_bytes: int | None,
    sample_rows: int | None,
    debug: bool,
    profiling: Profiling | None,
    local: bool,
    alert: bool,
    as_json: bool,
) -> None:
    """Run PIPELINE.

    --from, --only and --skip may be repeated. Blocks that do not run give what the last run has kept of them.

    Exit code 0: done, 1: a block failed, 2: wrong usage or configuration, 3: a test failed, 128 + n: ended by signal n.
    """
    from mage_project.cli.again import run_again
    from mage_project.cli.guard import guarded
    from mage_project.history import starters
    from mage_project.runner.variables import parse_assignments

    if debug:
        from mage_project.cli import debugging

        debugging.check(as_json=as_json)
    handed = starters.handed()
    variables = {**handed, **parse_assignments(assignments)}
    some = [word for name, uuids in (("from", first), ("only", only), ("skip", skip)) for uuid in uuids
            for word in (f"--{name}", uuid)]  # fmt: skip
    some += ["--timeout", f"{timeout_s:g}"] if timeout_s else []
    some += ["--allow-blocks-to-fail"] if allow_blocks_to_fail else []
    some += ["--block-run-limit", str(blocks_at_once)] if blocks_at_once else []
    some += ["--memory", f"{memory_bytes / 1e6:g}MB"] if memory_bytes else []
    some += ["--sample", str(sample_rows)] if sample_rows else []
    some += ["--alert"] if alert else []
    typed = [*starters.as_assignments(handed), *assignments]
    again = run_again(project, pipeline, typed, local=local, some=some)
    tells = starters.TELLS not in os.environ and (alert or starters.given_trigger() is not None)
    listener, alive = starters.descriptor(starters.EVENTS), starters.descriptor(starters.ALIVE)

    def killed(what: str, next_: str | None) -> None:
        tell_failure(pipeline, MageProjectError(what, hint=next_), as_json=as_json)

    def work() -> int:
        reporter = _reporter(as_json, again, listener)
        from mage_project.cli.debugging import debugged
        from mage_project.runner.limits import Limits
        from mage_project.runner.running import run_pipeline
        from mage_project.runner.selection import Choice

        choice = Choice(first=first, only=only, skip=skip)
        limits = Limits(
            timeout_s=timeout_s,
            blocks_may_fail=allow_blocks_to_fail,
            blocks_at_once=blocks_at_once,
            memory_bytes=memory_bytes,
            sample_rows=sample_rows,
        )
        given = partial(run_pipeline, project, pipeline, variables, choice=choice, limits=limits, alert=alert)
        run = partial(given, reporter=reporter, local=local, profiling=profiling)
        with debugged(reporter, after_failures=debug):
            return _run(run, project, pipeline, as_json=as_json, again=again if tells else None)

    sys.exit(guarded(work, killed=killed, starter=alive if listener is None else listener, again=again))


def _reporter(as_json: bool, again: str, listener: int | None) -> Reporter:
    from mage_project.cli.reporters import reporter_for

    reporter = reporter_for(as_json=as_json, again=again)
    if listener is None:
        return reporter
    from mage_project.schedule.events import Telling

    return Telling(reporter, listener)


def _run(
    run: Callable[[], RunRecord], project: Project, pipeline: str, *, as_json: bool, again: str | None = None
) -> int:
    """`again`: the command for the people who are to hear of a run that fails."""
    try:
        return run().exit_code
    except MageProjectError as error:
        tell_failure(pipeline, error.within(project.root), as_json=as_json)
        if again and isinstance(error, ConfigError):  # of a slip of the hand nobody else needs to hear
            from mage_project.observers.alerting import tell_of_none

            for line in tell_of_none(project.root, pipeline, str(error), again):
                click.echo(line, err=True)
        return error.exit_code


def tell_failure(pipeline: str, error: MageProjectError, *, as_json: bool) -> None:
    """Tell of a run that could not begin, or could not say how it ended."""
    if as_json:
        import json

        from mage_project.history.starters import new_run_id
        from mage_project.runner.records import RunRecord

        record = RunRecord(pipeline=pipeline, run_id=new_run_id(), blocks=[], status="failed", error=str(error))
        click.echo(json.dumps(record.as_dict(), ensure_ascii=False))
    click.echo(f"error: {error}", err=True)
