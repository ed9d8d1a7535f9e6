"""The rules of a watch, slice after slice: which moved, from where to where, and why.

A pure machine: closed buckets in, moves out. Its state can be stored after any slice and taken up
again; going on from there is the same as replaying all buckets from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from gonogo.judge.buckets import Form
from gonogo.judge.evaluate import Judged
from gonogo.judge.measures import limits_of, with_baseline
from gonogo.judge.moves import Move, times
from gonogo.judge.questions import Buckets, Lack, Question, misfits, usable
from gonogo.judge.silences import silences_of
from gonogo.judge.streaks import Event, State, Streak, pattern_of
from gonogo.plan.condition import Condition
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.units import Quantity
from gonogo.source import Span


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
        self._silences = silences_of(names, blind)

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
        for silence in self._silences:
            move = silence.judge(start_ms, self.terms.width_ms, buckets.get(silence.metric))
            moves += [move] if move is not None else []
        self.last_ms = start_ms
        return moves

    def skip_to(self, start_ms: int) -> None:
        """Go on at a later slice: what lies before it was not watched, and moves nothing."""
        self.last_ms = start_ms - self.terms.width_ms

    def settle(self, buckets: Buckets, why: str) -> list[Move]:
        """Resolve what fires and is good in the slice that was judged last: no more slices come.

        `why` says what stands for the good slices that are missing.
        """
        assert self.last_ms is not None, "a slice was judged before"
        moves: list[Move] = []
        for judge in self._judges:
            if self.event(judge.rule.id, buckets) is not Event.GOOD:
                continue
            if judge.streak.settle(self.last_ms):
                move = self._move(judge, State.FIRING, self.last_ms, buckets)
                moves.append(replace(move, reason=f"{move.reason}; {why}"))
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
