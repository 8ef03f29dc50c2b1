"""Runs every pipeline of the course's module 2, in order, on the sample months, and prints one table.

    python -m taxi.course

The stores are those of the local stack. Exit code: 0, or that of the first pipeline that failed; one that needs
BigQuery is left out where no local BigQuery can run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: In this order: a pipeline reads what those above it wrote.
PIPELINES = (
    "yellow_taxi_to_postgres",
    "yellow_taxi_to_gcs",
    "gcs_to_bigquery",
    "gcs_to_bigquery_by_load_job",
    "taxi_month_to_gcs",
    "taxi_zones",
    "green_taxi_etl",
    "green_taxi_to_three_stores",
    "monthly_zone_revenue",
)
NEED_BIGQUERY = ("gcs_to_bigquery", "gcs_to_bigquery_by_load_job", "green_taxi_to_three_stores")
VARIABLES = ("source=sample_data", "execution_date=2020-10-01")
HEADER = ("", "pipeline", "blocks", "rows in", "rows out", "tests passed", "took")
RUNNER = Path(sys.executable).with_name("mage-project")

Report = dict[str, Any]


def run(pipeline: str) -> tuple[int, Report]:
    """Run one pipeline; its exit code and its report. What it said is shown where it fails."""
    given = [word for variable in VARIABLES for word in ("--var", variable)]
    command = [str(RUNNER), "run", pipeline, "--local", "--json", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    if done.returncode:
        print(f"{pipeline}:\n{done.stderr}{report['error']}", file=sys.stderr)
    return done.returncode, report


def line(report: Report) -> tuple[str, ...]:
    """What the table says of a run: the rows that came in, and those that an exporter wrote, else the last block's."""
    blocks = report["blocks"]
    tests = [test for block in blocks for test in block["tests"]]
    [*_, last] = [block for block in blocks if block["type"] == "data_exporter"] or blocks
    return (
        "✓" if report["status"] == "completed" else "✗",
        report["pipeline"],
        str(len(blocks)),
        _rows(blocks[0]["rows_out"]),
        _rows(last["rows_out"] or last["rows_in"]),
        f"{sum(test['passed'] for test in tests)} of {len(tests)}",
        f"{report['seconds']:.2f} s",
    )


def table(lines: list[tuple[str, ...]]) -> Iterator[str]:
    """The lines in columns below the header; numbers are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(HEADER, *lines, strict=True)]
    for cells in (HEADER, *lines):
        padded = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        yield "  ".join(padded).rstrip()


def has_bigquery() -> bool:
    """Whether a BigQuery is among the local servers that run."""
    done = subprocess.run([str(RUNNER), "local", "env"], stdout=subprocess.PIPE, text=True, check=True)
    return "BIGQUERY_EMULATOR_HOST" in done.stdout


def main() -> int:
    with_bigquery = has_bigquery()
    codes, lines = [], []
    for pipeline in PIPELINES:
        if pipeline in NEED_BIGQUERY and not with_bigquery:
            print(f"{pipeline} is left out: no local BigQuery can run here", file=sys.stderr)
            continue
        print(f"{pipeline}...", file=sys.stderr)
        code, report = run(pipeline)
        codes.append(code)
        lines.append(line(report))
    print("", *table(lines), sep="\n")
    return next(filter(None, codes), 0)


def _rows(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


if __name__ == "__main__":
    sys.exit(main())
