"""Sends one alert to all its channels at once, within a time: whoever waits for it waits no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mage_project.alerts.channels import Alerts, Channel
from mage_project.alerts.webhooks import WEBHOOKS, NotTold, post
from mage_project.alerts.words import Occasion
from mage_project.masking import masked

#: How long all channels together are waited for.
PATIENCE_S = 8.0
#: Before the second and last try, where that may help.
_PAUSE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one channel: `why` it was not told, None where it was."""

    channel: str
    why: str | None = None

    def __str__(self) -> str:
        return f"{self.channel} is told" if self.why is None else f"warning: {self.channel} is not told: {self.why}"


def send(alerts: Alerts, occasion: Occasion, *, patience_s: float = PATIENCE_S) -> list[Outcome]:
    """Tell every channel of the occasion, and say what became of each. Never raises, and ends in time."""
    told = replace(occasion, templates=alerts.templates.get(occasion.event, {}))
    outcomes: dict[int, Outcome] = {}
    threads = []
    for place, channel in enumerate(alerts.channels):
        # A daemon: what hangs ends with the process.
        thread = threading.Thread(target=_tell, args=(place, channel, told, outcomes), name="alert", daemon=True)
        thread.start()
        threads.append(thread)
    _wait(threads, patience_s)
    silent = f"no answer within {patience_s:g} s"
    return [outcomes.get(place, Outcome(channel=each.name, why=silent)) for place, each in enumerate(alerts.channels)]


def _wait(threads: Sequence[threading.Thread], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _tell(place: int, channel: Channel, told: Occasion, outcomes: dict[int, Outcome]) -> None:
    why: str | None = None
    try:
        try:
            _send(channel, told)
        except NotTold as error:
            if not error.may_pass:
                raise
            time.sleep(_PAUSE_S)
            _send(channel, told)
    except NotTold as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a channel does, it is told of, and the run goes its way
        why = f"{type(error).__name__}: {error}"
    outcomes[place] = Outcome(channel=channel.name, why=why and _line(why))


def _send(channel: Channel, told: Occasion) -> None:
    if channel.kind in WEBHOOKS:
        post(*WEBHOOKS[channel.kind](channel.settings, told))
    elif channel.kind == "email":
        from mage_project.alerts.mail import send_mail

        send_mail(channel.settings, told)
    else:
        from mage_project.alerts.addresses import send_to_address

        send_to_address(channel.settings, told)


def _line(text: str) -> str:
    return masked(" ".join(text.split()))[:300]
