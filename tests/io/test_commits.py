from __future__ import annotations

import contextvars
import threading
from contextlib import contextmanager

import pytest

from mage_project.io import commits


class Store:
    """Notes what is asked of it, and fails where it is told to."""

    def __init__(self, done: list[str], name: str, *, fails: str = "") -> None:
        self.done, self.name, self.fails = done, name, fails

    def act(self, action: str) -> None:
        self.done.append(f"{action} {self.name}")
        if action == self.fails:
            raise RuntimeError(f"{self.name} cannot {action}")

    def register(self, collected: commits.Commits) -> commits.Pending:
        return collected.add(
            prepare=lambda: self.act("prepare"),
            commit=lambda: self.act("commit"),
            rollback=lambda: self.act("rollback"),
            what=self.name,
        )


@pytest.fixture
def done() -> list[str]:
    return []


def test_everything_is_prepared_before_anything_is_committed(done):
    collected = commits.Commits()
    for name in "ab":
        Store(done, name).register(collected)
    collected.commit_all()
    assert done == ["prepare a", "prepare b", "commit a", "commit b"]
    assert not collected


def test_nothing_is_committed_if_preparing_fails(done):
    collected = commits.Commits()
    Store(done, "a").register(collected)
    Store(done, "b", fails="prepare").register(collected)
    with pytest.raises(RuntimeError):
        collected.commit_all()
    assert done == ["prepare a", "prepare b", "rollback b", "rollback a"]


def test_the_rest_is_rolled_back_if_a_commit_fails_and_the_error_says_what_was_done(done):
    collected = commits.Commits()
    for name, fails in [("a", ""), ("b", "commit"), ("c", "")]:
        Store(done, name, fails=fails).register(collected)
    with pytest.raises(RuntimeError) as caught:
        collected.commit_all()
    assert done[3:] == ["commit a", "commit b", "rollback c"]
    assert caught.value.__notes__ == ["committed before it failed: a"]


def test_every_rollback_is_tried(done):
    collected = commits.Commits()
    Store(done, "a").register(collected)
    Store(done, "b", fails="rollback").register(collected)
    with pytest.raises(RuntimeError, match=r"b cannot rollback"):
        collected.rollback_all()
    assert done == ["rollback b", "rollback a"]


def test_a_discarded_commit_is_not_made(done):
    collected = commits.Commits()
    collected.discard(Store(done, "a").register(collected))
    collected.commit_all()
    assert done == []


def test_preparing_twice_prepares_once(done):
    collected = commits.Commits()
    Store(done, "a").register(collected)
    collected.prepare_all()
    collected.commit_all()
    assert done == ["prepare a", "commit a"]


def test_what_may_wait_for_others_can_be_interrupted_and_commits_cannot(done):
    @contextmanager
    def shielded():
        done.append("shield")
        yield
        done.append("end of it")

    collected = commits.Commits()
    Store(done, "a").register(collected)
    collected.commit_all(shielded)
    assert done == ["prepare a", "shield", "commit a", "end of it"]


def test_commits_are_collected_only_inside_and_in_copied_contexts():
    assert commits.current() is None
    found: list[object] = []
    with commits.collecting() as collected:
        for run in (contextvars.copy_context().run, lambda function: function()):
            thread = threading.Thread(target=run, args=(lambda: found.append(commits.current()),))
            thread.start()
            thread.join()
    assert found[0] is collected
    assert commits.current() is None
