"""Tells wherever Apprise reaches: one address for each place, https://github.com/caronc/apprise/wiki."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mage_project.alerts.webhooks import NotTold
from mage_project.alerts.words import Occasion
from mage_project.masking import masked

if TYPE_CHECKING:
    import apprise

_KINDS = {"failure": "failure", "success": "success", "passed_sla": "warning", "warning": "warning"}


class _Heard(logging.Handler):
    """Keeps why Apprise could not, in this thread: it tells nobody but its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())


def send_to_address(settings: Mapping[str, Any], told: Occasion) -> None:
    """Raises `NotTold`."""
    with _heard() as heard:
        place = _place(settings["url"], heard)
        if not place.notify(title=told.title(), body=told.details(), notify_type=_KINDS[told.event]):
            raise NotTold(masked(" ".join(heard.lines) or "it did not take it"))


def why_refused(address: str) -> str | None:
    """Why nothing could be sent there, as far as its form tells; None where Apprise cannot be asked."""
    if find_spec("apprise") is None:
        return None
    try:
        with _heard() as heard:
            _place(address, heard)
    except NotTold as error:
        return str(error)
    return None


def _place(address: str, heard: _Heard) -> apprise.Apprise:
    try:
        import apprise
    except ImportError:
        raise NotTold("Apprise is not installed: pip install 'mage-project[alerts]'") from None
    place = apprise.Apprise()
    if not place.add(address):
        raise NotTold(masked(" ".join(heard.lines) or "Apprise does not know this address"))
    return place


@contextmanager
def _heard() -> Iterator[_Heard]:
    heard, log = _Heard(), logging.getLogger("apprise")
    log.addHandler(heard)
    log.propagate = False
    try:
        yield heard
    finally:
        log.removeHandler(heard)
