"""What works of a profile's stores: who connects, what it may do, where things are, and what to change if not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mage_project.errors import ConfigError, MageProjectError
from mage_project.io import config as settings
from mage_project.io import machine_account
from mage_project.io.config_keys import ConfigKey

GCS_EMULATOR = "STORAGE_EMULATOR_HOST"
_GOOGLE = (ConfigKey.GOOGLE_SERVICE_ACC_KEY, ConfigKey.GOOGLE_SERVICE_ACC_KEY_FILEPATH)
_ENVIRONMENT = "GOOGLE_APPLICATION_CREDENTIALS"

_TABLES = """
SELECT count(*), count(*) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname = %s
"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. `passed` is None where there was nothing to try; `fix` is what to change."""

    store: str
    check: str
    passed: bool | None
    what: str
    fix: str | None = None


class Examination:
    """The findings about one store, in the order in which they were made."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.findings: list[Finding] = []

    def try_out(self, check: str, act: Callable[[], str]) -> bool:
        """Note what `act` tells, or why it failed; whether it passed."""
        try:
            what = act()
        except MageProjectError as error:
            where = f" ({error.where})" if error.where else ""
            self._note(check, passed=False, what=f"{error.what}{where}", fix=error.hint)
            return False
        self._note(check, passed=True, what=what)
        return True

    def pass_over(self, check: str, what: str) -> None:
        """Note that there is nothing to try, and why."""
        self._note(check, passed=None, what=what)

    def warn(self, check: str, what: str, fix: str) -> None:
        """Note what is no failure, but will surprise."""
        self._note(check, passed=None, what=what, fix=fix)

    def _note(self, check: str, *, passed: bool | None, what: str, fix: str | None = None) -> None:
        self.findings.append(Finding(store=self.store, check=check, passed=passed, what=what, fix=fix))


def examine(config: Any, *, buckets: Sequence[str] = (), datasets: Sequence[str] = ()) -> Iterator[list[Finding]]:
    """The findings about Postgres, GCS and BigQuery as the profile names them, store by store.

    What is written to try it out is removed, or never committed.
    """
    from mage_project.io import diagnosis_google as google

    yield _postgres(config).findings
    yield google.storage(config, buckets).findings
    yield google.warehouse(config, datasets, buckets).findings


def is_named(config: Any, emulator: str) -> bool:
    """Whether the profile, the environment or the machine says who connects to Google."""
    if os.environ.get(emulator) or os.environ.get(_ENVIRONMENT):
        return True
    return any(settings.setting(config, key) is not None for key in _GOOGLE) or machine_account.exists()


def credential(config: Any, emulator: str) -> str:
    """Where the credentials for Google come from, in the order in which they are looked for."""
    if os.environ.get(emulator):
        return f"none needed: {emulator} names {os.environ[emulator]}"
    path = settings.setting(config, ConfigKey.GOOGLE_SERVICE_ACC_KEY_FILEPATH)
    if settings.setting(config, ConfigKey.GOOGLE_SERVICE_ACC_KEY) is not None:
        return "GOOGLE_SERVICE_ACC_KEY of the profile"
    if path is not None:
        return f"the key file {path} of the profile"
    if os.environ.get(_ENVIRONMENT):
        return f"the file {os.environ[_ENVIRONMENT]} of {_ENVIRONMENT}"
    return "this machine's own account (Application Default Credentials)"


def _postgres(config: Any) -> Examination:
    found = Examination("Postgres")
    host = settings.setting(config, ConfigKey.POSTGRES_HOST)
    if host is None:
        found.pass_over("credentials", "POSTGRES_HOST is not set: a run takes the local Postgres")
        return found
    from mage_project.io.postgres import Postgres

    database: Postgres | None = None

    def connector() -> str:
        nonlocal database
        database = Postgres.with_config(config)
        has_password = settings.setting(config, ConfigKey.POSTGRES_PASSWORD) is not None
        return f"user '{database.settings['user']}' {'with a' if has_password else 'without a'} password"

    def connect() -> str:
        if database is None:
            raise ConfigError("the profile is not complete")
        database.open()
        where = database.settings
        return f"{where['host']}:{where['port']}/{where['dbname']}"

    if not found.try_out("credentials", connector) or database is None or not found.try_out("connects", connect):
        return found
    with closing(database):
        found.try_out("reads", lambda: _read_postgres(database))
        database.rollback()
        found.try_out("writes", lambda: _write_postgres(database))
    return found


def _read_postgres(database: Any) -> str:
    schema = database.default_schema() or "public"
    with database.conn.cursor() as cursor:
        cursor.execute(_TABLES, (schema,))
        tables, hidden = cursor.fetchone()
    if hidden:
        user = database.settings["user"]
        what = f"{hidden} of {tables} tables in schema '{schema}' cannot be read by '{user}'"
        raise ConfigError(what, hint=f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO "{user}"')
    return f"schema '{schema}', tables: {tables}"


def _write_postgres(database: Any) -> str:
    """Make a table, and the schema where it is missing, in a transaction that is rolled back."""
    schema = database.default_schema() or "public"
    quoted = '"' + schema.replace('"', '""') + '"'
    try:
        with database.conn.cursor() as cursor:
            cursor.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,))
            is_there = cursor.fetchone() is not None
        if not is_there:
            database.execute(f"CREATE SCHEMA {quoted}")
        database.execute(f"CREATE TABLE {quoted}.mage_project_probe_{secrets.token_hex(4)} (probe int)")
    except MageProjectError as error:
        where = f"SCHEMA {quoted}" if is_there else f'DATABASE "{database.default_database()}"'
        raise ConfigError(error.what, hint=f'GRANT CREATE ON {where} TO "{database.settings["user"]}"') from error
    finally:
        database.rollback()
    return f"a table in schema '{schema}', and rolled it back" + ("" if is_there else " (exports make the schema)")
