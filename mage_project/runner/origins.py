"""Where the rows of a block come from, and what columns they have: for the receipt of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mage_project.history.facts import without_secrets
from mage_project.runner.values import is_frame

#: What a file is described by: name, size, ETag, checksum, rows, whatever the block knows.
File = dict[str, Any]


def files_of(value: Any) -> list[File]:
    """The files that a frame says its rows are of: dicts in `attrs["files"]`, here without secrets."""
    said = value.attrs.get("files") if is_frame(value) else None
    return [without_secrets(file) for file in said if isinstance(file, dict)] if isinstance(said, list) else []


def columns_of(value: Any) -> dict[str, str]:
    """The columns of a frame with their types; none of anything else."""
    return {str(name): str(dtype) for name, dtype in value.dtypes.items()} if is_frame(value) else {}


def add_files(so_far: list[File], more: Sequence[File]) -> None:
    """Add the files of one more batch. Rows of a file that is there already are added to its own."""
    for file in more:
        for known in so_far:
            if _without_rows(known) == _without_rows(file):
                known["rows"] = known.get("rows", 0) + file.get("rows", 0)
                break
        else:
            so_far.append(dict(file))


def _without_rows(file: File) -> File:
    return {name: value for name, value in file.items() if name != "rows"}
