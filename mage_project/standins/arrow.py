"""pyarrow's file system for GCS on the local server."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from mage_project.standins.buckets import Buckets
from mage_project.standins.patches import Patches

_KEPT = ("default_bucket_location", "default_metadata", "retry_time_limit", "project_id")
_SCHEMES = ("gs", "gcs")


def patch(patches: Patches, buckets: Buckets) -> None:
    """Have `GcsFileSystem(...)` and gs:// addresses mean the local server, and its buckets be made."""

    def file_systems(module: ModuleType, patches: Patches) -> None:
        if not hasattr(module, "GcsFileSystem"):  # Arrow was built without it
            return
        local = _local_gcs(module.GcsFileSystem, buckets)
        patches.replace(module, "FileSystem", _addresses(module.FileSystem, local))
        patches.replace(module, "GcsFileSystem", local)

    def datasets(module: ModuleType, patches: Patches) -> None:
        patches.replace(module, "write_dataset", _writing(module.write_dataset, buckets))

    patches.when_imported("pyarrow.fs", file_systems)
    patches.when_imported("pyarrow.dataset", datasets)


def _local_gcs(real: Any, buckets: Buckets) -> Any:
    server = urlsplit(buckets.url)

    class GcsFileSystem(real):  # type: ignore[misc]
        """Arrow's own, anonymous and on the local server whatever it is told."""

        def __init__(self, **options: Any) -> None:
            kept = {name: value for name, value in options.items() if name in _KEPT}
            super().__init__(anonymous=True, scheme=server.scheme, endpoint_override=server.netloc, **kept)

        def create_dir(self, path: str, **options: Any) -> None:
            buckets.ensure(_bucket(path))
            super().create_dir(path, **options)

        def open_output_stream(self, path: str, *args: Any, **options: Any) -> Any:
            buckets.ensure(_bucket(path))
            return super().open_output_stream(path, *args, **options)

    return GcsFileSystem


def _addresses(real: Any, local: Any) -> Any:
    """FileSystem, with a `from_uri` that gives the local one. Every file system passes for its instance."""

    class Kind(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real)

        def __subclasscheck__(cls, kind: Any) -> bool:
            return issubclass(kind, real)

    class FileSystem(real, metaclass=Kind):  # type: ignore[misc]
        @staticmethod
        def from_uri(uri: Any) -> tuple[Any, str]:
            parts = urlsplit(str(uri))
            if parts.scheme not in _SCHEMES:
                found: tuple[Any, str] = real.from_uri(uri)
                return found
            return local(), (parts.netloc.rpartition("@")[2] + parts.path).rstrip("/")

    return FileSystem


def _writing(real: Any, buckets: Buckets) -> Any:
    """write_dataset: Arrow's threads, each making the bucket that is missing, would get in each other's way."""
    signature = inspect.signature(real)

    def write_dataset(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        base, store = str(given["base_dir"]), given.get("filesystem")
        if store is None and base.partition("://")[0] in _SCHEMES:
            buckets.ensure(_bucket(base.partition("://")[2]))
        elif getattr(store, "type_name", None) == "gcs":
            buckets.ensure(_bucket(base))
        return real(*args, **kwargs)

    return write_dataset


def _bucket(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
