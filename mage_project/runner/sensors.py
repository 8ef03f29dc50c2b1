"""A sensor holds the run until what it looks for is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mage_project.project import Block

#: Seconds between two looks where the block says nothing, as in Mage.
PAUSE_S = 60.0


def wait(block: Block, look: Callable[[], Any], said: Callable[[str], None]) -> None:
    """Look until it is there, every `poke_interval` seconds of its configuration. Raises what `look` raises.

    The block's `timeout` ends it, as that of any other block.
    """
    pause_s = float(block.configuration.get("poke_interval") or PAUSE_S)
    while not look():
        said(f"not there yet; looking again in {pause_s:g} s")
        time.sleep(pause_s)
