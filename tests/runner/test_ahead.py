"""A source that is read ahead."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from typing import Any

import pytest

from mage_project.runner.ahead import Ahead


def test_all_items_come_in_order() -> None:
    assert list(Ahead(lambda: (n for n in range(100)), name="numbers")) == list(range(100))


def test_what_the_generator_raises_reaches_who_asks_after_the_items_before() -> None:
    def items() -> Generator[int, None, None]:
        yield 1
        raise OSError("the line went dead")

    ahead, found = Ahead(items, name="broken"), list[int]()
    with pytest.raises(OSError, match="the line went dead"):
        found.extend(ahead)
    assert found == [1]


def test_one_item_at_most_is_made_before_it_is_asked_for() -> None:
    made = list[int]()

    def items() -> Generator[int, None, None]:
        for n in range(50):
            made.append(n)
            yield n

    ahead = Ahead(items, name="eager")
    for n in ahead:
        assert len(made) <= n + 2
    ahead.close()


def test_closing_ends_the_generator_where_it_is() -> None:
    ended = threading.Event()

    def items() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            ended.set()

    ahead = Ahead(items, name="endless")
    next(iter(ahead))
    ahead.close()
    assert ended.is_set()


def test_a_source_that_belongs_to_one_thread_is_made_and_read_in_one() -> None:
    def rows() -> Generator[Any, None, None]:
        connection = sqlite3.connect(":memory:")
        try:
            yield from connection.execute("VALUES (1), (2)")
        finally:
            connection.close()

    assert list(Ahead(rows, name="sqlite")) == [(1,), (2,)]
