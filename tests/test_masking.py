"""Secrets that are known are hidden in whatever is said."""

from __future__ import annotations

import pytest

from mage_project import masking
from mage_project.errors import StoreError
from mage_project.io.config import ConfigFileLoader


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    monkeypatch.setattr(masking, "_values", set())
    monkeypatch.setattr(masking, "_pattern", None)


def test_the_secrets_of_a_profile_are_hidden_in_every_error(tmp_path):
    (tmp_path / "io_config.yaml").write_text(
        "default: {POSTGRES_USER: me, POSTGRES_PASSWORD: hunter2, GOOGLE_SERVICE_ACC_KEY: {private_key: abc-def-ghi}}"
    )
    ConfigFileLoader(tmp_path / "io_config.yaml")
    error = StoreError("no hunter2 for me", where="abc-def-ghi", hint="not hunter2")
    assert str(error) == "no *** for me\n  where: ***\n  next:  not ***"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"POSTGRES_PASSWORD": "postgres", "POSTGRES_USER": "postgres"}, "postgres refuses"),
        ({"POSTGRES_PASSWORD": "password"}, "password authentication failed"),
        ({"POSTGRES_PASSWORD": "test"}, "test 'test_x' failed"),
        ({"POSTGRES_PASSWORD": "orders"}, "no column orders_id"),
        ({"object_key": "green/2021.parquet"}, "no object green/2021.parquet"),
        ({"GOOGLE_SERVICE_ACC_KEY_FILEPATH": "/keys/mine.json"}, "no file /keys/mine.json"),
    ],
)
def test_what_is_no_secret_stays_readable(settings, said):
    masking.hide(settings)
    assert masking.masked(said) == said


def test_a_password_in_an_address_is_always_hidden():
    assert masking.masked("at postgresql://me:pw@host/db") == "at postgresql://me:***@host/db"


def test_what_signs_an_address_is_hidden():
    said = "https://x.example.com/a.csv?design=2020-10&sig=abc%2F1&X-Goog-Signature=def gone"
    assert masking.masked(said) == "https://x.example.com/a.csv?design=2020-10&sig=***&X-Goog-Signature=*** gone"


@pytest.mark.parametrize("name", ["api_key", "apikey", "key", "token", "access_token", "password", "passwd", "pwd",
                                  "secret", "client_secret", "sig", "signature", "X-Amz-Signature"])  # fmt: skip
@pytest.mark.parametrize("said", ["exceeded with url: /taxi?{}=SECRET12 (Caused", "/a?page=2&{}=SECRET12&month=1",
                                  "/login?next=%2Fa%3Fpage%3D2%26{}%3DSECRET12%26month%3D1"])  # fmt: skip
def test_a_key_in_a_query_is_hidden_where_the_host_is_not_told_with_it(name, said):
    assert masking.masked(said.format(name)) == said.format(name).replace("SECRET12", "***")
