"""What a run did: one record a block, one a run, and the JSON that `--json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mage_project.runner.origins import File, add_files, columns_of, files_of
from mage_project.runner.reasons import Reasons, add

if TYPE_CHECKING:
    from mage_project.quality.results import CheckResult

Status = Literal[
    "pending", "running", "completed", "failed", "cancelled", "skipped", "condition_failed", "upstream_failed"
]


@dataclass(kw_only=True)
class TestRecord:
    """One `@test` function: whether it has run on all that it is about, whether it passed, and what it said."""

    __test__ = False

    name: str
    ran: bool = False
    passed: bool = True
    message: str | None = None
    where: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "passed": self.passed, "message": self.message}


@dataclass(kw_only=True)
class BlockRecord:
    """One block of a run. Rows are None where the values are not counted in rows; seconds are wall time.

    Bytes are what frames and tables take in memory. `dropped` and `changed` are what the block says of rows that it
    left out, and of rows in which it changed something: figures for each reason. `files` are those that a block without
    rows coming in has read, as it describes them; `written` is what connectors have committed, by name, and
    `published` what the block has written without one, as it says.

    `peak_rss_bytes` is the most that the process held while the block ran, `beside` the blocks that ran in this time as
    well: then it is theirs together, and `cpu_seconds` are those of the block's own threads. `spilled_bytes` of its
    output waited on disk.

    A block that ran once for each item of a dynamic one has a record for each of these runs in `children`, and is
    itself their sum.
    """

    uuid: str
    type: str
    status: Status = "pending"
    rows_in: int | None = None
    rows_out: int | None = None
    rows_written: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    dropped: Reasons = field(default_factory=dict)
    changed: Reasons = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int | None = None
    spilled_bytes: int = 0
    beside: list[str] = field(default_factory=list)
    tests: list[TestRecord] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    error: str | None = None
    children: list[BlockRecord] | None = None
    by_uuid: dict[str, BlockRecord] = field(default_factory=dict, repr=False)

    def reset(self) -> None:
        """Back to the start, for another attempt."""
        self.status, self.rows_in, self.rows_out, self.seconds, self.cpu_seconds = "pending", None, None, 0.0, 0.0
        self.dropped, self.changed, self.tests, self.error, self.rows_written = {}, {}, [], None, None
        self.checks, self.files, self.columns, self.written = [], [], {}, []
        self.bytes_in, self.bytes_out = None, None

    def count_in(self, rows: int | None, size_bytes: int | None) -> None:
        self.rows_in, self.bytes_in = _sum(self.rows_in, rows), _sum(self.bytes_in, size_bytes)

    def count_out(self, rows: int | None, size_bytes: int | None) -> None:
        self.rows_out, self.bytes_out = _sum(self.rows_out, rows), _sum(self.bytes_out, size_bytes)

    def explain(self, *, dropped: Reasons, changed: Reasons) -> None:
        add(self.dropped, dropped)
        add(self.changed, changed)

    def describe(self, output: Any) -> None:
        """Note what an output, or a batch of it, says of the files it is of, and its columns."""
        self.columns = self.columns or columns_of(output)
        if self.rows_in is None:
            add_files(self.files, files_of(output))

    def wrote(self, what: str) -> None:
        """Note what the block says that it has written by itself: it is there, whatever becomes of the run."""
        if what not in self.published:
            self.published.append(str(what))

    def new_child(self, name: str) -> BlockRecord:
        """The record of one more run of a dynamic child, with a name of its own."""
        uuid = f"{self.uuid}:{name}"
        uuid = uuid if uuid not in self.by_uuid else f"{uuid}:{len(self.by_uuid)}"
        return self.adopt(BlockRecord(uuid=uuid, type=self.type))

    def adopt(self, child: BlockRecord) -> BlockRecord:
        """Have it among the children."""
        self.children = self.children if self.children is not None else []
        self.children.append(child)
        self.by_uuid[child.uuid] = child
        return child

    def gather(self, seconds: float) -> None:
        """Become the sum of the children, who took so long together. Tests of one name are one; checks stay theirs."""
        children = self.children or []
        names = self.by_uuid.keys()
        for child in children:
            self.count_in(child.rows_in, child.bytes_in)
            self.count_out(child.rows_out, child.bytes_out)
            self.rows_written = _sum(self.rows_written, child.rows_written)
            self.explain(dropped=child.dropped, changed=child.changed)
            add_files(self.files, child.files)
            self.columns, self.written = self.columns or child.columns, [*self.written, *child.written]
            self.published = [*self.published, *child.published]
            self.cpu_seconds += child.cpu_seconds
            self.beside = sorted({*self.beside, *child.beside} - names)
            self.peak_rss_bytes = max(self.peak_rss_bytes or 0, child.peak_rss_bytes or 0)
            self.error = self.error or child.error
        self.seconds = seconds
        self.tests = _together([child.tests for child in children])
        self.status = _status_of(children)

    def as_dict(self) -> dict[str, Any]:
        return {
            "uuid": self.uuid,
            "type": self.type,
            "status": self.status,
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "rows_written": self.rows_written,
            "dropped": self.dropped,
            "changed": self.changed,
            "files": self.files,
            "columns": self.columns,
            "written": [*self.written, *self.published],
            "seconds": round(self.seconds, 4),
            "cpu_seconds": round(self.cpu_seconds, 4),
            "peak_rss_bytes": self.peak_rss_bytes,
            "spilled_bytes": self.spilled_bytes,
            "beside": self.beside,
            "tests": [test.as_dict() for test in self.tests if test.ran],
            "checks": [check.as_dict() for check in self.checks],
            "error": self.error,
            "children": None if self.children is None else [child.as_dict() for child in self.children],
        }


def _status_of(children: Sequence[BlockRecord]) -> Status:
    going = {child.status for child in children} - {"condition_failed"}
    if "failed" in going:
        return "failed"
    if going & {"pending", "running"}:  # the run was stopped
        return "running"
    return "completed" if going or not children else "condition_failed"


def _sum(so_far: int | None, more: int | None) -> int | None:
    return so_far if more is None else (so_far or 0) + more


def _together(each: Sequence[Sequence[TestRecord]]) -> list[TestRecord]:
    """The tests of several runs of one block: one has passed if it has in every run."""
    found: list[TestRecord] = []
    for tests in each:
        for place, test in enumerate(tests):
            if place == len(found):
                found.append(TestRecord(name=test.name))
            whole = found[place]
            if whole.passed:
                whole.passed, whole.message = test.passed, test.message
            whole.ran = whole.ran or test.ran
    return found


@dataclass(kw_only=True)
class RunRecord:
    """One run of a pipeline."""

    pipeline: str
    run_id: str
    blocks: list[BlockRecord]
    status: Literal["running", "completed", "sampled", "failed", "not_published"] = "running"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int = 0
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    exit_code: int = 0
    #: The command that goes on with a run that failed.
    resume: str | None = None

    @property
    def every(self) -> list[BlockRecord]:
        """The records of all blocks, then those of the runs of dynamic children."""
        return [*self.blocks, *(child for record in self.blocks for child in record.children or ())]

    def block(self, uuid: str) -> BlockRecord:
        """The record of a block, or of a run of a dynamic child; there may be thousands of those."""
        found = (record if record.uuid == uuid else record.by_uuid.get(uuid) for record in self.blocks)
        return next(record for record in found if record is not None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "seconds": round(self.seconds, 4),
            "cpu_seconds": round(self.cpu_seconds, 4),
            "peak_rss_bytes": self.peak_rss_bytes,
            "blocks": [block.as_dict() for block in self.blocks],
            "warnings": self.warnings,
            "error": self.error,
            "resume": self.resume,
        }
