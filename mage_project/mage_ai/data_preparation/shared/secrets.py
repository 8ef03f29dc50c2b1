"""mage_ai.data_preparation.shared.secrets: secrets, which are environment variables here."""

from __future__ import annotations

import os
from typing import Any

from mage_project.errors import ConfigError


def get_secret_value(name: str, **_kwargs: Any) -> str:
    """The environment variable of the secret's name, as it is or in capitals.

    Mage keeps secrets encrypted in its own database, which is not here. Raises ConfigError if no variable is set.
    """
    for variable in (name, _variable(name)):
        if variable in os.environ:
            return os.environ[variable]
    what = (
        f"the secret '{name}' is in the database of a Mage that is not here, and no environment variable stands for it"
    )
    raise ConfigError(what, hint=f"export {_variable(name)}=…")


def _variable(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()
