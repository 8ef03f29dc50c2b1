"""`python -m mage_project`, and the command `mage-project`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command, and end with its exit code: 130 after Ctrl-C, whenever that comes."""
    try:
        gc.disable()  # what imports make is no garbage
        from mage_project.cli import cli

        gc.freeze()
        gc.enable()
        sys.exit(cli())
    except KeyboardInterrupt:
        print("error: interrupted (Ctrl-C)", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
