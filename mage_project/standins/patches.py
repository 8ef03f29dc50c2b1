"""Changes to other people's modules that last as long as a run, made when a block imports them and not before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import Loader

Patch = Callable[[ModuleType, "Patches"], None]
_ABSENT = object()


class Patches:
    """What was replaced, to put it back; and what waits for the import of a module."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any]] = []
        self._waiting: dict[str, list[Patch]] = {}
        self._finder = _Finder(self._waiting, self._apply)
        self._at_end: list[Callable[[], None]] = []

    def when_imported(self, name: str, patch: Patch) -> None:
        """Apply `patch` to the module, at once if it is imported already, else right after its import."""
        module = sys.modules.get(name)
        if module is not None:
            patch(module, self)
        else:
            self._waiting.setdefault(name, []).append(patch)

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Give a module or class another attribute."""
        self._replaced.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)

    def add(self, owner: Any, name: str, value: Any) -> None:
        """Give a module or class an attribute that it lacks; what is there stays."""
        if not hasattr(owner, name):
            self.replace(owner, name, value)

    def at_end(self, do: Callable[[], None]) -> None:
        """Call it when the patches are taken back."""
        self._at_end.append(do)

    def begin(self) -> None:
        """From now on imports are watched."""
        sys.meta_path.insert(0, self._finder)

    def end(self) -> None:
        """Put everything back as it was."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        self._waiting.clear()
        for do in reversed(self._at_end):
            do()
        for owner, name, value in reversed(self._replaced):
            if value is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        self._replaced.clear()

    def _apply(self, module: ModuleType) -> None:
        for patch in self._waiting.pop(module.__name__, ()):
            patch(module, self)


class _Finder:
    """Finds as the finders behind it do, and has the modules that somebody waits for patched after their execution."""

    def __init__(self, waiting: dict[str, list[Patch]], apply: Callable[[ModuleType], None]) -> None:
        self._waiting = waiting
        self._apply = apply

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._waiting:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self._apply)  # type: ignore[assignment]  # it has what is asked of one
                return spec
        return None


class _Loader:
    """Another loader, and what is to be done after it. Its resources and all else are the other one's."""

    def __init__(self, loader: Loader, apply: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._apply = apply

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader  # who asks for a module's resources must find the real one
        self._loader.exec_module(module)
        self._apply(module)
