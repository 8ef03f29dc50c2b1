"""How long a thread is waited for."""

from __future__ import annotations

import threading
import time

from mage_project.history.patience import Patience


def test_a_thread_that_works_is_waited_for_and_one_that_waits_is_not() -> None:
    over = threading.Event()

    def work() -> None:
        while time.thread_time() < 0.3:
            pass

    busy, idle = (threading.Thread(target=each, daemon=True) for each in (work, over.wait))
    patiences = []
    for thread in (busy, idle):
        thread.start()
        patiences.append(Patience(thread, 0.15))
    assert [patience.wait() for patience in patiences] == [True, False]
    over.set()


def test_nobody_waits_for_a_thread_that_works_for_ever() -> None:
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            pass

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert not Patience(thread, 0.05).wait()
    over.set()
