"""What tests leave to the garbage collector."""

from __future__ import annotations

import gc
import warnings


def forget() -> None:
    """Collect the garbage, and be silent about sockets in it.

    For tests whose servers hang up in the middle: there Google's library may leave a socket open, which would fail
    whichever test comes later.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
