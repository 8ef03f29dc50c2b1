"""The commands of `mage-project`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mage_project.cli.options import MEMORY, PROFILE, project_option
from mage_project.errors import MageProjectError, did_you_mean
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.runner.profiling import Profiling
    from mage_project.runner.records import RunRecord
    from mage_project.runner.reporting import Reporter


#: Commands of modules of their own, which are imported when they are asked for: a run should start at once.
ELSEWHERE = {
    "alerts": "alerting",
    "backfill": "backfilling",
    "check": "checking",
    "clean": "cleaning",
    "local": "servers",
    "metrics": "measuring",
    "resume": "resuming",
    "runs": "runs",
    "schedule": "scheduling",
    "scheduler": "scheduling",
}


class Commands(click.Group):
    """A group that suggests the command that was meant, and turns our errors into their text and exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *ELSEWHERE})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.commands and name in ELSEWHERE:
            self.add_command(getattr(import_module(f"mage_project.cli.{ELSEWHERE[name]}"), name))
        return super().get_command(ctx, name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MageProjectError as error:
            _tell_failure("", error, as_json="--json" in sys.argv)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mage-project")
def cli() -> None:
    """Runs Mage projects: fast, in bounded memory, all or nothing."""


def parsed(assignments: Sequence[str]) -> dict[str, Any]:
    """The variables given with `--var`."""
    from mage_project.runner.variables import parse_assignments

    return parse_assignments(assignments)


@cli.command()
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
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="End a run that takes longer.",
)
@click.option("--allow-blocks-to-fail", is_flag=True, help="Still run the blocks that need none that failed.")
@click.option(
    "--block-run-limit",
    "blocks_at_once",
    type=click.IntRange(1),
    metavar="N",
    help="Run N blocks side by side at the most [default: concurrency_config's, else 4].",
)
@click.option("--memory", "memory_bytes", type=MEMORY, metavar="SIZE",
              help="Stay within SIZE (as 1GB or 800MB): what waits between blocks goes to disk.")  # fmt: skip
@click.option(
    "--sample",
    "sample_rows",
    type=click.IntRange(1),
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

    if debug:
        from mage_project.cli import debugging

        debugging.check(as_json=as_json)
    handed = starters.handed()
    variables = {**handed, **parsed(assignments)}
    some = [word for name, uuids in (("from", first), ("only", only), ("skip", skip)) for uuid in uuids
            for word in (f"--{name}", uuid)]  # fmt: skip
    some += ["--timeout", f"{timeout_s:g}"] if timeout_s else []
    some += ["--allow-blocks-to-fail"] if allow_blocks_to_fail else []
    some += ["--block-run-limit", str(blocks_at_once)] if blocks_at_once else []
    some += ["--memory", f"{memory_bytes / 1e6:g}MB"] if memory_bytes else []
    some += ["--sample", str(sample_rows)] if sample_rows else []
    typed = [*starters.as_assignments(handed), *assignments]
    again = run_again(project, pipeline, typed, local=local, some=some)
    listener, alive = starters.descriptor(starters.EVENTS), starters.descriptor(starters.ALIVE)

    def killed(what: str) -> None:
        _tell_failure(pipeline, MageProjectError(what, hint=again), as_json=as_json)

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
            return _run(run, project, pipeline, as_json=as_json)

    sys.exit(guarded(work, killed=killed, starter=alive if listener is None else listener))


def _reporter(as_json: bool, again: str, listener: int | None) -> Reporter:
    from mage_project.cli.reporters import reporter_for

    reporter = reporter_for(as_json=as_json, again=again)
    if listener is None:
        return reporter
    from mage_project.schedule.events import Telling

    return Telling(reporter, listener)


def _run(run: Callable[[], RunRecord], project: Project, pipeline: str, *, as_json: bool) -> int:
    try:
        return run().exit_code
    except MageProjectError as error:
        _tell_failure(pipeline, error.within(project.root), as_json=as_json)
        return error.exit_code


def _tell_failure(pipeline: str, error: MageProjectError, *, as_json: bool) -> None:
    """Tell of a run that could not begin, or could not say how it ended."""
    if as_json:
        import json

        from mage_project.history.starters import new_run_id
        from mage_project.runner.records import RunRecord

        record = RunRecord(pipeline=pipeline, run_id=new_run_id(), blocks=[], status="failed", error=str(error))
        click.echo(json.dumps(record.as_dict(), ensure_ascii=False))
    click.echo(f"error: {error}", err=True)


@cli.command(name="list")
@project_option
def list_pipelines(project: Project) -> None:
    """List the project's pipelines."""
    from mage_project.cli.tables import aligned

    lines = []
    for uuid in project.uuids:
        try:
            pipeline, problems = project.inspect(uuid)
        except MageProjectError as error:
            lines.append((uuid, "", "", f"cannot be read: {error.what}"))
            continue
        schedule = ", ".join(t.schedule_interval or t.schedule_type for t in pipeline.triggers)
        wrong = [problem for problem in problems if not problem.warning]
        note = f"{len(wrong)} problems: mage-project check {uuid}" if wrong else pipeline.description or ""
        lines.append((uuid, str(len(pipeline.blocks)), schedule, note))
    click.echo(aligned(("pipeline", "blocks", "schedule", ""), lines) if lines else "no pipelines")


@cli.command()
@click.argument("pipeline")
@click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart.")
@project_option
def graph(project: Project, pipeline: str, mermaid: bool) -> None:
    """Show how the blocks of PIPELINE feed each other."""
    from mage_project.cli.drawing import as_mermaid, as_text

    found = project.pipeline(pipeline)
    click.echo(as_mermaid(found) if mermaid else as_text(found))


@cli.command()
@click.argument("uuid", metavar="BLOCK")
@click.option("--pipeline", "-p", help="The pipeline, where several have the block.")
@click.option("--input", "-i", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="A CSV, JSON or Parquet file in the place of an upstream block; one for each.")  # fmt: skip
@click.option(
    "--var", "assignments", multiple=True, metavar="NAME=VALUE", help="Set a variable; VALUE is YAML. May be repeated."
)
@click.option(
    "--sample", "sample_rows", type=click.IntRange(1), metavar="N", help="Try it on N rows at the most; no exporter."
)
@click.option("--watch", is_flag=True, help="Run it again when something changes that it is made of, until Ctrl-C.")
@click.option("--debug", is_flag=True, help="Open Python's debugger at the line where the block fails.")
@click.option("--local", is_flag=True, help="Use the local stack, whatever io_config.yaml names.")
@project_option
def block(
    project: Project,
    uuid: str,
    pipeline: str | None,
    files: Sequence[Path],
    assignments: Sequence[str],
    sample_rows: int | None,
    watch: bool,
    debug: bool,
    local: bool,
) -> None:
    """Run one BLOCK alone and show its output.

    Its input is the beginning of what its upstream blocks gave in the last run, or FILEs.
    """
    from mage_project.cli.guard import guarded

    if debug:
        from mage_project.cli import debugging

        debugging.check()
    variables = parsed(assignments)

    def work() -> int:
        from mage_project.runner.limits import Limits

        limits = Limits(sample_rows=sample_rows)
        chosen = {"pipeline": pipeline, "files": files, "limits": limits, "local": local}
        return _run_block(Project(project.root), uuid, variables, debug=debug, **chosen)

    run = partial(guarded, work, killed=lambda what: click.echo(f"error: {what}", err=True))
    if watch:
        from mage_project.cli import watching

        sys.exit(watching.watch(project, uuid, pipeline, files, run))
    sys.exit(run())


def _run_block(
    project: Project,
    uuid: str,
    variables: dict[str, Any],
    *,
    debug: bool,
    **chosen: Any,
) -> int:
    """`chosen`: what else `run_block` takes."""
    from mage_project.cli.debugging import debugged
    from mage_project.cli.reporters import reporter_for
    from mage_project.cli.showing import described
    from mage_project.runner.single import run_block

    reporter = reporter_for(as_json=False)
    try:
        with debugged(reporter, after_failures=debug):
            record, output = run_block(project, uuid, variables, reporter=reporter, **chosen)
    except MageProjectError as error:
        click.echo(f"error: {error.within(project.root)}", err=True)
        return error.exit_code
    if record.exit_code == 0:
        click.echo(f"\n{described(output)}")
    return record.exit_code


@cli.command()
@click.argument("uuid", metavar="BLOCK")
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over files that differ.")
@project_option
def copy(project: Project, uuid: str, destination: Path, force: bool) -> None:
    """Copy BLOCK, and the modules that it imports, into the project DEST."""
    from mage_project.cli.copying import copy_block, needed_by

    for path in copy_block(project, uuid, destination, force=force):
        click.echo(f"  {path}")
    for line in needed_by(project, uuid):
        click.echo(line)
