"""Frames in files: which format an ending means, and how it is read and written."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mage_project.errors import ConfigError, StoreError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


class ExportWritePolicy(StrEnum):
    """What an export does where something is already."""

    APPEND = "append"
    FAIL = "fail"
    REPLACE = "replace"


class FileFormat(StrEnum):
    """A format of files. CSV and JSON may be compressed. Excel, HDF5 and XML need a library of their own."""

    CSV = "csv"
    EXCEL = "excel"
    HDF5 = "hdf5"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    XML = "xml"


_ENDINGS = {
    ".csv": FileFormat.CSV,
    ".json": FileFormat.JSON,
    ".jsonl": FileFormat.NDJSON,
    ".ndjson": FileFormat.NDJSON,
    ".parquet": FileFormat.PARQUET,
    ".hdf5": FileFormat.HDF5,
    ".xls": FileFormat.EXCEL,
    ".xlsx": FileFormat.EXCEL,
    ".xml": FileFormat.XML,
}
#: Those that pandas reads and writes from and to open files, whatever their ending.
_TEXTS = {FileFormat.CSV, FileFormat.JSON, FileFormat.NDJSON}
#: Endings of compressed files, with pandas' name of the compression.
_COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}


def format_of(name: str, given: str | None = None) -> FileFormat:
    """The format that `given` names, else the one of the name's ending. Raises StoreError for one that is unknown."""
    if given is not None:
        known = {member.value: member for member in FileFormat} | {"jsonl": FileFormat.NDJSON}
        if str(given).lower() in known:
            return known[str(given).lower()]
        raise StoreError(f"format '{given}' is none of {', '.join(known)}.{did_you_mean(str(given), known)}")
    endings = [ending.lower() for ending in PurePosixPath(name).suffixes]
    if endings and endings[-1] in _COMPRESSED:
        endings.pop()
    ending = endings[-1] if endings else ""
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    what = f"'{name}' has no ending that tells its format ({', '.join(_ENDINGS)}).{did_you_mean(ending, _ENDINGS)}"
    raise StoreError(
        what, hint="let the name end so, or in code pass format='csv', 'excel', 'json', 'ndjson', 'parquet' or 'xml'"
    )


def compression_of(name: str) -> str | None:
    """pandas' name for the compression that the ending means, None without one."""
    return _COMPRESSED.get(PurePosixPath(name).suffix.lower())


def read(path: Path | str, name: str, given: str | None = None, **options: Any) -> pd.DataFrame:
    """The frame in the file `path`, whose format is that of `name`. `options` go to pandas' reader.

    `path` may be an address that pandas can open. Raises StoreError, naming the file, where it is not what its ending
    says.
    """
    import pandas as pd

    kind = format_of(name, given)
    readers: dict[FileFormat, Any] = {
        FileFormat.CSV: pd.read_csv,
        FileFormat.EXCEL: pd.read_excel,
        FileFormat.HDF5: pd.read_hdf,
        FileFormat.XML: pd.read_xml,
        FileFormat.JSON: pd.read_json,
        FileFormat.NDJSON: pd.read_json,
        FileFormat.PARQUET: pd.read_parquet,
    }
    if kind is FileFormat.NDJSON:
        options.setdefault("lines", True)
    if kind in _TEXTS:
        options.setdefault("compression", compression_of(name))
    try:
        frame: pd.DataFrame = readers[kind](path, **options)
    except (ValueError, EOFError, OSError, SyntaxError) as error:  # pandas', Arrow's and, the last one, lxml's
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise StoreError(f"'{name}' cannot be read as {kind.value}: {error}") from error
    except ImportError as error:
        if isinstance(path, str):  # an address may need a package besides that of the format
            raise ConfigError(f"'{name}' cannot be read: {error}") from error
        raise _lacking(kind) from error
    return frame


def write(data: Any, path: Path, name: str, given: str | None = None, **options: Any) -> int:
    """Write a frame, or an iterator of frames batch by batch, to `path` in the format of `name`; the number of rows.

    `options` go to pandas' writer. Times keep their microseconds; in JSON they are ISO texts. Raises StoreError for
    what is no frame, and whatever the iterator raises.
    """
    from mage_project.io.frames import is_frame

    kind = format_of(name, given)
    if kind in _TEXTS:
        options.setdefault("compression", compression_of(name))
    if kind in {FileFormat.JSON, FileFormat.NDJSON}:
        options = {"date_format": "iso", "date_unit": "us", **options}
    if is_frame(data):
        return _write_frame(_pandas(data), path, kind, options)
    from mage_project.io import streamed_files

    if kind.value in streamed_files.WRITERS:
        return streamed_files.WRITERS[kind.value](data, path, options)
    return _write_frame(_gathered(data), path, kind, options)


def _pandas(data: Any) -> pd.DataFrame:
    import pandas as pd

    from mage_project.io.frames import frames

    frame = next(frames(data))
    return frame if isinstance(frame, pd.DataFrame) else frame.to_pandas(types_mapper=pd.ArrowDtype)


def _gathered(data: Any) -> pd.DataFrame:
    """All frames of the iterator as one, for a format that cannot be written in pieces."""
    import pandas as pd

    from mage_project.io.frames import frames

    return pd.concat([_pandas(frame) for frame in frames(data)], ignore_index=True)


def _write_frame(frame: pd.DataFrame, path: Path, kind: FileFormat, options: dict[str, Any]) -> int:
    if kind is FileFormat.CSV:
        frame.to_csv(path, **options)
    elif kind is FileFormat.JSON:
        frame.to_json(path, **options)
    elif kind is FileFormat.NDJSON:
        frame.to_json(path, **{"orient": "records", "lines": True, **options})
    elif kind is FileFormat.PARQUET:
        options.setdefault("coerce_timestamps", "us")
        options.setdefault("allow_truncated_timestamps", True)
        frame.to_parquet(path, **options)
    else:
        _write_other(frame, path, kind, options)
    return len(frame)


def _write_other(frame: pd.DataFrame, path: Path, kind: FileFormat, options: dict[str, Any]) -> None:
    try:
        if kind is FileFormat.HDF5:
            frame.to_hdf(path, **{"key": "frame", **options})
        elif kind is FileFormat.XML:
            frame.to_xml(path, **options)
        else:
            frame.to_excel(path, **{"engine": "openpyxl", **options})
    except ImportError as error:
        raise _lacking(kind) from error


def _lacking(kind: FileFormat) -> ConfigError:
    needed = {FileFormat.EXCEL: "openpyxl", FileFormat.HDF5: "tables", FileFormat.XML: "lxml"}
    package = needed.get(kind, "pyarrow")
    return ConfigError(f"files of the format {kind.value} need the package {package}", hint=f"pip install {package}")
