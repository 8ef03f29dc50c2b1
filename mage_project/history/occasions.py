"""What makes a run due at no time of a timetable: a request, something that has appeared, another pipeline's block.

An occasion is put down together with its due run, so that either both are there or none is. Of those with the same key
there is one: a request that is made again, a file that is seen again, make nothing due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mage_project.history import schedules
from mage_project.history.facts import storable, without_secrets
from mage_project.history.schedules import DueRun
from mage_project.history.stores import Row, Store, Transaction

#: Kinds that need no trigger in a file: a request for a pipeline, and another pipeline's block.
ASKED = ("request", "pipeline")
#: Takes the next number. The row is locked until the transaction ends: two occasions never get the same one.
_NEXT = "UPDATE occasion_head SET number = number + 1 WHERE one = 1 RETURNING number"
_COLUMNS = (
    *("number", "pipeline", "trigger_name", "due_at", "kind", "occasion_key", "fingerprint", "variables"),
    *("execution_date", "parent_run_id", "line"),
)
_PUT = (
    f"INSERT INTO occasion ({', '.join(_COLUMNS)}) "  # noqa: S608 - no value is in it
    f"VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)
_OF = "pipeline = :pipeline AND trigger_name = :trigger_name"
_KEYED = f"SELECT * FROM occasion WHERE {_OF} AND occasion_key = :key"  # noqa: S608 - no value is in it
_DUE = f"SELECT * FROM occasion WHERE {_OF} AND due_at = :due_at ORDER BY number DESC LIMIT 1"  # noqa: S608
_TAKEN = f"SELECT 1 AS one FROM due_run WHERE {_OF} AND due_at = :due_at"  # noqa: S608 - no value is in it
_CLOSE = f"UPDATE occasion SET variables = :variables WHERE {_OF} AND due_at = :due_at"  # noqa: S608
#: Two runs of a trigger are never due at the same moment: by it the history knows them.
_APART_S = 1e-6


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """`kind` is api or event, for a trigger of a file, request or pipeline. `number` is the store's, from 1.

    `variables` are the run's over the trigger's, `execution_date` is in ISO's format; `line` are the pipelines whose
    blocks have led to it.
    """

    pipeline: str
    trigger_name: str
    kind: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    execution_date: str | None = None
    parent_run_id: str | None = None
    line: Sequence[str] = ()
    due_at: float = 0.0
    number: int = 0
    fingerprint: str = ""

    @property
    def asks_the_same_as(self) -> str:
        """Equal for occasions that ask for the same run."""
        asked = json.dumps([dict(self.variables), self.execution_date], sort_keys=True, default=str)
        return hashlib.sha256(asked.encode()).hexdigest()


def put(store: Store, transaction: Transaction, occasion: Occasion) -> tuple[Occasion, bool]:
    """Put it down, due now; or, where there is one with its key, that one. Second: whether it is new."""
    where = {"pipeline": occasion.pipeline, "trigger_name": occasion.trigger_name}
    [head] = transaction.run(_NEXT)
    if occasion.key is not None:
        for row in transaction.run(_KEYED, key=occasion.key, **where):
            return _occasion(row), False
    due_at = round(store.now(transaction), 6)
    while transaction.run(_TAKEN, due_at=due_at, **where):
        due_at = round(due_at + _APART_S, 6)
    schedules.put_found(store, transaction, [_due(occasion, due_at)])
    return _insert(transaction, occasion, int(head["number"]), due_at), True


def put_seen(store: Store, transaction: Transaction, occasions: Sequence[Occasion], reason: str) -> DueRun | None:
    """Put down occasions of one trigger that no run is started for: the new ones as one entry, skipped for `reason`."""
    fresh = [each for each in occasions if not is_known(transaction, each)]
    if not fresh:
        return None
    now = round(store.now(transaction), 6)
    skipped = replace(_due(fresh[0], now), due_count=len(fresh), status="skipped", reason=reason)
    schedules.put_found(store, transaction, [skipped])
    for each in fresh:
        [head] = transaction.run(_NEXT)
        _insert(transaction, each, int(head["number"]), now)
    return skipped


def is_known(transaction: Transaction, occasion: Occasion) -> bool:
    """Whether there is one with its key."""
    where = {"pipeline": occasion.pipeline, "trigger_name": occasion.trigger_name}
    return bool(transaction.run(_KEYED, key=occasion.key, **where))


def of_due(transaction: Transaction, due: DueRun) -> Occasion | None:
    """What has made the run due; None: a timetable."""
    rows = transaction.run(_DUE, pipeline=due.pipeline, trigger_name=due.trigger_name, due_at=due.due_at)
    return _occasion(rows[0]) if rows else None


def numbered(transaction: Transaction, number: int) -> tuple[Occasion, DueRun] | None:
    """An occasion and how its run stands."""
    rows = transaction.run("SELECT * FROM occasion WHERE number = :number", number=number)
    if not rows:
        return None
    found = _occasion(rows[0])
    due = schedules.due_run(transaction, found.pipeline, found.trigger_name, found.due_at)
    return (found, due) if due else None


def close(transaction: Transaction, due: DueRun) -> None:
    """The run has ended: what it was given is kept without the secrets in it."""
    if (found := of_due(transaction, due)) is not None:
        where = {"pipeline": due.pipeline, "trigger_name": due.trigger_name, "due_at": due.due_at}
        transaction.run(_CLOSE, variables=_text(without_secrets(found.variables)), **where)


def _due(occasion: Occasion, due_at: float) -> DueRun:
    return DueRun(pipeline=occasion.pipeline, trigger_name=occasion.trigger_name, due_at=due_at, due_until=due_at)


def _insert(transaction: Transaction, occasion: Occasion, number: int, due_at: float) -> Occasion:
    values = {
        "number": number,
        "due_at": due_at,
        "occasion_key": occasion.key,
        "fingerprint": occasion.asks_the_same_as,
        "variables": _text(occasion.variables),
        "line": json.dumps(list(occasion.line)),
        **{name: getattr(occasion, name) for name in ("pipeline", "trigger_name", "kind")},
        **{name: getattr(occasion, name) for name in ("execution_date", "parent_run_id")},
    }
    transaction.run(_PUT, **values)
    return _occasion(values)


def _occasion(row: Row) -> Occasion:
    as_it_is = ("pipeline", "trigger_name", "kind", "execution_date", "parent_run_id", "due_at", "number")
    return Occasion(
        key=row["occasion_key"],
        fingerprint=row["fingerprint"],
        variables=json.loads(row["variables"]),
        line=tuple(json.loads(row["line"])),
        **{name: row[name] for name in as_it_is},
    )


def _text(variables: Mapping[str, Any]) -> str:
    return storable(json.dumps(dict(variables), default=str, ensure_ascii=False))  # JSON knows these escapes
