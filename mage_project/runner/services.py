"""The stores that a pipeline needs: the profile's own, or the local stack where the profile names none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from mage_project.errors import ConfigError
from mage_project.project import Pipeline
from mage_project.project.modules import modules

#: What in a block's file shows that it talks to a store. Starting one needlessly costs a moment, missing one a run.
_SIGNS = {
    "postgres": (b"mage_ai.io.postgres", b"psycopg", b"postgresql", b"sqlalchemy"),
    "gcs": (b"google_cloud_storage", b"google.cloud.storage", b"GcsFileSystem", b"gcsfs", b"gs://", b"gcs://"),
    "bigquery": (b"mage_ai.io.bigquery", b"google.cloud.bigquery", b"pandas_gbq", b"to_gbq", b"read_gbq"),
}
#: The same in one statement for several: what it may name after `google.cloud import`.
_OF_GOOGLE = {"gcs": b"storage", "bigquery": b"bigquery"}
_LABELS = {"postgres": "Postgres", "gcs": "GCS", "bigquery": "BigQuery"}
#: Services that some machines cannot run: a pipeline still starts, and only a block that uses one fails.
_DISPENSABLE = ("bigquery",)
_NOWHERE = "http://unavailable.invalid"
_EMULATORS = {"gcs": "STORAGE_EMULATOR_HOST", "bigquery": "BIGQUERY_EMULATOR_HOST"}
#: What a local server has of its own; the rest of a profile (database, user, schema) is made there as it is named.
_PLACE = ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_PASSWORD")


def needed(pipeline: Pipeline, variables: Mapping[str, Any]) -> tuple[str, ...]:
    """The stores that the pipeline's blocks, or the project's modules that they import, name.

    GCS also where a variable is a gs:// address.
    """
    files = pipeline.files
    helpers = {module for path in files for module in modules(pipeline.root, path)}
    sources = [path.read_bytes() for path in files | helpers]
    found = {name for name in _SIGNS if any(_names(source, name) for source in sources)}
    found |= {str(block.configuration.get("data_provider")) for block in pipeline.blocks if block.language == "sql"}
    if any(str(value).startswith("gs://") for value in variables.values()):
        found.add("gcs")
    return tuple(name for name in _SIGNS if name in found)


def _names(source: bytes, name: str) -> bool:
    if any(sign in source for sign in _SIGNS[name]):
        return True
    if name not in _OF_GOOGLE or b"google.cloud import" not in source:
        return False
    return re.search(rb"google\.cloud import [^\n]*" + _OF_GOOGLE[name], source) is not None


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
    everything = {**pipeline.variables, **variables}
    with stores(pipeline.root, needed(pipeline, everything), buckets=_buckets(everything), local=local, said=said):
        yield


@contextmanager
def stores(
    root: Path, names: Sequence[str], *, buckets: Sequence[str] = (), local: bool = False, said: Callable[[str], None]
) -> Iterator[None]:
    """The same for stores by name (`postgres`, `gcs`, `bigquery`); local `buckets` are made."""
    reasons = {name: reason for name in names if (reason := _why_local(name, root, local))}
    if not reasons:
        yield
        return
    from mage_project import standins
    from mage_project.local import LocalStack

    stack = LocalStack(root)
    missing = {name: lack for name in _DISPENSABLE if name in reasons and (lack := stack.missing(name))}
    served = tuple(name for name in reasons if name not in missing)
    try:
        stack.up(served)
        env = {**stack.env(served), **{_EMULATORS[name]: _NOWHERE for name in missing}}
        for name, reason in reasons.items():
            said(_told(name, reason, env, missing.get(name)))
        if "gcs" in served:
            for bucket in stack.ensure_buckets(buckets):
                said(f"GCS: made the local bucket '{bucket}'")
        schemas = _schemas(root, env)
        local_libraries = standins.standing_in(
            served, env, takes_all=local, schemas=schemas, missing=missing, said=said
        )
        with _environment(env), _settings(env, local=local), local_libraries:
            yield
    finally:
        stack.down()


@contextmanager
def kept_up(pipeline: Pipeline, *, local: bool = False) -> Iterator[None]:
    """Inside, the local servers that runs of the pipeline start stay up between them."""
    names = needed(pipeline, pipeline.variables)
    wanted = [name for name in names if _why_local(name, pipeline.root, local)]
    if not wanted:
        yield
        return
    from mage_project.local import LocalStack

    stack = LocalStack(pipeline.root)
    try:
        stack.up([name for name in wanted if not (name in _DISPENSABLE and stack.missing(name))])
        yield
    finally:
        stack.down()


def _told(name: str, reason: str, env: Mapping[str, str], lack: str | None) -> str:
    if lack:
        return f"{_LABELS[name]}: {reason}, and no local one can run here: {lack}"
    return f"{_LABELS[name]}: {reason}, so the local one is used ({_address(name, env)})"


def _why_local(name: str, root: Path, local: bool) -> str | None:
    """Why the local stack serves this store, or None where the profile or the environment names one."""
    if local:
        return "--local"
    if name == "postgres":
        return None if _profile_value(root, "POSTGRES_HOST") else "POSTGRES_HOST is not set"
    keys = ("GOOGLE_SERVICE_ACC_KEY", "GOOGLE_SERVICE_ACC_KEY_FILEPATH")
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or os.environ.get(_EMULATORS[name])
    if named or any(_profile_value(root, key) for key in keys):
        return None
    from mage_project.io import machine_account

    if machine_account.exists():
        return None
    return "GOOGLE_APPLICATION_CREDENTIALS is not set"


def is_local(name: str, root: Path, *, local: bool) -> bool:
    """Whether the local stack serves the store for runs of this project."""
    return _why_local(name, root, local) is not None


def local_address(name: str, root: Path) -> str | None:
    """Where the local server of that store answers, if it runs."""
    from mage_project.local import LocalStack

    stack = LocalStack(root)
    running = any(service.name == name and service.running for service in stack.status())
    return stack.env((name,)).get(_EMULATORS[name]) if running else None


def _profile_value(root: Path, key: str) -> Any:
    """The value of `key` in the default profile of io_config.yaml, if there is one."""
    from mage_project.io.config import ConfigFileLoader

    path = root / "io_config.yaml"
    if not path.is_file():
        return None
    return ConfigFileLoader(path, "default").get(key)


@contextmanager
def all_local(root: Path, *, said: Callable[[str], None]) -> Iterator[None]:
    """Inside, every store that the machine has the parts for is local, and all profiles name those."""
    from mage_project import standins
    from mage_project.local import LocalStack

    stack = LocalStack(root)
    try:
        stack.up()
        env = stack.env()
        served = tuple(service.name for service in stack.status() if service.running)
        libraries = standins.standing_in(served, env, takes_all=True, schemas=_schemas(root, env), said=said)
        with _environment(env), _settings(env, local=True), libraries:
            yield
    finally:
        stack.down()


def _settings(env: Mapping[str, str], *, local: bool) -> AbstractContextManager[None]:
    """Profiles that name the local servers, with their own database, user and schema where they have them.

    Without `local` only those that name no server of their own.
    """
    from mage_project.io import config

    place = {name: value for name, value in env.items() if local and name in _PLACE}
    if place:
        place["POSTGRES_CONNECTION_METHOD"] = "direct"
    return config.overridden(place, fallbacks=env)


def _schemas(root: Path, env: Mapping[str, str]) -> list[str]:
    """The schemas that the project's profiles name for Postgres."""
    from mage_project.io.config import ConfigFileLoader
    from mage_project.io.profiles import profile_names

    path = root / "io_config.yaml"
    if "POSTGRES_HOST" not in env or not path.is_file():
        return []
    try:
        found = [ConfigFileLoader(path, name).get("POSTGRES_SCHEMA") for name in profile_names(path)]
    except ConfigError:  # the connector that needs the file says what is wrong with it
        return []
    return [str(name) for name in found if name]


def _address(name: str, env: Mapping[str, str]) -> str:
    if name == "postgres":
        return f"{env['POSTGRES_HOST']}:{env['POSTGRES_PORT']}"
    return env[_EMULATORS[name]]


def _buckets(variables: Mapping[str, Any]) -> list[str]:
    """The values of variables that name buckets: `bucket`, `bucket_name`, `lake_bucket`..."""
    return [value for name, value in variables.items() if "bucket" in name and isinstance(value, str) and value]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Inside, the variables are set. At the end they are as before, and so is the one that blocks like to set."""
    before = {name: os.environ.get(name) for name in (*values, "GOOGLE_APPLICATION_CREDENTIALS")}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
