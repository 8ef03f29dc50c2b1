"""Keeps what goes wrong with one trigger from the others: it is told with the trigger's name, and they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mage_project.errors import HistoryUnavailable, MageProjectError
from mage_project.history.facts import storable
from mage_project.history.schedules import NotLeading
from mage_project.history.stores import Transaction
from mage_project.masking import masked

#: Told of a trigger, by pipeline and name, and what is wrong with it.
Told = Callable[[tuple[str, str], str], None]


@contextmanager
def fenced(key: tuple[str, str], told: Told) -> Iterator[None]:
    """What is done for one trigger. What is wrong with the history, or who leads, is not the trigger's."""
    try:
        yield
    except (HistoryUnavailable, NotLeading):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        told(key, f"{'.'.join(key)}: {words_of(error)}")


@contextmanager
def whole(transaction: Transaction) -> Iterator[None]:
    """Everything that is put down in it, or, when it fails, nothing of it."""
    transaction.run("SAVEPOINT whole")
    try:
        yield
    except (HistoryUnavailable, NotLeading):
        raise
    except Exception:
        transaction.run("ROLLBACK TO SAVEPOINT whole")
        raise
    transaction.run("RELEASE SAVEPOINT whole")


def words_of(error: Exception) -> str:
    """What to say of it: of one that nobody has thought of its type as well."""
    if isinstance(error, (MageProjectError, OSError)):
        return storable(str(error))
    return storable(masked(f"unexpected {type(error).__name__}: {error}"))
