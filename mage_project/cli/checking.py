"""`mage-project check`: what can be told of a project without running it, and whether its stores answer."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import click

from mage_project.cli.options import project_option
from mage_project.errors import UsageError
from mage_project.project import Project


@click.command()
@click.argument("pipelines", nargs=-1)
@click.option("--io", "of_io", is_flag=True, help="Try the stores of a profile instead: connect, read and write.")
@click.option("--profile", default="default", metavar="NAME", help="With --io: the profile [default: default].")
@click.option("--bucket", "buckets", multiple=True, help="With --io: a bucket to try. May be repeated.")
@click.option("--dataset", "datasets", multiple=True, help="With --io: a dataset to try. May be repeated.")
@click.option("--local", is_flag=True, help="With --io: try the local stack, whatever io_config.yaml names.")
@click.option("--json", "as_json", is_flag=True, help="With --io: print one JSON object.")
@project_option
def check(
    project: Project,
    pipelines: Sequence[str],
    of_io: bool,
    profile: str,
    buckets: Sequence[str],
    datasets: Sequence[str],
    local: bool,
    as_json: bool,
) -> None:
    """Check PIPELINES, or all of the project, without running them.

    Looked at are YAML, the graph, the blocks' files and io_config.yaml; every problem is told with file and line.

    With --io the stores of a profile are tried out, with the buckets and datasets that the pipelines' variables name.
    Exit code 0: all of them work, 1: one does not.
    """
    if of_io:
        from mage_project.cli.doctor import examine
        from mage_project.runner.services import all_local

        uuids = pipelines or project.uuids
        with all_local(project.root, said=functools.partial(click.echo, err=True)) if local else nullcontext():
            sys.exit(examine(project, uuids, profile, buckets=buckets, datasets=datasets, as_json=as_json))
    if local or as_json or buckets or datasets or profile != "default":
        raise UsageError(
            "--profile, --bucket, --dataset, --local and --json go with --io", hint="mage-project check --io"
        )
    from mage_project.cli.inspection import problems_of

    found = 0
    for uuid in pipelines or project.uuids:
        problems = problems_of(project, uuid)
        errors = [problem for problem in problems if not problem.warning]
        found += len(errors)
        click.echo(f"{'✗' if errors else '✓'} {uuid}")
        for problem in problems:
            kind = "warning" if problem.warning else "error"
            click.echo(f"    {kind}: {problem.message}\n      where: {problem.place(project.root)}")
            if problem.hint:
                click.echo(f"      next:  {problem.hint}")
    if found:
        raise UsageError(f"{found} problem{'s' if found > 1 else ''} found", where=str(project.root))
