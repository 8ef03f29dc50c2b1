"""What blocks do with Google's and Arrow's own libraries, on the local GCS server."""

from __future__ import annotations

import os

import pytest

from tests.standins.conftest import RunCode

START = """
import os
os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/home/src/not-there.json"
import pyarrow as pa
import pyarrow.parquet as pq
table = pa.table({"day": ["a", "b", "a"], "n": [1, 2, 3]})
@data_loader
def load(*args, **kwargs):
"""
ARROW = {
    "write_to_dataset": """
    gcs = pa.fs.GcsFileSystem()
    pq.write_to_dataset(table, root_path="NAME/trips", partition_cols=["day"], filesystem=gcs)
    return pq.ParquetDataset("NAME/trips", filesystem=gcs).read().num_rows
    """,
    "a project": """
    gcs = pa.fs.GcsFileSystem(project_id="their-project-1234")
    pq.write_table(table, "NAME/trips.parquet", filesystem=gcs)
    return pq.read_table("gs://NAME/trips.parquet").num_rows
    """,
    "an address": """
    pq.write_table(table, "gs://NAME/trips.parquet")
    pq.write_to_dataset(table, "gs://NAME/dataset", partition_cols=["day"])
    return pq.read_table("gs://NAME/dataset").num_rows
    """,
    "pandas": """
    table.to_pandas().to_parquet("gs://NAME/trips.parquet")
    import pandas as pd
    return len(pd.read_parquet("gs://NAME/trips.parquet"))
    """,
    "an access token": """
    import datetime
    gcs = pa.fs.GcsFileSystem(access_token="x", credential_token_expiration=datetime.datetime.now())
    with gcs.open_output_stream("NAME/trips.parquet") as stream:
        pq.write_table(table, stream)
    return pq.read_table("NAME/trips.parquet", filesystem=gcs).num_rows
    """,
}


@pytest.mark.parametrize("code", ARROW.values(), ids=ARROW)
def test_arrow_writes_to_a_bucket_that_was_not_there_and_reads_from_it(run_code: RunCode, code: str, request) -> None:
    bucket = "arrow-" + request.node.callspec.id.replace(" ", "-").replace("_", "-")
    record, lines = run_code(START.replace("pq\n", "pq\nimport pyarrow.fs\n") + code.replace("NAME", bucket) + CHECK)
    assert record.error is None
    assert lines.count(f"GCS: made the local bucket '{bucket}'") == 1


CHECK = """
@test
def check(rows, *args):
    assert rows == 3, rows
"""
CLIENTS = {
    "Client()": "client = storage.Client()",
    "Client(project)": "client = storage.Client(project='their-project-1234')",
    "from_service_account_json": "client = storage.Client.from_service_account_json('/home/src/not-there.json')",
    "from_service_account_file": """
    from google.oauth2 import service_account
    credentials = service_account.Credentials.from_service_account_file('/not-there.json', scopes=['x'])
    client = storage.Client(credentials=credentials.with_scopes(['y']), project=credentials.project_id)
    """,
    "from_service_account_info": """
    from google.oauth2 import service_account
    info = {"type": "service_account", "project_id": "theirs", "private_key": "...", "client_email": "a@b"}
    client = storage.Client("theirs", service_account.Credentials.from_service_account_info(info))
    """,
    "google.auth.default": """
    import google.auth
    credentials, project = google.auth.default()
    client = storage.Client(project, credentials)
    """,
    "another endpoint": "client = storage.Client(client_options={'api_endpoint': 'https://storage.googleapis.com'})",
}
UPLOAD = """
    bucket = client.BUCKET("NAME")
    bucket.blob("a/b.txt").upload_from_string("hello")
    names = [blob.name for blob in client.list_blobs("NAME", prefix="a/")]
    text = bucket.blob("a/b.txt").download_as_text()
    client.close()
    assert (names, text) == (["a/b.txt"], "hello")
    return 3
"""


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("getter", ["bucket", "get_bucket"])
def test_googles_client_needs_no_credentials_and_no_bucket(
    run_code: RunCode, client: str, getter: str, request
) -> None:
    number = list(CLIENTS.values()).index(client)
    name = f"google-{getter.replace('_', '-')}-{number}"
    code = f"    from google.cloud import storage\n    {client.strip()}" + UPLOAD.replace("BUCKET", getter)
    record, lines = run_code(START + code.replace("NAME", name))
    assert record.error is None
    assert lines.count(f"GCS: made the local bucket '{name}'") == 1


GCSFS = {
    "a file": """
    import gcsfs
    fs = gcsfs.GCSFileSystem(project="theirs", token="/not-there.json")
    with fs.open("<bucket>/a.txt", "w") as file:
        file.write("123")
    return len(fs.cat("<bucket>/a.txt"))
    """,
    "Arrow": """
    import gcsfs
    fs = gcsfs.GCSFileSystem()
    pq.write_to_dataset(table, "<bucket>/trips", partition_cols=["day"], filesystem=fs)
    return pq.read_table("<bucket>/trips", filesystem=fs).num_rows
    """,
    "pandas": """
    import pandas as pd
    table.to_pandas().to_csv("gs://<bucket>/trips.csv", index=False)
    return len(pd.read_csv("gs://<bucket>/trips.csv"))
    """,
}


@pytest.mark.parametrize("code", GCSFS.values(), ids=GCSFS)
def test_gcsfs_needs_no_credentials_and_no_bucket(run_code: RunCode, code: str) -> None:
    pytest.importorskip("gcsfs")
    bucket = f"gcsfs-{list(GCSFS.values()).index(code)}"
    record, lines = run_code(START + code.replace("<bucket>", bucket) + CHECK)
    assert record.error is None
    assert lines.count(f"GCS: made the local bucket '{bucket}'") == 1


def test_looking_into_a_bucket_that_is_not_there_is_an_error_and_makes_none(run_code: RunCode) -> None:
    code = START + "    from google.cloud import storage\n    list(storage.Client().list_blobs('nobodys-bucket'))\n"
    record, lines = run_code(code)
    assert "nobodys-bucket" in str(record.error)
    assert not any("made" in line for line in lines)


def test_a_bucket_that_was_deleted_is_made_again(run_code: RunCode) -> None:
    code = """    from google.cloud import storage
    with storage.Client() as client:
        client.bucket("come-and-go").blob("x").upload_from_string("1")
        client.bucket("come-and-go").blob("x").delete()
        client.bucket("come-and-go").delete()
        client.bucket("come-and-go").blob("x").upload_from_string("2")
    return 3
"""
    record, lines = run_code(START + code)
    assert record.error is None
    assert lines.count("GCS: made the local bucket 'come-and-go'") == 2


def test_mages_connector_makes_its_bucket_too(run_code: RunCode) -> None:
    code = """
    from mage_ai.io.google_cloud_storage import GoogleCloudStorage
    from mage_ai.io.config import ConfigFileLoader
    from mage_ai.settings.repo import get_repo_path
    import pandas as pd
    config = ConfigFileLoader(get_repo_path() + "/io_config.yaml", "default")
    GoogleCloudStorage.with_config(config).export(pd.DataFrame({"n": [1]}), "of-the-connector", "x.parquet")
    return 3
    """
    profile = "default:\n  GOOGLE_SERVICE_ACC_KEY_FILEPATH: /path/to/your/service/account/key.json\n"
    record, lines = run_code(START + code, profile=profile)
    assert record.error is None
    assert "GCS: made the local bucket 'of-the-connector'" in lines


def test_after_the_run_everything_is_as_it_was(run_code: RunCode) -> None:
    import google.auth
    import pyarrow.fs
    from google.cloud import storage
    from google.oauth2 import service_account

    def now() -> tuple[object, ...]:
        credentials = service_account.Credentials.__dict__["from_service_account_file"]
        return (
            google.auth.default,
            credentials,
            storage.Client.__init__,
            pyarrow.fs.GcsFileSystem,
            pyarrow.fs.FileSystem,
        )

    before = now()
    record, _ = run_code(START + ARROW["a project"].replace("NAME", "before-and-after"))
    assert record.error is None
    assert now() == before
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in os.environ
