"""Where the history is, and what a store of it can do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from mage_project.errors import UsageError

#: Names the store: a path, `sqlite:///path`, `postgresql://…`, or `off`.
VARIABLE = "MAGE_PROJECT_HISTORY"
#: The revision of the schema that this version reads and writes: the newest in migrations/versions.
REVISION = "0006"
SCHEMA = Path(__file__).with_name("schema.sql")

Row = Mapping[str, Any]
Told = Callable[[str], None]


class Transaction(Protocol):
    """Runs statements whose values are written `:name`, as both stores understand them."""

    def run(self, statement: str, **values: Any) -> Sequence[Row]: ...

    def run_many(self, statement: str, rows: Iterable[Mapping[str, Any]]) -> None: ...


class Store(Protocol):
    """A store of the history. Whatever goes wrong with it is a `HistoryUnavailable`."""

    @property
    def place(self) -> str: ...

    def transaction(self, *, write: bool = False) -> AbstractContextManager[Transaction]: ...

    def now(self, transaction: Transaction) -> float:
        """Seconds since 1970: the machine's clock, or the server's where several machines share the store."""
        ...


def store_of(root: Path, told: Told) -> Store | None:
    """The store of the project in `root`; `told` is given a line when a broken one was set aside. None for `off`."""
    address = os.environ.get(VARIABLE, "").strip()
    if address.lower() == "off":
        return None
    if address.startswith(("postgres://", "postgresql://", "postgresql+")):
        from mage_project.history.postgres import PostgresStore

        return PostgresStore(address)
    if "://" in address.removeprefix("sqlite:///"):  # a path would be made of it, with the password in its name
        hint = "a path, sqlite:///path, postgresql://…, or off"
        raise UsageError(f"{VARIABLE} names a kind of store that there is not", hint=hint)
    from mage_project.history.sqlite import SqliteStore

    path = Path(address.removeprefix("sqlite:///")) if address else Path(".mage_project") / "history.db"
    return SqliteStore(root / path, told)


def statements() -> list[str]:
    """The statements of `schema.sql`, one by one."""
    lines = [line for line in SCHEMA.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]
