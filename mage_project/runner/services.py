"""The stores that a pipeline needs: the profile's own, or the local stack where the profile names none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mage_project.project import Pipeline
from mage_project.project.modules import modules

#: What in a block's file shows that it talks to a store. Starting one needlessly costs a moment, missing one a run.
_SIGNS = {
    "postgres": re.compile(rb"mage_ai\.io\.postgres|psycopg|postgresql|sqlalchemy"),
    "gcs": re.compile(rb"google_cloud_storage|google\.cloud|GcsFileSystem|gcsfs"),
}
_LABELS = {"postgres": "Postgres", "gcs": "GCS"}
_ADC = Path.home() / ".config/gcloud/application_default_credentials.json"


def needed(pipeline: Pipeline, variables: Mapping[str, Any]) -> tuple[str, ...]:
    """The stores that the pipeline's blocks, or the project's modules that they import, name.

    GCS also where a variable is a gs:// address.
    """
    files = {block.path for block in pipeline.blocks if block.path and block.runs}
    helpers = {module for path in files for module in modules(pipeline.root, path)}
    sources = [path.read_bytes() for path in files | helpers]
    found = {name for name, sign in _SIGNS.items() if any(sign.search(source) for source in sources)}
    if any(str(value).startswith("gs://") for value in variables.values()):
        found.add("gcs")
    return tuple(name for name in _SIGNS if name in found)


@contextmanager
def provided(
    pipeline: Pipeline,
    variables: Mapping[str, Any],
    *,
    local: bool = False,
    said: Callable[[str], None],
) -> Iterator[None]:
    """Inside, the stores are there and the environment says where. Those started for it are stopped at the end.

    `local` takes the local stack whatever the profile names.
    """
    stores = needed(pipeline, {**pipeline.variables, **variables})
    reasons = {name: reason for name in stores if (reason := _why_local(name, pipeline.root, local))}
    if not reasons:
        yield
        return
    from mage_project.io import config
    from mage_project.local import LocalStack

    stack = LocalStack(pipeline.root)
    try:
        stack.up(tuple(reasons))
        env = stack.env(tuple(reasons))
        for name, reason in reasons.items():
            said(f"{_LABELS[name]}: {reason}, so the local one is used ({_address(name, env)})")
        if "gcs" in reasons:
            for bucket in stack.ensure_buckets(_buckets({**pipeline.variables, **variables})):
                said(f"GCS: made the local bucket '{bucket}'")
        with _environment(env), config.overridden(env if local else {}):
            yield
    finally:
        stack.down()


def _why_local(name: str, root: Path, local: bool) -> str | None:
    """Why the local stack serves this store, or None where the profile or the environment names one."""
    if local:
        return "--local"
    if name == "postgres":
        return None if _profile_value(root, "POSTGRES_HOST") else "POSTGRES_HOST is not set"
    keys = ("GOOGLE_SERVICE_ACC_KEY", "GOOGLE_SERVICE_ACC_KEY_FILEPATH")
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or os.environ.get("STORAGE_EMULATOR_HOST")
    if named or any(_profile_value(root, key) for key in keys) or _ADC.is_file():
        return None
    return "GOOGLE_APPLICATION_CREDENTIALS is not set"


def _profile_value(root: Path, key: str) -> Any:
    """The value of `key` in the default profile of io_config.yaml, if there is one."""
    from mage_project.io.config import ConfigFileLoader

    path = root / "io_config.yaml"
    if not path.is_file():
        return None
    return ConfigFileLoader(path, "default").get(key)


def _address(name: str, env: Mapping[str, str]) -> str:
    if name == "postgres":
        return f"{env['POSTGRES_HOST']}:{env['POSTGRES_PORT']}"
    return env["STORAGE_EMULATOR_HOST"]


def _buckets(variables: Mapping[str, Any]) -> list[str]:
    """The values of variables that name buckets: `bucket`, `bucket_name`, `lake_bucket`..."""
    return [value for name, value in variables.items() if "bucket" in name and isinstance(value, str) and value]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
