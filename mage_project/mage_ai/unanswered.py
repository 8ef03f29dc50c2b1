"""What is said when a block imports something of Mage's that is not here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mage_project.errors import did_you_mean
from mage_project.mage_ai.not_here import NOT_HERE


def missing_module(name: str, answered: Sequence[str]) -> ModuleNotFoundError:
    """The error for `import name`."""
    guess = "" if name in NOT_HERE else _close(name, answered)
    about = "" if guess else described(name)
    listed = "" if about else f" {_answered(answered)}"
    return ModuleNotFoundError(f"No module named '{name}'.{guess or about or _UNKNOWN}{listed}", name=name)


def missing_name(module: str, name: str, public: Iterable[str], answered: Sequence[str]) -> ImportError:
    """The error for `from module import name`."""
    full = f"{module}.{name}"
    names = [known for known in public if known != "annotations"]
    guess = did_you_mean(name, names) or ("" if full in NOT_HERE else _close(full, answered))
    has = f" {module} has here: {', '.join(sorted(names))}." if names else f" {_answered(answered)}"
    about = "" if guess and full not in NOT_HERE else described(full) or _UNKNOWN
    what = f"cannot import name '{name}' from '{module}'.{guess}{about}{has}"
    return ImportError(what, name=module)


_UNKNOWN = " It is not part of this runner."


def described(name: str) -> str:
    """What the name, or the package that it is in, is in Mage, and what to use instead; nothing if it is not known."""
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        known = NOT_HERE.get(".".join(parts[:length]))
        if known:
            what, instead = known
            return f" In Mage it is {what}; it is not part of this runner. Use {instead}."
    return ""


def _close(name: str, answered: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, _modules(answered), n=1, cutoff=0.8)
    return f" Did you mean '{close[0]}'?" if close else ""


def _answered(answered: Sequence[str]) -> str:
    return "Answered are: " + ", ".join(_modules(answered)) + "."


def _modules(answered: Sequence[str]) -> list[str]:
    """Those that are no packages."""
    parents = {name.rpartition(".")[0] for name in answered}
    return sorted(name for name in answered if name not in parents)
