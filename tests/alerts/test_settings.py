"""`notification_config` means what it means in Mage; what is wrong in it is found, with the line, and costs no run."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from mage_project.alerts.settings import read_alerts
from mage_project.alerts.words import Occasion
from mage_project.masking import masked
from mage_project.project import Project
from tests.projects import write_pipeline

_PIPELINE = "uuid: p\nblocks: []\n"


def write(root: Path, project: str, pipeline: str = "") -> Path:
    (root / "metadata.yaml").write_text(textwrap.dedent(project))
    write_pipeline(root, _PIPELINE + textwrap.dedent(pipeline))
    return root


#: What Mage writes into every new project.
MAGES_OWN = """
    project_type: standalone
    notification_config:
      alert_on:
      - trigger_failure
      - trigger_passed_sla
      slack_config:
        webhook_url: "{{ env_var('MAGE_SLACK_WEBHOOK_URL') }}"
      teams_config:
        webhook_url: "{{ env_var('MAGE_TEAMS_WEBHOOK_URL') }}"
"""


def test_the_variables_of_a_new_mage_project_switch_its_channels_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, MAGES_OWN)
    found, problems = read_alerts(root, "p")
    assert (found.channels, problems) == ((), [])
    assert (
        found.unset["slack"] == "'webhook_url' needs the environment variable MAGE_SLACK_WEBHOOK_URL, which is not set"
    )
    monkeypatch.setenv("MAGE_SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/abcdef")
    [channel] = read_alerts(root, "p")[0].channels
    assert (channel.kind, channel.settings) == (
        "slack",
        {"webhook_url": "https://hooks.slack.com/services/T0/B0/abcdef"},
    )
    assert masked("POST /services/T0/B0/abcdef failed") == "POST /*** failed"
    assert "abcdef" not in repr(channel)


def test_each_key_of_a_pipeline_goes_over_the_projects(tmp_path: Path) -> None:
    project = "notification_config: {alert_on: [trigger_success], slack_config: {webhook_url: 'http://a.example/x'}}\n"
    pipeline = "notification_config: {slack_config: {webhook_url: 'http://b.example/x'}}\n"
    found, _ = read_alerts(write(tmp_path, project, pipeline), "p")
    assert found.on == ("success",)
    assert [channel.settings["webhook_url"] for channel in found.channels] == ["http://b.example/x"]


def test_teams_may_have_several_webhooks(tmp_path: Path) -> None:
    project = "notification_config: {teams_config: {webhook_url: ['http://a.example/x', 'http://b.example/x']}}\n"
    found, _ = read_alerts(write(tmp_path, project), "p")
    assert [channel.settings["webhook_url"] for channel in found.channels] == [
        "http://a.example/x",
        "http://b.example/x",
    ]


def test_jinja_without_quotes_is_read_as_mage_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "http://a.example/x#'\"{{")
    project = "notification_config:\n  slack_config:\n    webhook_url: {{ env_var('HOOK') }}\n"
    [channel] = read_alerts(write(tmp_path, project), "p")[0].channels
    assert channel.settings["webhook_url"] == "http://a.example/x#'\"{{"


def test_the_template_of_a_pipeline_says_what_is_told(tmp_path: Path) -> None:
    pipeline = """
        notification_config:
          message_templates:
            failure:
              title: "{pipeline_uuid} is down"
              summary: "Error: {error}\\\\nRun: {pipeline_run_url} {{literally}} {nobody.__class__}"
    """
    found, problems = read_alerts(
        write(tmp_path, "", pipeline.replace("{{literally}}", "{{ '{{' }}literally{{ '}}' }}")), "p"
    )
    told = Occasion(
        event="failure", pipeline="p", run_id="r", error="no {secret}", templates=found.templates["failure"]
    )
    assert told.title() == "p is down"
    assert (
        told.summary()
        == "Error: no {secret}\nRun: http://localhost:6789/pipelines/p/runs/r {literally} {nobody.__class__}"
    )
    assert told.details() == told.summary()
    assert [problem.message.split(" (")[0] for problem in problems] == [
        "'summary' of message_templates.failure knows no {nobody.__class__}."
    ]


@pytest.mark.parametrize(
    ("project", "line", "message"),
    [
        ("notification_config: {slak_config: {}}", 1, "unknown key 'slak_config' of notification_config. Did you mean "
         "'slack_config'?"),
        ("notification_config:\n  slack_config:\n    webhook_ur: x", 3, "unknown key 'webhook_ur' of slack_config. Did "
         "you mean 'webhook_url'?"),
        ("notification_config:\n  alert_on: [trigger_fail]", 2, "alert_on has no 'trigger_fail'. Did you mean "
         "'trigger_failure'?"),
        ("notification_config:\n  slack_config: {webhook_url: ftp://x}", 2, "'slack_config': webhook_url is no http:// "
         "or https:// address"),
        ("notification_config:\n  email_config: {smtp_host: h}", 2, "'email_config' has no smtp_mail_from"),
        ("notification_config:\n  email_config: {smtp_host: h, smtp_mail_from: a@b, to_emails: [c@d], "
         "smtp_port: ssl}", 2, "'email_config': smtp_port must be a number, not 'ssl'"),
        ("notification_config: 7", 1, "'notification_config' must be a mapping, not 7"),
        ("notification_config:\n  message_templates: {fail: {title: x}}", 2, "unknown key 'fail' of "
         "message_templates. Did you mean 'failure'?"),
        ("alerts: {urls: [nothing]}", 1, "url 1 of 'alerts' is no address"),
        ("notification_config: {{ env_var( }}", 1, "no alerts: the template is wrong: unexpected '}', expected ')'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_with_its_line_and_what_was_meant(
    tmp_path: Path, project: str, line: int, message: str
) -> None:
    found, problems = read_alerts(write(tmp_path, project), "p")
    assert [(problem.line, problem.message) for problem in problems] == [(line, message)]
    assert not found.channels
    assert Project(tmp_path).pipeline("p").uuid == "p", "and the pipeline runs"


def test_a_variable_as_shells_have_them_is_told_with_mages_form_and_nothing_of_what_comes_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "http://a.example/${x}")
    project = """
        notification_config:
          discord_config: {webhook_url: "{{ env_var('HOOK') }}"}
          email_config: {smtp_host: h, smtp_mail_from: a@b, to_emails: [c@d, "${MAILS}"], smtp_password: "${PASSWORD}"}
        alerts: {urls: ["ntfy://${TOPIC}"]}
    """
    _, problems = read_alerts(write(tmp_path, project), "p")
    assert [(problem.line, problem.message.split(",")[0], problem.hint) for problem in problems] == [
        (4, "'to_emails' of email_config has ${MAILS} in it", "Mage's form is {{ env_var('MAILS') }}"),
        (4, "'smtp_password' of email_config has ${PASSWORD} in it", "Mage's form is {{ env_var('PASSWORD') }}"),
        (5, "url 1 of 'alerts' has ${TOPIC} in it", "Mage's form is {{ env_var('TOPIC') }}"),
    ]
    assert not any(problem.fails_a_check for problem in problems)


def test_what_is_wrong_with_one_channel_leaves_the_others(tmp_path: Path) -> None:
    project = "notification_config: {slak_config: {}, discord_config: {webhook_url: 'http://a.example/x'}}\n"
    assert [channel.kind for channel in read_alerts(write(tmp_path, project), "p")[0].channels] == ["discord"]
