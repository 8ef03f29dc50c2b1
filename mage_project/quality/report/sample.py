"""A random sample of numbers of bounded size, drawn while they stream by."""

from __future__ import annotations

from typing import Any

import numpy as np

#: With so many values the rank of a quantile is right to half a point in 95 of 100 cases: 1.96 · √(0.25 / SIZE).
SIZE = 32_768


class Sample:
    """`SIZE` of the numbers that were added, each equally likely. The same numbers in the same order give the same."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(seed=1)
        self._tickets = np.zeros(0)
        self._numbers = np.zeros(0)
        self._highest = 1.0

    def add(self, numbers: Any) -> None:
        """Every number draws a ticket from 0 to 1; those with the lowest tickets stay.

        How many tickets are low enough, and whose, is drawn at once: most are not.
        """
        wins = self._random.binomial(len(numbers), self._highest)
        places = self._random.choice(len(numbers), wins, replace=False, shuffle=False)
        self._tickets = np.concatenate([self._tickets, self._random.random(wins) * self._highest])
        self._numbers = np.concatenate([self._numbers, numbers[places]])
        if len(self._tickets) > 2 * SIZE:
            self._shrink()

    def numbers(self) -> Any:
        """The sample, in ascending order."""
        self._shrink()
        return np.sort(self._numbers)

    def _shrink(self) -> None:
        if len(self._tickets) > SIZE:
            lowest = np.argpartition(self._tickets, SIZE - 1)[:SIZE]
            self._tickets, self._numbers = self._tickets[lowest], self._numbers[lowest]
            self._highest = float(self._tickets.max())
