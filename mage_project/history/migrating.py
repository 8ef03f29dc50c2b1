"""Brings the tables of a history to the revision of this version, by Alembic. Imported only where they differ."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text

from mage_project.errors import HistoryUnavailable

_MIGRATIONS = Path(__file__).with_name("migrations")
#: A number of our own: of several processes that find old tables, one brings them up.
_ADVISORY_LOCK = 7_216_034_411


def revision(address: str) -> str | None:
    """The revision of the tables at `address`, None where there are none."""
    engine = create_engine(address, poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(address: str, *, found: str | None, place: str, to: str = "head") -> None:
    """Make or change the tables. `HistoryUnavailable` where a newer version has made them."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise HistoryUnavailable(
            f"the history was written by a newer version of mage-project (revision {found})",
            where=place,
            hint="install that version again",
        )
    engine = create_engine(address, poolclass=NullPool)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        else:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10000")
        config.attributes["connection"] = connection
        command.upgrade(config, to)
