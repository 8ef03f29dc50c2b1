"""Google's own clients, for the account that a profile of io_config.yaml names."""

from __future__ import annotations

import os
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.oauth2 import service_account


def storage_client(profile: Any) -> Any:
    """A google.cloud.storage.Client: with the profile's key, else its key file, else what Google finds on this machine.

    Where STORAGE_EMULATOR_HOST is set nobody is asked who it is. Whoever makes a client closes it.
    """
    from google.cloud import storage

    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(project=_local_project(), credentials=AnonymousCredentials())
    return storage.Client(**_account(profile))


def bigquery_client(profile: Any) -> Any:
    """A google.cloud.bigquery.Client in the profile's GOOGLE_LOCATION; BIGQUERY_EMULATOR_HOST as above."""
    from google.cloud import bigquery

    location = profile.get("GOOGLE_LOCATION") or None
    if os.environ.get("BIGQUERY_EMULATOR_HOST"):
        return bigquery.Client(project=_local_project(), credentials=AnonymousCredentials(), location=location)
    return bigquery.Client(**_account(profile), location=location)


def _account(profile: Any) -> dict[str, Any]:
    """The arguments of a client that say who it is and whose project is meant; none where the profile names no key."""
    key, key_file = profile.get("GOOGLE_SERVICE_ACC_KEY"), profile.get("GOOGLE_SERVICE_ACC_KEY_FILEPATH")
    if key:
        credentials = service_account.Credentials.from_service_account_info(dict(key))
    elif key_file:
        credentials = service_account.Credentials.from_service_account_file(key_file)
    else:
        return {}
    return {"credentials": credentials, "project": credentials.project_id}


def _local_project() -> str:
    return os.environ.get("GOOGLE_CLOUD_PROJECT") or "local"
