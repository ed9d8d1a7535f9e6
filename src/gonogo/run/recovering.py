"""After going back: the objectives must be green again before the rollback counts as one.

Its command returning proves nothing about the service. The sources of the watch are read on, from
the moment the proof steps passed: green means that in as many full buckets as the runbook asks for,
one after the other, every objective held and no trigger did. Bad to the end means that this way
back did not help; not enough data means that a person has to say what is true. A bucket in which
gonogo did not run breaks the row neither way: what counters grew by meanwhile lands in one bucket,
and would make it too good or too bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from gonogo.judge.buckets import Bucket
from gonogo.judge.rules import Machine
from gonogo.judge.streaks import Event
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Consequence, Phase, Plan, Rule
from gonogo.plan.sources import RedisSource, Source, SqlSource
from gonogo.run import baseline, watching
from gonogo.run.durable import Slots
from gonogo.run.people import Form, Question, ask
from gonogo.run.sampling import NOT_RUNNING, Begun
from gonogo.run.scene import Scene

PATIENCE = 6
"""How many whole buckets the figures have to become green, when the runbook does not say."""


class Look(StrEnum):
    """What one bucket after the way back says."""

    GREEN = "green"
    BAD = "bad"
    UNKNOWN = "unknown"  # not enough to say: the row of green buckets is not broken


@dataclass(slots=True)
class _Row:
    """How many green buckets have been seen one after the other."""

    need: int
    count: int = 0
    look: Look = Look.UNKNOWN
    said: str = "no whole bucket was seen"

    @property
    def is_full(self) -> bool:
        return self.count >= self.need

    def take(self, look: Look, said: str) -> None:
        self.look = look
        if look is Look.GREEN:
            self.count += 1
        elif look is Look.BAD:
            self.count = 0
        more = f" ({min(self.count, self.need)} of {self.need})" if self.need > 1 else ""
        self.said = (said or "all objectives green") + more


def patience(plan: Plan) -> int:
    """Return how many whole buckets the figures have to become green."""
    recovery = plan.recovery
    if recovery.within_s is None:
        return PATIENCE + recovery.green - 1
    width = watching.width_ms(plan)
    return max(recovery.green, -(-int(recovery.within_s * 1000) // width))


def must_be_green(plan: Plan) -> tuple[Rule, ...]:
    """Return the rules that say whether the service is well again."""
    judged = (Consequence.OBJECTIVE, Consequence.ROLLBACK)
    return tuple(rule for rule in watching.figured(plan) if rule.consequence in judged)


def slot_names(plan: Plan, way: str) -> list[str]:
    """Return the names of the slots that one way back may need to see green."""
    if watching.watched_phase(plan) is None or not must_be_green(plan):
        return []
    return [
        f"{way}?green",
        *(_slot(way, n) for n in range(patience(plan) + 1)),
        f"{way}?green?asked",
    ]


async def green(scene: Scene, slots: Slots, way: str) -> Finding | None:
    """Wait until the figures are green; return what says otherwise, None when they are.

    Without a watch that had begun there is nothing to compare with, and the proof steps decide.
    """
    rules = _begun_rules(scene)
    phase = watching.watched_phase(scene.plan)
    if phase is None or not rules or scene.last("watch.started", phase.id) is None:
        return None
    sources = watching.sources_of(scene.plan)
    begun = Begun.from_json(await slots.run(f"{way}?green", partial(_begin, scene, way, sources)))
    terms, forms = watching.terms_of(scene.plan), watching.forms_of(sources)
    machine = Machine(rules, forms, terms, baseline.values(scene))
    attendant = watching.Attendant(scene, sources, machine.limits(), begun, deaf=True)
    row = _Row(scene.plan.recovery.green)
    eyes = _Eyes(scene, machine, way, row, _counters(sources))
    try:
        for number in range(patience(scene.plan) + 1):  # the first is a part of one
            result = await slots.run(_slot(way, number), attendant.next)
            attendant.before = result
            for start_ms, buckets in watching.slices_of(result):
                if start_ms < begun.started_ms:
                    continue  # what happened before the way back was gone is in it
                eyes.look_at(start_ms, buckets)
                if row.is_full:
                    return None
    finally:
        attendant.close()
    if row.look is Look.BAD:
        return _finding(scene.plan, phase, way, row.said)
    return await _asked(scene, slots, way, phase, row.said)


def _begun_rules(scene: Scene) -> tuple[Rule, ...]:
    """Return the rules to be green: not those of a watch that this run never came to."""
    rules = must_be_green(scene.plan)
    begun = {phase.id for phase in scene.plan.phases if scene.last("watch.started", phase.id)}
    return tuple(rule for rule in rules if not rule.phase or rule.phase in begun)


def _counters(sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the metrics of which a reading says what has come since the reading before it."""
    return frozenset(
        name
        for name, source in sources.items()
        if (isinstance(source, SqlSource) and source.delta)
        or (isinstance(source, RedisSource) and (source.delta or bool(source.hits)))
    )


@dataclass(slots=True)
class _Eyes:
    """Looks at one bucket after the other, takes each into the row, and journals it."""

    scene: Scene
    machine: Machine
    way: str
    row: _Row
    counters: frozenset[str]
    is_first: bool = True

    def look_at(self, start_ms: int, buckets: Mapping[str, Bucket]) -> None:
        look, said = self._judge(buckets)
        self.is_first = False
        self.row.take(look, said)
        body = {"way": self.way, "start_ms": start_ms, "says": self.row.said, "look": look.value}
        body |= {"count": self.row.count, "need": self.row.need}
        self.scene.once("recovery.seen", f"{self.way}@{start_ms}", body=body)

    def _judge(self, buckets: Mapping[str, Bucket]) -> tuple[Look, str]:
        events = {rule.id: self.machine.event(rule.id, buckets) for rule in self.machine.rules}
        left = [rule for rule in self.machine.rules if events[rule.id] is not Event.GOOD]
        said = "; ".join(self.machine.say(rule.id, buckets) for rule in left)
        if any(NOT_RUNNING in bucket.reasons for bucket in buckets.values()):
            return Look.UNKNOWN, NOT_RUNNING
        bad = [rule for rule in left if events[rule.id] is Event.BREACH]
        if self.is_first and bad and all(self._counts(rule) for rule in bad):
            # its first reading holds what came in the begun bucket before it, while all settled
            return Look.UNKNOWN, f"{said}; counted since before this bucket"
        if bad:
            return Look.BAD, said
        return (Look.UNKNOWN, said) if left else (Look.GREEN, "")

    def _counts(self, rule: Rule) -> bool:
        return any(p.metric in self.counters for p in rule.condition.predicates)


async def _asked(scene: Scene, slots: Slots, way: str, phase: Phase, said: str) -> Finding | None:
    """Let a person say whether the service is well, since the figures do not."""
    answered = await slots.run(f"{way}?green?asked", partial(_ask, scene, way, phase, said))
    if answered["answer"] == "yes":
        return None
    return _finding(scene.plan, phase, way, f"{answered['who']} says it is not well")


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
    return scene.once("recovery.started", way, body=watching.begin(scene, sources))


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
