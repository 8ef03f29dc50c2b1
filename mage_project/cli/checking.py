"""`mage-project check`: what can be told of a project without running it, whether its stores answer, its data."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from mage_project.cli.options import project_option
from mage_project.errors import UsageError
from mage_project.project import Problem, Project


@click.command()
@click.argument("pipelines", nargs=-1)
@click.option("--io", "of_io", is_flag=True, help="Try the stores of a profile instead: connect, read and write.")
@click.option("--data", metavar="WHAT", help="Check data instead: schema.table, a file or folder, gs://bucket/prefix, "
              "or bigquery:dataset.table.")  # fmt: skip
@click.option("--rules", metavar="RULES", help="With --data: PIPELINE.BLOCK, whose checks are made, or FILE.yaml "
              "[default: those of the pipeline that writes it].")  # fmt: skip
@click.option("--var", "assignments", multiple=True, metavar="NAME=VALUE",
              help="With --data: the rules for runs with this variable. May be repeated.")  # fmt: skip
@click.option("--rows", type=click.IntRange(0, 1_000_000), metavar="N",
              help="With --data: show N offending rows of each rule [default: 5].")  # fmt: skip
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="With --data: draw what the rows are like, a page.")  # fmt: skip
@click.option("--against", metavar="WHAT", help="With --html: other data, or a saved profile, to compare with.")
@click.option("--save-profile", "saved", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="With --data: keep what the rows are like as JSON, for --against.")  # fmt: skip
@click.option("--profile", default="default", metavar="NAME",
              help="With --io and --data: the profile [default: default].")  # fmt: skip
@click.option("--bucket", "buckets", multiple=True, help="With --io: a bucket to try. May be repeated.")
@click.option("--dataset", "datasets", multiple=True, help="With --io: a dataset to try. May be repeated.")
@click.option(
    "--local", is_flag=True, help="With --io and --data: take the local stack, whatever io_config.yaml names."
)
@click.option("--json", "as_json", is_flag=True, help="With --io and --data: print one JSON object.")
@project_option
def check(
    project: Project,
    pipelines: Sequence[str],
    of_io: bool,
    data: str | None,
    rules: str | None,
    assignments: Sequence[str],
    rows: int | None,
    html: Path | None,
    against: str | None,
    saved: Path | None,
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

    With --data rows are checked by the rules that a pipeline declares for them. Exit code 0: they hold (or only warn),
    3: one fails.
    """
    if data is not None:
        if pipelines or of_io or buckets or datasets:
            raise UsageError("--data checks data, not a project or its stores", hint="mage-project check --data WHAT")
        from mage_project.cli.data_checks import Asked, check_data
        from mage_project.cli.data_reports import Wanted

        report = Wanted(html=html, saved=saved, against=against)
        asked = Asked(
            data=data,
            rules=rules,
            assignments=assignments,
            profile=profile,
            local=local,
            rows=rows,
            as_json=as_json,
            report=report,
        )
        sys.exit(check_data(project, asked))
    if assignments or any(given is not None for given in (rules, rows, html, saved, against)):
        what = "--rules, --var, --rows, --html, --against and --save-profile go with --data"
        raise UsageError(what, hint="mage-project check --data WHAT")
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

    found: set[Problem] = set()  # what is wrong in a file of the project is wrong for each of its pipelines
    for uuid in pipelines or project.uuids:
        problems = problems_of(project, uuid)
        errors = [problem for problem in problems if problem.fails_a_check]
        found.update(errors)
        click.echo(f"{'✗' if errors else '✓'} {uuid}")
        for problem in problems:
            kind = "error" if problem.fails_a_check else "warning"
            click.echo(f"    {kind}: {problem.message}\n      where: {problem.place(project.root)}")
            if problem.hint:
                click.echo(f"      next:  {problem.hint}")
    if found:
        raise UsageError(f"{len(found)} problem{'s' if len(found) > 1 else ''} found", where=str(project.root))
