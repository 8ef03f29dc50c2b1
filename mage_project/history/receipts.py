"""One receipt a run: everything that is known of it when it ends, chained to the receipt before it by a hash.

Whoever changes, takes out or puts in a receipt would have to write anew all that follow it, and the last hash then is
another one than anybody has noted. What makes a receipt is `contents`, of the same tables that `runs show` reads: so a
changed table differs from its receipt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mage_project.errors import UsageError
from mage_project.history.stores import Row, Store, Transaction

#: The hash before the first receipt.
BEGINNING = ""

_AS_THEY_ARE = (
    *("run_id", "pipeline", "status", "exit_code", "error", "trigger_name", "backfill_id", "execution_date"),
    *("interval_end", "started_by", "host", "started_at", "ended_at", "seconds", "row_count", "peak_rss_bytes"),
    *("git_commit", "git_dirty"),
)
_IN_JSON = ("variables", "code", "warnings")

#: Takes the next place. The row is locked until the transaction ends: two runs never get the same one.
_NEXT = "UPDATE receipt_head SET place = place + 1 WHERE one = 1 RETURNING place, hash"
#: Where nothing is noted of the last one. It stays so, and is found by whoever verifies.
_LAST = "SELECT place + 1 AS place, hash FROM receipt ORDER BY place DESC LIMIT 1"
_SEAL = (
    "INSERT INTO receipt (place, run_id, kind, body, previous, hash) "
    "VALUES (:place, :run_id, :kind, :body, :previous, :hash)"
)
_HEAD = "UPDATE receipt_head SET hash = :hash WHERE one = 1"


def contents(row: Row, blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a receipt says of a run: its row in the history, and the records of its blocks."""
    return {
        **{name: row[name] for name in _AS_THEY_ARE},
        **{name: json.loads(row[name]) for name in _IN_JSON},
        **({"parent_run_id": row["parent_run_id"]} if row["parent_run_id"] else {}),  # older receipts know of none
        "inputs": inputs_of(blocks),
        "written": [name for block in blocks for name in block.get("written") or ()],
        "blocks": list(blocks),
    }


def inputs_of(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The files that the blocks have read, each once, as they described them."""
    every = [dict(file) for block in blocks for file in block.get("files") or ()]
    return [file for place, file in enumerate(every) if file not in every[:place]]


def seal(transaction: Transaction, kind: str, said: Mapping[str, Any]) -> None:
    """Append a receipt to the chain; `kind` is `run` or `clean`."""
    [head, *_] = transaction.run(_NEXT) or transaction.run(_LAST) or [{"place": 1, "hash": BEGINNING}]
    body = text_of(said)
    own = hash_of(head["place"], head["hash"], kind, body)
    sealed = {"place": head["place"], "run_id": said.get("run_id"), "kind": kind, "body": body}
    transaction.run(_SEAL, **sealed, previous=head["hash"], hash=own)
    transaction.run(_HEAD, hash=own)


def hash_of(place: int, previous: str, kind: str, body: str) -> str:
    """The hash of a receipt: of its place, the hash before it, and all it says."""
    return hashlib.sha256("\n".join((str(place), previous, kind, body)).encode()).hexdigest()


def text_of(said: Mapping[str, Any]) -> str:
    """The same text for the same contents."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def receipt_of(store: Store, run_id: str) -> dict[str, Any]:
    """The receipt of a run, with its place in the chain. `UsageError` for a run without one."""
    with store.transaction() as transaction:
        rows = transaction.run("SELECT * FROM receipt WHERE run_id = :run_id ORDER BY place", run_id=run_id)
    if not rows:
        raise UsageError(
            f"run '{run_id}' has no receipt: it has not ended by itself", hint=f"mage-project runs show {run_id}"
        )
    row = rows[-1]
    return {**json.loads(row["body"]), "place": row["place"], "previous": row["previous"], "hash": row["hash"]}
