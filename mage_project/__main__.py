"""`python -m mage_project`, and the command `mage-project`."""

from __future__ import annotations

import sys


def main() -> None:
    from mage_project.cli import cli

    sys.exit(cli())


if __name__ == "__main__":
    main()
