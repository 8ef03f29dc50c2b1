"""Answers `import mage_ai...` with the modules of this package, whether or not Mage is installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from mage_project.mage_ai.unanswered import missing_module, missing_name

ROOT = "mage_ai"
HERE = Path(__file__).parent
#: Modules of this package that are not Mage's.
_OURS = frozenset(
    "actions child_arguments child_runs collecting finder not_here parentage unanswered yaml_mapping".split()
)


@cache
def answered() -> dict[str, Path]:
    """The modules that can be imported, by Mage's name, with the file that answers."""
    found: dict[str, Path] = {}
    for path in sorted(HERE.rglob("*.py")):
        parts = list(path.relative_to(HERE).with_suffix("").parts)
        if parts[0] in _OURS:
            continue
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join([ROOT, *parts])] = path
    return found


class _Loader(SourceFileLoader):
    """Executes one of our files under Mage's name, and tells of what it has not."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)

        def absent(name: str) -> Any:
            return _absent(module, name)

        module.__dict__.setdefault("__getattr__", absent)


def _absent(module: ModuleType, name: str) -> Any:
    """A submodule that nobody has imported yet, or an error that says what there is."""
    full = f"{module.__name__}.{name}"
    if full in answered():
        return importlib.import_module(full)
    if name.startswith("__"):
        raise AttributeError(f"module '{module.__name__}' has no attribute '{name}'")
    raise missing_name(module.__name__, name, _offered(module), list(answered()))


def _offered(module: ModuleType) -> list[str]:
    """What can be imported from the module: its `__all__`, else what it defines, and its submodules."""
    prefix = f"{module.__name__}."
    below = {known.removeprefix(prefix).split(".")[0] for known in answered() if known.startswith(prefix)}
    names = getattr(module, "__all__", None) or [
        known for known, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__
    ]
    return sorted({known for known in names if not known.startswith("_")} | below)


class _NoSource(SourceFileLoader):
    """Stands for the root, whose own file must not run a second time under another name."""

    def exec_module(self, module: ModuleType) -> None:
        def absent(name: str) -> Any:
            return _absent(module, name)

        module.__dict__["__getattr__"] = absent


class MageFinder:
    """The finder of everything below `mage_ai`. `importlib.abc`, which would be its base, is slow to import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != ROOT and not fullname.startswith(ROOT + "."):
            return None
        file = answered().get(fullname)
        if file is None:
            _refuse(fullname)
        loader = (_NoSource if fullname == ROOT else _Loader)(fullname, str(file))
        places = [str(file.parent)] if file.name == "__init__.py" else None
        return spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=places)


def _refuse(fullname: str) -> NoReturn:
    raise missing_module(fullname, list(answered()))


_FINDER = MageFinder()


def install() -> None:
    """From now on `mage_ai` is this package's, before an installed Mage. Calling it again changes nothing."""
    if sys.meta_path and sys.meta_path[0] is _FINDER:
        return
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
    else:
        _forget()
    sys.meta_path.insert(0, _FINDER)
    _forget_listings()


def uninstall() -> None:
    """Take it back: the next import of `mage_ai` finds an installed Mage, or nothing."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
        _forget()


def _forget_listings() -> None:
    """What `importlib.invalidate_caches` does for folders. That imports all of importlib.metadata, for its own."""
    for finder in sys.path_importer_cache.values():
        if isinstance(finder, FileFinder):
            finder.invalidate_caches()


def _forget() -> None:
    for name in [name for name in sys.modules if name == ROOT or name.startswith(ROOT + ".")]:
        del sys.modules[name]
