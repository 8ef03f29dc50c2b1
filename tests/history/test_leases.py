"""A process that is gone is known to be, on its machine at once and from another one by its heartbeat."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from mage_project.history.leases import STALE_S, this_process


def test_a_process_of_this_machine_lives_until_it_is_gone() -> None:
    assert this_process().lives(heartbeat_at=0, now=10 * STALE_S), "a busy process may miss its heartbeats"
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    assert not replace(this_process(), pid=gone.pid).lives(heartbeat_at=0, now=0)


def test_another_process_with_the_same_number_is_not_the_one() -> None:
    assert not replace(this_process(), pid_started="1").lives(heartbeat_at=0, now=0)


def test_a_process_of_another_machine_lives_by_its_heartbeat() -> None:
    far = replace(this_process(), host="far")
    assert far.lives(heartbeat_at=100, now=100 + STALE_S - 1)
    assert not far.lives(heartbeat_at=100, now=100 + STALE_S + 1)
