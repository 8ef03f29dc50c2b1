"""google.cloud.bigquery on the local BigQuery."""

from __future__ import annotations

import inspect
import os
from types import ModuleType
from typing import Any

from mage_project.errors import ConfigError
from mage_project.standins import google_accounts
from mage_project.standins.datasets import Datasets
from mage_project.standins.patches import Patches

_STORAGE_ADDRESS = "BIGQUERY_STORAGE_EMULATOR_HOST"
_STORAGE = "google.cloud.bigquery_storage_v1.services.big_query_read.client"


def patch(patches: Patches, datasets: Datasets) -> None:
    """Have every client that a block makes speak to the local server, as nobody."""

    def clients(module: ModuleType, patches: Patches) -> None:
        real: Any = module.Client.__init__
        signature = inspect.signature(real)

        def begin(self: Any, *args: Any, **kwargs: Any) -> None:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
            given.pop("self")
            given["project"] = given.get("project") or google_accounts.PROJECT
            given["credentials"] = google_accounts.nobody(given["project"])
            given["client_options"] = {"api_endpoint": datasets.url}
            real(self, **given)
            _watch(self._http, datasets)

        patches.replace(module.Client, "__init__", begin)
        patches.replace(module.Client, "_ensure_bqstorage_client", _reader)

    patches.when_imported("google.cloud.bigquery.client", clients)
    patches.when_imported(_STORAGE, _readers)
    patches.when_imported("pandas_gbq.auth", _pandas_gbq)


def refuse(patches: Patches, missing: str) -> None:
    """Have every client that a block makes be an error: there is no local server on this machine, and why."""

    def clients(module: ModuleType, patches: Patches) -> None:
        def begin(*_args: Any, **_kwargs: Any) -> None:
            raise ConfigError(
                f"the local BigQuery cannot run on this machine: {missing}",
                hint="install what is missing, or give the profile credentials and run without --local",
            )

        patches.replace(module.Client, "__init__", begin)

    patches.when_imported("google.cloud.bigquery.client", clients)


def _watch(session: Any, datasets: Datasets) -> None:
    """Make datasets before the requests of the session that use them."""
    real = session.request

    def request(method: str, url: str, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        datasets.ensure_for(method, url, data)
        return real(method, url, data, *args, **kwargs)

    session.request = request


def _reader(_client: Any, bqstorage_client: Any = None, *_args: Any, **_kwargs: Any) -> Any:
    """The reader of large results: the local server's, where Google's library would ask Google; None for REST."""
    if bqstorage_client is not None or _STORAGE_ADDRESS not in os.environ:
        return bqstorage_client
    try:
        from google.cloud import bigquery_storage
    except ImportError:
        return None
    return bigquery_storage.BigQueryReadClient()


def _readers(module: ModuleType, patches: Patches) -> None:
    """Readers that blocks make themselves."""
    real: Any = module.BigQueryReadClient.__init__

    def begin(self: Any, *_args: Any, **kwargs: Any) -> None:
        real(self, transport=kwargs.get("transport") or _transport())

    patches.replace(module.BigQueryReadClient, "__init__", begin)


def _transport() -> Any:
    import grpc
    from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

    return BigQueryReadGrpcTransport(channel=grpc.insecure_channel(os.environ[_STORAGE_ADDRESS]))


def _pandas_gbq(module: ModuleType, patches: Patches) -> None:
    """pandas_gbq opens a browser where it finds no account."""

    def get_credentials(*_args: Any, project_id: str | None = None, **_kwargs: Any) -> tuple[Any, str]:
        project = project_id or google_accounts.PROJECT
        return google_accounts.nobody(project), project

    patches.replace(module, "get_credentials", get_credentials)
