from __future__ import annotations

import logging
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg2
import pytest

from mage_project.errors import ConfigError, StoreError, StoreUnavailable
from mage_project.io import connecting, swapping
from mage_project.io.postgres import Postgres


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "PAUSES_S", (0.01, 0.01))


@pytest.fixture
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_port_where_nothing_listens_is_tried_three_times_and_named(database, free_port, caplog):
    with caplog.at_level(logging.INFO), pytest.raises(StoreUnavailable) as caught:
        database.connector(port=free_port).open()
    assert f"127.0.0.1:{free_port}/" in str(caught.value)
    assert "nothing listens there" in str(caught.value)
    assert "POSTGRES_PORT" in str(caught.value)
    assert len(caplog.records) == 2


def test_a_server_that_starts_meanwhile_is_found(database, free_port, monkeypatch):
    settings = database.settings
    started: list[socket.socket] = []

    def forward(_seconds: float) -> None:
        if not started:
            started.append(socket.create_server(("127.0.0.1", free_port)))
            threading.Thread(target=_relay, args=(started[0], settings["port"]), daemon=True).start()

    address = connecting.Address(**{**settings, "port": free_port})
    connection = connecting.connect(address, {}, pause=forward)
    connection.close()
    started[0].close()


def _relay(server: socket.socket, port: int) -> None:
    with server.accept()[0] as client, socket.create_connection(("127.0.0.1", port)) as upstream:
        thread = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        thread.start()
        _pump(client, upstream)
        thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_an_unknown_host_is_named(database):
    with pytest.raises(StoreUnavailable, match=r"the host name is unknown"):
        database.connector(host="no-such-host.invalid").open()


def test_a_server_that_does_not_answer_is_given_up(database):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StoreUnavailable, match=r"does not answer"):
        database.connector(port=silent.getsockname()[1], connect_timeout=2).open()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong secret"}, "password authentication failed"),
        ({"user": "nobody-here"}, "nobody-here"),
        ({"dbname": "no_such_db"}, 'database "no_such_db" does not exist'),
    ],
)
def test_what_no_other_try_can_help_is_refused_at_once(database, change, words, caplog):
    with caplog.at_level(logging.INFO), pytest.raises(StoreError, match=words) as caught:
        database.connector(**change).open()
    assert not caught.value.transient
    assert caplog.records == []
    assert "wrong secret" not in str(caught.value)
    assert database.settings["password"] not in str(caught.value)


def test_no_repr_shows_the_password(database):
    connector = database.connector(password="hunter2")
    shown = f"{connector!r} {connector.settings} {connector._address!r} {connector._address}"
    assert "hunter2" not in shown


def kill_exporters(database) -> None:
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'mage-project' AND query LIKE %s"
    )
    database.run(query, f"%{database.schema}%")


def test_a_connection_lost_in_the_middle_of_a_copy_leaves_the_table_as_it_was(database):
    database.export(pd.DataFrame({"n": [1]}))

    def frames() -> Iterator[pd.DataFrame]:
        for _ in range(50):
            yield pd.DataFrame({"n": range(20_000)})
            kill_exporters(database)

    with pytest.raises(StoreUnavailable, match=rf"was lost while writing {database.schema}.trips"):
        database.export(frames())
    assert database.rows() == [(1,)]
    database.export(pd.DataFrame({"n": [2]}))
    assert database.rows() == [(2,)]
    assert database.tables() == ["trips"]


def test_a_swap_gives_up_when_somebody_holds_the_table(database, monkeypatch):
    monkeypatch.setattr(swapping, "LOCK_WAIT_S", 1)
    database.export(pd.DataFrame({"n": [1]}))
    with psycopg2.connect(**database.settings) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {database.schema}.trips")
        with pytest.raises(StoreUnavailable, match=r"was in use for 1 s.*process .* SELECT"):
            database.export(pd.DataFrame({"n": [2]}))
    other.close()
    assert database.rows() == [(1,)]
    assert database.tables() == ["trips"]


def test_a_missing_right_is_told_with_what_to_do(database):
    role = f"guest_{secrets.token_hex(4)}"
    database.run(f"CREATE ROLE {role} LOGIN PASSWORD 'guest'")
    try:
        with (
            database.connector(user=role, password="guest") as loader,
            pytest.raises(StoreError, match=r"permission denied") as caught,
        ):
            loader.export(pd.DataFrame({"n": [1]}), database.schema, "trips")
        assert "ask the table's owner" in str(caught.value)
    finally:
        database.run(f"DROP ROLE {role}")


def test_a_role_that_may_only_write_replaces_the_rows_in_place(database):
    role = f"guest_{secrets.token_hex(4)}"
    database.export(pd.DataFrame({"n": [1]}))
    database.run(f"CREATE ROLE {role} LOGIN PASSWORD 'guest'")
    database.run(f"GRANT USAGE, CREATE ON SCHEMA $ TO {role}")
    database.run(f"GRANT SELECT, INSERT, TRUNCATE ON $.trips TO {role}")
    try:
        with database.connector(user=role, password="guest") as loader:
            loader.export(pd.DataFrame({"n": [2]}), database.schema, "trips")
        assert database.rows() == [(2,)]
        assert database.one("SELECT tableowner FROM pg_tables WHERE schemaname = '$'") != role
    finally:
        database.run(f"DROP OWNED BY {role}")
        database.run(f"DROP ROLE {role}")


def test_a_port_that_is_no_number_is_told():
    with pytest.raises(ConfigError, match=r"port 'abc' .* is no number"):
        Postgres(port="abc")


def test_an_export_is_whole_even_where_every_statement_commits_by_itself(database, failing):
    with database.connector() as loader:
        loader.conn.autocommit = True
        with pytest.raises(RuntimeError):
            loader.export(failing(pd.DataFrame({"n": [1]})), database.schema, "trips")
    assert database.tables() == []


def test_using_a_connector_that_is_not_open_is_told(database):
    with pytest.raises(StoreError, match=r"no connection is open"):
        database.connector().load("SELECT 1")


def test_a_tunnel_is_not_supported_and_says_what_to_do(database):
    with pytest.raises(ConfigError, match=r"ssh -L"):
        Postgres(connection_method="ssh_tunnel")


def test_an_interrupt_in_the_middle_of_a_copy_reaches_the_caller(database):
    database.export(pd.DataFrame({"n": [1]}))

    def frames() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"n": [2]})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.export(frames())
    assert database.rows() == [(1,)]


def test_the_commit_of_a_failed_transaction_is_an_error(database):
    with database.connector() as loader:
        with pytest.raises(StoreError, match=r'relation "nowhere" does not exist'):
            loader.execute("SELECT * FROM nowhere")
        with pytest.raises(StoreError, match=r"cannot be committed"):
            loader.commit()


def test_killed_at_any_moment_the_table_has_the_old_rows_or_the_new(database):
    database.export(pd.DataFrame({"n": [0]}))
    for moment in range(10):
        killer = threading.Timer(moment / 200, kill_exporters, args=(database,))
        killer.start()
        try:
            database.export(pd.DataFrame({"n": range(30_000)}) for _ in range(3))
        except StoreUnavailable:
            assert database.one("SELECT count(*) FROM $.trips") in {1, 90_000}
        killer.join()
        assert database.tables() == ["trips"]


@pytest.fixture
def small_disk(database) -> Iterator[str]:
    """A tablespace of four megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", folder], check=False).returncode:
        folder.rmdir()
        pytest.skip("mounting is not allowed here")
    name = f"small_{secrets.token_hex(4)}"
    try:
        owner = Path(f"/proc/{database.one('SELECT pg_backend_pid()')}").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        database.run(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        yield name
        database.run("DROP SCHEMA IF EXISTS $ CASCADE")
        database.run(f"DROP TABLESPACE {name}")
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def test_a_full_disk_leaves_the_table_as_it_was(database, small_disk):
    with database.connector(options=f"-c default_tablespace={small_disk}") as loader:
        loader.export(pd.DataFrame({"n": [1]}), database.schema, "trips")
        with pytest.raises(StoreError, match=r"the disk of Postgres at .* is full, while writing") as caught:
            loader.export((pd.DataFrame({"n": range(50_000)}) for _ in range(10)), database.schema, "trips")
        assert not caught.value.transient
        loader.export(pd.DataFrame({"n": [2]}), database.schema, "trips")
    assert database.rows() == [(2,)]
    assert database.tables() == ["trips"]
