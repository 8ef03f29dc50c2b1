from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mage_project.errors import ConfigError, StoreError, StoreUnavailable
from mage_project.io import commits
from mage_project.io.config import ConfigFileLoader, EnvironmentVariableLoader
from mage_project.io.google_cloud_storage import GoogleCloudStorage
from tests.io.faulty_proxy import FaultyProxy

#: Google's client leaves the sockets of refused downloads to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

BIG = 20 * 1024 * 1024 + 5


@pytest.fixture
def bucket(gcs_env: dict[str, str]) -> str:
    name = f"lake-{secrets.token_hex(4)}"
    store = GoogleCloudStorage()
    store.client.create_bucket(name)
    return name


@pytest.fixture
def proxy(gcs_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(gcs_env["STORAGE_EMULATOR_HOST"])
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"n": [1, 2], "t": pd.to_datetime(["2020-01-01 01:02:03.123456", "2020-01-02 00:00:00.5"], format="ISO8601")}
    )


def objects(bucket: str) -> list[str]:
    store = GoogleCloudStorage()
    return [blob.name for blob in store.client.list_blobs(bucket)]


def content(bucket: str, key: str) -> bytes:
    store = GoogleCloudStorage()
    return bytes(store.client.bucket(bucket).blob(key).download_as_bytes())


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "json", "json.gz", "ndjson", "jsonl.bz2", "parquet"])
@pytest.mark.parametrize("is_stream", [False, True], ids=["frame", "stream"])
def test_a_frame_and_a_stream_come_back(bucket, frame, ending, is_stream):
    store = GoogleCloudStorage()
    options = {"index": False} if "csv" in ending else {}
    store.export(iter([frame, frame]) if is_stream else frame, bucket, f"trips.{ending}", **options)
    loaded = store.load(bucket, f"trips.{ending}")
    assert loaded["n"].tolist() == [1, 2] * (1 + is_stream)
    assert pd.to_datetime(loaded["t"], format="ISO8601").tolist() == frame["t"].tolist() * (1 + is_stream)


def test_the_format_can_be_named(bucket, frame):
    GoogleCloudStorage().export(frame, bucket, "trips", format="parquet")
    assert GoogleCloudStorage().load(bucket, "trips", format="parquet", limit=1)["n"].tolist() == [1]


@pytest.mark.parametrize("size", [0, 5, 256 * 1024, 8 * 1024 * 1024, BIG])
def test_a_file_is_uploaded_as_it_is(bucket, tmp_path, size):
    file = tmp_path / "file.bin"
    file.write_bytes(secrets.token_bytes(size))
    GoogleCloudStorage().export(str(file), bucket, "folder/file.bin")
    assert content(bucket, "folder/file.bin") == file.read_bytes()


def test_a_profile_without_credentials_is_enough_with_an_emulator(bucket, frame, tmp_path):
    path = tmp_path / "io_config.yaml"
    path.write_text("default:\n  GOOGLE_SERVICE_ACC_KEY_FILEPATH: \"{{ env_var('NOT_SET_HERE') }}\"\n")
    store = GoogleCloudStorage.with_config(ConfigFileLoader(path, "default"))
    store.export(frame, bucket, "trips.csv")
    assert store.exists(bucket, "trips.csv")
    assert not store.exists(bucket, "other.csv")


def test_a_missing_object_is_an_error_with_the_one_that_may_be_meant(bucket, frame):
    store = GoogleCloudStorage()
    store.export(frame, bucket, "green/2020-10.csv")
    with pytest.raises(StoreError, match=r"no object .*Did you mean 'green/2020-10.csv'"):
        store.load(bucket, "green/2020-01.csv")


def test_a_missing_bucket_is_an_error_before_anything_is_sent(bucket, frame):
    store = GoogleCloudStorage()
    with commits.collecting(), pytest.raises(StoreError, match=f"no bucket '{bucket}x'.*Did you mean '{bucket}'"):
        store.export(frame, f"{bucket}x", "trips.csv")
    with pytest.raises(StoreError, match=r"no bucket"):
        store.load(f"{bucket}x", "trips.csv")
    with pytest.raises(StoreError, match=r"no bucket"):
        store.exists(f"{bucket}x", "trips.csv")


@pytest.mark.parametrize("key", ["../trips.csv", "a/../b.csv", "a\nb.csv", "", "x" * 1025 + ".csv"])
def test_a_key_that_is_none_is_refused(bucket, frame, key):
    with pytest.raises(StoreError, match=r"cannot be the name of an object|lacks the name"):
        GoogleCloudStorage().export(frame, bucket, key)


@pytest.mark.parametrize("key", ["trips", "trips.docx", "trips.gz", "trips.cvs"])
def test_an_ending_that_tells_no_format_is_refused(bucket, frame, key):
    with pytest.raises(StoreError, match=r"has no ending that tells its format"):
        GoogleCloudStorage().export(frame, bucket, key)
    assert objects(bucket) == []


def test_a_stream_that_breaks_leaves_the_object_as_it_was(bucket, frame, failing):
    store = GoogleCloudStorage()
    store.export(frame, bucket, "trips.parquet")
    with pytest.raises(RuntimeError, match=r"the source broke"):
        store.export(failing(frame.head(1)), bucket, "trips.parquet")
    assert len(store.load(bucket, "trips.parquet")) == 2


@pytest.mark.parametrize("size", [10, BIG])
def test_a_collected_upload_appears_with_the_commit(bucket, tmp_path, size):
    file = tmp_path / "file.bin"
    file.write_bytes(secrets.token_bytes(size))
    with commits.collecting() as collected:
        GoogleCloudStorage().export(str(file), bucket, "file.bin")
    assert objects(bucket) == []
    file.unlink()
    collected.commit_all()
    assert objects(bucket) == ["file.bin"]


@pytest.mark.parametrize("size", [10, BIG])
def test_a_collected_upload_can_be_rolled_back(bucket, tmp_path, size):
    file = tmp_path / "file.bin"
    file.write_bytes(secrets.token_bytes(size))
    with commits.collecting() as collected:
        GoogleCloudStorage().export(str(file), bucket, "file.bin")
    collected.rollback_all()
    assert objects(bucket) == []


@pytest.mark.parametrize("fault", [503, 429, "drop"])
def test_a_request_that_fails_in_passing_is_tried_again(bucket, proxy, tmp_path, fault):
    file = tmp_path / "file.bin"
    file.write_bytes(secrets.token_bytes(BIG))
    failed: list[str] = []

    def once_each(method: str, path: str) -> Any:
        if method in {"POST", "PUT"} and len(failed) < 3:
            failed.append(path)
            return fault if len(failed) % 2 else None
        return None

    proxy.fault = once_each
    GoogleCloudStorage().export(str(file), bucket, "file.bin")
    assert len(failed) == 3
    assert content(bucket, "file.bin") == file.read_bytes()


@pytest.mark.parametrize("fault", [503, "drop"])
def test_a_store_that_goes_on_failing_is_unavailable(bucket, proxy, frame, fault):
    proxy.fault = lambda method, path: fault
    store = GoogleCloudStorage(retry_s=1)
    with pytest.raises(StoreUnavailable, match=f"exporting gs://{bucket}/trips.csv, tried again in vain"):
        store.export(frame, bucket, "trips.csv")
    with pytest.raises(StoreUnavailable, match=r"loading gs://"):
        store.load(bucket, "trips.csv")


def test_a_refusal_says_which_role_is_missing(bucket, proxy, frame):
    proxy.fault = lambda method, path: 403 if "upload" in path else None
    with pytest.raises(StoreError, match=r"HTTP 403") as caught:
        GoogleCloudStorage().export(frame, bucket, "trips.csv")
    assert not caught.value.transient
    assert "Storage Object Admin" in str(caught.value)
    assert sum("upload" in request for request in proxy.requests) == 1


def test_a_drop_in_the_middle_of_an_upload_leaves_no_object(bucket, proxy, tmp_path):
    file = tmp_path / "file.bin"
    file.write_bytes(secrets.token_bytes(BIG))
    seen: list[str] = []

    def second_chunk(method: str, path: str) -> Any:
        seen.extend([path] * (method == "PUT"))
        return "drop" if method == "PUT" and len(seen) > 1 else None

    proxy.fault = second_chunk
    with pytest.raises(StoreUnavailable):
        GoogleCloudStorage(retry_s=1).export(str(file), bucket, "file.bin")
    assert objects(bucket) == []


def test_a_parquet_stream_has_the_types_of_its_first_rows(bucket):
    frames = [pd.DataFrame({"n": pd.Series(values, dtype="int32")}) for values in ([], [1], [2])]
    frames.append(pd.DataFrame({"n": pd.Series([2**40], dtype="int64")}))
    with pytest.raises(StoreError, match=f"column 'n': {2**40} in row 3 does not fit int32"):
        GoogleCloudStorage().export(iter(frames), bucket, "trips.parquet")
    GoogleCloudStorage().export(iter(frames[:3]), bucket, "trips.parquet")
    assert str(GoogleCloudStorage().load(bucket, "trips.parquet")["n"].dtype) == "int32"


def test_an_object_that_is_not_what_its_ending_says_is_told(bucket, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<html></html>")
    GoogleCloudStorage().export(page, bucket, "trips.parquet")
    with pytest.raises(StoreError, match=r"'trips.parquet' cannot be read as parquet"):
        GoogleCloudStorage().load(bucket, "trips.parquet")


# -- credentials


@pytest.fixture
def no_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))


@pytest.fixture(scope="module")
def key() -> dict[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "taxi",
        "private_key": private.decode(),
        "client_email": "me@taxi.example",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def account(**profile: Any) -> str:
    store = GoogleCloudStorage.with_config(ConfigFileLoader(config={"A": 1, **profile}))
    return str(store.client._credentials.service_account_email)


def test_credentials_come_from_the_key_then_the_file_then_the_environment(no_emulator, key, tmp_path, monkeypatch):
    for name in ("file", "environment"):
        (tmp_path / name).write_text(json.dumps({**key, "client_email": f"{name}@taxi.example"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "environment"))
    file = str(tmp_path / "file")
    assert account(GOOGLE_SERVICE_ACC_KEY=key, GOOGLE_SERVICE_ACC_KEY_FILEPATH=file) == "me@taxi.example"
    assert account(GOOGLE_SERVICE_ACC_KEY=json.dumps(key)) == "me@taxi.example"
    assert account(GOOGLE_SERVICE_ACC_KEY_FILEPATH=file) == "file@taxi.example"
    assert account() == "environment@taxi.example"


@pytest.mark.parametrize("written", ["{{ env_var('INLINE_KEY') }}", "\"{{ env_var('INLINE_KEY') }}\""])
def test_a_key_may_be_an_environment_variable(no_emulator, key, tmp_path, monkeypatch, written):
    monkeypatch.setenv("INLINE_KEY", json.dumps(key, indent=2))
    path = tmp_path / "io_config.yaml"
    path.write_text(f"default:\n  GOOGLE_SERVICE_ACC_KEY: {written}\n")
    store = GoogleCloudStorage.with_config(ConfigFileLoader(path, "default"))
    assert store.client._credentials.service_account_email == "me@taxi.example"
    monkeypatch.setenv("GOOGLE_SERVICE_ACC_KEY", json.dumps(key))
    store = GoogleCloudStorage.with_config(EnvironmentVariableLoader())
    assert store.client._credentials.service_account_email == "me@taxi.example"


def test_without_any_credentials_the_error_says_what_to_set(no_emulator):
    with pytest.raises(ConfigError, match=r"no credentials for Google Cloud") as caught:
        account()
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"private_key": "secret-words"}, "private_key cannot be read"), ({"client_email": None}, "lacks client_email")],
)
def test_an_unusable_key_is_told_without_showing_it(no_emulator, key, change, words):
    with pytest.raises(ConfigError, match=words) as caught:
        account(GOOGLE_SERVICE_ACC_KEY={**key, **change})
    assert "secret-words" not in f"{caught.value}{caught.value.__cause__}"


@pytest.mark.parametrize(("content", "words"), [(None, "is not there"), ("no json", "not JSON"), ("{}", "lacks")])
def test_an_unusable_key_file_is_told_with_its_path(no_emulator, tmp_path, content, words):
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=words) as caught:
        account(GOOGLE_SERVICE_ACC_KEY_FILEPATH=str(file))
    assert str(file) in str(caught.value)


def test_a_variable_that_names_a_missing_key_file_is_told(no_emulator, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "gone.json"))
    with pytest.raises(ConfigError, match=r"GOOGLE_APPLICATION_CREDENTIALS names a key file that is not there"):
        account()


def test_parquet_from_a_frame_keeps_microseconds(bucket, frame):
    GoogleCloudStorage().export(frame, bucket, "trips.parquet")
    assert pq.read_schema(pa.BufferReader(content(bucket, "trips.parquet"))).field("t").type == pa.timestamp("us")
