"""Every error that this package raises: what happened, where, what to do next, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from mage_project.masking import masked


class MageProjectError(Exception):
    """An error for a person to read. `where` names file and line or pipeline and block; `hint` the next step.

    Secrets that are known are hidden in all of them. Its notes say what has become of the stores.
    """

    exit_code = 1
    #: Whether trying the same thing again can help (a dropped connection), or not (a wrong password).
    transient = False

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = masked(what)
        self.where = where and masked(where)
        self.hint = hint and masked(hint)
        super().__init__(self.what)
        #: The block that is to blame, once the runner knows.
        self.block: str | None = None
        #: Whether there is nothing to load yet: the class of what a block raised has `not_published = True`.
        self.not_published = False

    def within(self, root: Path) -> Self:
        """The same error, with the paths of its place as they are from the project's root."""
        self.where = self.where and self.where.replace(f"{root}/", "")
        return self

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        parts += [f"  state: {masked(note)}" for note in getattr(self, "__notes__", ())]
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


class HistoryUnavailable(MageProjectError):
    """The history of runs cannot be opened, read or written. No run fails for it."""


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """The ending ` Did you mean 'x'?` for the option closest to `name`, or an empty string."""
    meant = closest(name, options)
    return f" Did you mean '{meant}'?" if meant else ""


def closest(name: str, options: Iterable[str]) -> str | None:
    """The option that `name` is most like, small letters or capitals; None if it is like none of them."""
    import difflib  # only after a mistake

    by_folded = {option.casefold(): option for option in options}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None
