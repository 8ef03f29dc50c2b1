"""mage_ai.data_preparation.shared.secrets: secrets, which are environment variables here."""

from __future__ import annotations

from typing import Any

from mage_project.errors import ConfigError
from mage_project.io import mage_secrets


def get_secret_value(name: str, **_kwargs: Any) -> str:
    """The environment variable of the secret's name, as it is or in capitals.

    Mage keeps secrets encrypted in its own database, which is not here. Raises ConfigError if no variable is set.
    """
    value = mage_secrets.find(name)
    if value is None:
        what = f"the secret '{name}' is in the database of a Mage, which is not here, and no variable stands for it"
        raise ConfigError(what, hint=f"export {mage_secrets.variable_of(name)}=…")
    return value
