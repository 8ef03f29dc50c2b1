"""Which tables the waiting transactions of this process have written, so that none waits for one that waits for it."""

from __future__ import annotations

from threading import Lock

from mage_project.errors import StoreError

_lock = Lock()
_claims: dict[str, dict[object, tuple[bool, object]]] = {}


def claim(target: str, owner: object, *, exclusive: bool, group: object = None) -> None:
    """Note that `owner` writes `target` and commits only when others of its group have finished.

    Raises StoreError if another owner has written it: both would wait for each other for ever. Any number may share
    a target as long as none is exclusive. Owners of another `group` commit without waiting for this one's.
    """
    with _lock:
        owners = _claims.setdefault(target, {})
        others = [held for other, (held, whose) in owners.items() if other is not owner and whose is group]
        if others and (exclusive or any(others)):
            what = f"two blocks of one stream write {target}, and neither can commit before the other has finished"
            hint = "give one another table, or take `stream: true` off one of the blocks"
            if group is not None:
                what = f"one block writes {target} on two connections, and neither can commit before the other"
                hint = "write with one connector, or leave the first before the second begins"
            raise StoreError(what, hint=hint)
        owners[owner] = (exclusive or owners.get(owner, (False, group))[0], group)


def release(owner: object) -> None:
    """The owner has committed, rolled back or hung up."""
    with _lock:
        for target in [target for target, owners in _claims.items() if owner in owners]:
            del _claims[target][owner]
            if not _claims[target]:
                del _claims[target]
