"""A sensor holds the run until what it looks for is there."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

from mage_project.project import Block

#: Seconds between two looks where the block says nothing, as in Mage.
PAUSE_S = 60.0


def inputs_for(function: Callable[..., Any], inputs: Sequence[Any]) -> Sequence[Any]:
    """What the sensor is called with: as in Mage, one that takes nothing by position is not given its inputs."""
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    return inputs if any(kind not in by_name for kind in kinds) else ()


def wait(block: Block, look: Callable[[], Any], said: Callable[[str], None]) -> None:
    """Look until it is there, every `poke_interval` seconds of its configuration. Raises what `look` raises.

    The block's `timeout` ends it, as that of any other block.
    """
    pause_s = float(block.configuration.get("poke_interval") or PAUSE_S)
    while not look():
        said(f"not there yet; looking again in {pause_s:g} s")
        time.sleep(pause_s)
