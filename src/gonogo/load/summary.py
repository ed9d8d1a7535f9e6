"""What a load test has seen, counted while it runs and put together at its end.

The latency of a request runs from the moment it was due to its good answer. A request without one
counts with the whole limit, because nobody had a good answer within it: failing fast never makes
a percentile better.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction

EXACT = 1_000_000  # values of one kind that are kept as they are; beyond, in bins of 1 %
PERCENTILES: Mapping[str, Fraction] = {
    "p50": Fraction(50, 100),
    "p90": Fraction(90, 100),
    "p95": Fraction(95, 100),
    "p99": Fraction(99, 100),
    "p99.9": Fraction(999, 1000),
}
# How many requests a percentile needs to say anything: below, it is just the slowest one.
NEEDED: Mapping[str, int] = {
    name: math.ceil(1 / (1 - share)) for name, share in PERCENTILES.items()
}
_LATE_S = 0.05
_LATE_SHARE = 0.1
_BASE = math.log(1.01)
_SMALLEST_S = 1e-6


class Values:
    """Durations of one kind: exact up to a million, then in bins of 1 % width."""

    def __init__(self, exact: int = EXACT) -> None:
        """Keep up to `exact` values as they are."""
        self._exact = exact
        self._kept: array[float] = array("d")
        self._bins: Counter[int] | None = None
        self.count = 0
        self.total = 0.0
        self.max = 0.0

    @property
    def is_exact(self) -> bool:
        """Say whether every value is still known as it was."""
        return self._bins is None

    def add(self, seconds: float) -> None:
        """Count one duration; a negative one (a clock's grain) counts as none."""
        seconds = max(seconds, 0.0)
        self.count += 1
        self.total += seconds
        self.max = max(self.max, seconds)
        if self._bins is not None:
            self._bins[_bin(seconds)] += 1
            return
        self._kept.append(seconds)
        if self.count > self._exact:
            self._bins = Counter(map(_bin, self._kept))
            self._kept = array("d")

    def stats(self) -> dict[str, float | None]:
        """Return percentiles by nearest rank, `max` and `avg`; None where nothing can be said."""
        found: dict[str, float | None] = dict.fromkeys(PERCENTILES)
        ranked = sorted(self._kept)
        for name, share in PERCENTILES.items():
            if self.count >= NEEDED[name]:
                rank = math.ceil(share * self.count)
                found[name] = ranked[rank - 1] if self._bins is None else self._binned(rank)
        found["max"] = self.max if self.count else None
        found["avg"] = self.total / self.count if self.count else None
        return found

    def _binned(self, rank: int) -> float:
        below = 0
        for index, number in sorted((self._bins or {}).items()):
            below += number
            if below >= rank:
                return min(math.exp((index - 0.5) * _BASE), self.max)
        return self.max


def _bin(seconds: float) -> int:
    return math.ceil(math.log(max(seconds, _SMALLEST_S)) / _BASE)


@dataclass(frozen=True, slots=True)
class Result:
    """What a load test has seen; times in seconds, None where there were too few requests."""

    requests: int  # judged: due after the warm-up
    warm_up: int  # sent before that, and not judged
    good: int  # answered with a status below 400
    errors: int
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]  # why there was no answer
    dropped: int  # never sent: no connection became free within the limit
    waited: int  # had to wait for a free connection
    judged_s: float
    sent_in_time: int  # sent before the schedule was over
    latency: Mapping[str, float | None]
    service: Mapping[str, float | None]
    lateness: Mapping[str, float | None]
    own: Mapping[str, float | None]  # the part of the lateness that is the generator's own
    exact: bool
    given_up: bool = False  # stopped early: nothing answered at all

    def as_json(self) -> dict[str, object]:
        """Return the result as it is written down."""
        return asdict(self)


@dataclass(slots=True)
class Tally:
    """Counts while the load runs."""

    limit_s: float
    latency: Values = field(default_factory=Values)
    service: Values = field(default_factory=Values)
    lateness: Values = field(default_factory=Values)
    own: Values = field(default_factory=Values)
    statuses: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    warm_up: int = 0
    good: int = 0
    dropped: int = 0
    waited: int = 0
    sent_in_time: int = 0

    @property
    def requests(self) -> int:
        """Return how many requests are counted so far."""
        return self.latency.count

    @property
    def errors(self) -> int:
        """Return how many of them got no good answer."""
        return self.requests - self.good

    def answered(self, status: int, latency_s: float) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        is_good = 0 < status < 400
        self.good += is_good
        self.latency.add(latency_s if is_good else max(latency_s, self.limit_s))

    def broken(self, reason: str, latency_s: float) -> None:
        """Count a request that was sent and got no answer."""
        self.reasons[reason] += 1
        self.latency.add(max(latency_s, self.limit_s))

    def drop(self, latency_s: float) -> None:
        """Count a request that was never sent because no connection became free in time."""
        self.dropped += 1
        self.broken("never sent: no connection was free", latency_s)
        self.lateness.add(latency_s)

    def result(self, judged_s: float, *, given_up: bool) -> Result:
        """Return everything, put together."""
        return Result(
            requests=self.requests,
            warm_up=self.warm_up,
            good=self.good,
            errors=self.errors,
            statuses={str(status): n for status, n in sorted(self.statuses.items())},
            reasons=dict(self.reasons.most_common()),
            dropped=self.dropped,
            waited=self.waited,
            judged_s=judged_s,
            sent_in_time=self.sent_in_time,
            latency=self.latency.stats(),
            service=self.service.stats(),
            lateness=self.lateness.stats(),
            own=self.own.stats(),
            exact=self.latency.is_exact,
            given_up=given_up,
        )


def generator_fault(result: Result) -> str:
    """Say why the measurement cannot be trusted; empty when the generator kept its schedule.

    Waiting for a free connection is the server's doing and is part of the latency. What remains is
    the generator's own: its 99th percentile may be 50 ms, or a tenth of the measured p95. With
    fewer than 100 requests the highest percentile that they can show stands for it.
    """
    stat = next((name for name in ("p99", "p95", "p90") if result.own[name] is not None), "max")
    late = result.own[stat]
    allowed = max(_LATE_S, _LATE_SHARE * (result.latency["p95"] or 0.0))
    if late is None or late <= allowed:
        return ""
    return (
        f"the load generator did not keep its schedule: {stat} of its own lateness is "
        f"{late * 1000:.0f} ms, allowed are {allowed * 1000:.0f} ms"
    )
