"""The connector to files, with Mage's names and signatures."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from mage_project.errors import MageProjectError, StoreError
from mage_project.io import formats
from mage_project.io.marks import is_on_its_way
from mage_project.io.placing import Watched, placed

if TYPE_CHECKING:
    import pandas as pd

_CONNECTORS = "GoogleCloudStorage and S3 of mage_ai.io write objects"


class FileIO:
    """Frames in CSV, JSON, Parquet, Excel, XML and HDF5 files, the format told by the file's ending."""

    def __init__(self, verbose: bool = False, **_kwargs: Any) -> None:
        self.verbose = verbose

    def load(
        self,
        filepath: str | os.PathLike[str] | None = None,
        format: str | None = None,
        file_directories: Iterable[str | os.PathLike[str]] | None = None,
        limit: int | None = None,
        **kwargs: Any,
    ) -> pd.DataFrame:
        """The frame in the file, or in all files below `file_directories`; at most `limit` rows.

        As in Mage, `filepath` may be an address (https://, s3://...) that pandas can open. `kwargs` go to pandas'
        reader. Raises StoreError if there is no such file, or it is not what its ending says.
        """
        import pandas as pd

        if file_directories:
            every = (path for folder in file_directories for path in Path(folder).rglob("*"))
            paths = sorted(path for path in every if path.is_file() and not is_on_its_way(path.name))
            if not paths:
                raise StoreError(f"there are no files below {', '.join(map(str, file_directories))}")
            frame = pd.concat([self._load(path, format, kwargs) for path in paths], axis=0, ignore_index=True)
        else:
            if filepath is None:
                raise StoreError("load needs a filepath")
            frame = self._load(filepath, format, kwargs)
        return frame if limit is None else frame[:limit]

    def export(self, df: Any, filepath: str | os.PathLike[str], format: str | None = None, **kwargs: Any) -> None:
        """Write a frame, or an iterator of frames batch by batch; the file appears when it is complete.

        `kwargs` go to pandas' writer. Raises StoreError where the folder is missing or the disk full.
        """
        if _is_address(filepath):
            raise StoreError(f"FileIO writes files, and '{filepath}' is none", hint=_CONNECTORS)
        path = Path(filepath)
        formats.format_of(path.name, format)
        if not path.parent.is_dir():
            raise StoreError(f"there is no folder {path.parent}", where=str(path), hint=f"mkdir -p {path.parent}")
        source = Watched(df)
        try:
            with placed(path) as beside:
                formats.write(source.data, beside, path.name, format, **kwargs)
        except OSError as error:
            if error is source.error:
                raise
            raise StoreError(f"cannot be written: {error.strerror or error}", where=str(path)) from error

    def exists(self, filepath: str | os.PathLike[str]) -> bool:
        """Whether there is such a file."""
        return Path(filepath).exists()

    def _load(self, filepath: str | os.PathLike[str], format: str | None, options: dict[str, Any]) -> pd.DataFrame:
        if _is_address(filepath):
            return _at_address(str(filepath), format, options)
        path = Path(filepath)
        try:
            return formats.read(path, path.name, format, **options)
        except FileNotFoundError as error:
            folder = path.parent
            names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
            close = difflib.get_close_matches(path.name, names, n=1)
            guess = f" Did you mean '{close[0]}'?" if close else ""
            raise StoreError(f"there is no file {path}.{guess}", where=str(path)) from error
        except PermissionError as error:
            raise StoreError("the file cannot be read: permission denied", where=str(path)) from error


def _is_address(filepath: str | os.PathLike[str]) -> bool:
    return isinstance(filepath, str) and "://" in filepath


def _at_address(address: str, format: str | None, options: dict[str, Any]) -> pd.DataFrame:
    """What lies there. What an error says is without what may be a secret: user, password and query."""
    from http.client import HTTPException, InvalidURL
    from urllib.error import HTTPError

    parts = _parts(address)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    name = PurePosixPath(parts.path).name
    try:
        return formats.read(address, name, format, **options)
    except FileNotFoundError as error:
        raise StoreError("there is nothing", where=place) from error
    except MageProjectError as error:
        if isinstance(error.__cause__, HTTPError):
            error.__cause__.close()  # it holds the connection
        error.where = error.where or place
        error.what = error.what.replace(f"?{parts.query}", "") if parts.query else error.what
        raise
    except InvalidURL:  # it quotes the address
        what = "the address has a space or a control character in it, or a port that is no number"
        raise StoreError(what, where=place, hint="write a space as %20") from None
    except HTTPException as error:
        raise StoreError(f"'{name}' cannot be read: {type(error).__name__}: {error}", where=place) from error


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # it may quote the password
        scheme, _, rest = address.partition("://")
        place = f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"
        raise StoreError("that is no address: there is no such host name", where=place) from None
