"""What blocks written for older pandas ask of it, done by the pandas that is installed: while a run lasts.

Only what would be an error otherwise is answered: whatever pandas itself understands is left to it. Each answer is a
warning that names the line and what to write instead. The exceptions are the types of texts and times, which are
inferred as in Mage's pandas.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mage_project.standins.patches import Patches

__all__ = ["understood"]


@contextmanager
def understood() -> Iterator[None]:
    """Inside, pandas has the names and arguments back that it dropped, and infers the types that it did."""
    patches = Patches()
    try:
        patches.when_imported("pandas", _answer)
        patches.begin()
        yield
    finally:
        patches.end()


def _answer(pandas: object, patches: Patches) -> None:
    from mage_project.standins.old_pandas import arguments, frequencies, groups, names, texts, times, widening

    for part in (names, arguments, frequencies, groups, texts, times, widening):
        part.patch(pandas, patches)
