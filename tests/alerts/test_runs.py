"""Runs of triggers tell how they ended, a run by hand where it is asked to. No run fails for it or waits long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from mage_project.cli.schedule_reporters import PlainWatcher
from mage_project.history.logs import lines, path_of
from mage_project.history.schedules import DueRun
from mage_project.observers import observation
from mage_project.project import Project
from mage_project.runner.records import RunRecord
from mage_project.runner.resuming import plan, resume
from mage_project.runner.running import run_pipeline
from mage_project.schedule.alerting import Alerted
from tests.alerts.receivers import Receiver, silence
from tests.projects import block, write_project

ALL = ["trigger_failure", "trigger_success", "trigger_warning", "trigger_passed_sla"]
CODE = {
    "load": """
        import os, signal
        import pandas as pd

        @data_loader
        def load(**kwargs):
            if kwargs.get('broken') in (True, f"{kwargs['execution_date']:%Y-%m}"):
                raise ValueError(f"no luck with {kwargs.get('api_token')}")
            if kwargs.get('killed'):
                os.kill(os.getpid(), getattr(signal, kwargs['killed']))
            return pd.DataFrame({'a': [1, 2, None]})
    """,
    "save": "@data_exporter\ndef save(frame, **kwargs):\n    pass\n",
}


def project(root: Path, hook: str, on: Sequence[str] = ALL, *, more: str = "") -> Project:
    checks = {"checks": [{"not_null": "a", "severity": "warn"}]}
    blocks = [block("load", "data_loader"), block("save", "data_exporter", "load", configuration=checks)]
    found = write_project(root, blocks, CODE)
    config = {"notification_config": {"alert_on": list(on), "slack_config": {"webhook_url": hook}}}
    (root / "metadata.yaml").write_text(yaml.safe_dump(config) + more)
    return found


def triggered(found: Project, monkeypatch: pytest.MonkeyPatch, **variables: object) -> RunRecord:
    monkeypatch.setenv("MAGE_PROJECT_TRIGGER", "daily")
    return run_pipeline(found, "p", {"execution_date": "2024-01-02", **variables})


def texts(hooks: Receiver) -> list[tuple[str, str]]:
    """Title and text of what Slack has been told."""
    return [
        (said["blocks"][0]["text"]["text"], said["blocks"][2]["text"]["text"]) for said in hooks.said.get("/slack", [])
    ]


def logged(root: Path, run: RunRecord) -> list[tuple[str, str]]:
    return [(line["level"], line["text"]) for line in lines(path_of(root, run.run_id))]


def test_a_failed_run_of_a_trigger_tells_why_where_and_what_to_do(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = project(tmp_path, f"{hooks.url}/slack")
    run = triggered(found, monkeypatch, broken=True, api_token="token-of-mine-1")
    [(title, text)] = texts(hooks)
    assert title == "p failed"
    for words in (f"run {run.run_id} of p: failed", "trigger daily", "due 2024-01-02 00:00:00", "no luck with ***",
                  "data_loaders/load.py:", "mage-project run p", "execution_date=2024-01-02"):  # fmt: skip
        assert words in text
    assert "token-of-mine-1" not in text
    assert ("info", "slack is told") in logged(tmp_path, run)


def test_what_can_be_resumed_is_told_with_the_command(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = project(tmp_path, f"{hooks.url}/slack")
    (tmp_path / "data_exporters/save.py").write_text("@data_exporter\ndef save(frame):\n    raise ValueError('full')\n")
    run = triggered(found, monkeypatch)
    assert f"next: mage-project resume {run.run_id}" in texts(hooks)[0][1]


def test_a_run_that_is_resumed_tells_as_the_first_one_did(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = project(tmp_path, f"{hooks.url}/slack")
    (tmp_path / "data_exporters/save.py").write_text("@data_exporter\ndef save(frame):\n    raise ValueError('full')\n")
    first = triggered(found, monkeypatch)
    second = resume(plan(found, first.run_id, {}))
    (tmp_path / "data_exporters/save.py").write_text(CODE["save"])
    resume(plan(found, second.run_id, {}))
    assert [title for title, _ in texts(hooks)] == ["p failed", "p failed", "p completed with warnings of its checks"]
    assert f"trigger daily, resumes {second.run_id}, due 2024-01-02" in texts(hooks)[2][1]


def test_a_run_that_resumes_one_by_hand_tells_where_it_is_asked_to(tmp_path: Path, hooks: Receiver) -> None:
    found = project(tmp_path, f"{hooks.url}/slack", ["trigger_failure"])
    (tmp_path / "data_exporters/save.py").write_text("@data_exporter\ndef save(frame):\n    raise ValueError('full')\n")
    second = resume(plan(found, run_pipeline(found, "p").run_id, {}))
    assert texts(hooks) == []
    assert command(tmp_path, "resume", second.run_id, "--alert").returncode == 1
    assert len(texts(hooks)) == 1


def test_a_check_that_warns_is_told_in_the_place_of_success(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggered(project(tmp_path, f"{hooks.url}/slack"), monkeypatch)
    [(title, text)] = texts(hooks)
    assert title == "p completed with warnings of its checks"
    assert "save: " in text


@pytest.mark.parametrize(("on", "told"), [(["trigger_success"], ["p completed"]), (["trigger_failure"], [])])
def test_only_what_is_asked_for_is_told(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch, on: list[str], told: list[str]
) -> None:
    triggered(project(tmp_path, f"{hooks.url}/slack", on), monkeypatch)
    assert [title for title, _ in texts(hooks)] == told


def test_a_run_by_hand_tells_where_it_is_asked_to(tmp_path: Path, hooks: Receiver) -> None:
    found = project(tmp_path, f"{hooks.url}/slack")
    assert run_pipeline(found, "p", {"broken": True}).exit_code == 1
    assert texts(hooks) == []
    run_pipeline(found, "p", {"broken": True}, alert=True)
    assert len(texts(hooks)) == 1


def test_a_run_that_cannot_begin_tells_once_where_it_is_asked_to(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    (tmp_path / "pipelines/p/metadata.yaml").write_text("blocks:\n- 7\n")
    assert command(tmp_path, "run", "p", "--alert", "--var", "api_token=token-of-mine-1").returncode == 2
    monkeypatch.setenv("MAGE_PROJECT_TELLS", "1")  # as the scheduler, which tells of it by itself
    assert command(tmp_path, "run", "p", "--alert").returncode == 2
    [(title, text)] = texts(hooks)
    assert title == "p could not begin"
    for words in ("an entry of 'blocks' is not a mapping: 7", "pipelines/p/metadata.yaml:2", "next: mage-project run p "
                  "--alert --var 'api_token=***'"):  # fmt: skip
        assert words in text


def test_a_run_that_somebody_has_stopped_tells_nobody(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    ended = command(tmp_path, "run", "p", "--alert", "--var", "killed=SIGINT")
    assert (ended.returncode, texts(hooks)) == (130, [])


def test_a_service_that_hangs_is_not_waited_for_long_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "PATIENCE_S", 0.5)
    with silence() as address:
        run = triggered(project(tmp_path, f"http://{address}/"), monkeypatch)
    assert run.status == "completed"
    assert ("warning", "alerts: no end within 0.5 s") in logged(tmp_path, run)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "slack is not told: [Errno 111] Connection refused"),
        ("alerts: {url: []}\n", "alerts: unknown key 'url' of alerts. Did you mean 'urls'? (metadata.yaml:"),
        ("{% if %}\n", "alerts: no alerts: the template is wrong"),
    ],
    ids=["nobody there", "a wrong key", "a wrong template"],
)
def test_what_is_wrong_with_alerts_costs_no_run_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, said: str
) -> None:
    run = triggered(project(tmp_path, "http://127.0.0.1:9/", more=more), monkeypatch)
    assert run.status == "completed"
    assert [text for level, text in logged(tmp_path, run) if level == "warning" and said in text]


def test_a_test_message_reaches_every_channel(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack", more="alerts: {urls: [" + hooks.url.replace("http", "json") + "/any]}\n")
    ended = command(tmp_path, "alerts", "test", "p")
    assert (ended.returncode, ended.stdout) == (0, "✓ slack\n✓ json\n")
    assert texts(hooks)[0][0] == "p is only a test"
    hooks.instead = {"/slack": [(404, "no_service")]}
    ended = command(tmp_path, "alerts", "test")
    assert (ended.returncode, ended.stdout) == (1, "✗ slack: HTTP 404 Not Found: no_service\n✓ json\n")


def test_a_project_without_channels_says_how_to_have_some(tmp_path: Path) -> None:
    project(tmp_path, '{{ env_var("NOT_SET_HERE") }}')
    ended = command(tmp_path, "alerts", "list")
    assert "off  'webhook_url' needs the environment variable NOT_SET_HERE, which is not set" in ended.stdout
    ended = command(tmp_path, "alerts", "test")
    assert ended.returncode == 2
    assert "write notification_config into metadata.yaml" in ended.stderr


def test_check_finds_what_is_wrong_with_alerts(tmp_path: Path) -> None:
    project(tmp_path, "http://127.0.0.1:9/", more="alerts: {url: [], urls: ['json://a.example', 'nonsense://x']}\n")
    ended = command(tmp_path, "check")
    assert ended.returncode == 2
    assert ("url 2 of 'alerts' reaches nobody" in ended.stdout, "url 1" in ended.stdout) == (True, False)
    assert "unknown key 'url' of alerts. Did you mean 'urls'?\n      where: metadata.yaml:" in ended.stdout


def test_a_run_that_is_killed_is_told_by_the_scheduler(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    schedule(tmp_path, killed="SIGKILL")
    scheduled(tmp_path, lambda: bool(texts(hooks)))
    [(title, text)] = texts(hooks)
    assert title == "p crashed"
    assert "trigger once" in text
    assert "mage-project run p --var 'killed=\"SIGKILL\"' --var execution_date=" in text


def test_a_run_that_cannot_begin_is_told_by_the_scheduler(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    schedule(tmp_path)
    (tmp_path / "data_loaders/load.py").unlink()
    scheduled(tmp_path, lambda: bool(texts(hooks)))
    assert texts(hooks)[0][0] == "p failed"
    assert "load.py" in texts(hooks)[0][1]


def test_a_run_that_is_late_is_told_by_the_scheduler(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    watcher = Alerted(PlainWatcher(), tmp_path)
    watcher.late(DueRun(pipeline="p", trigger_name="daily", due_at=0, due_until=0), 7200)
    watcher.close()
    [(title, text)] = texts(hooks)
    assert title == "p is late"
    assert "trigger daily, due 1970-01-01 00:00:00" in text
    assert "it has not ended 7,200 s after it was due" in text


def schedule(root: Path, **variables: object) -> None:
    trigger = {"name": "once", "schedule_type": "time", "schedule_interval": "@once", "status": "active"}
    content = {"triggers": [{**trigger, "variables": variables}]}
    (root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump(content))


def scheduled(root: Path, done: Callable[[], bool]) -> None:
    """`mage-project scheduler`, until it is done."""
    words = [sys.executable, "-m", "mage_project", "scheduler"]
    process = subprocess.Popen(words, cwd=root, env=environment(), stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    try:
        while not done():
            assert time.monotonic() < deadline, "nothing was told"
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def command(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "mage_project", *words]
    return subprocess.run(run, cwd=root, env=environment(), capture_output=True, text=True, timeout=120, check=False)
