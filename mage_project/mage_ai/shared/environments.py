"""mage_ai.shared.environments: which environment the variable ENV names."""

from __future__ import annotations

import os


def is_debug() -> bool:
    """Whether DEBUG is 1."""
    return int(os.environ.get("DEBUG") or 0) == 1


def is_dev() -> bool:
    """Whether ENV says so: with no ENV it is not said, and yet `get_env` says dev."""
    return os.environ.get("ENV") in {"dev", "development"}


def is_test() -> bool:
    """Whether ENV says so."""
    return os.environ.get("ENV") in {"test", "test_mage"}


def is_production() -> bool:
    """Whether ENV says so."""
    return os.environ.get("ENV") in {"production", "prod"}


def is_staging() -> bool:
    """Whether ENV says so."""
    return os.environ.get("ENV") == "staging"


def get_env() -> str:
    """'test_mage', 'test', 'prod', 'staging' or, for anything else, 'dev'."""
    known = {"test_mage": "test_mage", "test": "test", "prod": "prod", "production": "prod", "staging": "staging"}
    return known.get(os.environ.get("ENV", ""), "dev")
