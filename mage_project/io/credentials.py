"""Who we are to Google: the profile's key, its key file, the environment, or the machine's own account."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mage_project.errors import ConfigError
from mage_project.io import config as settings
from mage_project.io.config_keys import ConfigKey

_ENVIRONMENT = "GOOGLE_APPLICATION_CREDENTIALS"
_NEEDED = ("client_email", "private_key", "token_uri")
_HINT = "put in the key that Google gave, or leave the field out to use GOOGLE_APPLICATION_CREDENTIALS"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


def of_profile(config: Any) -> dict[str, Any]:
    """What a profile says of credentials: `credentials_mapping` or `path_to_credentials`, or nothing."""
    key = settings.setting(config, ConfigKey.GOOGLE_SERVICE_ACC_KEY)
    if key is not None:
        return {"credentials_mapping": key}
    path = settings.setting(config, ConfigKey.GOOGLE_SERVICE_ACC_KEY_FILEPATH)
    return {"path_to_credentials": path} if path is not None else {}


def find(mapping: Mapping[str, Any] | str | None = None, path: str | os.PathLike[str] | None = None) -> Any:
    """Credentials of a service account: its key, else its key file, else the environment's, else the machine's.

    Raises ConfigError that says which of them was tried and what is wrong with it, never what is in it.
    """
    if mapping is not None:
        return _of_key(_parsed(mapping), "the service account key of the profile")
    if path is not None:
        return _of_file(Path(path), "GOOGLE_SERVICE_ACC_KEY_FILEPATH")
    if os.environ.get(_ENVIRONMENT):
        file = Path(os.environ[_ENVIRONMENT])
        if not file.is_file():
            raise _no_file(file, _ENVIRONMENT)
    return _of_machine()


def anonymous() -> Any:
    """Nobody, which is enough for an emulator."""
    from google.auth.credentials import AnonymousCredentials

    kind: Any = AnonymousCredentials
    return kind()


def _parsed(mapping: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if not isinstance(mapping, str):
        return mapping
    try:
        parsed = json.loads(mapping)
    except ValueError:
        parsed = None
    if not isinstance(parsed, Mapping):
        raise ConfigError("GOOGLE_SERVICE_ACC_KEY is neither a mapping nor the JSON of one")
    return parsed


def _of_key(key: Mapping[str, Any], what: str) -> Any:
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    lacks = [name for name in _NEEDED if not key.get(name)]
    if lacks:
        raise ConfigError(f"{what} is not usable: it lacks {', '.join(lacks)}", hint=_HINT)
    kind: Any = service_account.Credentials
    try:
        return kind.from_service_account_info(dict(key), scopes=_SCOPES)
    except (ValueError, KeyError, TypeError, AttributeError, GoogleAuthError):
        # Without its cause, whose text may have parts of the key.
        raise ConfigError(f"{what} is not usable: its private_key cannot be read", hint=_HINT) from None


def _of_file(path: Path, setting: str) -> Any:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise _no_file(path, setting) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the key file of {setting} cannot be read", where=str(path)) from error
    try:
        key = json.loads(text)
    except ValueError:
        raise ConfigError(f"the key file of {setting} is not JSON", where=str(path)) from None
    return _of_key(key if isinstance(key, Mapping) else {}, f"the key file {path}")


def _no_file(path: Path, setting: str) -> ConfigError:
    hint = f"set {setting} to the key file, unset it, or use the local stack: --local"
    return ConfigError(f"{setting} names a key file that is not there", where=str(path), hint=hint)


def _of_machine() -> Any:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        credentials, _ = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as error:
        hint = (
            "set GOOGLE_APPLICATION_CREDENTIALS to a key file, run `gcloud auth application-default login`, or --local"
        )
        raise ConfigError("there are no credentials for Google Cloud", hint=hint) from error
    return credentials
