"""Looks at what event triggers watch, from threads of its own: the scheduler waits for no address."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mage_project.masking import masked
from mage_project.project.model import Watch
from mage_project.schedule.catalogue import Entry
from mage_project.schedule.fences import words_of
from mage_project.schedule.watch import folders, objects
from mage_project.schedule.watch.addresses import Address, addresses
from mage_project.schedule.watch.folders import SETTLED_S, Unsettled
from mage_project.schedule.watch.sightings import CannotLook, Sighting

#: Triggers that are looked after at once.
_MOST = 4


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at all addresses of a trigger has found; `troubles` are those that could not be told of."""

    entry: Entry
    sightings: Sequence[Sighting]
    troubles: Sequence[str] = ()
    settled: bool = True


class Lookout:
    """The looks of one scheduler: each trigger is looked after when its `poll_interval` has passed."""

    def __init__(self, root: Path, *, local: bool) -> None:
        self._root, self._local = root, local
        self._pool: ThreadPoolExecutor | None = None
        self._going: dict[tuple[str, str], Future[Look]] = {}
        self._next: dict[tuple[str, str], float] = {}
        self._watching: dict[tuple[str, str], Entry] = {}
        #: What the history knows already.
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def begin(self, entries: Iterable[Entry], today: date) -> None:
        """Begin the looks that it is time for."""
        now = time.monotonic()
        self._watching = watching = {entry.key: entry for entry in entries if entry.is_watching}
        for key in self._next.keys() - watching.keys():  # switched off: it begins anew
            del self._next[key]
            self._known.pop(key, None)
        for key, entry in watching.items():
            if key not in self._going and self._next.get(key, now) <= now:
                self._next[key] = now + _watch_of(entry).poll_interval_s
                self._going[key] = self._threads().submit(look, self._root, entry, today, local=self._local)

    def take(self) -> list[Look]:
        """The looks that are over, of triggers that still watch the same."""
        over = [future.result() for future in self._going.values() if future.done()]
        for each in over:
            del self._going[each.entry.key]
            if not each.settled:
                self._next[each.entry.key] = time.monotonic() + SETTLED_S
        return [each for each in over if self._is_of_now(each.entry)]

    def fresh(self, found: Look) -> list[Sighting]:
        """What of it the history does not know yet, or may not know."""
        known = self._known.get(found.entry.key, frozenset())
        return [each for each in found.sightings if each.key not in known]

    def noted(self, looks: Iterable[Look]) -> None:
        """The history knows of them from now on."""
        for each in looks:
            if not each.troubles:
                self._known[each.entry.key] = frozenset(sighting.key for sighting in each.sightings)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_of_now(self, entry: Entry) -> bool:
        now = self._watching.get(entry.key)
        return now is not None and now.schedule == entry.schedule

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="lookout")
        return self._pool


def look(root: Path, entry: Entry, today: date, *, local: bool) -> Look:
    """Look at everything that the trigger watches."""
    sightings: list[Sighting] = []
    troubles: list[str] = []
    settled = True
    watch = _watch_of(entry)
    name = f"{entry.pipeline}.{entry.trigger.name}"
    try:
        places = [each for text in watch.addresses for each in addresses(text, today, watch.lookback)]
    except ValueError as error:  # the way in which a date is to be written
        return Look(entry=entry, sightings=[], troubles=[f"{name} watches what is no address: {error}"])
    for address in places:
        try:
            sightings += _seen(root, address, local=local)
        except Unsettled as error:
            sightings += error.sightings
            settled = False
        except CannotLook as error:
            troubles.append(f"{name} cannot look at {error}")
        except Exception as error:  # noqa: BLE001 - nobody hears of it in a thread
            troubles.append(f"{name} cannot look at {masked(address.text)}: {words_of(error)}")
    return Look(entry=entry, sightings=sightings, troubles=troubles, settled=settled)


def _watch_of(entry: Entry) -> Watch:
    assert entry.trigger.watch is not None  # noqa: S101 - one that watches nothing is not looked after
    return entry.trigger.watch


def _seen(root: Path, address: Address, *, local: bool) -> list[Sighting]:
    scheme = address.text.partition("://")[0] if "://" in address.text else ""
    if scheme in ("http", "https"):
        from mage_project.schedule.watch import urls  # what it imports is heavy

        return urls.look(address.text, address.names)
    if scheme == "gs":
        return objects.look(root, address.text, address.names, local=local)
    return folders.look(root, address.text, address.names)
