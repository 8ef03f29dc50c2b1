"""Giving memory that is free back to the system."""

from __future__ import annotations

import sys


def give_back() -> None:
    """Let the system have what Arrow's allocator keeps for later: with glibc's, free pages of every thread."""
    if pyarrow := sys.modules.get("pyarrow"):
        pyarrow.default_memory_pool().release_unused()
