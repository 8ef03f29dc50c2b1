"""triggers.yaml is read as Mage writes it; what is odd in it is told, and keeps no pipeline from running."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mage_project.project import Project, Trigger
from mage_project.project.model import Problem, TriggerSettings, Watch
from tests.projects import block, write_project

#: What Mage needs to stand in a trigger.
WHOLE = "name: t\n  schedule_type: time\n  schedule_interval: null\n  start_time: null"


def read(root: Path, text: str) -> tuple[tuple[Trigger, ...], list[Problem]]:
    project: Project = write_project(root, [block("a", "data_loader")], {"a": "@data_loader\ndef f():\n    pass\n"})
    (root / "pipelines/p/triggers.yaml").write_text(textwrap.dedent(text))
    pipeline, problems = project.inspect("p")
    return pipeline.triggers, problems


def test_what_mage_writes_is_read(tmp_path: Path) -> None:
    text = """
        triggers:
        - description: null
          envs: [prod]
          last_enabled_at: 2024-02-01 00:00:00
          name: monthly
          pipeline_uuid: p
          schedule_interval: '@monthly'
          schedule_type: time
          settings: {skip_if_previous_running: true, timeout: 600, pipeline_run_limit: null, timeout_status: failed}
          sla: 3600
          start_time: 2024-02-01 00:00:00+01:00
          status: active
          token: null
          variables: {service: green}
        mage_project:
          monthly: {timezone: America/New_York, catch_up: all}
    """
    [trigger], problems = read(tmp_path, text)
    assert problems == []
    assert (trigger.envs, trigger.sla_s, trigger.catch_up) == (("prod",), 3600, "all")
    assert trigger.last_enabled_at == datetime(2024, 2, 1, tzinfo=UTC), "without a zone it is UTC"
    assert trigger.start_time == datetime(2024, 1, 31, 23, tzinfo=UTC)
    assert trigger.settings == TriggerSettings(skip_if_previous_running=True, timeout_s=600)
    assert trigger.variables["service"] == "green"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "envs: [prod, stage]",
            "Mage leaves out trigger 't', whose envs have 'stage' among them. Did you mean 'staging'",
        ),
        ("envs: prod", "Mage leaves out trigger 't', whose envs are no list"),
        ("created_at: 2024-01-01", "Mage leaves out trigger 't', because it does not know 'created_at' in this file"),
        ("status: on", "there is no status 'True' (so YAML reads on, off, yes and no)."),
        ("status: actve", "there is no status 'actve'. Did you mean 'active'?"),
        ("catch_up: all", "Mage leaves out a trigger with 'catch_up' in it"),
        ("sla: an hour", "'sla' is a number of seconds, 0 to 31,622,400, not 'an hour'"),
        ("sla: -1", "'sla' is a number of seconds, 0 to 31,622,400, not -1"),
        ("last_enabled_at: 0001-01-01 00:00:00", "last_enabled_at must lie in the years 1900 to 2999, not in 1"),
        (
            "settings: {timeout: .inf}",
            "'timeout' of a trigger's settings must be a number of seconds, 31,622,400 at the most",
        ),
        ("sla: true", "'sla' is a number of seconds, 0 to 31,622,400, not True"),
        ("settings: {landing_time_enabled: true}", "landing_time_enabled counts with a start_time and @hourly, @daily"),
        (
            "settings: {timeout: -1}",
            "'timeout' of a trigger's settings must be a number of seconds, 31,622,400 at the most, not -1",
        ),
        ("settings: {pipeline_run_limit: 0}", "must be a number from 1 to 10,000, not 0"),
        ("settings: {allow_blocks_to_fail: some}", "must be true or false, not 'some'"),
        ("settings: {skip_if_previous_runing: true}", "Did you mean 'skip_if_previous_running'?"),
        ("settings: {timeout_status: cancelled}", "timeout_status is not followed here"),
    ],
)
def test_what_is_odd_is_told_with_its_line_and_what_cannot_be_is_a_mistake(
    tmp_path: Path, line: str, message: str
) -> None:
    _, [problem] = read(tmp_path, f"triggers:\n- {WHOLE}\n  {line}\n")
    assert (message in problem.message, problem.line, problem.warning) == (True, 6, True), problem.message
    only_odd = ("not followed here", "Mage leaves out", "counts with a start_time")
    assert problem.is_mistake == all(words not in message for words in only_odd)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"triggers:\n- {WHOLE}\n  schedule_intervall: '@daily'", "Did you mean 'schedule_interval'?"),
        (f"triggers:\n- {WHOLE}\n  variables: [1]", "'variables' must be a mapping, not [1]"),
        (f"triggers:\n- {WHOLE}\n  settings: 3", "'settings' must be a mapping, not 3"),
        ("triggers: {t: 1}", "'triggers' must be a list"),
        (f"triggers:\n- {WHOLE.replace('name: t', 'name: null')}", "a trigger has no name: it does not count"),
        ("- name: t", "holds a list where a mapping belongs"),
        ("\n\ntriggers: [", "not valid YAML"),
        (f"triggers:\n- {WHOLE}\n  start_time: 2026-11-30 25:00:00", "is read as a date or time, and is none"),
    ],
)
def test_no_mistake_in_the_triggers_keeps_the_pipeline_from_running(tmp_path: Path, text: str, message: str) -> None:
    _, problems = read(tmp_path, text)
    [problem] = problems
    assert (message in problem.message, problem.warning, problem.is_mistake) == (True, True, True), problem


def test_a_trigger_without_what_mage_needs_is_told_and_counts(tmp_path: Path) -> None:
    [trigger], problems = read(tmp_path, "triggers:\n- name: t\n  schedule_type: api\n  start_time: soon\n")
    assert [(problem.message, problem.line) for problem in problems] == [
        ("Mage leaves out trigger 't', which has no schedule_interval", 2),
        ("start_time is not a date: 'soon'", 4),
    ]
    assert trigger.schedule_type == "api"


def test_what_is_no_trigger_is_told_at_its_own_line_and_a_word_that_is_no_text_as_such(tmp_path: Path) -> None:
    api = "schedule_type: api\n  schedule_interval: null\n  start_time: null\n  token: short"
    triggers, problems = read(
        tmp_path, f"triggers:\n- {WHOLE}\n- 3\n- name: off\n  {api}-but-long-enough\n- name: u\n  {api}"
    )
    assert [(problem.message, problem.line, problem.is_mistake) for problem in problems] == [
        ("an entry of 'triggers' is not a mapping: 3", 6, True),
        ("the name of a trigger is no text but false to YAML: it does not count", 7, True),
        ("the token of trigger 'u' is shorter than 16 characters", 16, False),
    ]
    assert [(trigger.name, trigger.flaws) for trigger in triggers] == [("t", 0), ("", 1), ("u", 0)]


def test_one_environment_needs_no_list(tmp_path: Path) -> None:
    [trigger], _ = read(tmp_path, "triggers:\n- {name: t, envs: dev}\n")
    assert trigger.envs == ("dev",)


def test_two_triggers_of_one_name_are_told(tmp_path: Path) -> None:
    _, [problem] = read(tmp_path, f"triggers:\n- {WHOLE}\n- {WHOLE}\n")
    assert "two triggers are called 't'" in problem.message


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("u: {timezone: UTC}", "there is no trigger 'u' in this file."),
        ("t: {catch_up: maybe}", "there is no catch_up 'maybe'."),
        ("t: 3", "what stands for trigger 't' under mage_project must be a mapping, not 3"),
        ("t: {wach: a}", "Did you mean 'watch'?"),
        ("t: {watch: 's3://bucket/x'}", "'watch' must be a path, an address with http://, https://, gs://"),
        ("t: {watch: [a, 1]}", "'watch' must be"),
        ("t: {watch: 'http://[::1'}", "'watch' must be"),
        ("t: {lookback: 0}", "'lookback' must be a number from 1 to 10,000, not 0"),
        ("t: {poll_interval: soon}", "'poll_interval' must be a number of seconds, 31,622,400 at the most, not 'soon'"),
    ],
)
def test_what_is_odd_of_the_keys_that_mage_does_not_know_is_told(tmp_path: Path, own: str, message: str) -> None:
    _, [problem] = read(tmp_path, f"triggers:\n- {WHOLE}\nmage_project:\n  {own}\n")
    assert (message in problem.message, problem.line, problem.warning) == (True, 7, True), problem


def test_what_a_trigger_watches_is_read(tmp_path: Path) -> None:
    text = f"triggers:\n- {WHOLE}\nmage_project:\n  t: {{watch: in/, poll_interval: 5}}\n"
    [trigger], problems = read(tmp_path, text)
    assert (trigger.watch, problems) == (Watch(addresses=("in/",), poll_interval_s=5), [])
