"""Runs other people's Mage projects: every pipeline about taxis, or any, on local stores, without the internet.

    python tests/conformance/projects.py PROJECTS TAXI_FILES [--project NAME] [--all] [--mage VENV] [--out REPORT.md]

PROJECTS is a folder with Mage projects anywhere in it; nothing is written there. What they ask of the web is answered
from the folder TAXI_FILES, where another month of the same service stands in for one that is not there. With --mage
the same projects also run in real Mage, and what both leave in their stores is compared.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.conformance.answering import answered
from tests.conformance.found import FoundProject, projects_below
from tests.conformance.found_report import Row, as_markdown, as_text
from tests.conformance.found_runs import Copy, OurRuns
from tests.conformance.mage_side import MageRuns
from tests.conformance.runners import our_commands
from tests.conformance.taxi_files import TaxiFiles


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    files: TaxiFiles
    scratch: Path
    pipeline: str | None
    of_all_kinds: bool
    mage: Path | None
    timeout_s: float
    variables: Mapping[str, str]

    def rows(self, project: FoundProject) -> Iterator[Row]:
        """Run the project's pipelines one after another, in both where there is a real Mage."""
        pipelines = project.pipelines(of_all_kinds=self.of_all_kinds)
        pipelines = [pipeline for pipeline in pipelines if self.pipeline in (None, pipeline.uuid)]
        if not pipelines:
            return
        folder = self.scratch / project.name.replace("/", "+")
        with ExitStack() as opened:
            ours = OurRuns(commands=our_commands(), copy=self._copy(project, folder / "ours", opened))
            mage = self.mage and MageRuns(commands=self.mage / "bin", copy=self._copy(project, folder / "mage", opened))
            for pipeline in pipelines:
                run = ours.run(pipeline, look=bool(mage))
                beside = mage.run(pipeline) if mage else None
                yield Row(project=project.name, pipeline=pipeline.uuid, ours=run, mage=beside)
        shutil.rmtree(folder)

    def _copy(self, project: FoundProject, folder: Path, opened: ExitStack) -> Copy:
        folder.mkdir(parents=True)
        web = opened.enter_context(answered(self.files, folder, tokens=folder.name == "mage"))
        copy = Copy.of(project, folder, web, timeout_s=self.timeout_s, variables=self.variables)
        opened.callback(copy.stack.down, force=True)
        return copy


def main() -> int:
    words = _parser().parse_args()
    found = [project for project in projects_below(words.projects) if words.project in project.name]
    with tempfile.TemporaryDirectory(prefix="projects") as scratch:
        (made := Path(scratch) / "made").mkdir()
        wanted = Wanted(
            files=TaxiFiles(words.files, made),
            scratch=Path(scratch),
            pipeline=words.pipeline,
            of_all_kinds=words.all,
            mage=words.mage,
            timeout_s=words.timeout,
            variables=dict(words.var),
        )
        with ThreadPoolExecutor(words.jobs) as pool:
            each_by_each = map if words.jobs == 1 else pool.map  # the first is stopped by one Ctrl-C
            rows = [row for each in each_by_each(lambda project: _told(wanted.rows(project)), found) for row in each]
    report = as_markdown(rows)
    print(report)
    if words.out:
        words.out.write_text(report)
    return 0 if all(row.ours.cause is None for row in rows) else 1


def _told(rows: Iterator[Row]) -> list[Row]:
    kept = []
    for row in rows:
        print(as_text(row), file=sys.stderr, flush=True)
        kept.append(row)
    return kept


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("projects", type=Path, help="the folder with the projects")
    parser.add_argument("files", type=Path, help="the folder with the taxi files")
    parser.add_argument("--project", default="", help="only projects with this in their path")
    parser.add_argument("--pipeline", help="only pipelines of this name")
    parser.add_argument("--all", action="store_true", help="also pipelines that are not about taxis")
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=lambda word: word.split("=", 1),
        help="for every pipeline, as execution_date=2024-01-15 where blocks choose their month by it",
    )
    parser.add_argument(
        "--mage",
        type=lambda folder: Path(folder).absolute(),
        metavar="VENV",
        help="compare with the real Mage in this environment",
    )
    parser.add_argument("--jobs", type=int, default=1, help="projects at a time [default: 1]")
    parser.add_argument(
        "--timeout", type=float, default=300, metavar="SECONDS", help="for each pipeline [default: 300]"
    )
    parser.add_argument("--out", type=Path, metavar="REPORT.md", help="write the report there, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
