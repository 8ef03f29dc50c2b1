"""Writes docs/mage-names.md from what the answered modules say of themselves: `python docs/make_names.py`."""

from __future__ import annotations

import importlib
import inspect
from enum import Enum
from pathlib import Path
from types import ModuleType

from mage_project import mage_ai
from mage_project.mage_ai.finder import answered
from mage_project.mage_ai.not_here import NOT_HERE

PAGE = Path(__file__).with_name("mage-names.md")
HEAD = """# Mage's names, and what answers them

Made by `docs/make_names.py` from the code. Inside a run `import mage_ai...` means these modules, whether or not Mage is
installed. An import of anything else fails with what it is in Mage and what to use instead: the table at the end.
[All pages](../README.md#pages)
"""
ACTIONS = """## Transformer actions

`BaseAction(build_transformer_action(df, ...)).execute(df)` gives what it gives in Mage 0.9.80: the tests feed the same
frames to both. It also takes Arrow's types, which Mage's own cannot. Where Mage's go wrong:

| Action | In Mage 0.9.80 | Here |
|---|---|---|
| `first`, `last` without `groupby_columns` | TypeError | the first or last value |
| `filter` where index labels repeat | rows are multiplied | each row that meets the condition, once |
| any, with a column such as `$1,000` | ValueError while types are inferred | the column is a `number` |
| `count`, `count_distinct` without `groupby_columns` | KeyError | an error that says what is needed |
| `explode`, `limit`, `mode`, `scale`, `union` and others | KeyError: names only | an error: what pandas has for it |
| `impute` with `no_action` or `remove_rows` | an error: a name only | an error that lists the strategies |
| `filter`, a name that is no column | UndefinedVariableError of an inner name | an error with the columns |

What may surprise is the same in both: a frame without rows is returned as it is (its names are not cleaned either);
`impute` makes a missing whole number 0; `currency_to_num` makes `1,000` missing; a number column with two different
values counts as `true_or_false`, so that `constant` fills it with the text `missing`; actions that fill or add columns
change the given frame too. `remove_outliers` needs scikit-learn.
"""
OTHERS = """## What is not here

| In Mage | What it is | Use instead |
|---|---|---|
"""


def page() -> str:
    """The page's text."""
    mage_ai.install()
    try:
        sections = [section for name in answered() if (section := _section(importlib.import_module(name)))]
    finally:
        mage_ai.uninstall()
    rows = [f"| `{name}` | {what} | {instead} |\n" for name, (what, instead) in NOT_HERE.items()]
    return "\n".join([HEAD, *sections, ACTIONS, OTHERS + "".join(rows)])


def _section(module: ModuleType) -> str:
    by_text: dict[str, list[str]] = {}
    for name in names(module):
        by_text.setdefault(_about(getattr(module, name)), []).append(f"`{name}`")
    rows = [f"| {', '.join(same)} | {text} |\n" for text, same in by_text.items()]
    return f"## {module.__name__}\n\n| Name | What it is |\n|---|---|\n{''.join(rows)}" if rows else ""


def names(module: ModuleType) -> list[str]:
    """What can be imported from it: its `__all__`, else the classes, functions and constants that it defines."""
    listed = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ or name.isupper()
    ]
    return sorted(name for name in listed if not name.startswith("_"))


def _about(value: object) -> str:
    if not callable(value):
        return f"`{value!r}`" if isinstance(value, str | int) else "a constant"
    about = (inspect.getdoc(value) or "marks a function for the runner").splitlines()[0]
    return f"{about}{_inside(value)}".replace("|", "\\|")


def _inside(value: object) -> str:
    """The members of an enumeration, the public methods of a class."""
    if not isinstance(value, type):
        return ""
    if issubclass(value, Enum):
        found = [f"`{member.name}`" for member in value]
    else:
        methods = [name for name in dir(value) if inspect.isroutine(inspect.getattr_static(value, name))]
        methods += [name for name in dir(value) if isinstance(inspect.getattr_static(value, name), classmethod)]
        found = [f"`{name}`" for name in sorted(set(methods)) if not name.startswith("_")]
    return " — " + ", ".join(found) if found else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
