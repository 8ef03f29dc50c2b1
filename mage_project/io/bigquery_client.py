"""Google's client for BigQuery, for a profile or for arguments, and for the emulator where one is named."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mage_project.errors import ConfigError
from mage_project.io import commits
from mage_project.io import config as settings
from mage_project.io import credentials as accounts
from mage_project.io.config_keys import ConfigKey

EMULATOR = "BIGQUERY_EMULATOR_HOST"
STORAGE_EMULATOR = "BIGQUERY_STORAGE_EMULATOR_HOST"
PROJECT = "GOOGLE_CLOUD_PROJECT"


def client(config: Any = None, **options: Any) -> Any:
    """A google.cloud.bigquery.Client for a profile (or any loader of settings); close it after use.

    `options` go over the profile's (`connect`). Raises ConfigError if there are no usable credentials, or no project.
    """
    return connect(**{**(of_profile(config) if config is not None else {}), **options})


def of_profile(config: Any) -> dict[str, Any]:
    """What a profile says of BigQuery: the credentials and the location, as far as they are there."""
    location = settings.setting(config, ConfigKey.GOOGLE_LOCATION)
    return accounts.of_profile(config) | ({"location": location} if location is not None else {})


def connect(
    *,
    credentials: Any = None,
    credentials_mapping: Mapping[str, Any] | str | None = None,
    path_to_credentials: str | os.PathLike[str] | None = None,
    project: str | None = None,
    location: str | None = None,
    **options: Any,
) -> Any:
    """A client with `credentials`, else a key, else a key file, else the environment's or the machine's account.

    Where BIGQUERY_EMULATOR_HOST is set nobody is asked. The project is the one given, else GOOGLE_CLOUD_PROJECT, else
    the account's. Nothing is sent yet.
    """
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud import bigquery

    emulated = is_emulated()
    if credentials is None:
        credentials = accounts.anonymous() if emulated else accounts.find(credentials_mapping, path_to_credentials)
    project = project or os.environ.get(PROJECT) or getattr(credentials, "project_id", None)
    project = project or ("local" if emulated else None)
    try:
        with commits.connecting():
            return bigquery.Client(project=project, credentials=credentials, location=location, **options)
    except (OSError, DefaultCredentialsError) as error:  # raised for a project that google.cloud cannot find
        hint = f"export {PROJECT}=the-id-of-your-project"
        raise ConfigError("the credentials name no Google Cloud project", hint=hint) from error


def is_emulated() -> bool:
    """Whether BigQuery means the emulator here."""
    return bool(os.environ.get(EMULATOR))


def storage_client(bigquery_client: Any) -> Any:
    """A client of the Storage Read API, which reads large results fast; None where rows come by REST instead.

    That is where google-cloud-bigquery-storage is not installed, or the emulator has no such API: Google's library
    would ask Google itself.
    """
    try:
        from google.cloud import bigquery_storage
    except ImportError:
        return None
    if not is_emulated():
        return bigquery_storage.BigQueryReadClient(credentials=bigquery_client._credentials)
    address = os.environ.get(STORAGE_EMULATOR)
    if not address:
        return None
    import grpc
    from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

    channel = grpc.insecure_channel(address.removeprefix("http://"))
    return bigquery_storage.BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
