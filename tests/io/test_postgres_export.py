from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from mage_project.errors import StoreError

KEYED = {"unique_constraints": ["id"], "unique_conflict_method": "UPDATE"}


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


# -- replace


def test_replace_puts_new_rows_and_columns_in_the_place_of_the_old(database, trips):
    database.export(trips)
    database.export(frame(id=[7]))
    assert database.rows() == [(7,)]
    assert database.tables() == ["trips"]


def test_names_of_columns_are_cleaned_as_mage_does(database, trips):
    database.export(trips)
    assert list(database.types()) == ["vendorid", "total_amount"]


def test_auto_clean_name_can_be_left_off(database, trips):
    database.export(trips, auto_clean_name=False)
    assert list(database.types()) == ["VendorID", "total amount"]


def test_the_index_is_a_column_if_asked_for(database):
    database.export(frame(a=[1, 2]), index=True)
    assert database.rows() == [(0, 1), (1, 2)]


def test_a_stream_lands_like_one_frame(database):
    database.export(frame(a=[number]) for number in range(10))
    assert database.rows() == [(number,) for number in range(10)]


def test_a_stream_may_begin_with_empty_frames(database):
    empty = frame(a=pd.Series([], dtype=object))
    database.export(iter([empty, frame(a=[1]), empty, frame(a=[2])]))
    assert database.types() == {"a": "bigint"}
    assert database.rows() == [(1,), (2,)]


def test_an_empty_frame_makes_an_empty_table(database, trips):
    database.export(trips)
    database.export(trips.iloc[:0])
    assert database.rows() == []


def test_a_stream_without_a_frame_changes_nothing(database, trips):
    database.export(trips)
    with pytest.raises(StoreError, match=r"nothing came to write"):
        database.export(iter([]))
    assert len(database.rows()) == 3


def test_later_frames_are_cast_to_the_types_of_the_first(database):
    database.export(iter([frame(a=pd.Series([1], dtype="int64")), frame(a=pd.Series([2], dtype="int8"))]))
    assert database.rows() == [(1,), (2,)]


def test_a_later_value_that_does_not_fit_is_named_with_its_row(database):
    narrow, wide = frame(a=pd.Series([1, 2], dtype="int32")), frame(a=pd.Series([3, 2**40], dtype="int64"))
    with pytest.raises(StoreError, match=f"column 'a': {2**40} in row 4 does not fit integer"):
        database.export(iter([narrow, wide]))
    assert database.tables() == []


def test_frames_of_a_stream_have_the_same_columns(database):
    with pytest.raises(StoreError, match=r"differ in their columns: 'b'"):
        database.export(iter([frame(a=[1]), frame(a=[2], b=[3])]))


def test_the_order_of_columns_may_change_in_a_stream(database):
    database.export(iter([frame(a=[1], b=[2]), frame(b=[4], a=[3])]))
    assert database.rows() == [(1, 2), (3, 4)]


def test_an_iterator_that_breaks_leaves_the_table_as_it_was(database, trips, failing):
    database.export(trips)
    with pytest.raises(RuntimeError, match=r"the source broke"):
        database.export(failing(trips))
    assert len(database.rows()) == 3
    assert database.tables() == ["trips"]


def test_an_export_works_again_after_a_failed_one_on_the_same_connector(database, trips, failing):
    with database.connector() as loader:
        with pytest.raises(RuntimeError):
            loader.export(failing(trips), database.schema, "trips")
        loader.export(trips, database.schema, "trips")
    assert len(database.rows()) == 3


def test_views_indexes_grants_and_comments_survive_a_replace(database, trips):
    database.export(trips)
    database.run("CREATE INDEX by_vendor ON $.trips (vendorid)")
    database.run("CREATE VIEW $.seen AS SELECT vendorid FROM $.trips")
    database.run("GRANT SELECT ON $.trips TO PUBLIC")
    database.run("COMMENT ON TABLE $.trips IS 'all of them'")
    database.export(trips.head(1))
    assert database.rows("SELECT * FROM $.seen") == [(1,)]
    assert database.one("SELECT count(*) FROM pg_indexes WHERE indexname = 'by_vendor' AND schemaname = '$'") == 1
    assert database.one("SELECT obj_description('$.trips'::regclass)") == "all of them"
    assert "=r/" in database.one("SELECT relacl::text FROM pg_class WHERE oid = '$.trips'::regclass")
    assert database.tables() == ["trips"]


def test_other_columns_under_a_view_are_refused_before_any_row_is_read(database, trips):
    database.export(trips)
    database.run("CREATE VIEW $.seen AS SELECT vendorid FROM $.trips")
    read: list[int] = []

    def frames() -> Iterator[pd.DataFrame]:
        for number in range(3):
            read.append(number)
            yield frame(id=[number])

    with pytest.raises(StoreError, match=r"cannot be replaced \(.*column id new.*seen need"):
        database.export(frames())
    assert read == [0]
    assert len(database.rows("SELECT * FROM $.seen")) == 3


def test_cascade_drops_the_views(database, trips):
    database.export(trips)
    database.run("CREATE VIEW $.seen AS SELECT vendorid FROM $.trips")
    database.export(frame(id=[1]), cascade_on_drop=True)
    assert database.rows() == [(1,)]
    assert database.rows("SELECT * FROM pg_views WHERE schemaname = '$'") == []


def test_what_is_lost_with_other_columns_is_said(database, trips, caplog):
    database.export(trips)
    database.run("CREATE INDEX by_vendor ON $.trips (vendorid)")
    with caplog.at_level(logging.WARNING):
        database.export(frame(id=[1]))
    assert "by_vendor" in caplog.text


def test_a_table_that_others_refer_to_is_refilled_if_their_rows_stay(database):
    database.export(frame(id=[1, 2]), "zones", **{**KEYED, "unique_conflict_method": None})
    database.run("CREATE TABLE $.trips (zone bigint REFERENCES $.zones (id) DEFERRABLE INITIALLY DEFERRED)")
    database.run("INSERT INTO $.trips VALUES (1)")
    database.export(frame(id=[1, 3]), "zones")
    assert database.rows("SELECT id FROM $.zones ORDER BY 1") == [(1,), (3,)]
    with pytest.raises(StoreError, match=r"violates foreign key"):
        database.export(frame(id=[3]), "zones")
    assert database.rows("SELECT id FROM $.zones ORDER BY 1") == [(1,), (3,)]


def test_a_view_is_not_replaced(database, trips):
    database.export(trips)
    database.run("CREATE VIEW $.seen AS SELECT vendorid FROM $.trips")
    with pytest.raises(StoreError, match=r"is a view, not a table"):
        database.export(trips, "seen")


def test_two_runs_that_replace_one_table_take_turns(database):
    first, second = frame(a=range(50_000)), frame(a=range(60_000))
    errors: list[StoreError] = []

    def export(data: pd.DataFrame) -> None:
        try:
            for _ in range(5):
                database.export(data)
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=export, args=(data,)) for data in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert database.one("SELECT count(*) FROM $.trips") in {50_000, 60_000}
    assert database.tables() == ["trips"]


def test_readers_are_not_locked_out_while_rows_are_copied(database):
    database.export(frame(a=[1]))
    seen: list[Any] = []

    def frames() -> Iterator[pd.DataFrame]:
        for number in (2, 3):
            yield frame(a=[number])
            seen.append(database.rows())

    database.export(frames())
    assert seen == [[(1,)], [(1,)]]
    assert database.rows() == [(2,), (3,)]


def test_overwrite_types_name_the_types(database):
    data = frame(code=["12", "34"], total=[1.25, 2.5], tags=[["a"], ["b", "c"]], id=[None, None])
    types = {"code": "integer", "total": "numeric(10,2)", "tags": "text[]", "id": "uuid"}
    database.export(data, overwrite_types=types)
    assert database.types() == types
    assert [(str(total), tags) for _, total, tags, _ in database.rows()] == [("1.25", ["a"]), ("2.50", ["b", "c"])]


def test_overwrite_types_cannot_smuggle_statements(database):
    with pytest.raises(StoreError, match=r"is not an SQL type"):
        database.export(frame(a=[1]), overwrite_types={"a": "int); DROP TABLE x; --"})
    with pytest.raises(StoreError, match=r"Did you mean 'amount'"):
        database.export(frame(amount=[1]), overwrite_types={"amont": "int"})


def test_a_query_can_be_exported_within_the_database(database, trips):
    database.export(trips)
    query = f"SELECT vendorid FROM {database.schema}.trips WHERE vendorid > 1;"
    database.export(None, "few", query_string=query)
    database.export(None, "few", query_string=query, if_exists="append")
    assert database.rows("SELECT * FROM $.few ORDER BY 1") == [(2,), (2,), (3,), (3,)]


# -- fail and append


def test_fail_wants_no_table(database, trips):
    database.export(trips, if_exists="fail")
    with pytest.raises(StoreError, match=r"already exists"):
        database.export(trips, if_exists="fail")


def test_append_makes_the_table_once_and_then_adds_rows(database, trips):
    database.export(trips, if_exists="append")
    database.export(trips.iloc[::-1, ::-1], if_exists="append")
    assert [row[0] for row in database.rows()] == [1, 1, 2, 2, 3, 3]


def test_append_casts_to_the_types_of_the_table(database):
    database.run("CREATE SCHEMA $")
    database.run("CREATE TABLE $.trips (a smallint, b double precision, c numeric(6,2), d date, e text, f varchar(3))")
    stamps = pd.to_datetime(["2020-10-01"])
    database.export(frame(f=["abc"], e=[5], d=stamps, c=[1.5], b=[3], a=["7"]), if_exists="append")
    assert [tuple(map(str, row)) for row in database.rows()] == [("7", "3.0", "1.50", "2020-10-01", "5", "abc")]


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        ("smallint", 40_000, "40000"),
        ("integer", 1.5, "1.5"),
        ("real", 0.1, "0.1"),
        ("bigint", "x", "'x'"),
        ("numeric(4,2)", 0.125, "0.125"),
        ("numeric(4,2)", 123.0, "123.0"),
        ("date", pd.Timestamp("2020-01-01 12:00"), "12, 0"),
        ("timestamp(0)", pd.Timestamp("2020-01-01 12:00:00.5"), "500000"),
        ("boolean", 2, "2"),
    ],
)
def test_append_refuses_what_does_not_fit_without_loss(database, type_, value, shown):
    database.run("CREATE SCHEMA $")
    database.run(f"CREATE TABLE $.trips (a {type_})")
    good = None if isinstance(value, str | float) else value
    data = frame(a=pd.Series([good] * 0 + [value], dtype=type(value) if isinstance(value, int | float) else None))
    with pytest.raises(StoreError, match=rf"column 'a': .*{shown}.* in row 1 does not fit") as caught:
        database.export(data, if_exists="append")
    assert type_.split("(")[0] in str(caught.value)
    assert database.rows() == []


def test_append_refuses_a_text_that_is_too_long(database):
    database.run("CREATE SCHEMA $")
    database.run("CREATE TABLE $.trips (a varchar(3))")
    with pytest.raises(StoreError, match=r"too long .*\[column 'a', row 2\]"):
        database.export(frame(a=["abc", "abcd"]), if_exists="append")


def test_append_refuses_times_with_a_zone_where_the_column_has_none(database):
    database.export(frame(t=pd.to_datetime(["2020-01-01"])))
    with pytest.raises(StoreError, match=r"the times have a zone, the column .* none"):
        database.export(frame(t=pd.to_datetime(["2020-01-01"], utc=True)), if_exists="append")


def test_append_leaves_missing_columns_to_their_defaults(database):
    database.run("CREATE SCHEMA $")
    database.run("CREATE TABLE $.trips (a int, b int DEFAULT 9, c text)")
    database.export(frame(a=[1]), if_exists="append")
    assert database.rows() == [(1, 9, None)]


def test_append_refuses_an_unknown_column(database, trips):
    database.export(trips)
    with pytest.raises(StoreError, match=r"has no column 'vendor_id'.*Did you mean 'vendorid'"):
        database.export(frame(vendor_id=[1]), if_exists="append")


def test_append_reaches_types_that_copy_has_no_binary_form_for(database):
    database.run("CREATE SCHEMA $")
    database.run("CREATE TYPE $.mood AS ENUM ('good', 'bad')")
    database.run("CREATE TABLE $.trips (a uuid, b $.mood, c interval, d int[], e inet)")
    row = {"a": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b": "bad", "c": "1 day", "d": [1, 2], "e": "10.0.0.1"}
    database.export([row], if_exists="append")
    assert database.rows("SELECT a::text, b::text, c::text, d, e::text FROM $.trips") == [
        (row["a"], "bad", "1 day", [1, 2], "10.0.0.1/32")
    ]


def test_append_to_an_enumeration_refuses_what_is_not_in_it(database):
    database.run("CREATE SCHEMA $")
    database.run("CREATE TYPE $.mood AS ENUM ('good')")
    database.run("CREATE TABLE $.trips (b $.mood)")
    with pytest.raises(StoreError, match=r'invalid input value for enum .*"bad"'):
        database.export(frame(b=["bad"]), if_exists="append")


def test_append_refuses_a_generated_column(database):
    database.run("CREATE SCHEMA $")
    database.run("CREATE TABLE $.trips (a int, b int GENERATED ALWAYS AS (a + 1) STORED)")
    database.export(frame(a=[1]), if_exists="append")
    with pytest.raises(StoreError, match=r"column 'b' .* is generated"):
        database.export(frame(a=[1], b=[2]), if_exists="append")
    assert database.rows() == [(1, 2)]


def test_append_of_nothing_changes_nothing(database, trips):
    database.export(trips)
    database.export(iter([]), if_exists="append")
    assert len(database.rows()) == 3


def test_triggers_see_appended_rows(database, trips):
    database.export(trips)
    database.run(
        "CREATE FUNCTION $.double() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.vendorid := NEW.vendorid * 10; RETURN NEW; END'"
    )
    database.run("CREATE TRIGGER t BEFORE INSERT ON $.trips FOR EACH ROW EXECUTE FUNCTION $.double()")
    database.export(trips.head(1), if_exists="append")
    assert [row[0] for row in database.rows()] == [1, 2, 3, 10]


# -- merge


def test_merging_updates_rows_whose_key_is_there(database):
    database.export(frame(id=[1, 2], a=["x", "y"]), **KEYED)
    database.export(frame(id=[2, 3], a=["z", "w"]), if_exists="append", **KEYED)
    assert database.rows() == [(1, "x"), (2, "z"), (3, "w")]


def test_merging_can_ignore_rows_whose_key_is_there(database):
    ignore = {**KEYED, "unique_conflict_method": "IGNORE"}
    database.export(frame(id=[1, 2], a=["x", "y"]), **ignore)
    database.export(frame(id=[2, 3], a=["z", "w"]), if_exists="append", **ignore)
    assert database.rows() == [(1, "x"), (2, "y"), (3, "w")]


@pytest.mark.parametrize(("method", "kept"), [("UPDATE", "c"), ("ignore", "a")])
@pytest.mark.parametrize("policy", ["replace", "append"])
def test_of_rows_with_one_key_in_a_load_the_last_updates_and_the_first_is_kept(database, method, kept, policy):
    load = iter([frame(id=[1, 1], a=["a", "b"]), frame(id=[1, None], a=["c", "d"]), frame(id=[None], a=["e"])])
    database.export(load, if_exists=policy, unique_constraints=["id"], unique_conflict_method=method)
    assert database.rows("SELECT * FROM $.trips ORDER BY id, a") == [(1, kept), (None, "d"), (None, "e")]


def test_merging_twice_changes_nothing(database):
    data = frame(id=[1, 2], a=["x", "y"])
    for _ in range(2):
        database.export(data, if_exists="append", **KEYED)
    assert database.rows() == [(1, "x"), (2, "y")]


def test_merging_by_all_columns_keeps_one_of_each(database):
    keys = {"unique_constraints": ["id", "a"], "unique_conflict_method": "UPDATE"}
    for _ in range(2):
        database.export(frame(id=[1, 1], a=["x", "x"]), if_exists="append", **keys)
    assert database.rows() == [(1, "x")]


def test_a_new_table_gets_the_constraint_under_mages_name(database):
    for _ in range(2):
        database.export(frame(id=[1], PULocationID=[2]), unique_constraints=["id", "PULocationID"])
    query = "SELECT conname FROM pg_constraint WHERE conrelid = '$.trips'::regclass AND contype = 'u'"
    assert database.one(query) == f"unique{database.schema}_trips_id_pulocationid"


def test_a_constraint_without_a_method_refuses_duplicates(database):
    with pytest.raises(StoreError, match=r"Key \(id\)=\(1\) is duplicated"):
        database.export(frame(id=[1, 1]), unique_constraints=["id"])
    assert database.tables() == []


def test_merging_needs_a_unique_index(database):
    database.export(frame(id=[1]))
    with pytest.raises(StoreError, match=r"no unique index on exactly \(id\)"):
        database.export(frame(id=[1]), if_exists="append", **KEYED)


# -- options


def test_a_misspelt_option_is_refused_and_another_unknown_one_ignored(database, trips, caplog):
    with pytest.raises(StoreError, match=r"no option 'if_exist'. Did you mean 'if_exists'"):
        database.export(trips, if_exist="append")
    database.export(trips, dtype=None, fast_execute=True)
    assert "ignores the option 'dtype'" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"if_exists": "repalce"}, "Did you mean 'replace'"),
        ({"unique_constraints": ["vendorid"], "unique_conflict_method": "updat"}, "none of UPDATE, IGNORE"),
        ({"if_exists": False}, "if_exists=False is none of"),
    ],
)
def test_a_value_that_is_none_of_the_options_is_refused(database, trips, options, words):
    with pytest.raises(StoreError, match=words):
        database.export(trips, **options)


def test_a_frame_without_columns_is_refused(database):
    with pytest.raises(StoreError, match=r"has no columns"):
        database.export(pd.DataFrame())


def test_arrow_extension_columns_pass_without_a_copy(database):
    table = pa.table({"a": pa.array([1, 2], pa.int16()), "b": ["x", None]})
    database.export(table.to_pandas(types_mapper=pd.ArrowDtype))
    assert database.types() == {"a": "smallint", "b": "text"}
