"""mage_ai.io.config"""

from __future__ import annotations

from mage_project.io.aws_secrets import AWSSecretLoader
from mage_project.io.config import BaseConfigLoader, ConfigFileLoader, ConfigKey, EnvironmentVariableLoader

__all__ = ["AWSSecretLoader", "BaseConfigLoader", "ConfigFileLoader", "ConfigKey", "EnvironmentVariableLoader"]
