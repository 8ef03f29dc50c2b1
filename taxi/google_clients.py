"""Google's own client of the lake, for the account that a profile of io_config.yaml names."""

from __future__ import annotations

import os
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.oauth2 import service_account


def storage_client(profile: Any) -> storage.Client:
    """A client with the profile's key, else its key file, else what Google finds on this machine.

    Where STORAGE_EMULATOR_HOST is set nobody is asked who it is. Whoever makes a client closes it.
    """
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(**local_account())
    return storage.Client(**account(profile))


def account(profile: Any) -> dict[str, Any]:
    """The arguments of a client that say who it is and whose project is meant; none where the profile names no key."""
    key, key_file = profile.get("GOOGLE_SERVICE_ACC_KEY"), profile.get("GOOGLE_SERVICE_ACC_KEY_FILEPATH")
    if key:
        credentials = service_account.Credentials.from_service_account_info(dict(key))
    elif key_file:
        credentials = service_account.Credentials.from_service_account_file(key_file)
    else:
        return {}
    return {"credentials": credentials, "project": credentials.project_id}


def local_account() -> dict[str, Any]:
    """The arguments of a client for a server on this machine."""
    return {"credentials": AnonymousCredentials(), "project": os.environ.get("GOOGLE_CLOUD_PROJECT") or "local"}
