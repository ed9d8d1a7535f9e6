"""After going back: the objectives must be green again before the rollback counts as one.

Its command returning proves nothing about the service. The sources of the watch are read on, from
the moment the proof steps passed: `gonogo.judge.green` says what a green bucket is, and when there
are enough of them. A bucket in which gonogo did not run breaks the row neither way: what counters
grew by meanwhile lands in one bucket, and would make it too good or too bad.

The alerts of the watch go on with the same buckets: whoever was woken up is told that it is good
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from gonogo.judge.buckets import Bucket
from gonogo.judge.course import (
    counters_of,
    figured,
    forms_of,
    sources_of,
    terms_of,
    watched_phase,
    width_ms,
)
from gonogo.judge.green import GREEN, Calls, Outcome, Row, patience
from gonogo.judge.green import must_be_green as green_rules
from gonogo.judge.measures import limits_of
from gonogo.judge.moves import Move
from gonogo.judge.rules import Machine
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Phase, Plan, Rule
from gonogo.plan.sources import Source
from gonogo.run import baseline
from gonogo.run.attending import Attendant, begin, slices_of
from gonogo.run.durable import Slots
from gonogo.run.noting import moved, seen
from gonogo.run.people import Form, Question, ask
from gonogo.run.sampling import NOT_RUNNING, Begun
from gonogo.run.scene import Scene
from gonogo.run.watching import Relay


def must_be_green(plan: Plan) -> tuple[Rule, ...]:
    """Return the rules that say whether the service is well again."""
    return green_rules(figured(plan))


def slot_names(plan: Plan, way: str) -> list[str]:
    """Return the names of the slots that one way back may need to see green."""
    if watched_phase(plan) is None or not must_be_green(plan):
        return []
    return [
        f"{way}?green",
        *(_slot(way, n) for n in range(_patience(plan) + 1)),
        f"{way}?green?asked",
    ]


async def green(scene: Scene, slots: Slots, way: str, relay: Relay) -> Finding | None:
    """Wait until the figures are green; return what says otherwise, None when they are.

    Without a watch that had begun there is nothing to compare with, and the proof steps decide.
    The alerts go on where the watch left them (`relay`), and from there in the next way back.
    """
    rules = _begun_rules(scene)
    phase = watched_phase(scene.plan)
    if phase is None or not rules or scene.last("watch.started", phase.id) is None:
        return None
    sources = sources_of(scene.plan)
    begun = Begun.from_json(await slots.run(f"{way}?green", partial(_begin, scene, way, sources)))
    course = _Course(scene, way, rules, sources, relay)
    course.row.begun_ms = begun.started_ms
    attendant = Attendant(scene, sources, course.limits(), begun, deaf=True)
    try:
        for number in range(_patience(scene.plan) + 1):  # the first is a part of one
            result = await slots.run(_slot(way, number), attendant.next)
            attendant.before = result
            for start_ms, buckets in slices_of(result):
                course.see(start_ms, buckets)
                if course.row.is_full:
                    course.settle(GREEN)
                    return None
    finally:
        attendant.close()
    if course.row.outcome is Outcome.NEVER:
        return _finding(scene.plan, phase, way, course.row.said)
    asked = partial(_ask, scene, way, phase, course.row.said)
    answered = await slots.run(f"{way}?green?asked", asked)
    if answered["answer"] != "yes":
        return _finding(scene.plan, phase, way, f"{answered['who']} says it is not well")
    course.settle(f"{answered['who']} says that the service is well")
    return None


class _Course:
    """One way back while its figures are read: which buckets are green, and how the alerts move."""

    def __init__(
        self,
        scene: Scene,
        way: str,
        rules: tuple[Rule, ...],
        sources: Mapping[str, Source],
        relay: Relay,
    ) -> None:
        self._scene, self._way = scene, way
        self._forms, counters = forms_of(sources), counters_of(sources)
        terms, values = terms_of(scene.plan), baseline.values(scene)
        must, before = Machine(rules, self._forms, terms, values), relay.machine
        self.row = Row(must, scene.plan.recovery.green, counters)
        went_on = Machine(before.rules if before else (), self._forms, terms, values)
        self._calls = Calls(before or went_on, went_on, counters)
        relay.machine = went_on
        self._phase = next(p.id for p in reversed(scene.plan.phases) if _has_begun(scene, p))

    def limits(self) -> dict[str, set[Decimal]]:
        """Return the limits that must be counted exactly, of what must be green and of alerts."""
        machines = (self.row.machine, self._calls.machine)
        asked = (machine.asked(rule.id) for machine in machines for rule in machine.rules)
        return limits_of(asked, self._forms)

    def see(self, start_ms: int, buckets: Mapping[str, Bucket]) -> None:
        """Journal what one bucket says, unless it had begun before the way back was gone."""
        one = self.row.see(start_ms, buckets, _blind(buckets))
        if one is None:
            return
        firing = [rule for rule in self._calls.machine.rules if rule.id in self._calls.firing]
        moves = self._calls.see(one, buckets)
        body = {"way": self._way, "start_ms": start_ms, "says": one.says, "look": one.look.value}
        body |= {"count": one.count, "need": one.need}
        if firing and one.is_judged:
            body["rules"] = {rule.id: seen(self._calls.machine, rule, buckets) for rule in firing}
        self._scene.once("recovery.seen", f"{self._way}@{start_ms}", body=body)
        self._move(moves)

    def settle(self, why: str) -> None:
        """End the alerts whose figures are good: going back is over."""
        self._move(self._calls.settle(why))

    def _move(self, moves: list[Move]) -> None:
        for move in moves:
            moved(self._scene, move, phase=self._phase, way=self._way)


def _begun_rules(scene: Scene) -> tuple[Rule, ...]:
    """Return the rules to be green: not those of a watch that this run never came to."""
    rules = must_be_green(scene.plan)
    begun = {phase.id for phase in scene.plan.phases if _has_begun(scene, phase)}
    return tuple(rule for rule in rules if not rule.phase or rule.phase in begun)


def _has_begun(scene: Scene, phase: Phase) -> bool:
    return scene.last("watch.started", phase.id) is not None


def _patience(plan: Plan) -> int:
    return patience(plan.recovery, width_ms(plan))


def _blind(buckets: Mapping[str, Bucket]) -> str:
    """Return why buckets say nothing although there may be figures in them."""
    return NOT_RUNNING if any(NOT_RUNNING in b.reasons for b in buckets.values()) else ""


def _ask(scene: Scene, way: str, phase: Phase, said: str) -> dict[str, object]:
    question = Question(
        f"{way}?green",
        Form.ROLLBACK,
        "is the service well again? the figures do not say",
        phase.span.line,
        said,
    )
    answer = ask(scene, question, deaf=True)
    return {"answer": answer.answer, "who": answer.who}


def _begin(scene: Scene, way: str, sources: Mapping[str, Source]) -> Mapping[str, object]:
    recorded = scene.last("recovery.started", way)
    if recorded is not None:
        return recorded.body
    return scene.once("recovery.started", way, body=begin(scene, sources))


def _finding(plan: Plan, phase: Phase, way: str, why: str) -> Finding:
    number = plan.recovery.green
    buckets = "one full bucket" if number == 1 else f"{number} full buckets in a row"
    return Finding(
        item=f"{way}?green",
        title="objectives green again",
        status=Status.FAIL,
        effect="check",
        line=phase.span.line,
        expected=f"every objective held and no trigger did, in {buckets}",
        actual=why,
        why=why,
    )


def _slot(way: str, number: int) -> str:
    return f"{way}?green{number}"
