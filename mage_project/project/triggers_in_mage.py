"""What keeps a trigger from being one in Mage 0.9.80: there it is left out, and nothing but its log says so."""

from __future__ import annotations

from mage_project.errors import did_you_mean
from mage_project.project.checking import Checker
from mage_project.project.document import Mapping

#: Keys that must stand there, if only with null.
_NEEDED = ("name", "schedule_type", "schedule_interval", "start_time")
#: Keys of Mage's database and its pages that its file of triggers does not know.
_UNKNOWN = ("created_at", "event_matchers", "global_data_product_uuid", "id", "updated_at")
_ENVIRONMENTS = ("dev", "prod", "staging", "test")


def left_out(entry: Mapping, checker: Checker) -> None:
    """Note as a warning whatever has Mage leave the trigger out. Here it counts all the same."""
    name = entry.get("name") or ""
    missing = [key for key in _NEEDED if key not in entry]
    if missing:
        what = f"Mage leaves out trigger '{name}', which has no {' and no '.join(missing)}"
        words = [f"{key}: {'...' if key == 'name' else 'null'}" for key in missing]
        checker.error(what, entry.line, hint=f"write {', '.join(words)}", warning=True)
    for key in sorted(entry.keys() & set(_UNKNOWN)):
        what = f"Mage leaves out trigger '{name}', because it does not know '{key}' in this file"
        checker.error(what, entry.line_of(key), hint="take it out", warning=True)
    if "envs" in entry:
        _check_environments(entry, checker)


def _check_environments(entry: Mapping, checker: Checker) -> None:
    given = entry["envs"]
    wrong = [env for env in given if env not in _ENVIRONMENTS] if isinstance(given, list) else []
    if isinstance(given, list) and not wrong:
        return
    meant = did_you_mean(str(wrong[0]), _ENVIRONMENTS) if wrong else ""
    reason = f"whose envs have '{wrong[0]}' among them.{meant}" if wrong else "whose envs are no list"
    what = f"Mage leaves out trigger '{entry.get('name')}', {reason}"
    hint = f"envs: a list of {', '.join(_ENVIRONMENTS)}"
    checker.error(what, entry.line_of("envs"), hint=hint, warning=True)
