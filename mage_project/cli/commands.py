"""The commands of `mage-project`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from mage_project.cli.options import ROWS, project_option
from mage_project.errors import MageProjectError, did_you_mean
from mage_project.project import Project

#: Commands of modules of their own, which are imported when they are asked for: a run should start at once.
ELSEWHERE = {
    "alerts": "alerting",
    "backfill": "backfilling",
    "check": "checking",
    "clean": "cleaning",
    "local": "servers",
    "metrics": "measuring",
    "resume": "resuming",
    "run": "running",
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
            from mage_project.cli.running import tell_failure

            tell_failure("", error, as_json="--json" in sys.argv)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort) as error:
            if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__context__, KeyboardInterrupt):
                raise  # a question that was answered with no
            click.echo("error: interrupted (Ctrl-C)", err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mage-project")
def cli() -> None:
    """Runs Mage projects: fast, in bounded memory, all or nothing."""


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
@click.option("--sample", "sample_rows", type=ROWS, metavar="N", help="Try it on N rows at the most; no exporter.")
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
    from mage_project.runner.variables import parse_assignments

    if debug:
        from mage_project.cli import debugging

        debugging.check()
    variables = parse_assignments(assignments)

    def work() -> int:
        from mage_project.runner.limits import Limits

        limits = Limits(sample_rows=sample_rows)
        chosen = {"pipeline": pipeline, "files": files, "limits": limits, "local": local}
        return _run_block(Project(project.root), uuid, variables, debug=debug, **chosen)

    run = partial(guarded, work, killed=lambda what, _: click.echo(f"error: {what}", err=True))
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
