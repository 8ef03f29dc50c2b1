"""Where the file of a month comes from: a folder, an http(s) address or a bucket, always in the releases' layout."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from taxi.cache import Cache
from taxi.hashes import sha256_of
from taxi.months import Month
from taxi.remotes import Progress, Remote
from taxi.words import listed

RELEASES = "https://github.com/DataTalksClub/nyc-tlc-data/releases/download"


@dataclass(frozen=True, kw_only=True)
class TripFile:
    """A month's .csv.gz on this machine. `sha256` is that of its bytes; `label` is how messages call it."""

    month: Month
    path: Path
    sha256: str
    label: str


def trip_file(source: str, month: Month, *, project: Path, progress: Progress | None = None) -> TripFile:
    """The file `<source>/<service>/<service>_tripdata_<month>.csv.gz`, downloaded where that is needed.

    `source` is a folder (a relative one starts at `project`), an http(s) prefix or a gs:// prefix. Downloads are
    kept in the folder TAXI_CACHE, else in `.mage_project/cache` of the project. Raises OSError (FileNotFoundError,
    PermissionError, ConnectionError...) or ValueError, saying what to do.
    """
    remote = _remote(source, month)
    if remote is None:
        path = _in_folder(project / Path(source).expanduser(), month)
        return TripFile(month=month, path=path, sha256=sha256_of(path), label=str(path))
    folder = Path(os.environ.get("TAXI_CACHE") or project / ".mage_project" / "cache").expanduser()
    kept = Cache(folder=folder).fetch(remote, month.name, progress=progress)
    return TripFile(month=month, path=kept.path, sha256=kept.sha256, label=remote.shown)


def _remote(source: str, month: Month) -> Remote | None:
    """Where to download from; None for a folder."""
    scheme, separator, _ = source.partition("://")
    if not separator:
        return None
    if scheme in ("http", "https"):
        from taxi.http_remote import HttpRemote

        return HttpRemote(source, f"{month.service}/{month.name}")
    if scheme == "gs":
        from taxi.gcs_remote import GcsRemote

        return GcsRemote(source, f"{month.service}/{month.name}")
    raise ValueError(f"source {scheme}://... cannot be read: give a folder, an http(s):// prefix or a gs:// prefix")


def _in_folder(folder: Path, month: Month) -> Path:
    path = folder / month.service / month.name
    if path.is_file():
        return path
    if not folder.is_dir():
        raise FileNotFoundError(f"source {folder}: there is no such folder. Check the variable source.")
    there = sorted(other.name for other in (folder / month.service).glob(f"{month.service}_tripdata_*.csv.gz"))
    raise FileNotFoundError(
        f"{path}: no such file. The folder has {listed(there[:12])}. Check the variables months and source."
    )
