"""Mage's secrets, which are in the database of a Mage; here environment variables stand for them."""

from __future__ import annotations

import os


def find(name: str) -> str | None:
    """The value of the variable of the secret's name, as it is or in capitals; None where neither is set."""
    return os.environ.get(name, os.environ.get(variable_of(name)))


def variable_of(name: str) -> str:
    """The name in capitals, with underscores for what no variable's name has: `api-token` is `API_TOKEN`."""
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()
