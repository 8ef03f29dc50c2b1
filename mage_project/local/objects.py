"""Files in buckets that are no objects yet: one of them would make every listing of its bucket fail.

The server writes an object as a whole, and then an extended attribute that makes it one. Stopped in between, it leaves
a file without the attribute; so does a person who copies a file into a bucket. Both become objects at the next start.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mage_project.errors import StoreError
from mage_project.local.folders import StackFolder

_METADATA = "user.metadata"
_log = logging.getLogger(__name__)


def set_aside(folder: StackFolder) -> None:
    """Moves the files that are no objects out of the buckets; the server does not run."""
    for path in _without_metadata(folder.objects):
        if path.name.startswith(".") and not path.stat().st_size:
            path.unlink()  # the server tries out with an empty file whether it may write
            continue
        target = folder.unfinished / path.relative_to(folder.objects)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def take_in(folder: StackFolder, url: str) -> None:
    """Makes objects of the files that were set aside, unless there are newer ones; the server runs."""
    for path in [path for path in folder.unfinished.glob("*/**/*") if path.is_file()]:
        from mage_project.local import buckets  # urllib is heavy, and this is rare

        bucket, _, name = path.relative_to(folder.unfinished).as_posix().partition("/")
        try:
            if not buckets.has_object(url, bucket, name):
                buckets.upload(url, bucket, name, path)
        except StoreError as error:
            _log.warning("%s does not become an object of the local GCS: %s", path, error)
        else:
            path.unlink()
            _log.info("%s became an object of the local GCS", name)


def _without_metadata(objects: Path) -> Iterator[Path]:
    if sys.platform != "linux":
        return
    for folder, _, names in os.walk(objects):
        for path in (Path(folder, name) for name in names):
            is_buckets_own = path.parent == objects and path.suffix == ".bucketMetadata"
            if not is_buckets_own and _METADATA not in os.listxattr(path, follow_symlinks=False):
                yield path
