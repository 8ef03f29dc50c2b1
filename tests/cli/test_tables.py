"""The tables of a run: what blocks say of the rows they dropped and changed, and what checks say of the data."""

from __future__ import annotations

from mage_project.cli.check_tables import check_lines
from mage_project.cli.tables import run_table
from mage_project.quality.results import CheckResult
from mage_project.runner.reasons import Reasons
from mage_project.runner.records import BlockRecord, RunRecord


def shown(*, dropped: Reasons | None = None, changed: Reasons | None = None) -> str:
    block = BlockRecord(uuid="clean", type="transformer", rows_in=1010, rows_out=4)
    block.explain(dropped=dropped or {}, changed=changed or {})
    return run_table(RunRecord(pipeline="p", run_id="r", blocks=[block])).partition("\n\n")[2]


def test_reasons_with_rows_only_are_listed_without_a_header() -> None:
    assert shown(dropped={"few": {"rows": 6}, "none": {"rows": 0}, "many": {"rows": 1000}}) == (
        "dropped by clean\n  1,000  many\n      6  few"
    )


def test_whatever_else_was_added_up_gets_a_column() -> None:
    money: Reasons = {"few": {"rows": 6, "total_amount": -2.5}, "many": {"rows": 1000, "total_amount": 12345.678}}
    assert shown(dropped=money, changed={"rounded": {"rows": 2, "pairs": 1}}) == (
        "dropped by clean\n"
        "   rows  total_amount  reason\n"
        "  1,000     12,345.68  many\n"
        "      6         -2.50  few\n\n"
        "changed by clean\n"
        "  rows  pairs  reason\n"
        "     2      1  rounded"
    )


def test_rows_without_a_reason_are_shown_as_such() -> None:
    assert shown(dropped={"few": {"rows": 6}}) == "dropped by clean\n  1,000  (no reason given)\n      6  few"


def test_values_of_the_data_cannot_move_the_cursor() -> None:
    examples = [{"a\x1b[2J": "\x1b]0;title\x07", "b": "two\nlines"}]
    broken = CheckResult(
        rule="max", name="\x1b[31m", message="\u202e", passed=False, rows=1, failing=1, examples=examples
    )
    said = "\n".join(check_lines(broken))
    assert r"\x1b[2J" in said
    assert r"two\nlines" in said
    assert all(line.isprintable() for line in said.split("\n"))
