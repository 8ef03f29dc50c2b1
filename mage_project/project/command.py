"""The command line that does something with a project, for a person to paste."""

from __future__ import annotations

from pathlib import Path


def command(root: Path, verb: str, name: str, *options: str) -> str:
    """`mage-project VERB NAME`, quoted for a shell, with `--project` where the shell is not in the project's root."""
    import shlex

    project = [] if root == Path.cwd() else ["--project", str(root)]
    return shlex.join(["mage-project", verb, name, *project, *options])
