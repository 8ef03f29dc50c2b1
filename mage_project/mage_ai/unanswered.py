"""What is said when a block imports something of Mage's that is not here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from mage_project.errors import did_you_mean

#: What Mage has below these names, for those that projects import.
_IN_MAGE = {
    "mage_ai.data_cleaner": "Mage's cleaning actions: pandas or pyarrow.compute say the same in the block itself",
    "mage_ai.data_integrations": "Mage's Singer sources and destinations",
    "mage_ai.data_preparation.models": "Mage's own objects for pipelines and blocks",
    "mage_ai.data_preparation.shared.secrets": "Mage's secrets, kept in its database: use environment variables",
    "mage_ai.io.redshift": "Mage's connector for Redshift",
    "mage_ai.io.s3": "Mage's connector for S3",
    "mage_ai.io.snowflake": "Mage's connector for Snowflake",
    "mage_ai.io": "one of Mage's connectors",
    "mage_ai.orchestration": "Mage's scheduler and the triggering of pipelines",
    "mage_ai.services": "Mage's clients of cloud services",
    "mage_ai.shared": "Mage's internal helpers",
    "mage_ai.streaming": "Mage's streaming sources and sinks",
}


def missing_module(name: str, answered: Sequence[str]) -> ModuleNotFoundError:
    """The error for `import name`."""
    message = f"No module named '{name}'.{_close(name, answered)}{_about(name)} {_answered(answered)}"
    return ModuleNotFoundError(message, name=name)


def missing_name(module: str, name: str, public: Iterable[str], answered: Sequence[str]) -> ImportError:
    """The error for `from module import name`."""
    full = f"{module}.{name}"
    names = [known for known in public if known != "annotations"]
    guess = did_you_mean(name, names) or _close(full, answered)
    has = f" {module} has here: {', '.join(sorted(names))}." if names else f" {_answered(answered)}"
    return ImportError(f"cannot import name '{name}' from '{module}'.{guess}{_about(full)}{has}", name=module)


def _close(name: str, answered: Sequence[str]) -> str:
    if name in _IN_MAGE:
        return ""
    close = difflib.get_close_matches(name, _modules(answered), n=1, cutoff=0.8)
    return f" Did you mean '{close[0]}'?" if close else ""


def _about(name: str) -> str:
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        known = _IN_MAGE.get(".".join(parts[:length]))
        if known:
            return f" In Mage it is {known}; it is not part of this runner."
    return " It is not part of this runner."


def _answered(answered: Sequence[str]) -> str:
    return "Answered are: " + ", ".join(_modules(answered)) + "."


def _modules(answered: Sequence[str]) -> list[str]:
    """Those that are no packages."""
    parents = {name.rpartition(".")[0] for name in answered}
    return sorted(name for name in answered if name not in parents)
