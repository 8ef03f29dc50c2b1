"""The command line: words become calls. Only here, and in reporters, is anything printed."""

from mage_project.cli.commands import cli

__all__ = ["cli"]
