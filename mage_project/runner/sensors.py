"""A sensor holds the run until what it looks for is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Seconds between two looks, as in Mage.
PAUSE_S = 60.0


def wait(look: Callable[[], Any], said: Callable[[str], None]) -> None:
    """Look until it is there. Raises what `look` raises."""
    while not look():
        said(f"not there yet; looking again in {PAUSE_S:g} s")
        time.sleep(PAUSE_S)
