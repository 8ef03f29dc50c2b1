"""The comparison itself: that it would see a difference."""

from __future__ import annotations

import pyarrow as pa

from tests.conformance.stores import SCHEMA, Stores, in_order


def test_a_row_that_one_table_has_more_often_is_a_surplus(stores: Stores) -> None:
    with stores.postgres.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        cursor.execute(f"CREATE TABLE {SCHEMA}.narrow AS SELECT n::smallint FROM unnest(ARRAY[1, 2, 2, NULL]) AS n")
        cursor.execute(f"CREATE TABLE {SCHEMA}.wide AS SELECT n::bigint FROM unnest(ARRAY[NULL, 2, 1, 1]) AS n")
    assert stores.surplus("narrow", "wide", {"n": "bigint"}) == [(2,)]
    assert stores.surplus("wide", "narrow", {"n": "bigint"}) == [(1,)]


def test_tables_of_the_same_rows_in_another_order_are_equal() -> None:
    one, other = (
        pa.table({"n": [1, None, 2], "s": ["a", "b", None]}),
        pa.table({"n": [2, 1, None], "s": [None, "a", "b"]}),
    )
    assert in_order(one).equals(in_order(other))
    assert not in_order(one).equals(in_order(pa.concat_tables([other, other[:1]])))
