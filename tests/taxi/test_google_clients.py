"""Whose account a client has: the profile's key, its key file, or what Google finds."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from taxi.google_clients import storage_client
from taxi.load_jobs import bigquery_client


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def account(name: str, private_key: str) -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": f"project-of-{name}",
        "client_email": f"{name}@example.org",
        "private_key": private_key,
        "token_uri": "http://127.0.0.1:9/token",
    }


@pytest.fixture(autouse=True)
def no_emulators(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("make", [storage_client, bigquery_client])
def test_a_key_in_the_profile_comes_first(make, private_key: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "key.json").write_text(json.dumps(account("file", private_key)))
    profile = {
        "GOOGLE_SERVICE_ACC_KEY": account("inline", private_key),
        "GOOGLE_SERVICE_ACC_KEY_FILEPATH": str(tmp_path / "key.json"),
    }
    with closing(make(profile)) as client:
        assert client._credentials.service_account_email == "inline@example.org"
        assert client.project == "project-of-inline"


@pytest.mark.parametrize("make", [storage_client, bigquery_client])
def test_else_its_key_file(make, private_key: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "key.json").write_text(json.dumps(account("file", private_key)))
    with closing(make({"GOOGLE_SERVICE_ACC_KEY_FILEPATH": str(tmp_path / "key.json")})) as client:
        assert client._credentials.service_account_email == "file@example.org"


def test_a_local_server_asks_nobody(monkeypatch: pytest.MonkeyPatch, private_key: str) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    profile = {"GOOGLE_SERVICE_ACC_KEY": account("inline", private_key), "GOOGLE_LOCATION": "EU"}
    with closing(storage_client(profile)) as client, closing(bigquery_client(profile)) as queries:
        assert (client.project, queries.project, queries.location) == ("local", "local", "EU")
