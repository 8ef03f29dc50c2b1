"""What tells contents of files apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

PIECE_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """The sha256 of the file, as 64 hexadecimal digits. (hashlib.file_digest is not in the Python of Mage's image.)"""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
