"""mage_ai.shared.enum"""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum

__all__ = ["Enum", "IntEnum", "StrEnum"]
