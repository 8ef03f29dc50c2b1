"""The embedded Postgres: a real server, on 127.0.0.1 only, with a password of its own."""

from __future__ import annotations

import struct

from mage_project.errors import ConfigError
from mage_project.local.accounts import server_account
from mage_project.local.binaries import postgres_programs
from mage_project.local.cluster import DATABASE, USER, Cluster
from mage_project.local.folders import StackFolder
from mage_project.local.launches import Program, plain_environment
from mage_project.local.ports import HOST, connect

_PROTOCOL_3 = 196608


class PostgresServer:
    """Postgres of one project: user and database `mage`."""

    name = "postgres"

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    def missing(self) -> str | None:
        """Nothing that is known before a start."""
        return None

    def prepare(self, port: int, lock: int) -> Program:
        """Makes the data directory where there is none; the server's command line."""
        major = max(self._folder.majors(), default=None)
        account = server_account(self._folder.cluster(major or 0))
        cluster = Cluster(folder=self._folder, programs=postgres_programs(major, account), account=account)
        cluster.ensure(lock)
        return Program(
            argv=(
                str(cluster.programs.folder / "postgres"),
                *("-D", cluster.argument, "-h", HOST, "-p", str(port)),
                # Nothing is replicated from here, and what a COPY writes to a table made in its own transaction then
                # needs no log: a third less work for the server, and as safe (the table is synced at the commit).
                *("-c", "wal_level=minimal", "-c", "max_wal_senders=0"),
                *("-c", "unix_socket_directories="),  # a project's path may be too long or unreachable for one
            ),
            folder=cluster.path,
            environment=plain_environment(),
            account=account,
        )

    def complete(self, port: int) -> None:
        """Nothing: Postgres puts itself right."""

    def answers(self, port: int) -> bool:
        """Whether Postgres asks for a password, which it does only when it is ready."""
        words = f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
        greeting = struct.pack("!ii", len(words) + 8, _PROTOCOL_3) + words
        try:
            with connect(port) as connection:
                connection.sendall(greeting)
                return connection.recv(1024).startswith(b"R")  # read it all: a rest would be a reset in the log
        except OSError:
            return False

    def url(self, port: int) -> str:
        """A URL without the password."""
        return f"postgresql://{USER}@{HOST}:{port}/{DATABASE}"

    def environment(self, port: int) -> dict[str, str]:
        """The variables of io_config.yaml, and those of psql and every other client of libpq."""
        password = self._password()
        return {
            "POSTGRES_HOST": HOST,
            "POSTGRES_PORT": str(port),
            "POSTGRES_USER": USER,
            "POSTGRES_PASSWORD": password,
            "POSTGRES_DBNAME": DATABASE,
            "POSTGRES_SCHEMA": "public",
            "PGHOST": HOST,
            "PGPORT": str(port),
            "PGUSER": USER,
            "PGPASSWORD": password,
            "PGDATABASE": DATABASE,
        }

    def _password(self) -> str:
        try:
            return self._folder.password.read_text()
        except FileNotFoundError as error:
            raise ConfigError(
                "The password of the local Postgres is lost.",
                where=str(self._folder.password),
                hint="Run `mage-project local down`, then `mage-project local up`: that makes a new one.",
            ) from error
