"""The `settings` of a trigger: what Mage 0.9.80 keeps there (its SettingsConfig).

What is odd about them keeps no trigger from its work: told, and as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mage_project.project import document
from mage_project.project.checking import MOST_SECONDS, Checker, is_duration
from mage_project.project.concurrency import LIMIT, is_limit
from mage_project.project.model import TriggerSettings

_FLAGS = ("skip_if_previous_running", "allow_blocks_to_fail", "create_initial_pipeline_run", "landing_time_enabled")


#: Intervals that a landing time counts with.
LANDING = ("@hourly", "@daily", "@weekly", "@monthly")


def settings(entry: document.Mapping, checker: Checker) -> TriggerSettings:
    """Those of a trigger as its file has them."""
    given = checker.mapping(entry, "settings")
    if not isinstance(given, document.Mapping):
        return TriggerSettings()
    checker.keys(given, "trigger's settings")
    if given.get("timeout_status") not in (None, "failed"):
        checker.error(_NOT_HERE, given.line_of("timeout_status"), warning=True)
    for key, wanted in _wrong(given):
        what = f"'{key}' of a trigger's settings must be {wanted}, not {given[key]!r}: it does not count"
        checker.error(what, given.line_of(key))
    is_fit = entry.get("schedule_interval") in LANDING and entry.get("start_time")
    if given.get("landing_time_enabled") is True and not is_fit:
        what = f"landing_time_enabled counts with a start_time and {', '.join(LANDING)} only, as in Mage"
        checker.error(what, given.line_of("landing_time_enabled"), warning=True)
    wrong = {key for key, _ in _wrong(given)}
    right = {key: value for key, value in given.items() if key not in wrong and value is not None}
    return TriggerSettings(
        **{name: right[name] for name in (*_FLAGS, "pipeline_run_limit") if name in right},
        timeout_s=right.get("timeout"),
    )


_NOT_HERE = "timeout_status is not followed here: a run that takes longer than its timeout has failed"


def _wrong(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each key whose value cannot be, with what should stand there."""
    found = [(key, "true or false") for key in _FLAGS if not isinstance(given.get(key) or False, bool)]
    limit, timeout = given.get("pipeline_run_limit"), given.get("timeout")
    if limit is not None and not is_limit(limit):
        found.append(("pipeline_run_limit", LIMIT))
    if timeout is not None and not is_duration(timeout):
        found.append(("timeout", f"a number of seconds, {MOST_SECONDS:,} at the most"))
    return found
