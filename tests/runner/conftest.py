"""What tests of runs share."""

from __future__ import annotations

from typing import Any

import pytest


class Shared(list[Any]):
    """A list that blocks can write to: never copied."""

    def __deepcopy__(self, memo: Any) -> Shared:
        return self


@pytest.fixture
def seen() -> Shared:
    """What blocks write to when it is given to them as a variable."""
    return Shared()
