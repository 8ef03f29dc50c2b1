"""Every error that this package raises: what happened, where, what to do next, and the exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MageProjectError(Exception):
    """An error for a person to read. `where` names file and line or pipeline and block; `hint` the next step."""

    exit_code = 1
    #: Whether trying the same thing again can help (a dropped connection), or not (a wrong password).
    transient = False

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        #: The block that is to blame, once the runner knows.
        self.block: str | None = None

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.hint:
            parts.append(f"  next:  {self.hint}")
        return "\n".join(parts)


class UsageError(MageProjectError):
    """The command line asks for something that is not there or cannot be."""

    exit_code = 2


class ConfigError(MageProjectError):
    """A file of the project (YAML, a block, io_config.yaml) is wrong or missing."""

    exit_code = 2


class BlockError(MageProjectError):
    """A block raised, or returned what it must not."""


class TestFailed(MageProjectError):
    """A data-quality test of a block failed."""

    __test__ = False  # pytest must not collect it
    exit_code = 3


class StoreError(MageProjectError):
    """A store (Postgres, GCS, BigQuery) refused, and would again."""


class StoreUnavailable(StoreError):
    """A store cannot be reached or dropped the connection: trying again may help."""

    transient = True


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """The ending ` Did you mean 'x'?` for the option closest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, list(options), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
