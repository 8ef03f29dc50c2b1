"""The checks of a block in a run: its rules on the rows that pass, and a file of those that break one."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project.history import private
from mage_project.project import Block
from mage_project.project.command import command
from mage_project.runner.blame import RAISED, block_error, misuse
from mage_project.runner.channel import StreamBroken

if TYPE_CHECKING:
    import pyarrow as pa

    from mage_project.quality.results import CheckResult
    from mage_project.quality.rules import Rule
    from mage_project.runner.run import Run

#: Rows that break a rule which are kept for a look, at most; and those that the command shows which is told.
KEPT_ROWS = 1_000
SHOWN_ROWS = 50
#: Runs of a pipeline whose rows are kept.
KEPT_RUNS = 50


def checked(block: Block, run: Run, frames: Iterable[Any]) -> list[CheckResult]:
    """The results of the block's rules on the frames, when all of them have passed.

    Raises BlockError for a rule that cannot be evaluated: a column is not there, or holds something else.
    """
    from mage_project.quality.engine import Checks
    from mage_project.quality.references import References

    moment = run.variables["execution_date"]
    checks = Checks(
        [rule for rule in block.checks if rule.is_for(run.variables)],
        reference=References(run.pipeline.root),
        now=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
        kept=KEPT_ROWS,
        keep=partial(_keep, run, block),
    )
    try:
        for frame in frames:
            checks.take(frame)
        return checks.results()
    except StreamBroken:
        raise
    except RAISED as error:
        raise block_error(block, error) from error
    finally:
        checks.close()


def only_frame(block: Block, given: Sequence[Any]) -> Any:
    """The one frame that a rule can be about. Raises BlockError for none or several."""
    from mage_project.io.frames import is_frame

    if len(given) == 1 and is_frame(given[0]):
        return given[0]
    what = "takes" if block.type == "data_exporter" else "returned"
    kinds = ", ".join(type(value).__name__ for value in given) or "nothing"
    raise misuse(
        block,
        f"block '{block.uuid}' has checks, which are about the rows of one frame, and {what} {kinds}",
        "declare the checks at a block with one frame, or take `checks` off",
    )


def _keep(run: Run, block: Block, rule: Rule, rows: pa.Table) -> str | None:
    """Write the rows beside the run, and say how to look at them. A full disk costs the rows, never the run."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = run.pipeline.root
    runs = root / ".mage_project" / "failed_rows" / run.pipeline.uuid
    path = runs / run.record.run_id / _slug(block.uuid) / f"{_slug(rule.name)}.parquet"
    with suppress(OSError, pa.ArrowException):
        private.folder(path.parent)
        for old in sorted(runs.iterdir())[:-KEPT_RUNS]:  # their names begin with the time
            shutil.rmtree(old, ignore_errors=True)
        pq.write_table(rows, private.file(path))
        return command(root, "check", f"--data={path.relative_to(root)}", "--rows", str(SHOWN_ROWS))
    return None


def _slug(name: str) -> str:
    """A file's name for a rule: its words, and where they are cut short what tells it from another one."""
    words = re.sub(r"\W+", "_", name).strip("_")
    return words if len(words) <= 60 else f"{words[:50]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
