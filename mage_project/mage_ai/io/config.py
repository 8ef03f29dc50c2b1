"""mage_ai.io.config"""

from __future__ import annotations

from mage_project.io.config import ConfigFileLoader, ConfigKey, EnvironmentVariableLoader

__all__ = ["ConfigFileLoader", "ConfigKey", "EnvironmentVariableLoader"]
