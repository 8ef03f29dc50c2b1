"""Every channel is told as its service wants it, whatever a run has said; what hangs or refuses harms nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from mage_project.alerts.channels import Alerts, Channel
from mage_project.alerts.sending import send
from mage_project.alerts.words import Occasion
from tests.alerts.receivers import MailServer, Receiver, silence

FAILURE = Occasion(
    event="failure",
    pipeline="orders",
    status="failed",
    run_id="20261130T050000-ab12cd",
    trigger="daily",
    execution_time="2026-11-30 05:00:00",
    error="block 'load' failed: 1 < 2 & <!channel> @everyone\n  where: orders.load, data_loaders/load.py:7",
    resume="mage-project resume 20261130T050000-ab12cd",
    seconds=12.34,
)


def alerts(*channels: Channel) -> Alerts:
    return Alerts(channels=channels)


def hook(hooks: Receiver, kind: str, **more: Any) -> Channel:
    key = "url" if kind == "opsgenie" else "webhook_url"
    return Channel(kind=kind, name=kind, settings={key: f"{hooks.url}/{kind}", **more})


def every(hooks: Receiver) -> Alerts:
    kinds = ("slack", "teams", "discord", "telegram", "google_chat")
    return alerts(*(hook(hooks, kind) for kind in kinds), hook(hooks, "opsgenie", api_key="genie-key-1234"))


def test_every_channel_hears_of_run_pipeline_cause_place_and_what_to_do(hooks: Receiver) -> None:
    assert {outcome.why for outcome in send(every(hooks), FAILURE)} == {None}
    assert len(hooks.said) == 6
    for path, [said] in hooks.said.items():
        text = json.dumps(said)
        for word in ("20261130T050000-ab12cd", "orders", "data_loaders/load.py:7", "mage-project resume"):
            assert word in text, path


def test_no_text_of_a_run_is_markup_or_rings_everybody(hooks: Receiver) -> None:
    send(every(hooks), FAILURE)
    assert "&lt;!channel&gt;" in hooks.said["/slack"][0]["blocks"][2]["text"]["text"]
    assert hooks.said["/discord"][0]["allowed_mentions"] == {"parse": []}
    assert "1 &lt; 2 &amp; &lt;!channel&gt;" in hooks.said["/telegram"][0]["text"]


@pytest.mark.parametrize("sign", ["x", "&", "<"])
def test_a_long_text_is_cut_to_what_each_service_takes(hooks: Receiver, sign: str) -> None:
    long = dict.fromkeys(("title", "summary", "details"), "{error}{error}{pipeline_uuid}" * 20)
    for templates in ({}, {"failure": long}):
        told = replace(every(hooks), templates=templates)
        found = send(told, replace(FAILURE, error=sign * 50_000, pipeline="p" * 200))
        assert {outcome.why for outcome in found} == {None}


def test_a_service_that_stumbles_is_asked_again_and_one_that_refuses_is_not(hooks: Receiver) -> None:
    hooks.instead = {"/slack": [(503, "busy")], "/teams": [(400, "no such team"), (200, "")]}
    first, second = send(alerts(hook(hooks, "slack"), hook(hooks, "teams")), FAILURE)
    assert (first.why, second.why) == (None, "HTTP 400 Bad Request: no such team")
    assert sorted(hooks.asked) == ["/slack", "/slack", "/teams"]


def test_what_is_told_is_not_sent_elsewhere(hooks: Receiver) -> None:
    hooks.instead = {"/slack": [(307, "")]}
    [found] = send(alerts(hook(hooks, "slack")), FAILURE)
    assert (found.why, hooks.asked) == ("HTTP 307 Temporary Redirect", ["/slack"])


def test_a_channel_that_hangs_costs_a_bounded_time_and_no_other_channel(hooks: Receiver) -> None:
    with silence() as address:
        hanging = Channel(kind="slack", name="slack", settings={"webhook_url": f"http://{address}/"})
        found = send(alerts(hanging, hook(hooks, "teams")), FAILURE, patience_s=2)
    assert [outcome.why for outcome in found] == ["no answer within 2 s", None]


def test_nobody_there_is_said(hooks: Receiver) -> None:
    gone = Channel(kind="discord", name="discord", settings={"webhook_url": "http://127.0.0.1:9/"})
    [found] = send(alerts(gone), FAILURE)
    assert "refused" in (found.why or "")


def test_a_mail_goes_by_starttls_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(tmp_path).running() as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        [found] = send(alerts(mail(server)), replace(FAILURE, pipeline="orders\nBcc: thief@example.org"))
    assert (found.why, server.encrypted) == (None, [True])
    [envelope] = server.mails
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    message = message_from_bytes(envelope.content or b"", policy=policy.default)
    assert message["Subject"] == "orders Bcc: thief@example.org failed"
    assert "next: mage-project resume 20261130T050000-ab12cd" in message.get_content()


def test_a_mail_server_that_cannot_be_trusted_gets_nothing(tmp_path: Path) -> None:
    with MailServer(tmp_path).running() as server:
        [found] = send(alerts(mail(server)), FAILURE)
    assert "certificate verify failed" in (found.why or "")
    assert "SSL_CERT_FILE" in (found.why or "")
    assert server.mails == []


def test_a_wrong_password_is_said_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(tmp_path).running() as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        [found] = send(alerts(mail(server, smtp_password="not-this-one")), FAILURE)
    assert (found.why, server.mails) == ("SMTP 535: 5.7.8 Authentication credentials invalid", [])


def test_a_password_does_not_go_over_an_open_line(tmp_path: Path) -> None:
    with MailServer(tmp_path, starttls=False).running() as server:
        [found] = send(alerts(mail(server)), FAILURE)
        [open_line] = send(alerts(mail(server, smtp_user=None, smtp_password=None)), FAILURE)
    assert "no STARTTLS" in (found.why or "")
    assert (open_line.why, server.encrypted) == (None, [False])


def mail(server: MailServer, **more: Any) -> Channel:
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_mail_from": "etl@example.org",
        "smtp_user": server.user,
        "smtp_password": server.password,
        "to_emails": ["a@example.org", "b@example.org"],
        **more,
    }
    return Channel(kind="email", name="email", settings=settings)


def test_the_rest_is_reached_by_its_address(hooks: Receiver) -> None:
    address = hooks.url.replace("http://", "json://") + "/any/where"
    [found] = send(alerts(Channel(kind="address", name="json", settings={"url": address})), FAILURE)
    assert found.why is None
    [said] = hooks.said["/any/where"]
    assert (said["title"], said["type"]) == ("orders failed", "failure")


@pytest.mark.parametrize("address", ["nowhere://x", "json://127.0.0.1:9/x"], ids=["unknown", "nobody there"])
def test_an_address_that_leads_nowhere_is_said(address: str) -> None:
    [found] = send(alerts(Channel(kind="address", name="x", settings={"url": address})), FAILURE)
    assert found.why
