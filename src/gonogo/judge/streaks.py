"""The state of one rule: inactive, pending, firing, resolved; what one slice does to it.

A slice is a breach, good, or says nothing. One that says nothing moves no state: it neither
breaks a streak nor prolongs it. Beside the real streak runs a second one that takes every silent
slice for a breach: when it fills, the silence could have hidden a firing, and the rule cannot be
said to have held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from gonogo.plan.condition import Window


class State(StrEnum):
    """Where a rule stands."""

    INACTIVE = "inactive"  # nothing bad, or not enough to count
    PENDING = "pending"  # bad, but not for as long as the rule asks
    FIRING = "firing"  # bad for as long as the rule asks
    RESOLVED = "resolved"  # it was firing and has been good again for long enough


class Event(StrEnum):
    """What a closed slice says about a rule."""

    BREACH = "breach"
    GOOD = "good"
    INSUFFICIENT = "insufficient"  # too few samples, or too little of it was watched
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Pattern:
    """How many slices it takes: `need` breaches among the last `of`; `clear` good ones to resolve.

    With `need` equal to `of` they are consecutive.
    """

    need: int = 1
    of: int = 1
    clear: int = 1

    def __post_init__(self) -> None:
        """Refuse a pattern that cannot be filled."""
        if not 1 <= self.need <= self.of or self.clear < 1:
            msg = f"{self.need} of {self.of} buckets, {self.clear} to clear, cannot be counted"
            raise ValueError(msg)

    def say(self) -> str:
        """Return it in words: `2 consecutive buckets`."""
        if self.of == 1:
            return "1 bucket"
        if self.need == self.of:
            return f"{self.need} consecutive buckets"
        return f"{self.need} of {self.of} buckets"


def pattern_of(window: Window | None, width_ms: int, clear: int | None = None) -> Pattern:
    """Return the pattern of a window on slices of a width; no window is one slice.

    `for D` is as many whole consecutive slices as it takes to last D. A rule resolves after as
    many good slices as it needed bad ones, when `clear` does not say otherwise.

    Raises:
        ValueError: the window speaks of slices of another width.
    """
    if window is None:
        return Pattern(1, 1, clear or 1)
    if window.bucket_s is not None and window.bucket_s * 1000 != width_ms:
        said, mine = window.bucket_s.normalize(), (Decimal(width_ms) / 1000).normalize()
        msg = f"the rule counts buckets of {said:f} s, the watch has buckets of {mine:f} s"
        raise ValueError(msg)
    if window.count is None:
        lasts = (window.seconds or Decimal(0)) * 1000 / width_ms
        need = max(1, int(lasts.to_integral_value(ROUND_CEILING)))
        return Pattern(need, need, clear or need)
    return Pattern(window.count, window.of or window.count, clear or window.count)


class Streak:
    """The state of one rule and what it still has to remember."""

    __slots__ = (
        "breached",
        "doubt",
        "fired",
        "good",
        "known",
        "pattern",
        "run",
        "silent",
        "since_ms",
        "starts",
        "state",
    )  # fmt: skip

    def __init__(self, pattern: Pattern) -> None:
        """Begin inactive."""
        self.pattern = pattern
        self.state = State.INACTIVE
        self.since_ms: int | None = None  # start of the slice that brought this state
        self.starts: list[tuple[int, bool]] = []  # slices in play: start, whether it was a breach
        self.good = 0  # good slices in a row while firing
        self.fired = 0
        self.known = self.breached = self.silent = 0  # slices: judged, bad, saying nothing
        self.run = 0  # the streak that takes silence for a breach, as bits; the last slice lowest
        self.doubt = False  # that streak has been full

    @property
    def count(self) -> int:
        """Return how many breaches are in play: the k of `k of N`."""
        return sum(bad for _, bad in self.starts)

    @property
    def breaches(self) -> tuple[int, ...]:
        """Return the starts of the breaching slices in play."""
        return tuple(at for at, bad in self.starts if bad)

    @property
    def open(self) -> bool:
        """Tell whether a streak is under way that has not fired."""
        return self.state is State.PENDING

    @property
    def in_doubt(self) -> bool:
        """Tell whether silence may hide a firing: a streak that was full or is still under way."""
        return self.doubt or self.run != 0

    def feed(self, event: Event, at_ms: int) -> State:
        """Take one slice; return the state that follows."""
        match event:
            case Event.BREACH:
                self.breach(at_ms)
            case Event.GOOD:
                self.quiet(at_ms)
            case Event.INSUFFICIENT | Event.NO_DATA:
                self.silence()
        return self.state

    def breach(self, at_ms: int) -> None:
        """Take a bad slice."""
        self.known += 1
        self.breached += 1
        self._shadow(1)
        if self.state is State.FIRING:
            self.good = 0
            return
        self.starts.append((at_ms, True))
        del self.starts[: -self.pattern.of]
        if self.count >= self.pattern.need:
            self.fired += 1
            self.good = 0
            self._turn(State.FIRING, at_ms)
        elif self.state is not State.PENDING:
            self._turn(State.PENDING, at_ms)

    def quiet(self, at_ms: int) -> None:
        """Take a good slice."""
        self.known += 1
        if self.run:
            self._shadow(0)
        if self.state is State.INACTIVE:
            return
        if self.state is State.PENDING:
            self._fade(at_ms)
        elif self.state is State.FIRING:
            self.good += 1
            if self.good >= self.pattern.clear:
                self.starts.clear()
                self._turn(State.RESOLVED, at_ms)

    def settle(self, at_ms: int) -> bool:
        """End a firing whose last judged slice was good; return False where there is none such."""
        if self.state is not State.FIRING or not self.good:
            return False
        self.starts.clear()
        self._turn(State.RESOLVED, at_ms)
        return True

    def silence(self) -> None:
        """Take a slice that says nothing."""
        self.silent += 1
        self._shadow(1)

    def _fade(self, at_ms: int) -> None:
        """Let a good slice into the window: a row of consecutive ones is over at once."""
        if self.pattern.need == self.pattern.of:
            self.starts.clear()
        else:
            self.starts.append((at_ms, False))
            del self.starts[: -self.pattern.of]
        if not self.count:
            self.starts.clear()
            self._turn(State.INACTIVE, at_ms)

    def _shadow(self, bad: int) -> None:
        pattern = self.pattern
        self.run = ((self.run << 1) | bad) & ((1 << pattern.of) - 1)
        if not bad and pattern.need == pattern.of:
            self.run = 0
        if self.run.bit_count() >= pattern.need:
            self.doubt = True

    def _turn(self, state: State, at_ms: int) -> None:
        self.state = state
        self.since_ms = at_ms

    def anew(self) -> None:
        """Forget what was counted and keep where the rule stands: another watch begins.

        A rule that is firing has fired in the new watch too. Silence of before was judged with
        the watch before, so that only breaches that are known count towards a doubt.
        """
        self.fired = 1 if self.state is State.FIRING else 0
        self.known = self.breached = self.silent = 0
        self.doubt = False
        self.run = 0
        if self.state is State.PENDING:
            for _, bad in self.starts:
                self.run = (self.run << 1) | bad

    def as_json(self) -> dict[str, object]:
        """Return all of it."""
        return {
            "pattern": [self.pattern.need, self.pattern.of, self.pattern.clear],
            "state": self.state.value,
            "since_ms": self.since_ms,
            "starts": [[at, bad] for at, bad in self.starts],
            "good": self.good,
            "fired": self.fired,
            "known": self.known,
            "breached": self.breached,
            "silent": self.silent,
            "run": self.run,
            "doubt": self.doubt,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Streak:
        """Read what `as_json` wrote."""
        need = data["pattern"]
        starts = data["starts"]
        assert isinstance(need, list)
        assert isinstance(starts, list)
        streak = cls(Pattern(*need))
        for name in ("since_ms", "good", "fired", "known", "breached", "silent", "run", "doubt"):
            setattr(streak, name, data[name])
        streak.state = State(str(data["state"]))
        streak.starts = [(at, bad) for at, bad in starts]
        return streak
