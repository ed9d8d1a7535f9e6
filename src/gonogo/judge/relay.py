"""The watches of a release, one after the other: which rules judge a slice, and what each came to.

One watch goes on where the one before ended: its rules stand where they stood, its first slice
follows the last one. A slice that lies between two of them is judged by the rules of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gonogo.judge.buckets import Form
from gonogo.judge.course import LONGER, Program, Watching
from gonogo.judge.moves import Move
from gonogo.judge.questions import Buckets
from gonogo.judge.rules import Machine, Terms
from gonogo.judge.streaks import State
from gonogo.judge.verdict import Verdict
from gonogo.judge.watch import open_streaks, verdict
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.units import Quantity

VERDICTS = tuple(Verdict)
_ENDLESS = 10**9
"""Buckets of a watch that lasts as long as there are any."""


def rolls_back(move: Move) -> bool:
    """Say whether a move is a trigger that fires."""
    return move.after is State.FIRING and move.consequence is Consequence.ROLLBACK


@dataclass(frozen=True, slots=True)
class Times:
    """When a watch began, when the first one of its release did, and its planned end."""

    first_ms: int
    begun_ms: int
    ends_ms: int


class Leg:
    """One watch while it lasts."""

    def __init__(self, times: Times, full: Machine, common: Machine | None = None) -> None:
        """Take its rules, and those of all watches as they stood when the one before ended."""
        self.times = times
        self.full = full
        self.machine = common or full

    def turn(self, start_ms: int) -> bool:
        """Let those rules judge a slice that it belongs to; say whether it is judged at all.

        The first slice of a release, which is a part, is shown and not judged.
        """
        if start_ms >= self.times.begun_ms and self.machine is not self.full:
            self.full.follow(self.machine)
            self.full.anew()
            self.machine = self.full
        return start_ms >= self.times.first_ms

    def is_complete(self, start_ms: int) -> bool:
        """Say whether it has lasted as long as planned when a slice is closed."""
        return start_ms + self.machine.terms.width_ms >= self.times.ends_ms


@dataclass(frozen=True, slots=True)
class Track:
    """What is judged in the watches of a release: rules on their figures, and in which order."""

    rules: tuple[Rule, ...]
    forms: Mapping[str, Form]
    terms: Terms
    program: Program = field(default_factory=Program)
    baseline: Mapping[str, Quantity] = field(default_factory=dict)

    def machine(self, rules: Sequence[Rule]) -> Machine:
        """Return a machine for some of the rules, on which nothing was judged yet."""
        return Machine(rules, self.forms, self.terms, self.baseline)

    def rules_of(self, watch: Watching) -> tuple[Rule, ...]:
        """Return the rules that are judged in one watch: its own, and those of all."""
        return tuple(rule for rule in self.rules if rule.phase in ("", watch.id))

    def endless(self) -> Track:
        """Return the same with a watch that lasts as long as there are slices, where none is."""
        if self.program.watches:
            return self
        last = Watching(planned=_ENDLESS)
        return replace(self, program=replace(self.program, watches=(last,)))


@dataclass(frozen=True, slots=True)
class Past:
    """How one watch went."""

    watch: Watching
    begun_ms: int
    first_slice_ms: int  # of those that belong to it; before it only the rules of all judged
    closed_ms: int  # the end of its last slice
    slices: int  # judged in it, those before its first one too
    longer: int  # of them, after its planned end: a streak was open
    verdict: Verdict
    moves: tuple[Move, ...] = ()


class Relay:
    """Judges slices that come one by one, and hands them from one watch to the next.

    What a person would decide at a gate between two is taken for a go, given at once.
    """

    def __init__(self, track: Track, start_ms: int = 0) -> None:
        """Begin the first watch; `start_ms` is the start of its first slice."""
        self.track = track
        self.past: list[Past] = []
        self.trigger: Move | None = None
        self.moves: list[Move] = []
        self.left: list[Watching] = list(track.program.watches)  # not begun
        self._first_ms: int | None = None
        self._watch: Watching | None = None
        self._leg: Leg | None = None
        self._mine: Past | None = None  # how the watch of the leg went, when it is over
        self._count = self._moved = 0
        self._last_ms = start_ms - track.terms.width_ms
        self._begin(start_ms)

    @property
    def watch(self) -> Watching | None:
        """Return the watch that is on; None when the last one is over."""
        return self._watch

    @property
    def next_ms(self) -> int:
        """Return the start of the slice that comes next."""
        return self._last_ms + self.track.terms.width_ms

    @property
    def machine(self) -> Machine:
        """Return the rules that judged last."""
        return self._leg.machine if self._leg is not None else self.track.machine(())

    @property
    def first_slice_ms(self) -> int:
        """Return the start of the first slice that belongs to the watch that is on."""
        width = self.track.terms.width_ms
        return self._last_ms if self._leg is None else -(-self._leg.times.begun_ms // width) * width

    @property
    def is_settled_in(self) -> bool:
        """Say whether the rules of the watch that is on judge, not only those of all."""
        return self._leg is not None and self._leg.machine is self._leg.full

    def step(self, buckets: Buckets) -> list[Move]:
        """Judge the next slice; a trigger ends the watch, and so does its end."""
        assert self._leg is not None, "there is no watch with figures"
        start = self.next_ms
        self._last_ms = start
        made = self._leg.machine.step(start, buckets) if self._leg.turn(start) else []
        self.moves += made
        self._count += 1
        if self.trigger is None and self._watch is not None:
            self.trigger = next((move for move in made if rolls_back(move)), None)
            self._go_on(start)
        return made

    def rest(self) -> None:
        """Take the rest of a watch for the same as its last slice, which moved nothing.

        That they would move nothing either is the caller's to know.
        """
        assert self._leg is not None
        assert self._watch is not None
        leg, width = self._leg, self.track.terms.width_ms
        most = self._last_ms + (self._most() - self._count) * width
        last = min(most, -(-leg.times.ends_ms // width) * width - width)
        if open_streaks(leg.machine) or last <= self._last_ms:
            last = most
        self._count += (last - self._last_ms) // width
        self._last_ms = last
        leg.turn(last)
        leg.machine.last_ms = last
        self._go_on(last)

    def verdict(self) -> Verdict:
        """Return what the watches came to that had rules; the one that is on as if it ended now.

        A trigger is a no-go by itself.
        """
        if self.trigger is not None:
            return Verdict.NO_GO
        before = [past for past in self.past if past is not self._mine]
        found = [past.verdict for past in before if self.track.rules_of(past.watch)]
        if self.is_settled_in and self.machine.rules:
            found.append(verdict(self.machine, complete=True))
        return max(found, key=VERDICTS.index, default=Verdict.HOLD)

    def _most(self) -> int:
        assert self._watch is not None
        return self._watch.planned + LONGER

    def _go_on(self, start_ms: int) -> None:
        """Close the watch that is on when it is over, and begin the next."""
        leg, watch = self._leg, self._watch
        assert leg is not None
        assert watch is not None
        complete = leg.is_complete(start_ms)
        is_open = bool(open_streaks(leg.machine))
        if self.trigger is None and not (complete and not is_open) and self._count < self._most():
            return
        closed = start_ms + self.track.terms.width_ms
        self._mine = self._close(watch, leg, closed, complete=complete)
        self.past.append(self._mine)
        self._watch, self._moved, self._count = None, len(self.moves), 0
        if self.trigger is None:
            looked = watch.looks_end_ms(leg.times.first_ms, leg.times.begun_ms)
            self._begin(max(closed + self.track.program.grace_ms, looked))

    def _close(self, watch: Watching, leg: Leg, closed_ms: int, *, complete: bool) -> Past:
        width = self.track.terms.width_ms
        planned = -(-leg.times.ends_ms // width) * width
        return Past(
            watch,
            leg.times.begun_ms,
            -(-leg.times.begun_ms // width) * width,
            closed_ms,
            self._count,
            max(0, (closed_ms - planned) // width),
            verdict(leg.machine, complete=complete),
            tuple(self.moves[self._moved :]),
        )

    def _begin(self, at_ms: int) -> None:
        """Begin the next watch that has figures; one without lasts as long as its checkpoints."""
        while self.left:
            watch = self.left.pop(0)
            if self._first_ms is None and (watch.figured or watch.checkpoints):
                self._first_ms = at_ms
            first = at_ms if self._first_ms is None else self._first_ms
            if not watch.figured:
                over_ms = max(at_ms, watch.looks_end_ms(first, at_ms))
                self.past.append(Past(watch, at_ms, at_ms, over_ms, 0, 0, Verdict.HOLD))
                at_ms = over_ms
                continue
            width = self.track.terms.width_ms
            self._mine = None
            times = Times(first, at_ms, watch.ends_ms(first, at_ms, width))
            self._leg = Leg(times, self.track.machine(self.track.rules_of(watch)), self._common())
            self._watch = watch
            return

    def _common(self) -> Machine | None:
        """Return the rules of all watches as they stand; None before the first one."""
        if self._leg is None:
            return None
        common = self.track.machine([rule for rule in self.track.rules if not rule.phase])
        common.follow(self._leg.machine)
        return common


def calendar(track: Track, start_ms: int = 0) -> tuple[Past, ...]:
    """Return when each watch begins and ends where nothing goes wrong."""
    relay = Relay(track, start_ms)
    while relay.watch is not None:
        relay.rest()
    return tuple(relay.past)
