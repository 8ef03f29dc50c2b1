"""Tells by e-mail, with the settings of Mage's `email_config`."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from mage_project.alerts.webhooks import AUTHORITY, TIMEOUT_S, NotTold
from mage_project.alerts.words import Occasion
from mage_project.masking import masked


def send_mail(settings: Mapping[str, Any], told: Occasion, *, timeout_s: float = TIMEOUT_S) -> None:
    """One mail to all. Raises `NotTold`.

    Unless `smtp_starttls: false` says otherwise, nothing goes over an open line that could go over a closed one, and a
    password never does. Certificates are verified.
    """
    try:
        message = _message(settings, told)
        with _server(settings, timeout_s) as server:
            server.send_message(message)
    except ssl.SSLError as error:
        raise NotTold(f"{_reason(error)}; {AUTHORITY}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotTold(masked(_reason(error)), may_pass=isinstance(error, ConnectionError)) from None


def _message(settings: Mapping[str, Any], told: Occasion) -> EmailMessage:
    to = settings["to_emails"]
    message = EmailMessage()
    message["Subject"] = told.title()
    message["From"] = settings["smtp_mail_from"]
    message["To"] = to if isinstance(to, str) else ", ".join(to)
    message.set_content(told.details())
    return message


def _server(settings: Mapping[str, Any], timeout_s: float) -> smtplib.SMTP:
    host, port = settings["smtp_host"], int(settings.get("smtp_port") or 587)
    user, password = settings.get("smtp_user"), settings.get("smtp_password")
    trust = ssl.create_default_context()
    if _is_true(settings, "smtp_ssl", otherwise=False):
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=trust)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout_s)
    try:
        server.ehlo()
        if not isinstance(server, smtplib.SMTP_SSL) and _is_true(settings, "smtp_starttls", otherwise=True):
            if server.has_extn("starttls"):
                server.starttls(context=trust)
            elif user and password:
                raise NotTold("the server has no STARTTLS, and a password is not sent without: smtp_starttls: false")
        if user and password:
            server.login(user, password)
    except BaseException:
        server.close()
        raise
    return server


def _is_true(settings: Mapping[str, Any], key: str, *, otherwise: bool) -> bool:
    return otherwise if settings.get(key) is None else str(settings[key]).lower() == "true"


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"SMTP {error.smtp_code}: {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__
