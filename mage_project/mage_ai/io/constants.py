"""mage_ai.io.constants"""

from __future__ import annotations

from mage_project.io.names import reserved_words

__all__ = ["SQL_RESERVED_WORDS"]

SQL_RESERVED_WORDS = sorted(word.upper() for word in reserved_words())
