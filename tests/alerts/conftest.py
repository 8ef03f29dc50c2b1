from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alerts.receivers import Receiver, receiver


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    """A server for the webhooks of all services."""
    with receiver() as found:
        yield found
