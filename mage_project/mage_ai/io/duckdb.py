"""mage_ai.io.duckdb"""

from __future__ import annotations

from mage_project.io.duckdb import DuckDB

__all__ = ["DuckDB"]
