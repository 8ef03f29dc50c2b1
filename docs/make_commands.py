"""Writes docs/commands.md from what the commands say of themselves: `python docs/make_commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mage_project.cli.commands import cli

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 100
HEAD = """# Commands

Made from `--help` by `docs/make_commands.py`. `python -m mage_project` is the same command.
[All pages](../README.md#pages)
"""


def page() -> str:
    """The page's text."""
    sections = [f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n" for context in every_command()]
    return "\n".join([HEAD, *sections])


def every_command() -> list[click.Context]:
    """`mage-project` and all below it."""
    root = click.Context(cli, info_name="mage-project", terminal_width=WIDTH, help_option_names=["-h", "--help"])
    return list(_with_subcommands(root))


def _with_subcommands(context: click.Context) -> Iterator[click.Context]:
    """The command's own context and, after it, those of its subcommands."""
    yield context
    group = context.command
    names = group.list_commands(context) if isinstance(group, click.Group) else []
    for name in names:
        command = group.get_command(context, name)
        yield from _with_subcommands(click.Context(command, info_name=name, parent=context, terminal_width=WIDTH))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
