"""mage_ai.io.s3"""

from __future__ import annotations

from mage_project.io.s3 import S3

__all__ = ["S3"]
