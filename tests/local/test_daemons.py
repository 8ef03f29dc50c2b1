from __future__ import annotations

import os
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from mage_project.local import daemons
from mage_project.local.launches import Program, launch, plain_environment
from mage_project.local.locks import close_lock, held, is_held, open_lock, try_lock
from tests.local.owners import eventually


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "daemon.lock"


def start(lock: Path, *argv: str) -> Path:
    """Starts a program as the daemon of `lock`; its log."""
    descriptor = open_lock(lock)
    assert try_lock(descriptor)
    program = Program(argv=argv, folder=lock.parent, environment=plain_environment())
    log = lock.with_suffix(".log")
    launch(program, lock=descriptor, log=log)
    close_lock(descriptor)
    return log


def test_a_daemon_holds_its_lock_until_it_is_stopped(lock: Path) -> None:
    start(lock, "sleep", "60")
    assert is_held(lock)
    assert daemons.stop(lock, [(SIGTERM, 10)])
    assert not is_held(lock)


def test_a_daemon_lives_as_long_as_its_children(lock: Path) -> None:
    log = start(lock, "sh", "-c", "sleep 60 & echo $!; exec sleep 60")
    eventually(lambda: "\n" in log.read_text())
    os.kill(daemons.pid(lock) or 0, SIGKILL)
    assert is_held(lock)
    os.kill(int(log.read_text()), SIGKILL)
    eventually(lambda: not is_held(lock))


def test_a_daemon_that_ignores_the_first_signal_gets_the_second(lock: Path) -> None:
    log = start(lock, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
    eventually(lambda: "ready" in log.read_text())
    assert daemons.stop(lock, [(SIGTERM, 0.1), (SIGKILL, 10)])


def test_a_daemon_that_no_signal_ends_is_an_error(lock: Path) -> None:
    log = start(lock, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
    eventually(lambda: "ready" in log.read_text())
    with pytest.raises(TimeoutError, match="does not end"):
        daemons.stop(lock, [(SIGTERM, 0.1)])
    assert daemons.stop(lock, [(SIGKILL, 10)])


def test_stopping_what_does_not_run_does_nothing(lock: Path) -> None:
    assert not daemons.stop(lock, [(SIGKILL, 1)])
    lock.write_text(f"{os.getpid()}\n")
    assert not daemons.stop(lock, [(SIGKILL, 1)])


def test_what_a_program_said_that_could_not_run_is_in_the_log(lock: Path) -> None:
    log = start(lock, "/no/such/program")
    eventually(lambda: not is_held(lock))
    assert "/no/such/program" in log.read_text()


def test_the_last_log_is_kept_beside_the_new_one(lock: Path) -> None:
    for word in ("first", "second"):
        log = start(lock, "echo", word)
        eventually(lambda: not is_held(lock))
    assert (log.read_text(), log.with_name("daemon.log.1").read_text()) == ("second\n", "first\n")


def test_a_lock_is_held_in_its_block_only(lock: Path) -> None:
    with held(lock):
        assert is_held(lock)
    assert not is_held(lock)


def test_shared_locks_are_nobodys_own(lock: Path) -> None:
    with held(lock, shared=True), held(lock, shared=True):
        assert not is_held(lock)
