"""google.cloud.storage on the local GCS server."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from mage_project.standins import google_accounts
from mage_project.standins.buckets import Buckets
from mage_project.standins.patches import Patches


def patch(patches: Patches, buckets: Buckets) -> None:
    """Have every client that a block makes speak to the local server, as nobody."""

    def of_module(module: ModuleType, patches: Patches) -> None:
        real: Any = module.Client.__init__
        signature = inspect.signature(real)

        def begin(self: Any, *args: Any, **kwargs: Any) -> None:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
            given.pop("self")
            given.pop("api_key", None)
            project = given.get("project")
            given["project"] = project if isinstance(project, str) else google_accounts.PROJECT
            given["credentials"] = google_accounts.nobody(given["project"])
            given["client_options"] = {"api_endpoint": buckets.url}
            real(self, **given)
            _watch(self._http, buckets)

        patches.replace(module.Client, "__init__", begin)

    patches.when_imported("google.cloud.storage.client", of_module)


def _watch(session: Any, buckets: Buckets) -> None:
    """Make buckets before the requests of the session that use them."""
    real = session.request

    def request(method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if method == "DELETE":
            buckets.forget()
        else:
            buckets.ensure_for(method, url)
        return real(method, url, *args, **kwargs)

    session.request = request
