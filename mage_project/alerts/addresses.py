"""Tells wherever Apprise reaches: one address for each place, https://github.com/caronc/apprise/wiki."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from mage_project.alerts.webhooks import NotTold
from mage_project.alerts.words import Occasion
from mage_project.masking import masked

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
    try:
        import apprise
    except ImportError:
        raise NotTold("Apprise is not installed: pip install 'mage-project[alerts]'") from None
    heard, log = _Heard(), logging.getLogger("apprise")
    log.addHandler(heard)
    log.propagate = False
    try:
        place = apprise.Apprise()
        if not place.add(settings["url"]):
            raise NotTold(masked(" ".join(heard.lines) or "Apprise does not know this address"))
        if not place.notify(title=told.title(), body=told.details(), notify_type=_KINDS[told.event]):
            raise NotTold(masked(" ".join(heard.lines) or "it did not take it"))
    finally:
        log.removeHandler(heard)
