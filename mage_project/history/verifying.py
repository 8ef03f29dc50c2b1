"""Whether the receipts are as they were written, and the runs as their receipts say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mage_project.history.receipts import BEGINNING, contents, hash_of, text_of
from mage_project.history.stores import Row, Store, Transaction

#: Receipts that are read at once.
_PAGE = 500
_RECEIPTS = "SELECT * FROM receipt WHERE place > :after ORDER BY place LIMIT :limit"
_BETWEEN = "run_id IN (SELECT run_id FROM receipt WHERE place BETWEEN :first AND :last)"
_RUNS = f"SELECT * FROM run WHERE {_BETWEEN}"  # noqa: S608 - no value is in it
#: What no longer holds of a run that was taken for dead, and goes on.
_OF_A_CRASH = ("status", "error", "ended_at", "seconds")
_BLOCKS = f"SELECT run_id, record FROM block_run WHERE {_BETWEEN} ORDER BY run_id, place"  # noqa: S608
#: A run that ended while receipts were written, and has none.
_WITHOUT = (
    "SELECT run_id FROM run WHERE ended_at >= :since AND NOT EXISTS "
    "(SELECT 1 FROM receipt WHERE receipt.run_id = run.run_id) ORDER BY run_id"
)


@dataclass(kw_only=True)
class Verification:
    """What was found. `head` is the last hash: noted elsewhere, it shows later whether the chain was written anew."""

    receipts: int = 0
    head: str = BEGINNING
    findings: list[str] = field(default_factory=list)
    #: Whether the hash that was asked for is in the chain; None where none was.
    holds: bool | None = None

    @property
    def passed(self) -> bool:
        return not self.findings and self.holds is not False


def verify(store: Store, *, noted: str | None = None) -> Verification:
    """Read all receipts and compare. `noted`: a hash (or its beginning) that the chain should hold."""
    check = _Check(noted)
    with store.transaction() as transaction:
        heads = transaction.run("SELECT place, hash FROM receipt_head")
        for page in _pages(transaction):
            runs, blocks = _told(transaction, page)
            for receipt in page:
                name = receipt["run_id"]
                check.take(receipt, runs.get(name), blocks.get(name, []))
        check.end(heads[0] if heads else None)
        if check.since is not None:
            check.without([row["run_id"] for row in transaction.run(_WITHOUT, since=check.since)])
    return check.found


class _Check:
    """Takes the receipts one by one, and gathers what is wrong."""

    def __init__(self, noted: str | None) -> None:
        self.found = Verification(holds=None if noted is None else False)
        #: When the first run ended that has a receipt.
        self.since: float | None = None
        self._noted = noted
        self._missing: list[str] = []
        self._cleaned: set[str] = set()
        #: What differs from receipts that say that a run crashed: another one of that run may follow.
        self._crashed: dict[str, str] = {}

    def take(self, receipt: Row, run: Row | None, blocks: Sequence[Mapping[str, Any]]) -> None:
        if not _is_whole(receipt, self.found):
            return
        if self._noted is not None:
            self.found.holds = self.found.holds or receipt["hash"].startswith(self._noted)
        said = json.loads(receipt["body"])
        if receipt["kind"] == "clean":
            self._cleaned.update(said["runs"])
            return
        self.since = self.since or said["ended_at"]
        if run is None:
            self._missing.append(said["run_id"])
            return
        try:
            # Only what the receipt says: one of an older version says less.
            now = {name: value for name, value in contents(run, blocks).items() if name in said}
            if _goes_on(said, run):
                said, now = _without_end(said), _without_end(now)
        except (ValueError, KeyError, TypeError, AttributeError):  # who changes a table may write anything there
            self.found.findings.append(f"run {said['run_id']} is not as its receipt says: it can no longer be read")
            return
        self._crashed.pop(said["run_id"], None)  # it lived after all, and has told its end
        if text_of(now) == text_of(said):
            return
        if said.get("status") == "crashed":
            self._crashed[said["run_id"]] = _difference(said, now)
        else:
            self.found.findings.append(_difference(said, now))

    def end(self, head: Row | None) -> None:
        """All were taken; `head` is what was noted beside them as the last one, None if that was taken out."""
        gone = [name for name in self._missing if name not in self._cleaned]
        self.found.findings += self._crashed.values()
        self.found.findings += [f"run {name} has a receipt, and is not in the history" for name in gone]
        self.found.findings += _of_the_end(head, self.found)

    def without(self, runs: Sequence[str]) -> None:
        self.found.findings += [f"run {name} has ended, and has no receipt" for name in runs]


def _pages(transaction: Transaction) -> Iterator[Sequence[Row]]:
    after = 0
    while page := transaction.run(_RECEIPTS, after=after, limit=_PAGE):
        yield page
        after = page[-1]["place"]


def _told(transaction: Transaction, page: Sequence[Row]) -> tuple[dict[str, Row], dict[str, list[Any]]]:
    """What the tables say of the runs of these receipts: their rows, and the records of their blocks."""
    places = {"first": page[0]["place"], "last": page[-1]["place"]}
    runs = {str(row["run_id"]): row for row in transaction.run(_RUNS, **places)}
    blocks: dict[str, list[Any]] = {}
    for row in transaction.run(_BLOCKS, **places):
        blocks.setdefault(row["run_id"], []).append(_parsed(row["record"]))
    return runs, blocks


def _parsed(record: str) -> Any:
    try:
        return json.loads(record)
    except ValueError:
        return record


def _goes_on(said: Mapping[str, Any], run: Row) -> bool:
    """Whether it was taken for dead, and has given a sign of life since."""
    is_open = run["status"] == "running" and run["ended_at"] is None
    return bool(said["status"] == "crashed" and is_open and run["heartbeat_at"] > said["ended_at"])


def _without_end(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in _OF_A_CRASH}


def _is_whole(receipt: Row, found: Verification) -> bool:
    """Whether the receipt is the one that was written at its place; takes it up as the last one either way."""
    place, name = receipt["place"], f"receipt {receipt['place']} ({receipt['run_id'] or receipt['kind']})"
    if place != found.receipts + 1:
        found.findings.append(f"there is no receipt {found.receipts + 1}")
    elif receipt["previous"] != found.head:
        found.findings.append(f"{name} does not follow the one before it")
    own = hash_of(place, receipt["previous"], receipt["kind"], receipt["body"])
    found.receipts, found.head = place, receipt["hash"]
    if own != receipt["hash"]:
        found.findings.append(f"{name} was changed")
    return bool(own == receipt["hash"])


def _difference(said: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in said if text_of({name: said[name]}) != text_of({name: now.get(name)})]
    # Where the blocks differ, what is drawn from them does too.
    derived = {"inputs", "written"} if "blocks" in names else set()
    told = ", ".join(name for name in names if name not in derived)
    return f"run {said['run_id']} is not as its receipt says: {told}"


def _of_the_end(head: Row | None, found: Verification) -> list[str]:
    if head is None:
        return ["what was noted of the last receipt was taken out"]
    if head["place"] > found.receipts:
        return [f"there is no receipt {found.receipts + 1}, and {head['place']} were written"]
    return [] if head["hash"] == found.head else ["the last receipt is not the one that was written last"]
