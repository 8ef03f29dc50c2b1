"""Where the file of a month comes from: a folder, an http(s) address or a bucket.

Below the source a month is looked for as

- `<service>/<service>_tripdata_<month>.csv.gz`, the layout of the course's releases; `.csv` beside it;
- `<service>_tripdata_<month>.parquet`, TLC's own layout, and the same below `<service>/`.

In a folder or a bucket it is what is there, in this order. TLC's host has Parquet, any other http(s) address has
`.csv.gz`, unless the format is said.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from taxi.cache import Cache
from taxi.columns import CSV_GZ, FORMATS, PARQUET
from taxi.formats import format_of
from taxi.hashes import sha256_of
from taxi.months import Month
from taxi.remotes import TLC_HOST, NotPublished, Progress, Remote
from taxi.words import did_you_mean, listed

RELEASES = "https://github.com/DataTalksClub/nyc-tlc-data/releases/download"
TLC = f"https://{TLC_HOST}/trip-data"


@dataclass(frozen=True, kw_only=True)
class TripFile:
    """A month's file on this machine. `sha256` is that of its bytes; `label` is how messages call it."""

    month: Month
    path: Path
    sha256: str
    label: str

    @property
    def file_format(self) -> str:
        return format_of(self.path.name)


def trip_file(
    source: str,
    month: Month,
    *,
    project: Path,
    file_format: str | None = None,
    progress: Progress | None = None,
) -> TripFile:
    """The file of the month, downloaded where that is needed.

    `source` is a folder (a relative one starts at `project`), an http(s) prefix or a gs:// prefix. `file_format` is
    csv.gz, csv, parquet, or None for what this module says. Downloads are kept in the folder TAXI_CACHE, else in
    `.mage_project/cache` of the project. Raises OSError (NotPublished, PermissionError, ConnectionError...) or
    ValueError, saying what to do.
    """
    if file_format not in (None, *FORMATS):
        raise ValueError(f"format {file_format!r} is none of {', '.join(FORMATS)}.{did_you_mean(file_format, FORMATS)}")
    scheme, separator, _ = source.partition("://")
    if not separator:
        path = _in_folder(project / Path(source).expanduser(), month, file_format)
        return TripFile(month=month, path=path, sha256=sha256_of(path), label=str(path))
    folder = Path(os.environ.get("TAXI_CACHE") or project / ".mage_project" / "cache").expanduser()
    remotes = [_remote(scheme, source, path) for path in _paths(source, month, file_format)]
    return _fetched(Cache(folder=folder), remotes, month, progress)


def _paths(source: str, month: Month, file_format: str | None) -> list[str]:
    """Where the file can be below the source: the first one that is there is taken."""
    if urlsplit(source).hostname == TLC_HOST:
        return [f"{month.name}.{PARQUET}"]
    if file_format is None and source.startswith("http"):
        file_format = CSV_GZ
    formats = FORMATS if file_format is None else (file_format,)
    own = [f"{month.name}.{PARQUET}"] if PARQUET in formats else []
    below = [f"{month.service}/{month.name}.{each}" for each in formats]
    return own + below if file_format == PARQUET else [*below[:-1], *own, *below[-1:]]


def _remote(scheme: str, source: str, path: str) -> Remote:
    if scheme in ("http", "https"):
        from taxi.http_remote import HttpRemote

        return HttpRemote(source, path)
    if scheme == "gs":
        from taxi.gcs_remote import GcsRemote

        return GcsRemote(source, path)
    raise ValueError(f"source {scheme}://... cannot be read: give a folder, an http(s):// prefix or a gs:// prefix")


def _fetched(cache: Cache, remotes: list[Remote], month: Month, progress: Progress | None) -> TripFile:
    """The first of the remote files that is there. Raises the NotPublished of the first one where none is."""
    missing: NotPublished | None = None
    for remote in remotes:
        try:
            kept = cache.fetch(remote, remote.shown.rpartition("/")[2], progress=progress)
        except NotPublished as error:
            missing = missing or error
        else:
            return TripFile(month=month, path=kept.path, sha256=kept.sha256, label=remote.shown)
    others = listed(remote.shown for remote in remotes[1:])
    raise NotPublished(f"{missing} Nor is there {others}." if len(remotes) > 1 else str(missing))


def _in_folder(folder: Path, month: Month, file_format: str | None) -> Path:
    paths = [folder / path for path in _paths("", month, file_format)]
    for path in paths:
        if path.is_file():
            return path
    if not folder.is_dir():
        raise FileNotFoundError(f"source {folder}: there is no such folder. Check the variable source.")
    pattern = f"{month.service}_tripdata_*.*"
    there = sorted(path.name for place in (folder, folder / month.service) for path in place.glob(pattern))
    raise NotPublished(
        f"{paths[0]}: no such file. The folder has {listed(there[:12])}. Check the variables months and source."
    )
