"""`mage-project check --data`: rules on files, objects and tables that are there already."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import secrets
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from mage_project.cli import data_rules
from mage_project.cli.commands import cli
from mage_project.io.config import ConfigFileLoader
from mage_project.io.postgres import Postgres
from mage_project.project import Project
from mage_project.quality import files, sources
from mage_project.quality.addresses import Address
from mage_project.quality.naming import Naming
from mage_project.quality.reading import read_rules
from tests.local.warehouses import dataset
from tests.projects import block, write_project

ROWS = pa.table({"n": [1, 2, None, 9], "s": ["a", "", None, 'q"\n,'], "day": [dt.date(2020, 1, 1)] * 4})
RULES = [{"max": {"column": "n", "value": 5}}, {"not_null": "n", "severity": "warn"}]
PROFILE = """
default:
  POSTGRES_DBNAME: "{{ env_var('POSTGRES_DBNAME') }}"
  POSTGRES_USER: "{{ env_var('POSTGRES_USER') }}"
  POSTGRES_PASSWORD: "{{ env_var('POSTGRES_PASSWORD') }}"
  POSTGRES_HOST: "{{ env_var('POSTGRES_HOST') }}"
  POSTGRES_PORT: "{{ env_var('POSTGRES_PORT') }}"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """One whose pipeline writes `lake.{kind}_trips`, and declares what its rows are like."""
    blocks = [
        block("clean", "transformer", configuration={"checks": RULES}),
        block("save", "data_exporter", "clean"),
    ]
    code = {"clean": "@transformer\ndef f(x):\n    return x", "save": "@data_exporter\ndef f(x):\n    pass"}
    write_project(tmp_path, blocks, code, variables={"schema": "lake", "table": "{kind}_trips", "bucket": "b"})
    (tmp_path / "io_config.yaml").write_text(PROFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*words):
    result = CliRunner().invoke(cli, ["check", *words], catch_exceptions=False)
    return result.exit_code, result.output


def rows_at(address, root):
    return pa.concat_tables(sources.tables(address, root), promote_options="permissive").to_pylist()


@pytest.mark.parametrize("name", ["trips.parquet", "trips.csv", "trips.csv.gz", "trips.jsonl"])
def test_a_file_is_checked_by_the_rules_of_a_block(project, name):
    if name.endswith(".parquet"):
        pq.write_table(ROWS, name)
    else:
        ROWS.to_pandas().to_csv(name, index=False) if "csv" in name else Path(name).write_text('{"n":1}\n{"n":9}\n')
    code, said = check("--data", name, "--rules", "p.clean")
    assert code == 3
    assert "✗ max(n): 1 of " in said


def test_a_rule_that_only_warns_leaves_the_exit_code_at_0_and_json_tells_all(project):
    pq.write_table(ROWS.slice(0, 3), "trips.parquet")
    code, said = check("--data", "trips.parquet", "--rules", "p", "--json")
    found = json.loads(said)
    assert (code, found["status"], found["rows"]) == (0, "passed", 3)
    assert [(each["name"], each["passed"], each["failing"]) for each in found["checks"]] == [
        ("max(n)", True, 0),
        ("not_null(n)", False, 1),
    ]


def test_rows_says_how_many_are_shown_and_the_command_that_is_told_shows_more(project):
    pq.write_table(pa.table({"n": range(100)}), "trips.parquet")
    _, said = check("--data", "trips.parquet", "--rules", "p")
    assert "more: mage-project check --data=trips.parquet --rules=p --rows 50" in said
    _, said = check("--data=trips.parquet", "--rules=p", "--rows", "50")
    assert "\n      55" in said


def test_without_rules_the_first_rows_are_shown(project):
    pq.write_table(ROWS, "trips.parquet")
    assert check("--data", "trips.parquet", "--rows", "1") == (0, "n  s  day\n1  a  2020-01-01\n")


def test_rules_may_stand_in_a_file_and_a_mistake_in_it_has_its_line(project):
    pq.write_table(ROWS, "trips.parquet")
    Path("rules.yaml").write_text("checks:\n- row_count: 4\n")
    assert check("--data", "trips.parquet", "--rules", "rules.yaml")[0] == 0
    Path("rules.yaml").write_text("- not_null: n\n- row_cont: 4\n")
    code, said = check("--data", "trips.parquet", "--rules", "rules.yaml")
    assert code == 2
    assert "Did you mean 'row_count'?" in said
    assert "rules.yaml:2" in said


def test_folders_of_a_partitioned_table_give_columns(project):
    for day in ("2020-01-01", "__HIVE_DEFAULT_PARTITION__"):
        place = Path("lake") / f"day={day}" / "n=3"
        place.mkdir(parents=True)
        pq.write_table(pa.table({"s": ["x"]}), place / "part-0.parquet")
    (Path("lake") / "_SUCCESS").touch()
    rows = rows_at("lake", project)
    assert [(row["s"], row["day"], row["n"]) for row in rows] == [("x", "2020-01-01", 3), ("x", None, 3)]


WRONG = {
    "nothing that there is": (["--data", "nothing"], "is no file here, and no table with its schema"),
    "a file that is not there": (["--data", "trip.parquet", "--rules", "p"], "Did you mean"),
    "no rules": (["--data", "trips.parquet"], "no pipeline with checks writes"),
    "a file that is not there, and no rules": (["--data", "none.parquet"], "there is no file"),
    "a variable that no rules are for": (
        ["--data", "trips.parquet", "--rules", "by_kind", "--var", "kind=blue"],
        "--var kind=green | --var kind=yellow",
    ),
    "a block without checks": (["--data", "trips.parquet", "--rules", "p.clan"], "Did you mean 'clean'?"),
    "no Parquet": (["--data", "bad.parquet", "--rules", "p"], "cannot be read"),
    "rules without data": (["--rules", "p"], "go with --data"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_checked_is_told(project, by_kind, wrong):
    pq.write_table(ROWS, "trips.parquet")
    Path("bad.parquet").write_bytes(b"PAR1 and no more")
    words, expected = WRONG[wrong]
    code, said = check(*words)
    assert code in (1, 2)
    assert expected in said


def damaged_page(path):
    pq.write_table(pa.table({"n": range(1000), "s": ["text"] * 1000}), path, row_group_size=500, use_dictionary=False)
    content = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    start = column.data_page_offset
    content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(content)


DAMAGED = {
    "a page": ("a.parquet", damaged_page),
    "gzip cut off": ("a.csv.gz", lambda path: path.write_bytes(gzip.compress(b"n,s\n1,a\n" * 1000)[:-20])),
    "no gzip": ("a.csv.gz", lambda path: path.write_bytes(b"n,s\n1,a\n")),
    "no XML": ("a.xml", lambda path: path.write_bytes(b"n")),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_told_by_its_name(project, damage):
    name, write = DAMAGED[damage]
    write(Path(name))
    code, said = check("--data", name, "--rules", "p")
    assert code == 1
    assert "cannot be read" in said
    assert name in said


def test_the_columns_of_a_rule_have_to_be_there_in_a_file_without_rows(project):
    pq.write_table(pa.table({"other": pa.array([], pa.int64())}), "trips.parquet")
    code, said = check("--data", "trips.parquet", "--rules", "p")
    assert code == 2
    assert "is about the column 'n', which is not there" in said


def test_a_name_that_occurs_twice_beside_what_a_rule_is_about_is_shown_with_its_number(project):
    pq.write_table(pa.table([pa.array([9]), pa.array([1]), pa.array([2])], names=["n", "s", "s"]), "trips.parquet")
    code, said = check("--data", "trips.parquet", "--rules", "p")
    assert code == 3
    assert "s #2" in said


@pytest.fixture
def by_kind(project):
    """A pipeline beside, which writes `lake/{kind}` and has a file of rules for each kind."""
    blocks = [
        block("conform", "transformer", configuration={"checks": "rules/{kind}.yaml"}),
        block("store", "data_exporter", "conform"),
    ]
    code = {"conform": "@transformer\ndef f(x):\n    return x", "store": "@data_exporter\ndef f(x):\n    pass"}
    (project / "rules").mkdir()
    for kind, most in (("green", 100), ("yellow", 5)):
        (project / f"rules/{kind}.yaml").write_text(f"- max: {{column: trip_id, value: {most}}}\n")
    variables = {"schema": "lake2", "table": "{kind}_rows", "kind": "green", "bucket": "c", "prefix": "lake2/{kind}"}
    write_project(project, blocks, code, pipeline="by_kind", variables=variables)
    return Project(project)


def maximum(rules):
    (rule,) = rules
    return rule.maximum


def test_the_rules_are_those_of_the_closest_name_and_of_the_run_that_writes_there(by_kind):
    for address in (Address(store="gcs", name="c/lake2/yellow"), Address(store="postgres", name="lake2.yellow_rows")):
        assert maximum(data_rules.of_writer(by_kind, address, {})) == 5
        assert maximum(data_rules.named(by_kind, "by_kind", address, {})) == 5
        assert maximum(data_rules.named(by_kind, "by_kind", address, {"kind": "green"})) == 100


def test_the_rules_for_a_run_can_be_asked_for_and_columns_are_found_in_any_spelling(by_kind):
    pq.write_table(pa.table({"TripID": [1, 9]}), "trips.parquet")
    assert check("--data", "trips.parquet", "--rules", "by_kind")[0] == 0
    code, said = check("--data", "trips.parquet", "--rules", "by_kind", "--var", "kind=yellow")
    assert code == 3
    assert "rules: those for kind=yellow" in said
    assert "columns: trip_id is TripID" in said
    assert "✗ max(trip_id): 1 of 2 rows" in said
    check("--data", "trips.parquet", "--rules", "by_kind", "--html", "report.html")
    page = Path("report.html").read_text()
    assert "TripID" in page
    assert "max(trip_id)" in page


def test_a_column_that_two_could_be_is_not_guessed():
    rules, _ = read_rules([{"not_null": "trip_id"}, {"expression": "fare_amount > 1 or TOTAL > 1"}])
    named = Naming(rules).of(pa.table({"TripID": [1], "Trip_ID": [1], "FareAmount": [1], "total": [1]}))
    assert named.column_names == ["TripID", "Trip_ID", "fare_amount", "total"]


@pytest.fixture
def table(project, postgres_env):
    config = ConfigFileLoader(project / "io_config.yaml", "default")
    with Postgres.with_config(config) as loader:
        loader.execute("CREATE SCHEMA IF NOT EXISTS lake")
        loader.execute(
            "CREATE TABLE lake.green_trips AS"
            " SELECT n, s, t, t AT TIME ZONE 'UTC' AS z, n::numeric(9, 2) AS d, n > 1 AS b FROM (VALUES"
            " (1, '', timestamp '2020-01-01 01:02:03.5'), (9, E'a\"\\n,', '2020-01-02'), (NULL, NULL, NULL))"
            " AS v (n, s, t)"
        )
        loader.commit()
    yield "lake.green_trips"
    with Postgres.with_config(config) as loader:
        loader.execute("DROP SCHEMA lake CASCADE")
        loader.commit()


def test_a_table_is_read_as_it_is(project, table):
    first, second, third = sorted(rows_at(table, project), key=lambda row: (row["n"] is None, row["n"]))
    assert (first["n"], first["s"], first["d"], first["b"]) == (1, "", Decimal("1.00"), False)
    assert first["t"] == dt.datetime(2020, 1, 1, 1, 2, 3, 500_000)
    assert first["z"] == dt.datetime(2020, 1, 1, 1, 2, 3, 500_000, tzinfo=dt.UTC)
    assert (second["s"], second["b"], set(third.values())) == ('a"\n,', True, {None})


def test_a_table_is_checked_by_the_rules_of_the_pipeline_that_writes_it(project, table):
    code, said = check("--data", table)
    assert code == 3
    assert "lake.green_trips, 3 rows: 0 of 2 checks passed" in said


def test_a_table_that_is_not_there_is_told_with_the_one_that_may_be_meant(project, table):
    code, said = check("--data", "lake.gren_trips", "--rules", "p")
    assert code == 1
    assert "there is no table lake.gren_trips. Did you mean 'lake.green_trips'?" in said


def test_what_a_rule_refers_to_may_be_a_table(project, table):
    Path("rules.yaml").write_text(f"- relationships: {{column: n, to: {table}, field: n}}\n")
    pq.write_table(ROWS, "trips.parquet")
    code, said = check("--data", "trips.parquet", "--rules", "rules.yaml")
    assert code == 3
    assert "1 of 4 rows (25.00 %) are not among 'n' of lake.green_trips" in said


def test_objects_below_a_prefix_are_checked(project, gcs_client):
    bucket = gcs_client.create_bucket(f"lake-{secrets.token_hex(4)}")
    file = io.BytesIO()
    pq.write_table(ROWS, file)
    for name in ("trips/day=1/a.parquet", "trips_old/b.parquet"):
        bucket.blob(name).upload_from_string(file.getvalue())
    code, said = check("--data", f"gs://{bucket.name}/trips", "--rules", "p")
    assert code == 3
    assert ", 4 rows: 0 of 2 checks passed" in said
    assert "there are no objects" in check("--data", f"gs://{bucket.name}/none", "--rules", "p")[1]


def test_a_table_of_bigquery_is_checked(project, local_stack, bigquery_env):
    with dataset(local_stack, "checked") as there:
        there.load(ROWS, "trips")
        code, said = check("--data", f"bigquery:{there.name}.trips", "--rules", "p")
    assert code == 3
    assert ", 4 rows: 0 of 2 checks passed" in said


def test_times_far_away_are_checked_as_they_are(tmp_path):
    ends = pa.array([dt.datetime(3019, 2, 3)], pa.timestamp("us"))
    pq.write_table(pa.table({"end": ends}), tmp_path / "old.parquet", use_deprecated_int96_timestamps=True)
    assert [table["end"].to_pylist() for table in files.tables(tmp_path / "old.parquet")] == [[dt.datetime(3019, 2, 3)]]
