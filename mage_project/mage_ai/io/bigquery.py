"""mage_ai.io.bigquery"""

from __future__ import annotations

from mage_project.io.bigquery import BigQuery

__all__ = ["BigQuery"]
