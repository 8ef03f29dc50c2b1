"""mage_ai.io.base"""

from __future__ import annotations

from mage_project.io.formats import ExportWritePolicy, FileFormat

__all__ = ["ExportWritePolicy", "FileFormat"]
