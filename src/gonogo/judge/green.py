"""After going back: which buckets are green, how many in a row, and when that is enough.

Green means that every objective held and no trigger did. Bad to the end means that this way back
did not help; not enough data means that a person has to say what is true. A bucket that says
nothing breaks the row neither way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gonogo.judge.measures import limits_in
from gonogo.judge.moves import Move
from gonogo.judge.questions import Buckets
from gonogo.judge.relay import Track
from gonogo.judge.rules import Machine
from gonogo.judge.streaks import Event, State
from gonogo.plan.model import Consequence, Recovery, Rule

PATIENCE = 6
"""How many whole buckets the figures have to become green, when the runbook does not say."""
GREEN = "the objectives are green after the rollback"
"""Why an alert is over with fewer good buckets than it takes."""
_JUDGED = (Consequence.OBJECTIVE, Consequence.ROLLBACK)


class Look(StrEnum):
    """What one bucket after the way back says."""

    GREEN = "green"
    BAD = "bad"
    UNKNOWN = "unknown"  # not enough to say: the row of green buckets is not broken


class Outcome(StrEnum):
    """What the figures say of a way back in the end."""

    GREEN = "green"  # the rollback is over
    NEVER = "never"  # bad to the end: this way back did not help
    ASKED = "asked"  # they do not say: a person does


@dataclass(frozen=True, slots=True)
class Seen:
    """One bucket after the way back: what it says, and how many green ones are in a row now."""

    start_ms: int
    look: Look
    says: str
    count: int
    need: int
    is_judged: bool = True  # False: it says nothing of any rule


def patience(recovery: Recovery, width_ms: int) -> int:
    """Return how many whole buckets the figures have to become green."""
    if recovery.within_s is None:
        return PATIENCE + recovery.green - 1
    return max(recovery.green, -(-int(recovery.within_s * 1000) // width_ms))


def must_be_green(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules that say whether the service is well again."""
    return tuple(rule for rule in rules if rule.consequence in _JUDGED)


@dataclass(slots=True)
class Row:
    """Looks at one bucket after the other, and counts the green ones in a row."""

    machine: Machine  # of the rules that must be green
    need: int
    counters: frozenset[str] = frozenset()  # metrics of which a reading says what has come since
    begun_ms: int = 0  # the way back was gone: what happened before is in buckets begun before
    count: int = 0
    look: Look = Look.UNKNOWN
    said: str = "no whole bucket was seen"
    is_first: bool = field(default=True, init=False)

    @property
    def is_full(self) -> bool:
        """Say whether enough buckets in a row were green."""
        return self.count >= self.need

    @property
    def outcome(self) -> Outcome:
        """Return what is known when the figures have had all their time."""
        if self.is_full:
            return Outcome.GREEN
        return Outcome.NEVER if self.look is Look.BAD else Outcome.ASKED

    def see(self, start_ms: int, buckets: Buckets, blind: str = "") -> Seen | None:
        """Take one bucket; None for one that had begun before. `blind`: why it says nothing."""
        if start_ms < self.begun_ms:
            return None
        look, said = (Look.UNKNOWN, blind) if blind else self._judge(buckets)
        self.is_first = False
        self.look = look
        if look is Look.GREEN:
            self.count += 1
        elif look is Look.BAD:
            self.count = 0
        more = f" ({min(self.count, self.need)} of {self.need})" if self.need > 1 else ""
        self.said = (said or "all objectives green") + more
        return Seen(start_ms, look, self.said, self.count, self.need, is_judged=not blind)

    def _judge(self, buckets: Buckets) -> tuple[Look, str]:
        events = {rule.id: self.machine.event(rule.id, buckets) for rule in self.machine.rules}
        left = [rule for rule in self.machine.rules if events[rule.id] is not Event.GOOD]
        said = "; ".join(self.machine.say(rule.id, buckets) for rule in left)
        bad = [rule for rule in left if events[rule.id] is Event.BREACH]
        if self.is_first and bad and all(self._counts(rule) for rule in bad):
            # its first reading holds what came in the begun bucket before it, while all settled
            return Look.UNKNOWN, f"{said}; counted since before this bucket"
        if bad:
            return Look.BAD, said
        return (Look.UNKNOWN, said) if left else (Look.GREEN, "")

    def _counts(self, rule: Rule) -> bool:
        return any(p.metric in self.counters for p in rule.condition.predicates)


class Calls:
    """The alert rules of a watch after going back: they go on where they stood when it ended."""

    def __init__(self, before: Machine, machine: Machine, counters: frozenset[str]) -> None:
        """Take the rules as they stood (`before`) over into a machine of their own."""
        machine.follow(before)
        self.machine = machine
        self._counters = counters
        self._last: Buckets | None = None  # of the slice before, where it was judged
        self._is_first = True

    @property
    def firing(self) -> tuple[str, ...]:
        """Return the written alert rules that fire."""
        streaks = self.machine.streaks
        rules = (rule for rule in self.machine.rules if rule.consequence not in _JUDGED)
        return tuple(rule.id for rule in rules if streaks[rule.id].state is State.FIRING)

    def see(self, seen: Seen, buckets: Buckets) -> list[Move]:
        """Judge a bucket that was looked at; what was not watched before it moves nothing."""
        self._last = None
        if not seen.is_judged:
            return []
        self._last = self._fair(buckets) if self._is_first else buckets
        self._is_first = False
        self.machine.skip_to(seen.start_ms)
        return _alerts(self.machine.step(seen.start_ms, self._last))

    def settle(self, why: str = GREEN) -> list[Move]:
        """Resolve the alerts whose figures are good when going back is over, for this reason."""
        return [] if self._last is None else _alerts(self.machine.settle(self._last, why))

    def _fair(self, buckets: Buckets) -> Buckets:
        """Take counters that make a rule bad for unwatched: they hold what came before, too."""
        bad = {
            predicate.metric
            for rule in self.machine.rules
            if self.machine.event(rule.id, buckets) is Event.BREACH
            for predicate in rule.condition.predicates
        }
        return {
            name: replace(one, watched_ms=0) if name in bad & self._counters else one
            for name, one in buckets.items()
        }


def _alerts(moves: Iterable[Move]) -> list[Move]:
    return [move for move in moves if move.consequence not in _JUDGED]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a rehearsal shows of the way back: bucket after bucket, and what it came to."""

    begun_ms: int  # the first way back was gone
    seen: tuple[Seen, ...]
    outcome: Outcome
    at_ms: int  # the end of the bucket that settled it
    took_ms: int  # from the first bad bucket to the close of that one
    moves: tuple[Move, ...] = ()  # of the alerts, which go on until it is settled


def recover(
    track: Track,
    fired: Move,
    begun: Iterable[str],
    bucket_at: Callable[[int], Buckets],
    before: Machine | None = None,
) -> Recovered:
    """Play what follows a trigger that fired at the close of a bucket: going back, and the row.

    `begun` has the watches that had begun, `bucket_at` returns the buckets of a slice by its start,
    `before` has the rules as they stood at that close, for the alerts to go on. Nothing is known of
    how long going back really takes: the stated time is taken for it.
    """
    program, width = track.program, track.terms.width_ms
    begun_ms = fired.closed_ms + program.grace_ms + round(program.way.acts_s * 1000)
    known = ("", *begun)
    rules = [rule for rule in must_be_green(track.rules) if rule.phase in known]
    judged = track.machine(rules)
    plain = [rule for rule in rules if all(map(limits_in, judged.asked(rule.id).predicates))]
    machine = track.machine(plain)  # not those that wait for a baseline, which a run has by now
    row = Row(machine, program.recovery.green, program.counters, begun_ms)
    before = before or track.machine(())
    calls = Calls(before, track.machine(before.rules), program.counters)
    seen: list[Seen] = []
    moves: list[Move] = []
    start = begun_ms // width * width
    for number in range(patience(program.recovery, width) + 1):  # the first is a part of one
        at = start + number * width
        buckets = bucket_at(at)
        one = row.see(at, buckets)
        if one is not None:
            seen.append(one)
            moves += calls.see(one, buckets)
        if row.is_full:
            moves += calls.settle()
            break
    closed = seen[-1].start_ms + width if seen else start + width
    took_ms = closed + program.grace_ms - min(fired.slices, default=fired.at_ms)
    return Recovered(begun_ms, tuple(seen), row.outcome, closed, took_ms, tuple(moves))
