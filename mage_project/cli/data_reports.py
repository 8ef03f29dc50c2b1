"""What `mage-project check --data` writes beside its verdict: the report as a page, and the profile to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mage_project.errors import UsageError
from mage_project.project import Project

if TYPE_CHECKING:
    import pyarrow as pa

    from mage_project.quality.report import Profile, Profiler
    from mage_project.quality.results import CheckResult
    from mage_project.quality.rules import Rule


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`html` and `saved` are files to write. `against` is an address, or a file that was saved before."""

    html: Path | None = None
    saved: Path | None = None
    against: str | None = None

    def __bool__(self) -> bool:
        return self.html is not None or self.saved is not None


class Report:
    """Looks at the rows while they are checked. It costs nothing where none is wanted."""

    def __init__(self, project: Project, wanted: Wanted, *, data: str, profile: str) -> None:
        """`profile` is the one of io_config.yaml. Raises UsageError for what cannot be, before any row is read."""
        if wanted.against is not None and wanted.html is None:
            raise UsageError("--against goes with --html", hint="mage-project check --data WHAT --html report.html")
        for path in (wanted.html, wanted.saved):
            if path is not None and not path.parent.is_dir():
                raise UsageError(f"there is no folder {path.parent} for {path.name}")
        self._project, self._wanted, self._data, self._io_profile = project, wanted, data, profile
        self._profiler = _profiler() if wanted else None

    def watched(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The tables, looked at as they pass."""
        for table in tables:
            if self._profiler is not None:
                self._profiler.add(table)
            yield table

    def write(self, results: Sequence[CheckResult], rules: Sequence[Rule]) -> None:
        """Write what is wanted, and say where. Raises StoreError where a file cannot be written."""
        if self._profiler is None:
            return
        from mage_project.quality.report import keeping, page

        profile = self._profiler.finish()
        if self._wanted.saved is not None:
            keeping.keep(profile, self._wanted.saved)
            click.echo(f"profile: {self._wanted.saved}", err=True)
        if self._wanted.html is not None:
            before = None if self._wanted.against is None else self._before(self._wanted.against)
            named = self._wanted.against or ""
            html = page(profile, results, title=self._data, before=before, before_title=named, rules=rules)
            keeping.write(self._wanted.html, html)
            click.echo(f"report: {self._wanted.html}", err=True)

    def _before(self, against: str) -> Profile:
        """The profile of the data to compare with."""
        from mage_project.quality.report import profile
        from mage_project.quality.report.keeping import kept
        from mage_project.quality.sources import tables

        known = kept(self._project.root / against)
        return known or profile(tables(against, self._project.root, self._io_profile))


def _profiler() -> Profiler:
    from mage_project.quality.report import Profiler

    return Profiler()
