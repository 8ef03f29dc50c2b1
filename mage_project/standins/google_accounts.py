"""Credentials for the local servers, wherever a block asks Google's library for some."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

from mage_project.standins.patches import Patches

PROJECT = "local"


def nobody(project: str | None = None) -> Any:
    """Credentials that are good for the local servers only: they can get no token from Google."""
    from google.auth.credentials import AnonymousCredentials

    base: Any = AnonymousCredentials

    class LocalCredentials(base):  # type: ignore[misc]
        """Nobody, with what blocks ask of a service account."""

        project_id = project or PROJECT
        service_account_email = "local@local.invalid"
        signer_email = service_account_email
        requires_scopes = False

        def with_scopes(self, *_args: Any, **_kwargs: Any) -> Any:
            return self

        with_subject = with_quota_project = with_scopes

    return LocalCredentials()


def patch(patches: Patches) -> None:
    """Have blocks get local credentials where they name none, or some that are not there."""
    patches.when_imported("google.auth", _default)
    patches.when_imported("google.oauth2.service_account", _service_accounts)
    patches.when_imported("google.cloud.client", _factories)


def _default(module: ModuleType, patches: Patches) -> None:
    def default(*_args: Any, quota_project_id: str | None = None, **_kwargs: Any) -> tuple[Any, str]:
        project = quota_project_id or os.environ.get("GOOGLE_CLOUD_PROJECT") or PROJECT
        return nobody(project), project

    def from_file(filename: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        return real(filename, *args, **kwargs) if Path(filename).is_file() else (nobody(), PROJECT)

    real: Any = module.load_credentials_from_file
    patches.replace(module, "default", default)
    patches.replace(module, "load_credentials_from_file", from_file)


def _service_accounts(module: ModuleType, patches: Patches) -> None:
    kind: Any = module.Credentials
    of_file, of_info = kind.from_service_account_file, kind.from_service_account_info

    def from_file(cls: Any, filename: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        try:
            return of_file.__func__(cls, filename, *args, **kwargs)
        except (OSError, ValueError):
            return nobody()

    def from_info(cls: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return of_info.__func__(cls, info, *args, **kwargs)
        except (ValueError, AttributeError, TypeError):
            return nobody(info.get("project_id") if isinstance(info, dict) else None)

    patches.replace(kind, "from_service_account_file", classmethod(from_file))
    patches.replace(kind, "from_service_account_info", classmethod(from_info))


def _factories(module: ModuleType, patches: Patches) -> None:
    kind: Any = module._ClientFactoryMixin
    of_json = kind.from_service_account_json

    def from_json(cls: Any, path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        if Path(path).is_file():
            return of_json.__func__(cls, path, *args, **kwargs)
        return cls(*args, **{"project": PROJECT, "credentials": nobody(), **kwargs})

    patches.replace(kind, "from_service_account_json", classmethod(from_json))
