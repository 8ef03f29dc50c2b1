"""A block's `@test` functions: run on what the block returned, every one of them, then one verdict with its checks."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mage_project.errors import TestFailed
from mage_project.project import Block
from mage_project.runner import debugging
from mage_project.runner.blame import RAISED, block_error, place_of, root_of, text_of
from mage_project.runner.calls import call
from mage_project.runner.channel import StreamBroken
from mage_project.runner.records import TestRecord

if TYPE_CHECKING:
    from mage_project.quality.results import CheckResult


def run_test(
    block: Block,
    function: Callable[..., Any],
    inputs: Sequence[Any],
    keywords: Mapping[str, Any],
    record: TestRecord,
) -> None:
    """Run one test and note the result. An assertion that fails is noted; any other error is the block's."""
    record.where = place_of(function, root_of(block))
    try:
        said = call(function, inputs, keywords)
    except AssertionError as error:
        record.ran, record.passed = True, False
        record.message = text_of(error) or _failing_line(error)
        debugging.look(block, error)
    except StreamBroken:
        raise
    except RAISED as error:
        doing = f"test '{function.__name__}' could not be run"
        raise block_error(block, error, doing=doing, calling=function) from error
    else:
        record.ran = True
        if isinstance(said, str) and record.passed:
            record.message = said


def verdict(block: Block, records: Iterable[TestRecord], checks: Iterable[CheckResult] = ()) -> None:
    """`TestFailed` naming every failed test and check, if there is one."""
    failed = [record for record in records if not record.passed]
    broken = [check for check in checks if check.failed]
    if failed or broken:
        tests = [f"test '{record.name}' failed: {record.message}" for record in failed]
        what = "; ".join([*tests, *(f"check '{check.name}' failed: {check.message}" for check in broken)])
        where = ", ".join([f"block '{block.uuid}'", *(record.where for record in failed if record.where)])
        error = TestFailed(what, where=where, hint=next((check.more for check in broken if check.more), None))
        error.block = block.uuid
        raise error


def _failing_line(error: AssertionError) -> str:
    """A bare `assert` says nothing, so its line has to."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].line} (line {frames[-1].lineno})" if frames else "assertion failed"
