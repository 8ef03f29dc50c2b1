from __future__ import annotations

import threading
from collections.abc import Iterator

import pandas as pd
import pytest

from mage_project.errors import StoreError
from mage_project.io import commits, holders


@pytest.fixture
def collected() -> Iterator[commits.Commits]:
    with commits.collecting() as collected:
        yield collected
    collected.rollback_all()


def frame(*numbers: int) -> pd.DataFrame:
    return pd.DataFrame({"n": list(numbers)})


def test_a_collected_commit_waits_until_it_is_made(database, collected):
    database.export(frame(1))
    assert database.tables() == []
    collected.commit_all()
    assert database.rows() == [(1,)]


def test_a_collected_commit_can_be_rolled_back(database, collected):
    database.export(frame(1))
    collected.rollback_all()
    assert database.tables() == []
    collected.commit_all()
    assert database.tables() == []


def test_an_export_is_known_to_wait_before_its_first_frame(database, collected):
    known: list[int] = []

    def frames() -> Iterator[pd.DataFrame]:
        known.append(len(collected))
        yield frame(1)

    database.export(frames())
    assert known == [1]


def test_the_old_table_is_not_locked_before_the_commit(database, collected):
    database.export(frame(0))
    collected.commit_all()
    database.export(frame(1))
    assert database.rows() == [(0,)]
    database.run("INSERT INTO $.trips VALUES (7)")
    collected.commit_all()
    assert database.rows() == [(1,)]


def test_a_connector_sees_its_own_export_before_the_commit(database, collected):
    with database.connector() as loader:
        loader.export(frame(1, 2), database.schema, "trips")
        assert len(loader.load(f"SELECT * FROM {database.schema}.trips")) == 2
        loader.execute(f"DELETE FROM {database.schema}.trips WHERE n = 1")
        loader.commit()
        loader.execute(f"INSERT INTO {database.schema}.trips VALUES (9)")  # not committed
    assert database.tables() == []
    collected.commit_all()
    assert database.rows() == [(2,)]


def test_what_a_block_rolls_back_leaves_its_export(database, collected):
    with database.connector() as loader:
        loader.export(frame(1), database.schema, "trips")
        loader.execute(f"DELETE FROM {database.schema}.trips")
        loader.rollback()
    collected.commit_all()
    assert database.rows() == [(1,)]


def test_a_failed_statement_that_the_block_catches_leaves_its_export(database, collected):
    with database.connector() as loader:
        loader.export(frame(1), database.schema, "trips")
        with pytest.raises(StoreError):
            loader.execute("SELECT nothing FROM nowhere")
    collected.commit_all()
    assert database.rows() == [(1,)]


def test_psycopg2s_own_commit_waits_too(database, collected):
    with database.connector() as loader:
        loader.conn.cursor().execute(f"CREATE SCHEMA {database.schema} CREATE TABLE trips (n int)")
        loader.conn.commit()
    assert database.tables() == []
    collected.commit_all()
    assert database.tables() == ["trips"]


def test_several_exports_of_one_connector_are_committed_together(database, collected):
    with database.connector() as loader:
        for name in ("one", "two", "one"):
            loader.export(frame(1), database.schema, name, if_exists="append")
    assert len(collected) == 1
    collected.commit_all()
    assert database.tables() == ["one", "two"]
    assert database.one("SELECT count(*) FROM $.one") == 2


def test_a_second_connector_of_the_block_sees_what_the_first_one_wrote(database, collected):
    database.export(frame(1))
    database.export(frame(2), "other")
    with database.connector() as loader:
        loader.execute(f"CREATE INDEX by_n ON {database.schema}.trips (n)")
        loader.commit()
        assert loader.load(f"SELECT n FROM {database.schema}.other")["n"].tolist() == [2]
    assert database.tables() == []
    collected.commit_all()
    assert database.one("SELECT indexname FROM pg_indexes WHERE schemaname = '$'") == "by_n"


def test_two_connectors_at_once_are_two_connections(database, collected):
    with database.connector() as one, database.connector() as two:
        one.export(frame(1), database.schema, "one")
        two.export(frame(2), database.schema, "two")
    assert len(collected) == 2
    collected.commit_all()
    assert database.tables() == ["one", "two"]


def test_a_failed_export_leaves_the_earlier_ones_of_its_connector(database, collected, failing):
    with database.connector() as loader:
        loader.export(frame(1), database.schema, "one")
        with pytest.raises(RuntimeError):
            loader.export(failing(frame(2)), database.schema, "two")
        loader.export(frame(3), database.schema, "three")
    collected.commit_all()
    assert database.tables() == ["one", "three"]


def test_a_failed_export_waits_for_nothing(database, collected, failing):
    with pytest.raises(RuntimeError):
        database.export(failing(frame(1)))
    assert len(collected) == 0
    assert database.connections() == 0


def test_nothing_is_committed_when_preparing_fails(database, collected):
    with database.connector() as one, database.connector() as two:
        one.export(frame(1), database.schema, "one")
        two.export(frame(2), database.schema, "two")
    database.run("CREATE VIEW $.two AS SELECT 1 AS n")  # somebody takes the name meanwhile
    with pytest.raises(StoreError, match=r"is a view"):
        collected.commit_all()
    assert database.tables() == []


def test_a_connection_that_dies_before_the_commit_fails_it(database, collected):
    database.export(frame(1), "one")
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mage-project'")
    with pytest.raises(StoreError, match=r"lost|cannot be committed"):
        collected.commit_all()
    assert database.tables() == []


def test_two_exporters_of_one_stream_make_the_same_new_schema(database, collected):
    with commits.collecting() as of_another_block:
        database.export(frame(1), "one")
    database.export(frame(2), "two")
    collected.commit_all()
    of_another_block.commit_all()
    assert database.tables() == ["one", "two"]


def test_two_exporters_of_one_stream_cannot_replace_the_same_table(database, collected):
    database.export(frame(1))
    with commits.collecting(), pytest.raises(StoreError, match=r"two blocks of one stream write"):
        database.export(frame(2))
    collected.commit_all()
    assert database.rows() == [(1,)]


def test_two_exporters_of_one_stream_can_append_to_one_table(database):
    database.export(frame(0))
    with commits.collecting() as one:
        database.export(frame(1), if_exists="append")
    with commits.collecting() as other:
        database.export(frame(2), if_exists="append")
    assert database.rows() == [(0,)]
    one.commit_all()
    other.commit_all()
    assert database.rows() == [(0,), (1,), (2,)]


def test_a_claim_ends_with_the_commit(database, collected):
    for number in (1, 2):
        database.export(frame(number))
        collected.commit_all()
    assert database.rows() == [(2,)]


def test_another_run_waits_until_the_commit(database, collected):
    database.export(frame(1))
    other = threading.Thread(target=database.export, args=(frame(2),))
    other.start()
    other.join(0.3)
    assert other.is_alive()
    collected.commit_all()
    other.join()
    assert database.rows() == [(2,)]


def test_who_waits_is_told_for_whom(database, capsys):
    told = ""
    with commits.collecting() as waiting, holders.named("run 7 of green_taxi_etl"):
        database.export(frame(1))
        other = threading.Thread(target=database.export, args=(frame(2),))
        other.start()
        while "waiting" not in told:
            assert other.is_alive()
            told += capsys.readouterr().out
        waiting.commit_all()
    other.join()
    assert f"{database.schema}.trips is being written by run 7 of green_taxi_etl (process" in told


def test_a_block_that_commits_by_itself_is_waited_for(database):
    """As those are that run side by side."""
    with commits.collecting(commits.Commits(settles=True)) as first:
        database.export(frame(1))
    second = commits.Commits(settles=True)

    def export() -> None:
        with commits.collecting(second):
            database.export(frame(2))

    other = threading.Thread(target=export)
    other.start()
    first.commit_all()
    other.join()
    second.commit_all()
    assert database.rows() == [(2,)]


def test_a_commit_can_be_made_from_another_thread(database, collected):
    database.export(frame(1))
    thread = threading.Thread(target=collected.commit_all)
    thread.start()
    thread.join()
    assert database.rows() == [(1,)]


def test_the_connection_is_closed_after_the_commit(database, collected):
    database.export(frame(1))
    assert database.connections() == 1
    collected.commit_all()
    assert database.connections() == 0
