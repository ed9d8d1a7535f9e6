"""The rules of a watch, slice after slice: which moved, from where to where, and why.

A pure machine: closed buckets in, moves out. Its state can be stored after any slice and taken up
again; going on from there is the same as replaying all buckets from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from gonogo.judge.buckets import Form
from gonogo.judge.evaluate import Judged
from gonogo.judge.measures import limits_of, with_baseline
from gonogo.judge.questions import Buckets, Lack, Question, misfits, no_data, usable
from gonogo.judge.streaks import Event, Pattern, State, Streak, pattern_of
from gonogo.plan.condition import Condition
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.units import Quantity
from gonogo.source import Span

_MOST_TIMES = 6  # in a sentence; a longer streak names its first and its last


@dataclass(frozen=True, slots=True)
class Terms:
    """How a watch is judged where the rules do not say it themselves."""

    width_ms: int = 300_000
    least_coverage: Decimal = Decimal("0.5")  # of a slice, for it to be judged at all
    blind_after_s: int = 600  # without any data; then somebody is paged
    clear: int | None = None  # good slices to resolve; as many as it took to fire when None

    @property
    def least_watched_ms(self) -> int:
        """Return for how long a slice must have been watched."""
        return int((self.least_coverage * self.width_ms).to_integral_value(ROUND_CEILING))


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a rule cannot be judged on the watch as it is; a mistake in the runbook."""

    rule: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Move:
    """One rule went from one state to another when a slice was closed."""

    rule: str
    consequence: Consequence
    at_ms: int  # start of the slice
    closed_ms: int  # its end
    before: State
    after: State
    event: Event
    reason: str  # one sentence with the values
    slices: tuple[int, ...] = ()  # starts of the slices that count
    values: Mapping[str, str] = field(default_factory=dict)  # subject -> what was seen

    def as_json(self) -> dict[str, object]:
        """Return the form in which a move is journaled."""
        return {
            "rule": self.rule,
            "consequence": self.consequence.value,
            "at_ms": self.at_ms,
            "closed_ms": self.closed_ms,
            "before": self.before.value,
            "after": self.after.value,
            "event": self.event.value,
            "reason": self.reason,
            "slices": list(self.slices),
            "values": dict(self.values),
        }


def clock_time(at_ms: int, width_ms: int, today_ms: int) -> str:
    """Return a moment as `14:05` UTC, with seconds for short slices, with days for another day."""
    minutes, seconds = divmod(at_ms // 1000 % 86_400, 60)
    said = f"{minutes // 60:02d}:{minutes % 60:02d}"
    if width_ms % 60_000:
        said += f":{seconds:02d}"
    days = today_ms // 86_400_000 - at_ms // 86_400_000
    return said if not days else f"{said} {days} d before"


def times(starts: Sequence[int], width_ms: int, today_ms: int) -> str:
    """Return the starts of slices in words, the middle left out of a long row."""
    said = [clock_time(at, width_ms, today_ms) for at in starts]
    if len(said) > _MOST_TIMES:
        said = [*said[: _MOST_TIMES - 1], "…", said[-1]]
    return ", ".join(said)


def check(rules: Iterable[Rule], forms: Mapping[str, Form], terms: Terms) -> tuple[Misfit, ...]:
    """Return every reason why these rules cannot be judged on these metrics."""
    found: list[Misfit] = []
    for rule in rules:
        for predicate, why in misfits(rule.condition, forms):
            found.append(Misfit(rule.id, predicate.span, why))
        try:
            pattern_of(rule.condition.window, terms.width_ms)
        except ValueError as problem:
            found.append(Misfit(rule.id, rule.span, str(problem)))
    return tuple(found)


class _Judge:
    """One written rule: its question and its streak."""

    __slots__ = ("bad", "question", "rule", "streak", "text", "truth")

    def __init__(self, rule: Rule, question: Question, streak: Streak) -> None:
        self.rule = rule
        self.question = question
        self.streak = streak
        self.truth = question.truth
        self.bad = rule.consequence is not Consequence.OBJECTIVE  # which truth is a breach
        self.text = rule.condition.say()

    def told(self, buckets: Buckets, terms: Terms) -> Judged:
        return self.question.told(buckets, terms.least_watched_ms, breach=self.bad)


class _Silence:
    """The rule that nobody writes: a metric without data, at once and for too long."""

    __slots__ = ("consequence", "id", "metric", "streak")

    def __init__(self, metric: str, consequence: Consequence, pattern: Pattern) -> None:
        self.metric = metric
        self.consequence = consequence
        word = "no-data" if consequence is Consequence.WARN else "blind"
        self.id = f"{word}/{metric or 'value'}"
        self.streak = Streak(pattern)


class Machine:
    """All rules of a watch and where they stand."""

    def __init__(
        self,
        rules: Sequence[Rule],
        forms: Mapping[str, Form],
        terms: Terms | None = None,
        baseline: Mapping[str, Quantity] | None = None,
    ) -> None:
        """Prepare the rules in their written order.

        Raises:
            ValueError: a rule does not fit its metrics; `check` says which and why.
        """
        self.terms = terms or Terms()
        self.forms = dict(forms)
        self.last_ms: int | None = None
        self._made_up: set[str] = set()
        problems = check(rules, forms, self.terms)
        if problems:
            raise ValueError("; ".join(f"{p.rule}: {p.message}" for p in problems))
        if len({rule.id for rule in rules}) < len(rules):
            raise ValueError("two rules have the same id")
        self._judges = [self._judge(rule, baseline or {}) for rule in rules]
        names = dict.fromkeys(m for judge in self._judges for m in judge.question.metrics)
        blind = max(1, -(-self.terms.blind_after_s * 1000 // self.terms.width_ms))
        self._silences = [
            _Silence(name, consequence, pattern)
            for name in names
            for consequence, pattern in (
                (Consequence.WARN, Pattern()),
                (Consequence.PAGE, Pattern(blind, blind, 1)),
            )
        ]

    def _judge(self, rule: Rule, baseline: Mapping[str, Quantity]) -> _Judge:
        condition = with_baseline(rule.condition, baseline)
        wrong = misfits(condition, self.forms)
        if wrong:
            msg = f"{rule.id}: the baseline does not fit: {wrong[0][1]}"
            raise ValueError(msg)
        pattern = pattern_of(rule.condition.window, self.terms.width_ms, self.terms.clear)
        return _Judge(rule, Question(condition, self.forms), Streak(pattern))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the written rules in their order."""
        return tuple(judge.rule for judge in self._judges)

    @property
    def streaks(self) -> dict[str, Streak]:
        """Return where each rule stands, the written ones first; for reading only."""
        written = {judge.rule.id: judge.streak for judge in self._judges}
        return written | {silence.id: silence.streak for silence in self._silences}

    def limits(self) -> dict[str, set[Decimal]]:
        """Return the limits that the collector must count exactly, by metric."""
        return limits_of((judge.question.condition for judge in self._judges), self.forms)

    def step(self, start_ms: int, buckets: Buckets) -> list[Move]:
        """Judge the buckets of one slice; a metric without a bucket is without data.

        Slices must come in order; one that was left out is a slice without any data.

        Raises:
            ValueError: the slice was judged already, or is not on the grid.
        """
        width = self.terms.width_ms
        if start_ms % width:
            msg = f"{start_ms} is not the start of a slice of {width} ms"
            raise ValueError(msg)
        if self.last_ms is not None and start_ms <= self.last_ms:
            msg = f"the slice at {start_ms} was judged already"
            raise ValueError(msg)
        moves: list[Move] = []
        first = start_ms if self.last_ms is None else self.last_ms + width
        for missed in range(first, start_ms, width):
            moves += self._one(missed, {})
        moves += self._one(start_ms, buckets)
        return moves

    def _one(self, start_ms: int, buckets: Buckets) -> list[Move]:
        moves: list[Move] = []
        seen = usable(buckets, self.terms.least_watched_ms)
        for judge in self._judges:
            streak = judge.streak
            before = streak.state
            truth = judge.bad if judge.rule.id in self._made_up else judge.truth(seen)
            if truth is None:
                streak.silence()
                continue
            if truth is judge.bad:
                streak.breach(start_ms)
            else:
                streak.quiet(start_ms)
            if streak.state is not before:
                moves.append(self._move(judge, before, start_ms, buckets))
        moves += self._silent(start_ms, buckets)
        self.last_ms = start_ms
        return moves

    def make_up(self, rule: str) -> None:
        """Count every slice from here on as a breach of a rule, for a drill; its reasons say so."""
        self._made_up.add(rule)

    def event(self, rule: str, buckets: Buckets) -> Event:
        """Return what the buckets of a slice say about a written rule, without moving it."""
        judge = next(judge for judge in self._judges if judge.rule.id == rule)
        if rule in self._made_up:
            return Event.BREACH
        truth = judge.truth(usable(buckets, self.terms.least_watched_ms))
        if truth is None:
            lacking = judge.question.lack(buckets)
            return Event.NO_DATA if lacking is Lack.NO_DATA else Event.INSUFFICIENT
        return Event.BREACH if truth is judge.bad else Event.GOOD

    def asked(self, rule: str) -> Condition:
        """Return the condition of a written rule with its baseline worked out."""
        return next(j for j in self._judges if j.rule.id == rule).question.condition

    def say(self, rule: str, buckets: Buckets) -> str:
        """Return what the buckets of a slice say about a written rule, in a sentence."""
        judge = next(judge for judge in self._judges if judge.rule.id == rule)
        return judge.told(buckets, self.terms).sentence

    def _move(self, judge: _Judge, before: State, start_ms: int, buckets: Buckets) -> Move:
        told = judge.told(buckets, self.terms)
        streak = judge.streak
        bad = streak.state in {State.PENDING, State.FIRING}
        made_up = "made up for a drill: " if judge.rule.id in self._made_up else ""
        return Move(
            judge.rule.id,
            judge.rule.consequence,
            start_ms,
            start_ms + self.terms.width_ms,
            before,
            streak.state,
            Event.BREACH if bad else Event.GOOD,
            f"{made_up}{told.sentence} ({self._count(streak, start_ms)})",
            streak.breaches,
            {part.predicate.subject() or "value": part.actual for part in told.parts},
        )

    def _count(self, streak: Streak, now_ms: int) -> str:
        pattern, width = streak.pattern, self.terms.width_ms
        match streak.state:
            case State.PENDING | State.FIRING:
                plural = "" if pattern.of == 1 else "s"
                when = times(streak.breaches, width, now_ms)
                return f"{streak.count} of {pattern.of} bucket{plural}: {when}"
            case State.RESOLVED:
                plural = "" if streak.good == 1 else "s"
                return f"good for {streak.good} bucket{plural}"
            case State.INACTIVE:
                return f"fewer than {pattern.say()}"

    def _silent(self, start_ms: int, buckets: Buckets) -> list[Move]:
        moves: list[Move] = []
        for silence in self._silences:
            streak = silence.streak
            before = streak.state
            bucket = buckets.get(silence.metric)
            event = Event.GOOD
            if no_data(bucket):
                event = Event.BREACH
            if streak.feed(event, start_ms) is before:
                continue
            if streak.state in {State.PENDING, State.FIRING}:
                since = clock_time(streak.breaches[0], self.terms.width_ms, start_ms)
                why = "; ".join(bucket.reasons) if bucket is not None else ""
                reason = f"no data since {since}" + (f" ({why})" if why else "")
            else:
                reason = "data again"
            moves.append(
                Move(
                    silence.id,
                    silence.consequence,
                    start_ms,
                    start_ms + self.terms.width_ms,
                    before,
                    streak.state,
                    Event.NO_DATA if event is Event.BREACH else Event.GOOD,
                    reason,
                    streak.breaches,
                )
            )
        return moves

    def follow(self, before: Machine) -> None:
        """Go on where another machine stands, for the rules and metrics that both have.

        Raises:
            ValueError: it judged on other terms.
        """
        if before._terms() != self._terms():
            msg = "the rules before were judged on other terms"
            raise ValueError(msg)
        written = {judge.rule.id: judge for judge in before._judges}
        for judge in self._judges:
            other = written.get(judge.rule.id)
            if other is not None and other.text == judge.text:
                judge.streak = Streak.from_json(other.streak.as_json())
        silences = {silence.id: silence for silence in before._silences}
        for silence in self._silences:
            if silence.id in silences:
                silence.streak = Streak.from_json(silences[silence.id].streak.as_json())
        self.last_ms = before.last_ms

    def anew(self) -> None:
        """Count from here on for another watch; where each rule stands stays as it is."""
        for judge in self._judges:
            judge.streak.anew()

    def _terms(self) -> list[object]:
        terms = self.terms
        return [terms.width_ms, str(terms.least_coverage), terms.blind_after_s, terms.clear]

    def as_json(self) -> dict[str, object]:
        """Return the state after the last slice; `resume` takes it up."""
        return {
            "version": 1,
            "terms": self._terms(),
            "last_ms": self.last_ms,
            "texts": {judge.rule.id: judge.text for judge in self._judges},
            "streaks": {name: streak.as_json() for name, streak in self.streaks.items()},
        }

    def resume(self, state: Mapping[str, object]) -> None:
        """Go on from a stored state.

        Raises:
            ValueError: the state belongs to other rules or to another width of slices.
        """
        texts = {judge.rule.id: judge.text for judge in self._judges}
        if state.get("version") != 1 or state.get("terms") != self._terms():
            msg = "the stored state of the rules belongs to a watch on other terms"
            raise ValueError(msg)
        if state["texts"] != texts:
            msg = "the stored state of the rules belongs to other rules"
            raise ValueError(msg)
        stored, last = state["streaks"], state["last_ms"]
        assert isinstance(stored, dict)
        assert last is None or isinstance(last, int)
        for judge in self._judges:
            judge.streak = Streak.from_json(stored[judge.rule.id])
        for silence in self._silences:
            silence.streak = Streak.from_json(stored[silence.id])
        self.last_ms = last
