"""What was seen at an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mage_project.history.facts import storable


class CannotLook(Exception):
    """Whether something is there cannot be told now. The message says why, and holds no secret."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A file or an object. `version` differs when it has changed: its ETag, its generation, its time and size."""

    address: str
    version: str
    size: int | None = None
    modified: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same content, as far as one can tell without reading it."""
        return storable(f"{self.address} {self.version}")

    @property
    def order(self) -> tuple[list[str], str, str]:
        """Sorts by the month or date that the address is of, then by time."""
        return sorted(self.names.values()), self.modified.isoformat() if self.modified else "", self.address

    def event(self) -> dict[str, Any]:
        """As the run gets it."""
        return {
            "address": self.address,
            "name": self.address.partition("?")[0].rpartition("/")[2],
            "version": self.version,
            "size": self.size,
            "modified": self.modified.isoformat() if self.modified else None,
            **self.names,
        }
