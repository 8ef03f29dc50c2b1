"""psycopg2 and psycopg (and with them SQLAlchemy and pandas) on the local Postgres."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from mage_project.standins.databases import Databases
from mage_project.standins.patches import Patches


def patch(patches: Patches, databases: Databases) -> None:
    """Have the connections that blocks open reach the local server."""

    def psycopg2(module: ModuleType, patches: Patches) -> None:
        patches.replace(module, "_connect", _psycopg2(module, databases))

    def psycopg(module: ModuleType, patches: Patches) -> None:
        _psycopg(module, databases, patches)

    patches.when_imported("psycopg2", psycopg2)
    patches.when_imported("psycopg", psycopg)


def _psycopg2(module: ModuleType, databases: Databases) -> Any:
    """The function that `psycopg2.connect` calls with everything in one text."""
    from psycopg2 import extensions

    real: Any = module._connect

    def plain(parameters: Mapping[str, str]) -> Any:
        return real(extensions.make_dsn(None, **parameters))

    def connect(dsn: str, *args: Any, **kwargs: Any) -> Any:
        parameters = databases.parameters(extensions.parse_dsn(dsn), plain)
        return real(extensions.make_dsn(None, **parameters), *args, **kwargs)

    return connect


def _psycopg(module: ModuleType, databases: Databases, patches: Patches) -> None:
    from psycopg import conninfo  # type: ignore[import-not-found,unused-ignore]

    real = module.Connection.connect

    def plain(parameters: Mapping[str, str]) -> Any:
        return real(**parameters)

    def local(dsn: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        options = {name: kwargs[name] for name in _OPTIONS if name in kwargs}
        named = {name: value for name, value in kwargs.items() if name not in _OPTIONS}
        given = conninfo.conninfo_to_dict(dsn, **named)
        return {**databases.parameters(given, plain), **options}

    def connect(cls: Any, /, conninfo: str = "", **kwargs: Any) -> Any:
        return real.__func__(cls, **local(conninfo, kwargs))

    async_real = module.AsyncConnection.connect

    async def async_connect(cls: Any, /, conninfo: str = "", **kwargs: Any) -> Any:
        return await async_real.__func__(cls, **local(conninfo, kwargs))

    patches.replace(module.Connection, "connect", classmethod(connect))
    patches.replace(module, "connect", module.Connection.connect)
    patches.replace(module.AsyncConnection, "connect", classmethod(async_connect))


#: What psycopg's `connect` takes that is not libpq's.
_OPTIONS = ("autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory")
