"""How long going back took, in four parts, and whether that is as long as the runbook allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from gonogo.clock import moment
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Consequence, Limit, Option, Plan
from gonogo.run.journal import ABORT, Event
from gonogo.run.scene import Scene

ITEM = "rollback?time"
PARTS = ("detect_s", "decide_s", "act_s", "recover_s")


def measured(scene: Scene) -> dict[str, float]:
    """Measure the way back in four parts, in seconds, from the journal's times.

    detect: from the first slice of the rule that fired, or the start of the first step that
    failed (else from the abort, else from the gate), to the finding; decide: to the start of the
    rollback; act: to the end of its last action; recover: to the last proof.
    """
    events = scene.journal.events(scene.run)
    begun = next(e for e in events if e.kind == "rollback.started")
    done = next(e for e in events if e.kind == "rollback.finished")
    started, found = _cause(scene, events, begun)
    acts = [
        e
        for e in events
        if e.kind == "step.finished" and begun.seq < e.seq < done.seq and "?" not in e.item
    ]
    acted = acts[-1] if acts else begun
    marks = [started, found, *(moment(e.at) for e in (begun, acted, done))]
    spans = [(b - a).total_seconds() for a, b in pairwise(marks)]
    return {name: round(max(s, 0.0), 3) for name, s in zip(PARTS, spans, strict=True)}


def _cause(scene: Scene, events: Sequence[Event], begun: Event) -> tuple[datetime, datetime]:
    """Return since when what led to the rollback could have been seen, and when it was known."""
    before = [e for e in events if e.seq < begun.seq]
    fired = [e for e in before if e.kind == "rule.moved" and e.body.get("after") == "firing"]
    rolled = [e for e in fired if e.body.get("consequence") == Consequence.ROLLBACK.value]
    if rolled:
        slices = rolled[0].body.get("slices")
        first = slices[0] if isinstance(slices, list) and slices else rolled[0].body["at_ms"]
        return datetime.fromtimestamp(int(str(first)) / 1000, UTC), moment(rolled[0].at)
    pressed = scene.journal.answer(scene.run, ABORT)
    if pressed is not None and any(e.kind == "abort.requested" for e in before):
        return moment(pressed.at), moment(pressed.at)  # known when a person knew it
    failed = [e for e in before if e.kind == "step.finished" and e.body.get("status") == "fail"]
    decided = [e for e in before if e.kind == "gate.decided"][-1:]
    found = (failed or decided or [begun])[0]
    looked = _first_bad_look(before, found.item)
    if looked is not None:
        return looked
    start = next((e for e in events if e.kind == "step.started" and e.item == found.item), found)
    return moment(start.at), moment(found.at)


def _first_bad_look(before: Sequence[Event], item: str) -> tuple[datetime, datetime] | None:
    """Return when a check of a checkpoint was due that failed first, and when that was known."""
    for event in before:
        bad = event.kind == "look.taken" and event.body.get("status") == "fail"
        if bad and event.item == item:
            due = datetime.fromtimestamp(int(str(event.body["due_ms"])) / 1000, UTC)
            return due, moment(event.at)
    return None


def held_against(scene: Scene, times: Mapping[str, float], option: str) -> dict[str, object]:
    """Return what the measured times come to beside the stated ones, as it stands in the verdict.

    Longer than a bound (`RTO < 15 minutes`) is a finding that fails, journaled once: the run is
    rolled back all the same. Longer than a stated time (`about 2 minutes`) is a warning.
    """
    total = round(sum(times.values()), 3)
    taken = next((o for o in _options(scene.plan) if o.id == option), None)
    said: dict[str, object] = {"took_s": total, "warnings": _warnings(scene, taken, times, total)}
    limits = scene.plan.recovery.limits
    if limits:
        limit = min(limits, key=lambda one: (one.seconds, not one.strict))
        finding = _finding(limit, total)
        scene.once("recovery.judged", ITEM, body=finding.as_json())
        said |= {
            "limit_s": limit.seconds,
            "strict": limit.strict,
            "line": limit.span.line,
            "status": finding.status.value,
            "says": finding.actual,
        }
    return said


def _options(plan: Plan) -> tuple[Option, ...]:
    return plan.rollback.options if plan.rollback is not None else ()


def _finding(limit: Limit, total: float) -> Finding:
    bound = f"{'less than' if limit.strict else 'at most'} {spoken(limit.seconds)}"
    breached = limit.breached(total)
    says = f"recovery took {spoken(total)}, {bound}"
    return Finding(
        item=ITEM,
        title="recovery time",
        status=Status.FAIL if breached else Status.PASS,
        effect="check",
        line=limit.span.line,
        expected=bound,
        actual=says,
        why=says if breached else "",
        indicators={"seconds": total},
    )


def _warnings(
    scene: Scene, taken: Option | None, times: Mapping[str, float], total: float
) -> list[str]:
    """Return a line for each stated time that was exceeded."""
    back = scene.plan.rollback
    found = []
    if taken is not None and taken.stated_s is not None:
        own = _own_s(scene, taken) or times["act_s"]
        if own > taken.stated_s:
            found.append(f"{taken.title}: took {spoken(own)}, stated {spoken(taken.stated_s)}")
    if back is not None and back.stated_s is not None and total > back.stated_s:
        found.append(f"recovery took {spoken(total)}, stated {spoken(back.stated_s)}")
    return found


def _own_s(scene: Scene, option: Option) -> float | None:
    """Return the seconds from the start of an option to the end of its last step."""
    begun = scene.last("option.started", option.id)
    ends = [scene.last("step.finished", step.id) for step in option.steps]
    known = [moment(end.at) for end in ends if end is not None]
    if begun is None or not known:
        return None
    return (max(known) - moment(begun.at)).total_seconds()


def spoken(seconds: float) -> str:
    """Return a time for people: `38 s`, `16 min`, `1 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:3])
