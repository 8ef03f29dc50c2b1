"""The commit of the project, and whether its files differ from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: A repository that is slower than this is not waited for.
_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Commit:
    """`dirty`: whether a file of the project that git knows has been changed since."""

    hash: str
    dirty: bool


def commit_of(root: Path) -> Commit | None:
    """The commit that the project in `root` is at; None without git, or a commit, or an answer in time."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    import subprocess

    words = ["git", "-C", str(root), "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", "."]
    # Without the lock git does not write its index: a commit that is made at the same time must not fail for us.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        told = subprocess.run(
            words, env=environment, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    [found] = [line.removeprefix("# branch.oid ") for line in told if line.startswith("# branch.oid ")] or ["(initial)"]
    if found == "(initial)":
        return None
    return Commit(hash=found, dirty=any(not line.startswith("#") for line in told))
