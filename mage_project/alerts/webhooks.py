"""Tells Slack, Teams, Discord, Telegram, Google Chat and Opsgenie: one POST of JSON each, of the shape that Mage sends.

What comes from a run is escaped as each of them reads it, and cut to what each of them takes.
"""

from __future__ import annotations

import html
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from mage_project.alerts.words import Occasion
from mage_project.masking import masked

#: Seconds for connecting, and for each answer.
TIMEOUT_S = 6.0
AUTHORITY = "SSL_CERT_FILE names a file with the server's authority"
Settings = Mapping[str, Any]
Post = tuple[str, dict[str, Any], dict[str, str]]


class NotTold(Exception):
    """A channel has refused, or could not be reached. `may_pass`: whether a second try may help."""

    def __init__(self, why: str, *, may_pass: bool = False) -> None:
        super().__init__(why)
        self.may_pass = may_pass


def slack(settings: Settings, told: Occasion) -> Post:
    """https://docs.slack.dev/reference/block-kit/blocks: 150 characters of a header, 3,000 of a section."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(told.title(), 150)}},
        {"type": "divider"},
        {"type": "section", "text": {"type": "mrkdwn", "text": _cut(told.details(_for_slack), 3000)}},
    ]
    return settings["webhook_url"], {"blocks": blocks}, {}


def teams(settings: Settings, told: Occasion) -> Post:
    """A MessageCard. Teams reads Markdown in it, where a line ends with two spaces."""
    title, text = told.title(), told.summary().replace("\n", "  \n")
    card = {
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "summary": title,
        "sections": [{"activityTitle": title, "activitySubtitle": _cut(text, 20_000)}],
    }
    return settings["webhook_url"], card, {}


def discord(settings: Settings, told: Occasion) -> Post:
    """https://docs.discord.com/developers/resources/webhook: 2,000 characters. No text of a run rings everybody."""
    content = _cut(f"**{told.title()}**\n{told.summary()}", 2000)
    return settings["webhook_url"], {"content": content, "allowed_mentions": {"parse": []}}, {}


def telegram(settings: Settings, told: Occasion) -> Post:
    """https://core.telegram.org/bots/api#sendmessage: 4,096 characters of HTML, which is refused when cut in a tag."""
    title, text = told.title(html.escape), told.summary(html.escape)
    if len(html.unescape(title + text)) > 4000:
        title, text = html.escape(_cut(told.title(), 500)), html.escape(_cut(told.summary(), 3000))
    return settings["webhook_url"], {"text": f"<b>{title}</b>\n\n{text}", "parse_mode": "HTML"}, {}


def google_chat(settings: Settings, told: Occasion) -> Post:
    """https://developers.google.com/workspace/chat/api: 32,000 bytes; 4,096 characters are shown."""
    return settings["webhook_url"], {"text": _cut(f"*{told.title()}*\n{told.summary()}", 4096)}, {}


def opsgenie(settings: Settings, told: Occasion) -> Post:
    """https://docs.opsgenie.com/docs/alert-api: 130 characters of a message, 15,000 of a description."""
    body = {
        "message": _cut(told.title(), 130),
        "description": _cut(told.details(), 15_000),
        "priority": settings.get("priority") or "P3",
        "responders": settings.get("responders") or [],
        "tags": settings.get("tags") or [],
        "details": settings.get("details") or {},
    }
    return settings["url"], body, {"Authorization": f"GenieKey {settings['api_key']}"}


WEBHOOKS: Mapping[str, Callable[[Settings, Occasion], Post]] = {
    "slack": slack,
    "teams": teams,
    "discord": discord,
    "telegram": telegram,
    "google_chat": google_chat,
    "opsgenie": opsgenie,
}


def post(address: str, body: Mapping[str, Any], headers: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> None:
    """POST the JSON. Raises `NotTold` for any answer but one that says it was taken; a redirect is not followed."""
    request = urllib.request.Request(  # noqa: S310 - settings.py takes http and https only
        address, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with urllib.request.build_opener(_Unmoved).open(request, timeout=timeout_s) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(300).decode("utf-8", "replace").strip()
        why = f"HTTP {error.code} {error.reason}{f': {said}' if said else ''}"
        raise NotTold(masked(why), may_pass=error.code == 429 or error.code >= 500) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        hint = f"; {AUTHORITY}" if isinstance(reason, ssl.SSLCertVerificationError) else ""
        raise NotTold(masked(f"{reason}{hint}"), may_pass=isinstance(reason, ConnectionError)) from None


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """What is told goes where it was meant to, or nowhere."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _for_slack(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text: these three have a meaning in its texts."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
