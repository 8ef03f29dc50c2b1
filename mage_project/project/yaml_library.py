"""PyYAML, imported in half the time: its patterns are compiled when they are first used.

It compiles ten when it is imported, among them one for its reader in Python, which the one in C replaces, and one for
times. In a small run that takes longer than all else that is done with YAML.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import Any


class _Pattern:
    """What `re.compile` gives, once something is asked of it."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._given = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(_compile(*self._given), name)
        self.__dict__[name] = found
        return found


_compile = re.compile


def _later(pattern: Any, flags: Any = 0) -> Any:
    is_of_yaml = sys._getframe(1).f_globals.get("__name__", "").startswith("yaml.")
    return _Pattern(pattern, flags) if is_of_yaml else _compile(pattern, flags)


if "yaml" not in sys.modules and threading.active_count() == 1:
    re.compile = _later
    try:
        import yaml
    finally:
        re.compile = _compile
else:
    import yaml

__all__ = ["yaml"]
