"""`--debug`: the debugger in the terminal of a run, or a word on why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from mage_project.errors import UsageError
from mage_project.runner import debugging
from mage_project.runner.reporting import Reporter


def check(*, as_json: bool = False) -> None:
    """Raise UsageError where nobody could debug, before anything runs."""
    if as_json:
        raise UsageError("--debug talks to a person, and --json to a program", hint="give one of them")
    if not debugging.has_terminal():
        raise UsageError(
            "--debug needs a terminal, and input or output is none", hint="run it without a pipe or a file"
        )


@contextmanager
def debugged(reporter: Reporter, *, after_failures: bool) -> Iterator[None]:
    """Inside, `breakpoint()` opens the debugger, and with `after_failures` a failure does."""
    paused = getattr(reporter, "paused", nullcontext)
    with debugging.enabled(paused=paused, said=reporter.said, after_failures=after_failures):
        yield
