"""mage_ai.data_preparation.shared.utils: what Mage's templates can call."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from mage_project.mage_ai.data_preparation.shared.secrets import get_secret_value
from mage_project.mage_ai.shared.hash import get_json_value


def get_template_vars(include_python_libraries: Mapping[str, Any] | None = None) -> dict[str, Callable[..., Any]]:
    """`env_var`, `json_value` and `mage_secret_var`."""
    return {**get_template_vars_no_db(include_python_libraries), "mage_secret_var": get_secret_value}


def get_template_vars_no_db(include_python_libraries: Mapping[str, Any] | None = None) -> dict[str, Callable[..., Any]]:
    """`env_var` and `json_value`."""
    return {"env_var": os.environ.get, "json_value": get_json_value, **(include_python_libraries or {})}
