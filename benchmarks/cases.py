"""What is measured: for each amount of data the ways to load it, and the runner's own cost."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import projects
from measure import RunFailed, Variant, measured
from months import MONTH
from server import Server

POSTGRES = "postgres"
CHECKED = "postgres+checks"
BOTH = "postgres+lake"
LAKE = "lake"
PSQL = "psql"
PSQL_BINARY = "psql-binary"
MAGE = "mage"
ONE = "1 block"
HUNDRED = "100 blocks"
LOADING = (POSTGRES, CHECKED, BOTH, LAKE, PSQL, PSQL_BINARY, MAGE)
TRIVIAL = (ONE, HUNDRED)

DESCRIPTIONS = {
    POSTGRES: "`mage-project run`: csv.gz → clean → Postgres",
    CHECKED: "`mage-project run`: csv.gz → clean → Postgres, with 21 checks of the cleaned trips",
    BOTH: "`mage-project run`: csv.gz → clean → Postgres and Parquet by date",
    LAKE: "`mage-project run`: csv.gz → clean → Parquet by date",
    PSQL: "`psql \\copy` of the clean, unpacked CSV",
    PSQL_BINARY: "`psql \\copy` of a pre-encoded binary file",
    MAGE: "`mage run` of the course's blocks: csv.gz → clean → Postgres",
    ONE: "`mage-project run`: a pipeline of one trivial block",
    HUNDRED: "`mage-project run`: a pipeline of 100 trivial blocks",
}

COPIED = "bench.copied"
TEMPLATE = "bench.template"
BY_COURSE = "course.yellow_taxi"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Some data to load, and what is known of it."""

    name: str
    rows: int
    service: str
    months: Sequence[str]
    source: Path


def generated(rows: int, folder: Path) -> Case:
    return Case(name=f"{rows:,} rows", rows=rows, service="yellow", months=[MONTH], source=folder)


def green_quarter(folder: Path) -> Case:
    months = ["2020-10", "2020-11", "2020-12"]
    return Case(name="green 2020-10 to 12", rows=266_855, service="green", months=months, source=folder)


@contextmanager
def loading(
    case: Case, server: Server, folder: Path, wanted: Collection[str]
) -> Iterator[tuple[list[Variant], dict[str, str]]]:
    """The variants that can run, and for those that cannot the reason. The first run of all is not measured.

    That first run fills the caches, makes the clean files for psql, and says how many rows every other must leave.
    """
    loader = Loading(case=case, server=server, folder=folder)
    variants, reasons = loader.ours(), {}
    try:
        loader.prepare(variants[0])
        variants += loader.peers()
    except RunFailed as failure:
        print(f"{failure}\n{failure.said}", file=sys.stderr)
        reasons |= dict.fromkeys(LOADING, f"the runner's first run {failure}")
        del reasons[MAGE]
        variants = []
    mage, missing = loader.mage()
    variants += mage
    try:
        yield [v for v in variants if v.name in wanted], {n: r for n, r in (reasons | missing).items() if n in wanted}
    finally:
        loader.clear()


class Loading:
    """Sets the variants of one case up, and clears them away."""

    def __init__(self, *, case: Case, server: Server, folder: Path) -> None:
        self._case = case
        self._server = server
        self._folder = folder
        self._project = projects.shipped_copy(folder / "project")
        self._kept: int | None = None
        self._table = ""
        server.sql("CREATE SCHEMA IF NOT EXISTS bench")

    def ours(self) -> list[Variant]:
        without = {
            POSTGRES: {projects.TO_LAKE},
            CHECKED: {projects.TO_LAKE},
            BOTH: set(),
            LAKE: {projects.TO_POSTGRES},
        }
        variables = {"service": self._case.service, "months": self._case.months, "source": str(self._case.source)}
        return [
            Variant(
                name=name,
                command=projects.runner("run", self._pipeline(uuid, name, blocks, variables)),
                env=self._server.env,
                folder=self._project,
                before=self._drop_loaded,
                after=self._landed if name != LAKE else lambda: None,
            )
            for uuid, (name, blocks) in zip(
                ("bench_postgres", "bench_checked", "bench_both", "bench_lake"), without.items(), strict=True
            )
        ]

    def _pipeline(self, uuid: str, name: str, without: Collection[str], variables: Mapping[str, object]) -> str:
        checks = projects.CHECKS if name == CHECKED and self._case.service == "yellow" else ()
        return projects.add_pipeline(self._project, uuid, without=without, variables=variables, checks=checks)

    def prepare(self, first: Variant) -> None:
        """Runs the runner once, and writes what it loaded to files for psql. Raises RunFailed."""
        before = self._tables()
        measured(first)
        self._table = (self._tables() - before).pop()
        self._kept = self._server.rows(self._table)
        self._server.sql(
            f"DROP TABLE IF EXISTS {TEMPLATE}",
            f"CREATE TABLE {TEMPLATE} (LIKE {self._table})",
            f"\\copy {self._table} to '{self._clean('csv')}' with (format csv)",
            f"\\copy {self._table} to '{self._clean('bin')}' with (format binary)",
        )

    def peers(self) -> list[Variant]:
        return [
            Variant(
                name=name,
                command=self._server.command(
                    "BEGIN",  # its best form: a table made in the same transaction may need no log
                    f"CREATE TABLE {COPIED} (LIKE {TEMPLATE})",
                    f"\\copy {COPIED} from '{self._clean(ending)}' with (format {form})",
                    "COMMIT",
                ),
                env=self._server.env,
                folder=self._folder,
                before=self._drop_loaded,
                after=self._counts(lambda: COPIED),
            )
            for name, ending, form in ((PSQL, "csv", "csv"), (PSQL_BINARY, "bin", "binary"))
        ]

    def mage(self) -> tuple[list[Variant], dict[str, str]]:
        """Real Mage, where it is installed and the data is what its blocks are written for."""
        command = projects.mage()
        if command is None:
            return [], {MAGE: "not measured: no Mage in MAGE_VENV or .venv-mage (`make mage-venv` makes it)"}
        if self._case.service != "yellow":
            return [], {MAGE: "not measured: the course's blocks here are for yellow months"}
        project = projects.course_copy(self._folder / "course")
        month = self._case.source / "yellow" / f"yellow_tripdata_{self._case.months[0]}.csv.gz"
        own = {"MONTH_FILE": str(month), "HOME": str(self._folder), "MAGE_DATA_DIR": str(self._folder / "mage_data")}
        variant = Variant(
            name=MAGE,
            command=[str(command), "run", str(project), projects.COURSE],
            env={**self._server.env, **own},
            folder=self._folder,
            before=lambda: self._server.drop(BY_COURSE),
            after=self._counts(lambda: BY_COURSE),
        )
        return [variant], {}

    def clear(self) -> None:
        self._server.drop(*filter(None, (COPIED, TEMPLATE, BY_COURSE, self._table)))
        for ending in ("csv", "bin"):
            self._clean(ending).unlink(missing_ok=True)

    def _tables(self) -> set[str]:
        """The tables outside of Postgres's own schemas and the benchmark's, quoted."""
        return set(
            self._server.sql(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN"
                " ('pg_catalog', 'information_schema', 'bench', 'course')"
            ).splitlines()
        )

    def _drop_loaded(self) -> None:
        self._server.drop(*filter(None, (self._table, COPIED, BY_COURSE)))

    def _landed(self) -> None:
        if self._kept is not None:
            self._counts(lambda: self._table)()

    def _counts(self, table: Callable[[], str]) -> Callable[[], None]:
        """Checks that a run left every row, and clears them away. Raises RunFailed."""

        def check() -> None:
            rows = self._server.rows(table())
            if self._kept is not None and rows != self._kept:
                raise RunFailed(f"left {rows:,} rows instead of {self._kept:,}")
            self._server.drop(table())

        return check

    def _clean(self, ending: str) -> Path:
        return self._folder / f"clean.{ending}"


def trivial(folder: Path) -> list[Variant]:
    """The runner's own cost: a cold start with one trivial block, and with a hundred."""
    project = projects.trivial_project(folder / "trivial", sizes=(1, 100))
    return [
        Variant(
            name=name,
            command=projects.runner("run", f"blocks_{size}"),
            env=dict(os.environ),
            folder=project,
        )
        for name, size in ((ONE, 1), (HUNDRED, 100))
    ]
