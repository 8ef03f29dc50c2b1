"""`python -m mage_project`, and the command `mage-project`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    gc.disable()  # what imports make is no garbage
    from mage_project.cli import cli

    gc.freeze()
    gc.enable()
    sys.exit(cli())


if __name__ == "__main__":
    main()
