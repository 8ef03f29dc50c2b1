from __future__ import annotations

import gc
import secrets
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import commits
from mage_project.io.aws_secrets import AWSSecretLoader
from mage_project.io.config import ConfigFileLoader
from mage_project.io.s3 import S3

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    yield endpoint
    gc.collect()


@pytest.fixture
def bucket(aws: str) -> str:
    name = f"lake-{secrets.token_hex(4)}"
    store = S3()
    store.client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"n": [1, 2], "t": ["a", None]})


def content(bucket: str, key: str) -> bytes:
    store = S3()
    return bytes(store.client.get_object(Bucket=bucket, Key=key)["Body"].read())


def unfinished(bucket: str) -> list[Any]:
    store = S3()
    return list(store.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "json", "ndjson", "parquet", "xlsx", "xml"])
@pytest.mark.parametrize("is_stream", [False, True], ids=["frame", "stream"])
def test_a_frame_and_a_stream_come_back(bucket, frame, ending, is_stream):
    store = S3()
    store.export(iter([frame, frame]) if is_stream else frame, bucket, f"trips.{ending}")
    assert store.load(bucket, f"trips.{ending}")["n"].tolist() == [1, 2] * (1 + is_stream)


def test_the_format_can_be_named_and_rows_limited(bucket, frame):
    S3().export(frame, bucket, "trips", format="parquet")
    assert S3().load(bucket, "trips", format="parquet", limit=1)["n"].tolist() == [1]


@pytest.mark.parametrize("size", [0, 5, 16 * MIB, 33 * MIB + 1])
def test_a_file_is_uploaded_as_it_is(bucket, tmp_path, size):
    file = tmp_path / "file.bin"
    file.write_bytes(secrets.token_bytes(size))
    S3().export(str(file), bucket, "folder/file.bin")
    assert content(bucket, "folder/file.bin") == file.read_bytes()


def test_a_profile_names_the_store_and_the_key(endpoint, bucket, frame, tmp_path, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    path = tmp_path / "io_config.yaml"
    settings = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_SESSION_TOKEN": "",
                "AWS_REGION": "us-east-1", "AWS_ENDPOINT": endpoint}  # fmt: skip
    path.write_text("default:\n" + "".join(f"  {key}: '{value}'\n" for key, value in settings.items()))
    store = S3.with_config(ConfigFileLoader(path, "default"))
    store.export(frame, bucket, "trips.csv")
    assert store.load(bucket, "trips.csv")["n"].tolist() == [1, 2]
    assert "hidden" not in repr(store)


def test_an_object_exists_by_the_beginning_of_its_name(bucket, frame):
    S3().export(frame, bucket, "green/2020-10.csv")
    assert S3().exists(bucket, "green/2020-10.csv")
    assert S3().exists(bucket, "green/")
    assert not S3().exists(bucket, "yellow/")


def test_a_missing_object_is_an_error_with_the_one_that_may_be_meant(bucket, frame):
    S3().export(frame, bucket, "green/2020-10.csv")
    with pytest.raises(StoreError, match=r"no object .*Did you mean 'green/2020-10.csv'"):
        S3().load(bucket, "green/2020-01.csv")


def test_a_missing_bucket_is_an_error_before_anything_is_committed(bucket, frame):
    with commits.collecting(), pytest.raises(StoreError, match=f"no bucket '{bucket}x'.*Did you mean '{bucket}'"):
        S3().export(frame, f"{bucket}x", "trips.csv")
    with pytest.raises(StoreError, match=r"no bucket"):
        S3().exists(f"{bucket}x", "trips.csv")


@pytest.mark.parametrize("key", ["", "x" * 1025 + ".csv"])
def test_a_key_that_is_none_is_refused(bucket, frame, key):
    with pytest.raises(StoreError, match=r"cannot be the name of an object|lacks the name"):
        S3().export(frame, bucket, key)


def test_a_path_without_a_file_is_refused(bucket, tmp_path):
    with pytest.raises(StoreError, match=r"no such file"):
        S3().export(tmp_path / "none.csv", bucket, "none.csv")


@pytest.mark.parametrize("size", [5, 33 * MIB], ids=["small", "in parts"])
def test_a_collected_object_appears_with_the_commit(bucket, tmp_path, size):
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(size))
    with commits.collecting() as collected:
        S3().export(file, bucket, "file.bin")
    assert not S3().exists(bucket, "file.bin")
    collected.commit_all()
    assert len(content(bucket, "file.bin")) == size


@pytest.mark.parametrize("size", [5, 33 * MIB], ids=["small", "in parts"])
def test_a_collected_object_can_be_rolled_back(bucket, tmp_path, size):
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(size))
    with commits.collecting() as collected:
        S3().export(file, bucket, "file.bin")
    collected.rollback_all()
    assert not S3().exists(bucket, "file.bin")
    assert unfinished(bucket) == []


def test_an_iterator_that_breaks_leaves_the_object_as_it_was(bucket, frame, failing):
    S3().export(frame, bucket, "trips.csv")
    before = content(bucket, "trips.csv")
    with pytest.raises(RuntimeError, match=r"the source broke"):
        S3().export(failing(frame), bucket, "trips.csv")
    assert content(bucket, "trips.csv") == before


def test_a_store_that_cannot_be_reached_is_told(aws, frame):
    store = S3(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match=r"cannot be reached while exporting s3://lake/trips.csv"):
        store.export(frame, "lake", "trips.csv")


def test_without_credentials_the_error_says_what_to_give(aws, frame, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match=r"no credentials for S3[^$]*AWS_ACCESS_KEY_ID"):
        S3().exists("lake", "trips.csv")


def test_secrets_of_aws_are_settings(aws):
    loader = AWSSecretLoader()
    name = f"POSTGRES_PASSWORD_{secrets.token_hex(4)}"
    assert name not in loader
    loader.client.create_secret(Name=name, SecretString="hidden")
    assert name in loader
    assert loader[name] == loader.get(name, version_stage_label="AWSCURRENT") == "hidden"
    loader.client.close()
