"""psycopg2's connection with an owner that is asked before a block commits or rolls back on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import extensions

if TYPE_CHECKING:
    from mage_project.io.transaction import Transaction


class Connection(extensions.connection):
    """A connection. While `owner` is set, `commit` and `rollback` go through it; while `is_lent`, nothing happens."""

    owner: Transaction | None = None
    #: SQLAlchemy ends what it borrows by rolling back and closing: neither must reach the block's transaction.
    is_lent = False

    def commit(self) -> None:
        if self.is_lent:
            return
        if self.owner is not None:
            self.owner.keep()
        else:
            super().commit()

    def rollback(self) -> None:
        if self.is_lent:
            return
        if self.owner is not None:
            self.owner.give_up()
        else:
            super().rollback()

    def close(self) -> None:
        if not self.is_lent:
            super().close()

    def really_commit(self) -> None:
        super().commit()

    def really_rollback(self) -> None:
        super().rollback()

    def __exit__(self, *args: Any) -> None:
        if args[0] is None:
            self.commit()
        else:
            self.rollback()
