"""Where the project is that the blocks of this process belong to."""

from __future__ import annotations

import os
from pathlib import Path

_repo_path: str | None = None


def repo_path() -> str:
    """The absolute path of the project's folder: what `set_repo_path` said last, else the current folder."""
    return _repo_path or str(Path.cwd())


def set_repo_path(path: str | os.PathLike[str] | None) -> None:
    """Say where the project is; None goes back to the current folder."""
    global _repo_path
    _repo_path = str(Path(path).absolute()) if path is not None else None
