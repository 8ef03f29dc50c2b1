"""gcsfs (and with it pandas' and fsspec's gs:// addresses) on the local GCS server."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from mage_project.standins import google_accounts
from mage_project.standins.buckets import Buckets
from mage_project.standins.patches import Patches


def patch(patches: Patches, buckets: Buckets) -> None:
    """Have every file system that a block makes be on the local server, as nobody."""

    def of_module(module: ModuleType, patches: Patches) -> None:
        kind: Any = module.GCSFileSystem
        real, call = kind.__init__, kind._call
        signature = inspect.signature(real)

        def begin(self: Any, *args: Any, **kwargs: Any) -> None:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
            further = given.pop("kwargs", {})
            given.pop("self")
            given |= {"token": "anon", "endpoint_url": buckets.url}
            given["project"] = given.get("project") or google_accounts.PROJECT
            real(self, **given, **further)

        async def request(self: Any, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
            if method.upper() == "DELETE":
                buckets.forget()
            else:
                buckets.ensure_for(method.upper(), self._format_path(path, args))
            return await call(self, method, path, *args, **kwargs)

        patches.replace(kind, "__init__", begin)
        patches.replace(kind, "_call", request)
        _forget_instances(kind, patches)

    patches.when_imported("gcsfs.core", of_module)
    patches.when_imported("gcsfs.extended_gcsfs", _extended)


def _extended(module: ModuleType, patches: Patches) -> None:
    """Buckets with real folders: the local server has none, and gcsfs would ask Google about each bucket."""

    async def bucket_type(_self: Any, _bucket: str) -> Any:
        return module.BucketType.NON_HIERARCHICAL

    kind: Any = module.ExtendedGcsFileSystem
    patches.replace(kind, "_get_bucket_type", bucket_type)
    _forget_instances(kind, patches)


def _forget_instances(kind: Any, patches: Patches) -> None:
    """gcsfs keeps what it has made: Google's from before the run must not serve it, nor the local one later runs."""
    kind.clear_instance_cache()
    patches.at_end(kind.clear_instance_cache)
