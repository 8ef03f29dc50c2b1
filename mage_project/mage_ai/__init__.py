"""The import names that blocks use: inside a run `mage_ai` and what is below it mean the modules of this package."""

from __future__ import annotations

from mage_project.mage_ai.finder import install, uninstall

__all__ = ["install", "uninstall"]
