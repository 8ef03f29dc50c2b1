"""The channels that `notification_config` may have, as Mage 0.9.80 names them, with the keys of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What may be told, by the words of `alert_on`. The last one is not Mage's, which passes over it.
EVENTS = {
    "trigger_failure": "failure",
    "trigger_success": "success",
    "trigger_passed_sla": "passed_sla",
    "trigger_warning": "warning",
}
#: What is told where `alert_on` is missing, as in Mage.
USUAL = ("failure", "passed_sla")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`needed`: the keys without a value of which the channel is switched off; `free`: those it may have besides."""

    needed: tuple[str, ...]
    free: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.needed, *self.free)


KINDS = {
    "slack_config": Kind(needed=("webhook_url",)),
    "teams_config": Kind(needed=("webhook_url",)),
    "discord_config": Kind(needed=("webhook_url",)),
    "telegram_config": Kind(needed=("webhook_url",)),
    "google_chat_config": Kind(needed=("webhook_url",)),
    "opsgenie_config": Kind(needed=("url", "api_key"), free=("priority", "responders", "tags", "details")),
    "email_config": Kind(
        needed=("smtp_host", "smtp_mail_from", "to_emails"),
        free=("smtp_user", "smtp_password", "smtp_starttls", "smtp_ssl", "smtp_port"),
    ),
}
#: What `message_templates` may have, and each of them.
TEMPLATES = ("success", "failure", "passed_sla")
PARTS = ("title", "summary", "details")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One place to tell. `kind` is Mage's word for it, or `address` for one of ours. Its repr shows no setting."""

    kind: str
    name: str
    settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Whom to tell of what. `unset`: why a channel of the file is switched off; `templates`: by event, then part."""

    on: tuple[str, ...] = USUAL
    channels: tuple[Channel, ...] = ()
    unset: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
