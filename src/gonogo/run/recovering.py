"""After going back: the objectives must be green again before the rollback counts as one.

Its command returning proves nothing about the service. The sources of the watch are read on, from
the moment the proof steps passed: green means that in one full bucket every objective held and no
trigger did. Bad to the end means that this way back did not help; not enough data means that a
person has to say what is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gonogo.judge.buckets import Bucket
from gonogo.judge.rules import Machine, Terms
from gonogo.judge.streaks import Event
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Consequence, Phase, Plan, Rule
from gonogo.plan.sources import Source
from gonogo.run import watching
from gonogo.run.durable import Slots
from gonogo.run.people import Form, Question, ask
from gonogo.run.sampling import Begun
from gonogo.run.scene import Scene

PATIENCE = 6
"""How many whole buckets the figures have to become green."""


def must_be_green(plan: Plan) -> tuple[Rule, ...]:
    """Return the rules that say whether the service is well again."""
    judged = (Consequence.OBJECTIVE, Consequence.ROLLBACK)
    return tuple(rule for rule in watching.figured(plan) if rule.consequence in judged)


def slot_names(plan: Plan, way: str) -> list[str]:
    """Return the names of the slots that one way back may need to see green."""
    if watching.watched_phase(plan) is None or not must_be_green(plan):
        return []
    return [f"{way}?green", *(_slot(way, n) for n in range(PATIENCE + 1)), f"{way}?green?asked"]


async def green(scene: Scene, slots: Slots, way: str) -> Finding | None:
    """Wait until the figures are green; return what says otherwise, None when they are.

    Without a watch that had begun there is nothing to compare with, and the proof steps decide.
    """
    rules = must_be_green(scene.plan)
    phase = watching.watched_phase(scene.plan)
    if phase is None or not rules or scene.last("watch.started", phase.id) is None:
        return None
    sources = watching.sources_of(scene.plan)
    begun = Begun.from_json(await slots.run(f"{way}?green", partial(_begin, scene, way, sources)))
    terms = Terms(width_ms=watching.width_ms(scene.plan))
    machine = Machine(rules, watching.forms_of(sources), terms)
    attendant = watching.Attendant(scene, sources, machine.limits(), begun, deaf=True)
    said, bad = "no whole bucket was seen", False
    try:
        for number in range(PATIENCE + 1):  # the first is a part of one
            result = await slots.run(_slot(way, number), attendant.next)
            attendant.before = result
            for start_ms, buckets in watching.slices_of(result):
                if start_ms < begun.started_ms:
                    continue  # what happened before the way back was gone is in it
                said, bad = _seen(scene, machine, way, start_ms, buckets)
                if not said:
                    return None
    finally:
        attendant.close()
    if bad:
        return _finding(phase, way, Status.FAIL, said)
    return await _asked(scene, slots, way, phase, said)


def _seen(
    scene: Scene, machine: Machine, way: str, start_ms: int, buckets: Mapping[str, Bucket]
) -> tuple[str, bool]:
    """Journal one bucket; return what is not green in it, and whether something is bad."""
    events = {rule.id: machine.event(rule.id, buckets) for rule in machine.rules}
    left = [rule for rule, event in events.items() if event is not Event.GOOD]
    said = "; ".join(machine.say(rule, buckets) for rule in left)
    body = {"way": way, "start_ms": start_ms, "says": said or "all objectives green"}
    scene.once("recovery.seen", f"{way}@{start_ms}", body=body)
    return said, Event.BREACH in events.values()


async def _asked(scene: Scene, slots: Slots, way: str, phase: Phase, said: str) -> Finding | None:
    """Let a person say whether the service is well, since the figures do not."""
    answered = await slots.run(f"{way}?green?asked", partial(_ask, scene, way, phase, said))
    if answered["answer"] == "yes":
        return None
    return _finding(phase, way, Status.FAIL, f"{answered['who']} says it is not well")


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


def _finding(phase: Phase, way: str, status: Status, why: str) -> Finding:
    return Finding(
        item=f"{way}?green",
        title="objectives green again",
        status=status,
        effect="check",
        line=phase.span.line,
        expected="every objective held and no trigger did, in one full bucket",
        actual=why,
        why=why,
    )


def _slot(way: str, number: int) -> str:
    return f"{way}?green{number}"
