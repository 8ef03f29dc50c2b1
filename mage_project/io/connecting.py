"""Opens connections to Postgres, tries again where that can help, and names what went wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2 import extensions

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import commits
from mage_project.io.connection import Connection

log = logging.getLogger(__name__)

#: Seconds between the attempts to connect.
PAUSES_S = (0.5, 1.5)

_TRANSIENT = {
    "connection refused": "nothing listens there",
    "could not translate host name": "the host name is unknown",
    "name or service not known": "the host name is unknown",
    "timeout expired": "it does not answer",
    "timed out": "it does not answer",
    "the database system is": "the server is starting up or shutting down",
    "too many clients": "the server has no connection left",
    "remaining connection slots": "the server has no connection left",
    "no route to host": "there is no way to the host",
    "network is unreachable": "there is no way to the host",
    "server closed the connection": "it hung up",
    "connection reset": "it hung up",
    "could not receive data": "it hung up",
    "no such file or directory": "there is no such socket",
}


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a database is, and who connects. Prints as host:port/dbname, without the password."""

    host: str | None
    port: int
    dbname: str | None
    user: str | None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host or 'localhost'}:{self.port}/{self.dbname or self.user or ''}"


def connect(address: Address, options: Mapping[str, Any], *, pause: Callable[[float], None] = time.sleep) -> Connection:
    """A connection to the database; `options` are libpq's.

    What may pass (refused, unknown host, time-out, starting up) is tried three times within about two seconds and
    then raised as StoreUnavailable; a wrong password, role or database is a StoreError at once.
    """
    for seconds in (*PAUSES_S, None):
        try:
            return _connect(address, options)
        except psycopg2.OperationalError as error:
            reason = _transient(str(error))
            if reason is None:
                raise _refused(address, error) from error
            if seconds is None:
                raise _unreachable(address, error, reason) from error
            log.info("%s cannot be reached (%s): another try in %s s", address, reason, seconds)
            pause(seconds)
    raise AssertionError("unreachable: the last attempt raises")


def _connect(address: Address, options: Mapping[str, Any]) -> Connection:
    with commits.connecting():
        connection: Connection = psycopg2.connect(
            host=address.host,
            port=address.port,
            dbname=address.dbname,
            user=address.user,
            password=address.password,
            connection_factory=Connection,
            **options,
        )
    return connection


def _transient(message: str) -> str | None:
    lowered = message.lower()
    return next((reason for sign, reason in _TRANSIENT.items() if sign in lowered), None)


def _unreachable(address: Address, error: Exception, reason: str) -> StoreUnavailable:
    what = f"Postgres at {address} cannot be reached: {reason} ({_told(error, address)})"
    hint = "check POSTGRES_HOST and POSTGRES_PORT and that the server runs, or use the local stack: --local"
    return StoreUnavailable(what, hint=hint)


def _refused(address: Address, error: Exception) -> StoreError:
    told = _told(error, address)
    hint = "check POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DBNAME"
    if "does not exist" in told and "database" in told:
        hint = f"create it (createdb {address.dbname}), or set POSTGRES_DBNAME to one that exists"
    return StoreError(f"Postgres at {address} refuses user '{address.user}': {told}", hint=hint)


def _told(error: Exception, address: Address) -> str:
    """The last thing that libpq or the server said, without the password."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    told = lines[-1] if lines else type(error).__name__
    told = told.rpartition("FATAL:")[2].strip() or told
    if address.password and len(address.password) > 2:
        told = told.replace(address.password, "***")
    return told


def is_lost(connection: extensions.connection, error: BaseException) -> bool:
    """Whether the error means that the connection is gone."""
    if not isinstance(error, psycopg2.Error):
        return False
    code = error.pgcode or ""
    return bool(connection.closed) or code.startswith(("08", "57P")) or isinstance(error, psycopg2.InterfaceError)
