"""The memory of this process: what the kernel says of it, and giving back what is free."""

from __future__ import annotations

import sys
from pathlib import Path


def figures() -> dict[str, int]:
    """The sizes in /proc/self/status by name (proc(5)), in bytes; nothing where there is no such file."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(amount) * 1024 for name, amount, _unit in fields}


def give_back() -> None:
    """Let the system have what Arrow's allocator keeps for later: with glibc's, free pages of every thread."""
    if pool := getattr(sys.modules.get("pyarrow"), "default_memory_pool", None):  # none yet while it is imported
        pool().release_unused()
