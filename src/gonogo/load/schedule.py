"""When each request of a load test is due: moments that are known before the first is sent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the schedule: requests per second at its start and at its end, straight between.

    Exact numbers, so that ten seconds at 0.1/s are one request and never two.
    """

    seconds: Fraction
    start: Fraction
    end: Fraction

    @property
    def amount(self) -> Fraction:
        """Return how many requests fall into the stage; need not be whole."""
        return self.seconds * (self.start + self.end) / 2

    def when(self, requests: float) -> float:
        """Return after how many seconds of this stage so many requests have become due."""
        if requests <= 0:
            return 0.0
        start, length = float(self.start), float(self.seconds)
        growth = (float(self.end) - start) / length
        root = math.sqrt(max(start * start + 2 * growth * requests, 0.0))
        return min(2 * requests / (start + root), length) if start + root > 0 else length


def length_s(stages: Sequence[Stage]) -> Fraction:
    """Return how long the schedule is, in seconds."""
    return sum((stage.seconds for stage in stages), Fraction(0))


def count(stages: Sequence[Stage], *, before_s: Fraction | None = None) -> int:
    """Return how many requests are due in the schedule, or before a moment of it."""
    left, amount = before_s, Fraction(0)
    for stage in stages:
        if left is None or left >= stage.seconds:
            amount += stage.amount
            left = None if left is None else left - stage.seconds
            continue
        reached = stage.start + (stage.end - stage.start) * left / stage.seconds
        amount += left * (stage.start + reached) / 2
        break
    return math.ceil(amount)


def dues(stages: Sequence[Stage]) -> Iterator[float]:
    """Yield the moments at which requests are due, in seconds from the start, in order.

    The first is due at once; request `n` is due when the rates so far have added up to `n`.
    """
    begun = sent = Fraction(0)
    number, last = 0, 0.0
    for stage in stages:
        after = sent + stage.amount
        start, offset = float(begun), float(number - sent)
        first = number
        number = max(math.ceil(after), number)
        for index in range(number - first):
            last = max(start + stage.when(offset + index), last)
            yield last
        begun += stage.seconds
        sent = after


class Mix:
    """Chooses among weighted requests without chance: the shares hold at every moment."""

    def __init__(self, weights: Sequence[int]) -> None:
        """Take a positive weight for each request."""
        self._weights = tuple(weights)
        self._total = sum(weights)
        self._credit = [0] * len(self._weights)

    def pick(self) -> int:
        """Return the index of the next request."""
        if len(self._weights) == 1:
            return 0
        credit = self._credit
        for index, weight in enumerate(self._weights):
            credit[index] += weight
        chosen = max(range(len(credit)), key=credit.__getitem__)
        credit[chosen] -= self._total
        return chosen
