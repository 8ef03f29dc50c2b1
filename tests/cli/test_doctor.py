from __future__ import annotations

import gc
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner
from google.api_core.exceptions import NotFound

from mage_project.cli.commands import cli
from mage_project.io import google_errors
from mage_project.io.bigquery import BigQuery
from mage_project.io.google_cloud_storage import GoogleCloudStorage
from tests.io.faulty_proxy import FaultyProxy

#: Google's client leaves the sockets of refused downloads to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

GOOGLE = ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")
Profile = dict[str, Any]


class Doctor:
    """A project whose only profile is the one given, and what `check --io` says of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pipelines").mkdir()

    def ask(self, profile: Profile, *words: str) -> Any:
        (self.root / "io_config.yaml").write_text(json.dumps({"default": {"version": 1, **profile}}))
        return CliRunner().invoke(cli, ["check", "--io", "--project", str(self.root), *words])

    def answers(self, profile: Profile, *words: str) -> dict[tuple[str, str], Any]:
        """The checks by store and name."""
        result = self.ask(profile, "--json", *words)
        found = json.loads(result.stdout.splitlines()[-1])
        assert result.exit_code == (0 if found["passed"] else 1)
        return {(check["store"], check["check"]): check for check in found["checks"]}


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doctor]:
    for name in GOOGLE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    yield Doctor(tmp_path)
    gc.collect()


def failed(answers: dict[tuple[str, str], Any]) -> list[tuple[str, str]]:
    return [place for place, check in answers.items() if check["passed"] is False]


# -- Postgres


@pytest.fixture
def postgres(doctor: Doctor, postgres_env: dict[str, str]) -> Profile:
    return dict(postgres_env)


def test_a_postgres_that_works_passes_and_nothing_is_left(doctor, postgres):
    schema = f"new_{secrets.token_hex(4)}"
    answers = doctor.answers({**postgres, "POSTGRES_SCHEMA": schema})
    assert [check for store, check in answers if store == "Postgres"] == ["credentials", "connects", "reads", "writes"]
    assert not failed(answers)
    assert not rows(postgres, f"SELECT FROM pg_namespace WHERE nspname = '{schema}'")
    assert not rows(postgres, "SELECT FROM pg_class WHERE relname LIKE 'mage_project_probe%'")


def rows(env: Profile, query: str) -> list[Any]:
    connection = psycopg2.connect(
        host=env["POSTGRES_HOST"], port=env["POSTGRES_PORT"], user=env["POSTGRES_USER"],
        password=env["POSTGRES_PASSWORD"], dbname=env["POSTGRES_DBNAME"],
    )  # fmt: skip
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchall() if cursor.description is not None else []
    connection.close()
    return found


@pytest.mark.parametrize(
    ("change", "what", "fix"),
    [
        ({"POSTGRES_HOST": "nowhere.invalid"}, "the host name is unknown", "check POSTGRES_HOST"),
        ({"POSTGRES_PORT": 9}, "nothing listens there", "POSTGRES_PORT"),
        ({"POSTGRES_PASSWORD": "wrong-secret"}, "refuses user", "check POSTGRES_USER, POSTGRES_PASSWORD"),
        ({"POSTGRES_USER": "nobody_here"}, "refuses user 'nobody_here'", "check POSTGRES_USER"),
        ({"POSTGRES_DBNAME": "no_such"}, "does not exist", "createdb no_such"),
    ],
    ids=["host", "port", "password", "user", "database"],
)
def test_a_postgres_that_does_not_let_us_in_is_told_with_the_setting(doctor, postgres, change, what, fix):
    answers = doctor.answers({**postgres, **change})
    assert failed(answers) == [("Postgres", "connects")]
    found = answers["Postgres", "connects"]
    assert what in found["what"]
    assert fix in found["next"]
    assert "wrong-secret" not in json.dumps(found)


def test_the_local_stack_passes_whatever_the_profile_names(doctor):
    theirs = {
        "POSTGRES_HOST": "postgres",
        "POSTGRES_USER": "root",
        "POSTGRES_DBNAME": "theirs",
        "POSTGRES_PASSWORD": "x",
    }
    result = doctor.ask(theirs, "--local")
    assert result.exit_code == 0, result.output
    assert "Postgres: made the local role 'root', database 'theirs'" in result.stderr


def test_a_port_that_is_no_number_is_told_with_the_setting(doctor, postgres):
    answer = doctor.ask({**postgres, "POSTGRES_PORT": "fivefour"})
    assert "port 'fivefour'" in answer.output
    assert "correct POSTGRES_PORT" in answer.output


def test_a_setting_that_is_missing_is_told(doctor, postgres):
    answers = doctor.answers({**postgres, "POSTGRES_DBNAME": None})
    assert failed(answers) == [("Postgres", "credentials")]
    assert "POSTGRES_DBNAME" in answers["Postgres", "credentials"]["what"]


@pytest.fixture
def reader(postgres: Profile) -> Iterator[Profile]:
    """A user who may connect, and nothing more, and a schema with a table."""
    name = f"reader_{secrets.token_hex(4)}"
    rows(postgres, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    rows(postgres, f"CREATE SCHEMA {name}; CREATE TABLE {name}.trips (id int); GRANT USAGE ON SCHEMA {name} TO {name}")
    yield {**postgres, "POSTGRES_USER": name, "POSTGRES_PASSWORD": "x", "POSTGRES_SCHEMA": name}
    rows(postgres, f"DROP SCHEMA {name} CASCADE; DROP ROLE {name}")


def test_a_user_who_may_not_read_or_write_is_told_the_grants(doctor, reader):
    answers = doctor.answers(reader)
    assert failed(answers) == [("Postgres", "reads"), ("Postgres", "writes")]
    assert "GRANT SELECT ON ALL TABLES" in answers["Postgres", "reads"]["next"]
    assert "GRANT CREATE ON SCHEMA" in answers["Postgres", "writes"]["next"]


def test_a_user_who_may_not_make_the_schema_is_told(doctor, reader):
    answers = doctor.answers({**reader, "POSTGRES_SCHEMA": "not_there_yet"})
    assert failed(answers) == [("Postgres", "writes")]
    assert "GRANT CREATE ON DATABASE" in answers["Postgres", "writes"]["next"]


# -- who connects to Google


def test_what_is_not_named_is_taken_from_the_local_stack(doctor):
    answers = doctor.answers({})
    assert not failed(answers)
    assert [check["what"].rpartition(" ")[2] for check in answers.values()] == ["Postgres", "GCS", "BigQuery"]


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "names a key file that is not there"), ("no json", "is not JSON"), ("{}", "lacks client_email")],
    ids=["missing", "not JSON", "no key"],
)
def test_a_key_file_that_cannot_be_used_is_told(doctor, content, what):
    file = doctor.root / "key.json"
    if content is not None:
        file.write_text(content)
    answers = doctor.answers({"GOOGLE_SERVICE_ACC_KEY_FILEPATH": str(file)})
    assert failed(answers) == [("GCS", "credentials"), ("BigQuery", "credentials")]
    for store in ("GCS", "BigQuery"):
        assert what in answers[store, "credentials"]["what"]
        assert str(file) in answers[store, "credentials"]["what"]


def test_a_variable_that_names_a_missing_key_file_is_told(doctor, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(doctor.root / "gone.json"))
    answers = doctor.answers({})
    assert "GOOGLE_APPLICATION_CREDENTIALS" in answers["GCS", "credentials"]["what"]
    assert answers["GCS", "credentials"]["passed"] is False


# -- buckets


@pytest.fixture
def bucket(doctor: Doctor, gcs_env: dict[str, str]) -> str:
    name = f"lake-{secrets.token_hex(4)}"
    GoogleCloudStorage().client.create_bucket(name)
    return name


@pytest.fixture
def spoilt_gcs(bucket: str, gcs_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    yield from spoilt("STORAGE_EMULATOR_HOST", gcs_env, monkeypatch)


def spoilt(variable: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(env[variable])
    monkeypatch.setenv(variable, proxy.url)
    yield proxy
    gc.collect()
    proxy.close()


def test_a_bucket_that_works_passes_and_nothing_is_left(doctor, bucket):
    answers = doctor.answers({}, "--bucket", bucket)
    assert not failed(answers)
    assert {("GCS", "writes"), ("GCS", "reads"), ("GCS", "deletes")} <= set(answers)
    assert list(GoogleCloudStorage().client.list_blobs(bucket)) == []


def test_a_missing_bucket_is_told_with_how_to_make_it(doctor, bucket, monkeypatch):
    found = doctor.answers({}, "--bucket", f"{bucket}x")["GCS", "writes"]
    assert f"there is no bucket '{bucket}x'" in found["what"]
    assert "run first what fills it" in found["next"]  # gcloud makes no buckets of a local server
    client = GoogleCloudStorage().client
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    error = google_errors.told(NotFound("no such bucket"), client, "writing", f"{bucket}x", "key")
    assert error.hint == f"create it: gcloud storage buckets create gs://{bucket}x"


@pytest.mark.parametrize(
    ("method", "words", "check"),
    [("POST", "upload", "writes"), ("GET", "alt=media", "reads"), ("DELETE", "", "deletes")],
)
def test_a_right_that_is_missing_is_told_with_the_role(doctor, bucket, spoilt_gcs, method, words, check):
    spoilt_gcs.fault = lambda sent, path: 403 if sent == method and words in path else None
    answers = doctor.answers({}, "--bucket", bucket)
    assert failed(answers) == [("GCS", check)]
    assert "Storage Object Admin" in answers["GCS", check]["next"]


def test_a_storage_that_is_down_is_told(doctor, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    found = doctor.answers({}, "--bucket", "lake")["GCS", "writes"]
    assert found["passed"] is False
    assert "no connection" in found["what"]


# -- datasets


@pytest.fixture
def dataset(doctor: Doctor, bigquery_env: dict[str, str]) -> Iterator[Callable[..., str]]:
    """Makes a dataset with these settings."""
    from google.cloud.bigquery import Dataset

    made = []
    with BigQuery() as store:

        def make(**settings: Any) -> str:
            wanted = Dataset(f"{store.client.project}.test_{secrets.token_hex(4)}")
            for name, value in settings.items():
                setattr(wanted, name, value)
            made.append(store.client.create_dataset(wanted))
            return str(wanted.dataset_id)

        yield make
        for found in made:
            store.client.delete_dataset(found, delete_contents=True)


@pytest.fixture
def spoilt_bigquery(
    dataset: Callable[..., str], bigquery_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyProxy]:
    yield from spoilt("BIGQUERY_EMULATOR_HOST", bigquery_env, monkeypatch)


def test_a_dataset_that_works_passes_and_nothing_is_left(doctor, dataset):
    name = dataset()
    answers = doctor.answers({}, "--dataset", name)
    assert [check for store, check in answers if store == "BigQuery"] == [
        "credentials", "connects", "reads", "region", "writes",
    ]  # fmt: skip
    assert not failed(answers)
    with BigQuery() as store:
        assert list(store.client.list_tables(name)) == []


def test_a_dataset_that_is_not_there_yet_is_no_failure(doctor, dataset):
    answers = doctor.answers({}, "--dataset", "not_there_yet")
    assert not failed(answers)
    assert "the first export makes it" in answers["BigQuery", "reads"]["what"]
    with BigQuery() as store:
        assert not [found for found in store.client.list_datasets() if "probe" in found.dataset_id]


def test_a_dataset_elsewhere_is_told(doctor, dataset):
    answers = doctor.answers({"GOOGLE_LOCATION": "US"}, "--dataset", dataset(location="europe-west1"))
    assert failed(answers) == [("BigQuery", "region")]
    assert answers["BigQuery", "region"]["next"].startswith("set GOOGLE_LOCATION to europe-west1")


def test_a_bucket_too_far_from_the_dataset_is_told(doctor, bucket, dataset):
    answers = doctor.answers({}, "--bucket", bucket, "--dataset", dataset(location="asia-east1"))
    assert failed(answers) == [("BigQuery", "region")]
    assert "no load job goes between them" in answers["BigQuery", "region"]["what"]
    assert "--location=ASIA-EAST1" in answers["BigQuery", "region"]["next"]


def test_partitions_that_end_are_told_without_a_failure(doctor, dataset):
    answers = doctor.answers({}, "--dataset", dataset(default_partition_expiration_ms=60 * 24 * 3600 * 1000))
    assert not failed(answers)
    assert "live for 60 days" in answers["BigQuery", "partitions"]["what"]


@pytest.mark.parametrize(
    ("words", "check", "role"),
    [
        ("/jobs", "connects", "BigQuery Job User"),
        ("/tables?", "writes", "BigQuery Data Editor"),
        ("/datasets?", "writes", "BigQuery User"),
    ],
)
def test_a_role_that_is_missing_is_told(doctor, dataset, spoilt_bigquery, words, check, role):
    name = "not_there_yet" if words == "/datasets?" else dataset()
    spoilt_bigquery.fault = lambda method, path: 403 if method == "POST" and words in path else None
    answers = doctor.answers({}, "--dataset", name)
    assert failed(answers) == [("BigQuery", check)]
    assert role in answers["BigQuery", check]["next"]


def test_a_warehouse_that_is_down_is_told(doctor, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    answers = doctor.answers({})
    assert failed(answers) == [("BigQuery", "connects")]
    assert "no connection" in answers["BigQuery", "connects"]["what"]


# -- the command


def test_people_get_a_table_with_the_next_step(doctor, postgres):
    result = doctor.ask({**postgres, "POSTGRES_PORT": 9})
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Postgres  ✓ credentials  user '")
    assert lines[1].startswith("          ✗ connects     Postgres at ")
    assert lines[2].startswith("            next:        check POSTGRES_HOST")


def test_a_profile_that_is_not_there_is_wrong_usage(doctor):
    result = doctor.ask({}, "--profile", "defualt")
    assert result.exit_code == 2
    assert "Did you mean 'default'" in result.stderr


def test_options_of_the_doctor_need_io(doctor):
    result = CliRunner().invoke(cli, ["check", "--json", "--project", str(doctor.root)])
    assert result.exit_code == 2
    assert "go with --io" in result.stderr


def test_buckets_and_datasets_are_those_of_the_pipelines(doctor, bucket):
    folder = doctor.root / "pipelines" / "trips"
    folder.mkdir()
    (doctor.root / "metadata.yaml").write_text("project_type: standalone\n")
    (folder / "metadata.yaml").write_text(
        f"name: trips\nuuid: trips\ntype: python\nblocks: []\nvariables:\n  bucket: {bucket}\n"
    )
    assert bucket in doctor.answers({})["GCS", "writes"]["what"]
