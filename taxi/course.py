"""Runs every pipeline of the course's module 2, in order, on the sample months, and prints one table.

    python -m taxi.course [PIPELINE...]

The stores are those of the local stack. Exit code: 0, or that of the first pipeline that failed. Where no local
BigQuery can run, what needs one is left out, which is no failure: the last lines say what, and why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
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
#: Of a pipeline that needs BigQuery for one block only, that block: the others have done their work before it fails.
BLOCK_OF_BIGQUERY = {"taxi_zones": "trips_to_bigquery"}
VARIABLES = ("source=sample_data", "execution_date=2020-10-01")
HEADER = ("", "pipeline", "blocks", "rows in", "rows out", "tests passed", "took")
RUNNER = Path(sys.executable).with_name("mage-project")

Report = dict[str, Any]


def run(pipeline: str) -> tuple[int, Report]:
    """Run one pipeline; its exit code and its report."""
    given = [word for variable in VARIABLES for word in ("--var", variable)]
    command = [str(RUNNER), "run", pipeline, "--local", "--json", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    report["said"] = done.stderr
    return done.returncode, report


def line(report: Report) -> tuple[str, ...]:
    """What the table says of a run: the rows that came in, and those that an exporter wrote, else the last block's."""
    blocks = report["blocks"]
    tests = [test for block in blocks for test in block["tests"]]
    [*_, last] = [block for block in blocks if block["type"] == "data_exporter"] or blocks
    return (
        {"completed": "✓", "partly": "·"}.get(report["status"], "✗"),
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


def lack_of_bigquery() -> str | None:
    """Why no BigQuery is among the local servers; None where one runs."""
    done = subprocess.run([str(RUNNER), "local", "status"], stdout=subprocess.PIPE, text=True, check=True)
    [status] = [line for line in done.stdout.splitlines() if line.startswith("bigquery")]
    return None if " running " in status else status.partition("unavailable: ")[2] or "it does not run"


def is_done_but_for_bigquery(report: Report) -> bool:
    """Whether nothing has failed but the one block of the pipeline that needs BigQuery."""
    left_out = BLOCK_OF_BIGQUERY.get(report["pipeline"])
    return all(
        block["status"] == ("failed" if block["uuid"] == left_out else "completed") for block in report["blocks"]
    )


def main(pipelines: Sequence[str]) -> int:
    lack = lack_of_bigquery()
    codes, lines, left_out = [], [], []
    for pipeline in pipelines:
        if lack and pipeline in NEED_BIGQUERY:
            left_out.append(pipeline)
            continue
        print(f"{pipeline}...", file=sys.stderr)
        code, report = run(pipeline)
        if code and lack and is_done_but_for_bigquery(report):
            left_out.append(f"{BLOCK_OF_BIGQUERY[pipeline]} of {pipeline}")
            code, report["status"] = 0, "partly"
        if code:
            print(f"{pipeline}:\n{report['said']}{report['error']}", file=sys.stderr)
        codes.append(code)
        lines.append(line(report))
    print("", *table(lines), sep="\n")
    if left_out:
        print(f"\nLeft out, because no local BigQuery can run here ({lack}):", *left_out, sep="\n  ")
    return next(filter(None, codes), 0)


def _rows(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or PIPELINES))
