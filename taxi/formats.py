"""The formats of a month's file, and what its first bytes say it is."""

from __future__ import annotations

from taxi.columns import CSV, CSV_GZ, FORMATS, PARQUET

ENCRYPTED = "this Parquet file is encrypted: decrypt it first."
AGAIN = "Take the file from its source again."
GZIP_MAGIC, PARQUET_MAGIC, ENCRYPTED_MAGIC = b"\x1f\x8b", b"PAR1", b"PARE"


def format_of(name: str) -> str:
    """The format that the file's name says. Raises ValueError for none of them."""
    for file_format in FORMATS:
        if name.endswith(f".{file_format}"):
            return file_format
    raise ValueError(f"{name}: no format of a month: they end in {', '.join(FORMATS)}")


def refuse_other_formats(start: bytes, file_format: str, label: str) -> None:
    """Raise ValueError, naming what the file is, unless its first bytes are those of its format."""
    fits = {
        CSV_GZ: start.startswith(GZIP_MAGIC),
        PARQUET: start.startswith(PARQUET_MAGIC),
        CSV: bool(start) and _known(start) is None,
    }
    if not fits[file_format]:
        raise ValueError(f"{label}: {_known(start) or _strange(start, file_format)}")


def _known(start: bytes) -> str | None:
    """What else the file is, if that can be seen."""
    if not start:
        return f"the file is empty. {AGAIN}"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "this is a web page (HTML) under the file's name, not a month: open the address in a browser to see why."
    if start.startswith(ENCRYPTED_MAGIC):
        return ENCRYPTED
    if start.startswith(PARQUET_MAGIC):
        return "this is Parquet: its name has to end in .parquet."
    if start.startswith(GZIP_MAGIC):
        return "this is packed with gzip: the name of a packed CSV has to end in .csv.gz."
    if start.startswith(b"PK"):
        return "this is a zip archive: unpack it and pack the CSV with `gzip`."
    return None


def _strange(start: bytes, file_format: str) -> str:
    if start.split(b"\n", 1)[0].count(b",") > 5:
        return "this is not packed: pack it with `gzip`, or let its name end in .csv."
    name = {CSV_GZ: "a gzip file", PARQUET: "Parquet"}[file_format]
    return f"this is not {name}: it starts with {start[:12]!r}. {AGAIN}"
