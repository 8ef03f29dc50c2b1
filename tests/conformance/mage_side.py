"""Real Mage on a found project: what its author's machine had is there, but leads to local stores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from mage_project.local.datasets import create_missing
from tests.conformance.box import INSIDE, Ended
from tests.conformance.found import FoundPipeline
from tests.conformance.found_runs import Copy, Run, one_line

#: The last corner of the frame around a traceback.
FRAME = "\u256f"


@dataclass(frozen=True)
class MageRuns:
    """`mage run`, with profiles that name the local stores, and a service account's key that no Google knows.

    With `--test`, because `mage-project run` always runs in-line tests.
    """

    commands: Path
    copy: Copy

    def run(self, pipeline: FoundPipeline) -> Run:
        self.copy.stack.ensure_buckets(pipeline.buckets())
        self._make_datasets(pipeline)
        self.copy.put_missing(pipeline)
        before = self.copy.left()
        given = ("--runtime-vars", json.dumps(dict(self.copy.variables)))
        command = (self.commands / "mage", "run", self.copy.root, pipeline.uuid, "--test", *given)
        if pipeline.checks:
            with self._without_checks(pipeline):
                self.copy.run(command, self._env)
        ended, seconds = self.copy.run(command, self._env)
        after = self.copy.left()
        return Run(seconds=seconds, cause=_cause(ended), notes=self.copy.take_notes(), before=before, left=after)

    @contextmanager
    def _without_checks(self, pipeline: FoundPipeline) -> Iterator[None]:
        """Mage runs the checks first, so that they need a table from another day: what the pipeline is then without."""
        path = self.copy.root / "pipelines" / pipeline.uuid / "metadata.yaml"
        content = yaml.safe_load(pipeline.text)
        content["blocks"] = [block for block in content["blocks"] if block["uuid"] not in pipeline.checks]
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        yield
        path.write_text(pipeline.text)

    def _make_datasets(self, pipeline: FoundPipeline) -> None:
        stores = self.copy.stack.env()
        if "BIGQUERY_EMULATOR_HOST" in stores:
            for project, dataset in pipeline.datasets():
                create_missing(stores["BIGQUERY_EMULATOR_HOST"], project or stores["GOOGLE_CLOUD_PROJECT"], [dataset])
                _make_summary(stores, project or stores["GOOGLE_CLOUD_PROJECT"], dataset)

    @cached_property
    def _env(self) -> Mapping[str, str]:
        key = self.copy.box.folder / "key.json"
        key.write_text(json.dumps(_service_account()))
        stores = self.copy.stack.env()
        self._lead_profiles(stores, key)
        inside = {"PYTHONPATH": f"{INSIDE / 'mage'}:{INSIDE}", "GOOGLE_APPLICATION_CREDENTIALS": str(key)}
        return {**stores, **inside, "CONFORMANCE_KEY": str(key), "ENV": "dev"}

    def _lead_profiles(self, stores: Mapping[str, str], key: Path) -> None:
        """Write io_config.yaml anew, with the addresses of the local stores in all of its profiles."""
        path = self.copy.root / "io_config.yaml"
        given = path.read_text() if path.exists() else "version: 0.1.1\ndefault: {}\ndev: {}\n"
        rendered = jinja2.Template(given).render(
            env_var=lambda name, *_: stores.get(name, ""), mage_secret_var=lambda name, *_: ""
        )
        profiles = yaml.safe_load(rendered)
        for name, profile in profiles.items():
            if name != "version":
                profiles[name] = self._led(profile or {}, stores, key)
        path.write_text(yaml.safe_dump(profiles, sort_keys=False))

    def _led(self, profile: Mapping[str, Any], stores: Mapping[str, str], key: Path) -> dict[str, Any]:
        plain = {name.strip(): value for name, value in profile.items() if name != "GOOGLE_SERVICE_ACC_KEY"}
        addresses = {
            name: stores[name]
            for name in ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DBNAME")
        }
        method = {"POSTGRES_CONNECTION_METHOD": "direct", "POSTGRES_SCHEMA": plain.get("POSTGRES_SCHEMA") or "public"}
        return {**plain, **addresses, **method, "GOOGLE_SERVICE_ACC_KEY_FILEPATH": str(key)}


def _make_summary(stores: Mapping[str, str], project: str, dataset: str) -> None:
    """The list of a dataset's tables, in which Mage looks for one; to the local server it is a table like others."""
    options = {"api_endpoint": stores["BIGQUERY_EMULATOR_HOST"]}
    client = bigquery.Client(project=project, credentials=AnonymousCredentials(), client_options=options)
    schema = [bigquery.SchemaField("table_id", "STRING")]
    client.create_table(bigquery.Table(f"{project}.{dataset}.__TABLES_SUMMARY__", schema), exists_ok=True)
    client.close()


def _cause(ended: Ended | None) -> str | None:
    if ended is None:
        return "it takes too long"
    if ended.exit_code == 0:
        return None
    framed = ended.said.rpartition(FRAME)[2]  # Mage frames its tracebacks; the error comes after them
    return one_line(framed if FRAME in ended.said else ended.said)


def _service_account() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {
        "type": "service_account",
        "project_id": "local",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "nobody@local.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
