"""Where the file of a block lies."""

from __future__ import annotations

import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mage_project.errors import did_you_mean
from mage_project.project.model import ENDINGS, FOLDERS


def line_that_is_no_text(path: Path) -> int | None:
    """The first line of a Python file with a byte that UTF-8, or the encoding that the file declares, has not."""
    source = path.read_bytes()
    try:
        with path.open("rb") as lines:
            encoding, _ = tokenize.detect_encoding(lines.readline)
        source.decode(encoding)
    except UnicodeDecodeError as error:
        return source[: error.start].count(b"\n") + 1
    except SyntaxError:  # an encoding that nobody knows, or a first line that is no text
        return 1
    return None


def wanted(kind: str, uuid: str, language: str) -> Path:
    """The block's file from the project's root, as type, name and language say."""
    return Path(FOLDERS[kind]) / f"{uuid}.{ENDINGS.get(language, 'py')}"


def find(root: Path, kind: str, uuid: str, language: str, configuration: Mapping[str, Any]) -> Path | None:
    """The block's file where type and name say; else where a `file_source` says (often stale)."""
    usual = root / wanted(kind, uuid, language)
    # A linked folder is the owner's own wish; a path written in YAML may come from anywhere.
    candidates = [usual, *(path for path in _named(root, configuration) if path.resolve().is_relative_to(root))]
    return next((path for path in candidates if path.is_file()), None)


def _named(root: Path, configuration: Mapping[str, Any]) -> Iterator[Path]:
    source = configuration.get("file_source") or {}
    if isinstance(source, dict) and isinstance(source.get("path"), str):
        yield root / source["path"]
        yield root.parent / source["path"]


def missing(root: Path, file: Path) -> tuple[str, str]:
    """What is wrong where `file` (from the root) is not there, and what to do."""
    link = next((path for path in (root / file, (root / file).parent) if path.is_symlink() and not path.exists()), None)
    if link:
        name = link.relative_to(root)
        return f"no file {file}: {name} is a link to {link.readlink()}, which is not there", f"mend the link {name}"
    there = {path.name: path for path in (root / file).parent.glob(f"*{file.suffix}")}
    return f"no file {file}.{did_you_mean(file.name, there)}", f"add {file}, or take the block out of the pipeline"
