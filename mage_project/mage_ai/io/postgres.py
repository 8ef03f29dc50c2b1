"""mage_ai.io.postgres"""

from __future__ import annotations

from mage_project.io.postgres import Postgres

__all__ = ["Postgres"]
