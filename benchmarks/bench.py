"""Measures the runner against psql and real Mage, and writes RESULTS.md. A missed target is a finding, not a failure.

python benchmarks/bench.py                          # everything, some 40 minutes
python benchmarks/bench.py --only postgres,psql     # two variants
python benchmarks/bench.py --quick                  # 200,000 rows, three runs: does it work at all?
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cases
import projects
import report
from measure import Series, interleaved
from months import DATA
from server import Server, serving

RESULTS = Path(__file__).parent / "RESULTS.md"
BUSY = 0.5
QUICK_ROWS = (200_000,)
ROWS = (1_400_000, 7_700_000)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    rows: tuple[int, ...]
    runs: int
    only: frozenset[str]
    quick: bool
    out: Path


def main() -> int:
    wanted = command_line()
    DATA.mkdir(exist_ok=True)
    notes: list[str] = []
    if wanted.runs < 5:
        notes.append(f"A quick look: medians of {wanted.runs} runs only.")
    if (load := os.getloadavg()[0]) > BUSY:
        notes.append(f"The machine was busy at the start (load average {load:.1f}): measure again when it is idle.")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=DATA) as scratch:
        results, postgres = all_results(wanted, Path(scratch), notes)
    page = report.markdown(results, notes=notes, postgres=postgres)
    wanted.out.write_text(page)
    print(f"\n{page}\nwritten to {wanted.out}")
    return 1 if any(is_failure(series) for variants in results.values() for series in variants.values()) else 0


def is_failure(series: Series) -> bool:
    return series.trouble is not None and not series.trouble.startswith("not measured")


def command_line() -> Wanted:
    names = [*cases.LOADING, *cases.TRIVIAL]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--runs", type=int, help="of each variant (default: 5)")
    parser.add_argument("--rows", help="sizes of the generated months (default: 1400000,7700000)")
    parser.add_argument("--quick", action="store_true", help="a small month, three runs, no real months")
    parser.add_argument("--out", type=Path, help="where the page goes (default: benchmarks/RESULTS.md)")
    asked = parser.parse_args()
    only = {name.strip() for word in asked.only for name in word.split(",")}
    if unknown := only - set(names):
        parser.error(f"no variant is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    rows = tuple(int(size) for size in asked.rows.split(",")) if asked.rows else ROWS
    return Wanted(
        rows=QUICK_ROWS if asked.quick and not asked.rows else rows,
        runs=asked.runs or (3 if asked.quick else 5),
        only=frozenset(only or names),
        quick=asked.quick,
        out=asked.out or (DATA / "RESULTS-quick.md" if asked.quick else RESULTS),
    )


def all_results(wanted: Wanted, scratch: Path, notes: list[str]) -> tuple[dict[str, dict[str, Series]], str]:
    results: dict[str, dict[str, Series]] = {}
    postgres = "no Postgres"
    if wanted.only & set(cases.LOADING):
        with serving(DATA, projects.shipped_buckets()) as server:
            postgres = f"PostgreSQL {server.sql('SHOW server_version')}"
            if not server.has_psql:
                notes.append("No psql was found: its rows are psycopg2's `copy_expert` in a process of its own.")
            for case in data_cases(wanted, notes):
                results[case.name] = load(case, server, scratch, wanted)
    if wanted.only & set(cases.TRIVIAL):
        print(report.TRIVIAL, flush=True)
        variants = [variant for variant in cases.trivial(scratch) if variant.name in wanted.only]
        results[report.TRIVIAL] = interleaved(variants, 2 * wanted.runs, tell)
    return results, postgres


def data_cases(wanted: Wanted, notes: list[str]) -> list[cases.Case]:
    """The months to load; generated ones are made by a process of their own, so that this one stays small."""
    found = [cases.generated(rows, made_month(rows)) for rows in wanted.rows]
    real = projects.real_months()
    if wanted.quick:
        return found
    if real is None:
        notes.append("The real green quarter was not measured: no months below TAXI_DATA or `../shared/data`.")
        return found
    return [*found, cases.green_quarter(real)]


def made_month(rows: int) -> Path:
    """The folder of the generated month, in the releases' layout."""
    command = [sys.executable, str(Path(__file__).with_name("months.py")), "--rows", str(rows)]
    path = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return Path(path).parent.parent


def load(case: cases.Case, server: Server, scratch: Path, wanted: Wanted) -> dict[str, Series]:
    """Every wanted variant on one amount of data."""
    print(case.name, flush=True)
    folder = scratch / f"{case.service}-{case.rows}"
    folder.mkdir()
    with cases.loading(case, server, folder, wanted.only) as (variants, reasons):
        series = interleaved(variants, wanted.runs, tell)
    return series | {name: Series(name=name, trouble=reason) for name, reason in reasons.items()}


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
