"""The command line that does something with a project, for a person to paste."""

from __future__ import annotations

from pathlib import Path


def command(root: Path, verb: str, name: str, *options: str, env: str | None = None) -> str:
    """`mage-project VERB NAME`, quoted for a shell, with `--project` where the shell is not in the project's root.

    `env`: what ENV has to be, where it may be another one in the shell.
    """
    import shlex

    project = [] if root == Path.cwd() else ["--project", str(root)]
    words = shlex.join(["mage-project", verb, name, *project, *options])
    return f"ENV={shlex.quote(env)} {words}" if env else words
