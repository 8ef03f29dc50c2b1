"""mage_ai.io.file"""

from __future__ import annotations

from mage_project.io.file import FileIO

__all__ = ["FileIO"]
