"""Where connection settings come from: the profiles of io_config.yaml, and environment variables."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mage_project import masking
from mage_project.errors import ConfigError, did_you_mean
from mage_project.io.config_keys import ConfigKey
from mage_project.io.profiles import Profile, read_profile
from mage_project.io.repo_path import repo_path

__all__ = [
    "BaseConfigLoader",
    "ConfigFileLoader",
    "ConfigKey",
    "EnvironmentVariableLoader",
    "has_overrides",
    "overridden",
    "required",
    "set_overrides",
    "setting",
]

#: What belongs to a Postgres server, and not to what is kept in it.
_OF_SERVER = frozenset(("POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DBNAME"))

_overrides: dict[str, Any] = {}
_fallbacks: dict[str, Any] = {}


def set_overrides(values: Mapping[str, Any] | None) -> None:
    """Settings that every loader gives from now on instead of its own; a None hides its own. None or {} ends it."""
    _overrides.clear()
    _overrides.update({str(key): value for key, value in (values or {}).items()})


def has_overrides() -> bool:
    """Whether loaders give other settings than their own, as they do where local stores stand in for all."""
    return bool(_overrides)


@contextmanager
def overridden(values: Mapping[str, Any], *, fallbacks: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Inside, `values` are given on top of whatever overrides are in force, `fallbacks` where a loader has no value."""
    before, fallbacks_before = dict(_overrides), dict(_fallbacks)
    set_overrides({**before, **values})
    masking.hide({**values, **(fallbacks or {})})
    _fallbacks.update(fallbacks or {})
    try:
        yield
    finally:
        set_overrides(before)
        _fallbacks.clear()
        _fallbacks.update(fallbacks_before)


class BaseConfigLoader(ABC):
    """What every loader offers: `get`, `contains`, `[key]` and `in`. A block may bring a loader of its own."""

    @abstractmethod
    def contains(self, key: str, **kwargs: Any) -> bool:
        """Whether the setting has a value."""

    @abstractmethod
    def get(self, key: str, **kwargs: Any) -> Any:
        """The setting's value, None without one."""

    def __contains__(self, key: str) -> bool:
        return self.contains(key)

    def __getitem__(self, key: str) -> Any:
        return self.get(key)


class _Overridable(BaseConfigLoader):
    """A loader whose settings `overridden` can replace."""

    def contains(self, key: str, **_kwargs: Any) -> bool:
        """Whether the setting has a value."""
        return self.get(key) is not None

    def get(self, key: str, default: Any = None, **_kwargs: Any) -> Any:
        """The setting's value, or `default`."""
        name = str(key)
        value = _overrides[name] if name in _overrides else self._own(name)
        if name in _fallbacks and (value in (None, "") or self._has_no_server(name)):
            value = _fallbacks[name]
        return default if value is None else value

    def _has_no_server(self, name: str) -> bool:
        """Whether the setting is of a Postgres whose host has no value, so that the rest says nothing either."""
        if name not in _OF_SERVER or ConfigKey.POSTGRES_HOST in _overrides:
            return False
        return self._own(ConfigKey.POSTGRES_HOST) in (None, "")

    @abstractmethod
    def _own(self, key: str) -> Any:
        """The value that the loader itself has, None without one."""


class EnvironmentVariableLoader(_Overridable):
    """Settings that are environment variables of the same name."""

    def _own(self, key: str) -> Any:
        masking.hide({key: os.environ.get(key)})
        return os.environ.get(key)

    def missing(self, key: str) -> ConfigError:
        """The error for a setting that is needed."""
        return ConfigError(f"the environment variable {key} is not set", hint=f"export {key}=…")


class ConfigFileLoader(_Overridable):
    """The settings of one profile in io_config.yaml."""

    def __init__(
        self,
        filepath: str | os.PathLike[str] | None = None,
        profile: str = "default",
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Read `profile` of the file, by default the project's io_config.yaml; or take the settings of `config`.

        Raises ConfigError, with file and line, for whatever is wrong with the file. A variable that is not set is
        no error yet: the field it stands in has no value, and a connector that needs it says which variable it is.
        """
        self.filepath = Path(filepath) if filepath is not None else Path(repo_path()) / "io_config.yaml"
        self.profile = profile
        self._profile = Profile(settings=config) if config else self._read()
        self.version = self._profile.version
        masking.hide(self._profile.settings)

    @property
    def config(self) -> dict[str, Any]:
        """The profile's settings as they are in the file."""
        return dict(self._profile.settings)

    def _read(self) -> Profile:
        """The profile of the file; an empty one for a project without the file where local stores stand in for all."""
        if (_overrides or _fallbacks) and not self.filepath.exists():
            return Profile(settings={})
        return read_profile(self.filepath, self.profile)

    def _own(self, key: str) -> Any:
        return self._profile.get(key)

    def missing(self, key: str) -> ConfigError:
        """The error for a setting that is needed: which field of which profile, and what to set."""
        where = str(self.filepath)
        if key in self._profile.lines:
            where = f"{where}:{self._profile.lines[key]}"
        absent = self._profile.absent.get(key)
        if absent:
            variables = " and ".join(reason.reason for reason in absent)
            what = f"{key} in profile '{self.profile}' needs {variables}"
            return ConfigError(what, where=where, hint="set it, or use the local stack: --local")
        guess = did_you_mean(key, self._profile.settings)
        return ConfigError(f"profile '{self.profile}' has no {key}.{guess}", where=where, hint=f"add {key}: …")

    def __repr__(self) -> str:
        return f"ConfigFileLoader({str(self.filepath)!r}, {self.profile!r})"


def setting(config: Any, key: str, default: Any = None) -> Any:
    """The value of `key` in any loader or mapping; an empty text and the text `None` count as no value."""
    try:
        value = config[key]
    except KeyError:
        value = None
    if value is None or (isinstance(value, str) and value.strip() in {"", "None"}):
        return default
    return value


def required(config: Any, key: str) -> Any:
    """The value of `key`. Raises ConfigError that names the field, the profile and the variable to set."""
    value = setting(config, key)
    if value is not None:
        return value
    if isinstance(config, ConfigFileLoader | EnvironmentVariableLoader):
        raise config.missing(str(key))
    raise ConfigError(f"the configuration has no {key}")
