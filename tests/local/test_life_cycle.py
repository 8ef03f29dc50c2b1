"""Who keeps the servers up, and whose end stops them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from mage_project.local import LocalStack
from tests.local.owners import BOTH, OwnerFactory, eventually, processes_of, query, running


def test_the_end_of_the_owner_stops_everything(project: Path, owner: OwnerFactory) -> None:
    process = owner(project).is_ready()
    assert running(project) == set(BOTH)
    assert len(processes_of(project)) > 3
    assert process.leave() == 0
    assert running(project) == set()
    eventually(lambda: not processes_of(project))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_to_the_owner_stops_everything(project: Path, owner: OwnerFactory, number: int) -> None:
    process = owner(project).is_ready()
    process.process.send_signal(number)
    process.process.wait()
    eventually(lambda: not processes_of(project))
    assert running(project) == set()


@pytest.mark.parametrize("delay_s", [0, 0.02, 0.05, 0.1, 0.15])
def test_a_kill_while_starting_leaves_no_process_behind(project: Path, owner: OwnerFactory, delay_s: float) -> None:
    code = f"""
import threading, time
threading.Thread(target=lambda: (time.sleep({delay_s}), os.kill(os.getpid(), signal.SIGKILL))).start()
stack.up(BOTH)
"""
    owner(project, code).process.wait()
    eventually(lambda: not processes_of(project))


def test_a_kill_while_the_data_is_made_leaves_no_process_and_no_half_made_data(
    tmp_path: Path, owner: OwnerFactory
) -> None:
    process = owner(tmp_path)
    eventually((tmp_path / ".mage_project" / "local" / "pg18.new" / "PG_VERSION").exists)
    process.kill()
    eventually(lambda: not processes_of(tmp_path))
    stack = LocalStack(tmp_path)
    stack.up(("postgres",))
    assert query(stack, "SELECT 1") == [(1,)]
    stack.down()


def test_the_terminals_interrupt_does_not_reach_the_servers(project: Path, owner: OwnerFactory) -> None:
    code = "signal.signal(signal.SIGINT, signal.SIG_IGN); os.setsid(); stack.up(BOTH); os.killpg(0, signal.SIGINT)"
    process = owner(project, code).is_ready()
    assert running(project) == set(BOTH)
    process.leave()


def test_the_second_user_keeps_the_stack_when_the_first_leaves(project: Path, owner: OwnerFactory) -> None:
    first = owner(project).is_ready()
    second = owner(project).is_ready()
    first.leave()
    assert running(project) == set(BOTH)
    second.leave()
    assert running(project) == set()


def test_the_second_user_keeps_the_stack_when_the_first_is_killed(project: Path, owner: OwnerFactory) -> None:
    first = owner(project).is_ready()
    stack = LocalStack(project)
    stack.up(BOTH)
    first.kill()
    assert query(stack, "SELECT 1") == [(1,)]
    assert running(project) == set(BOTH)
    assert sorted(stack.down()) == sorted(BOTH)


def test_the_second_user_stops_nothing_of_the_first(project: Path, owner: OwnerFactory) -> None:
    first = owner(project).is_ready()
    second = LocalStack(project)
    second.up(BOTH)
    assert second.down() == []
    assert second.down() == []
    assert running(project) == set(BOTH)
    first.leave()


def test_owners_that_race_share_one_stack(project: Path, owner: OwnerFactory) -> None:
    owners = [owner(project, "stack.up(BOTH); print(stack.env(), flush=True)") for _ in range(4)]
    environments = {process.process.stdout.readline() for process in owners if process.process.stdout}
    assert len(environments) == 1
    for process in owners:
        assert process.is_ready().leave() == 0
    eventually(lambda: not processes_of(project))


def test_owners_that_race_to_make_the_data_share_one_stack(tmp_path: Path, owner: OwnerFactory) -> None:
    owners = [owner(tmp_path, "stack.up(('postgres',)); print(stack.env(('postgres',)), flush=True)") for _ in "ab"]
    assert len({process.process.stdout.readline() for process in owners if process.process.stdout}) == 1
    for process in owners:
        process.is_ready().kill()
    eventually(lambda: not processes_of(tmp_path))


def test_a_user_that_comes_while_the_last_one_leaves_gets_a_stack(project: Path, owner: OwnerFactory) -> None:
    stack = LocalStack(project)
    for _ in range(5):
        owner(project).is_ready().process.kill()
        stack.up(BOTH)
        assert query(stack, "SELECT 1") == [(1,)]
        stack.down()


def test_a_forked_worker_that_lives_longer_does_not_keep_the_servers(project: Path, owner: OwnerFactory) -> None:
    code = """
stack.up(BOTH)
worker = os.fork()
if worker == 0:
    os.close(1)
    signal.pause()
print(worker, flush=True)
"""
    process = owner(project, code)
    assert process.process.stdout
    worker = int(process.process.stdout.readline())
    try:
        process.is_ready().kill()
        eventually(lambda: running(project) == set())
        os.kill(worker, 0)
    finally:
        os.kill(worker, signal.SIGKILL)


def test_the_end_of_a_forked_worker_stops_nothing(project: Path, owner: OwnerFactory) -> None:
    code = """
stack.up(BOTH)
worker = os.fork()
if worker == 0:
    stack.down()
    sys.exit(0)
os.waitpid(worker, 0)
"""
    process = owner(project, code).is_ready()
    assert running(project) == set(BOTH)
    process.leave()


def test_a_program_that_the_owner_started_does_not_keep_the_servers(project: Path, owner: OwnerFactory) -> None:
    code = """
import subprocess
stack.up(BOTH)
print(subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL).pid, flush=True)
"""
    process = owner(project, code)
    assert process.process.stdout
    program = int(process.process.stdout.readline())
    try:
        process.is_ready().kill()
        eventually(lambda: running(project) == set())
    finally:
        os.kill(program, signal.SIGKILL)


def test_a_detached_stack_outlives_its_starter_and_its_users(project: Path, owner: OwnerFactory) -> None:
    owner(project, "stack.up(BOTH, detached=True)").is_ready().leave()
    owner(project).is_ready().leave()
    owner(project).is_ready().kill()
    assert running(project) == set(BOTH)
    assert all("local down" in service.detail for service in LocalStack(project).status() if service.running)
    assert sorted(LocalStack(project).down()) == sorted(BOTH)
    assert running(project) == set()


def test_a_running_stack_can_be_detached(project: Path, owner: OwnerFactory) -> None:
    first = owner(project).is_ready()
    LocalStack(project).up(BOTH, detached=True)
    first.leave()
    assert running(project) == set(BOTH)
    assert sorted(LocalStack(project).down()) == sorted(BOTH)


def test_down_by_hand_waits_for_the_last_user(project: Path, owner: OwnerFactory) -> None:
    LocalStack(project).up(BOTH, detached=True)
    user = owner(project).is_ready()
    assert LocalStack(project).down() == []
    assert running(project) == set(BOTH)
    user.kill()
    eventually(lambda: not processes_of(project))


def test_down_with_force_asks_nobody(project: Path, owner: OwnerFactory) -> None:
    user = owner(project).is_ready()
    assert sorted(LocalStack(project).down(force=True)) == sorted(BOTH)
    assert running(project) == set()
    assert user.leave() == 0


def test_a_failed_up_does_not_turn_down_into_down_by_hand(project: Path) -> None:
    LocalStack(project).up(BOTH, detached=True)
    stack = LocalStack(project)
    with pytest.raises(Exception, match="no local service"):
        stack.up(("mysql",))
    assert stack.down() == []
    assert running(project) == set(BOTH)
    LocalStack(project).down()


def test_the_library_says_nothing_on_its_own(project: Path, owner: OwnerFactory) -> None:
    process = owner(project, "stack.up(BOTH); stack.status(); stack.down(); stack.up(BOTH); stack.down()").is_ready()
    assert process.process.stdin
    process.process.stdin.close()
    assert process.process.stdout
    assert process.process.stdout.read() == ""
