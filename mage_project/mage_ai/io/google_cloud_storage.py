"""mage_ai.io.google_cloud_storage"""

from __future__ import annotations

from mage_project.io.google_cloud_storage import GoogleCloudStorage

__all__ = ["GoogleCloudStorage"]
