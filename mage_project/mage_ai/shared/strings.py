"""mage_ai.shared.strings: small things about texts."""

from __future__ import annotations

import json
import re
from typing import Any


def is_json(myjson: Any) -> Any:
    """The mapping that a JSON text means, False for anything else."""
    try:
        parsed = json.loads(str(myjson))
    except ValueError:
        return False
    return parsed if isinstance(parsed, dict) else False


def camel_to_snake_case(name: str) -> str:
    """`blockRunID` is `block_run_id`."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words.replace("__", "_")).lower()


def classify(name: str) -> str:
    """`block_run` is `BlockRun`."""
    return "".join(word.capitalize() for word in name.split("_"))


def format_enum(v: Any) -> Any:
    """The value of an enumeration's member; a text as it is."""
    return v if type(v) is str else v.value


def is_number(s: Any) -> bool:
    """Whether it is a number or the text of one."""
    try:
        float(s)
    except (ValueError, TypeError):
        return False
    return True


def string_to_number(value: str) -> int | float | str:
    """The whole number, else the number, else the text itself."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def replacer(s: str, newstring: str, index: int, nofail: bool = False) -> str:
    """The text with `newstring` in the place of one character. Raises ValueError outside of it, unless `nofail`."""
    if not nofail and index not in range(len(s)):
        raise ValueError(f"there is no place {index} in '{s}'")
    if index < 0 or index > len(s):
        return newstring + s if index < 0 else s + newstring
    return s[:index] + newstring + s[index + 1 :]


def remove_extension_from_filename(filename: str) -> str:
    """`folder/file.tar.gz` is `folder/file`."""
    folder, slash, name = filename.rpartition("/")
    return folder + slash + name.split(".")[0]


def capitalize_remove_underscore_lower(word: str) -> str:
    """`block_RUN` is `Block run`."""
    return word.replace("_", " ").capitalize()


def to_ordinal_integers(word: str) -> list[int]:
    """The place of each letter in the alphabet, 1 for a."""
    return [ord(letter) - 96 for letter in word or ""]


def size_of_string(string: Any) -> int:
    """How many bytes it has in UTF-8."""
    return len(str(string).encode())
