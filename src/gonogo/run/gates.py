"""The gate after a phase: its findings become go, hold or no-go; on hold a person decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gonogo.judge.verdict import ORDER, Finding, Status, Verdict, decide
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Phase, Step
from gonogo.run.findings import blank, good_until
from gonogo.run.journal import ABORT
from gonogo.run.people import Aborted, Form, Question, ask, is_aborted
from gonogo.run.scene import Scene
from gonogo.run.watching import Watched, rule_said

KEEP = "keep"
"""The answer that leaves a release where it is, without success."""


def close(
    scene: Scene,
    phase: Phase,
    findings: Sequence[Finding],
    skipped: Mapping[str, str],
    watched: Watched | None = None,
) -> Mapping[str, object]:
    """Decide on a phase and journal it; safe to enter again after a crash.

    `skipped` maps steps that were not run to the reason; they count as unknown. A trigger that
    fired in the watch is a no-go by itself.
    """
    recorded = scene.last("gate.decided", phase.id)
    if recorded is not None:
        return recorded.body
    known = {finding.item: finding for finding in findings}
    for step in phase.steps:  # in the order of the plan: who ended first must not show
        if step.id in skipped:
            known[step.id] = _skip(scene, step, skipped[step.id])
    everything = [known[step.id] for step in phase.steps]
    everything += _rules(scene, phase, watched) if watched else []
    verdict = decide(everything)
    worst_first = sorted(everything, key=lambda f: -ORDER.index(f.status))
    reasons = [f"{f.title}: {f.why or f.actual}" for f in worst_first if _matters(f)]
    body: dict[str, object] = {
        "counts": dict(Counter(f.status.value for f in everything)),
        "reasons": reasons,
    }
    if watched is not None and watched.trigger is not None:
        verdict = Verdict.NO_GO
        said = f"{rule_said(scene.plan, watched.trigger.rule)}: {watched.trigger.reason}"
        body["reasons"] = [said, *reasons]
        body["trigger"] = watched.trigger.as_json()
    elif is_aborted(scene):
        verdict = Verdict.NO_GO
        body |= _aborted(scene)
    elif verdict is Verdict.HOLD or (
        verdict is Verdict.NO_GO and _may_stay(scene, phase, everything)
    ):
        verdict = _held(scene, phase, everything, body)
    return scene.write(
        "gate.decided", phase.id, body={"verdict": verdict.value, **body}, durable=True
    ).body


def may_keep(phase: Phase) -> bool:
    """Say whether the release runs already, so that it can be left where it is."""
    return phase.role in (Role.WATCH, Role.SIGNOFF)


def stays(decided: Mapping[str, object]) -> bool:
    """Say whether a person keeps the release although the gate says no-go."""
    return decided.get("stays") is True


def refuse(scene: Scene, phase: Phase, finding: Finding) -> Mapping[str, object]:
    """Close the gate of a phase that did not begin; safe to enter again after a crash."""
    recorded = scene.last("gate.decided", phase.id)
    if recorded is not None:
        return recorded.body
    body: dict[str, object] = {
        "verdict": Verdict.NO_GO.value,
        "counts": {finding.status.value: 1},
        "reasons": [f"{finding.title}: {finding.why or finding.actual}"],
    }
    if is_aborted(scene):
        body |= _aborted(scene)
    return scene.write("gate.decided", phase.id, body=body, durable=True).body


def _may_stay(scene: Scene, phase: Phase, findings: Sequence[Finding]) -> bool:
    """Say whether what failed is no reason by itself to go back.

    What goes back while a release is watched is written as a trigger, or as a critical step. Any
    other step that fails there, an objective that is missed, or a success criterion that is not met
    at the sign-off, means that the release is no success: a person decides what follows.
    """
    if phase.role is Role.SIGNOFF:
        return True
    triggers = {r.id for r in scene.plan.rules if r.consequence is Consequence.ROLLBACK}
    failed = [finding for finding in findings if finding.status is Status.FAIL]
    return phase.role is Role.WATCH and not any(f.critical or f.item in triggers for f in failed)


def _matters(finding: Finding) -> bool:
    return finding.status not in (Status.PASS, Status.WAIVED)


def _skip(scene: Scene, step: Step, why: str) -> Finding:
    body = scene.once("step.finished", step.id, body=blank(step, Status.UNKNOWN, why).as_json())
    return Finding.from_json(body)


def _rules(scene: Scene, phase: Phase, watched: Watched) -> list[Finding]:
    """Journal what each rule of the watch came to, once for each watch."""
    for finding in watched.findings:
        before = scene.journal.of_item(scene.run, finding.item)
        if not any(e.kind == "rule.judged" and e.body.get("phase") == phase.id for e in before):
            scene.write("rule.judged", finding.item, body=finding.as_json() | {"phase": phase.id})
    return watched.findings


def _aborted(scene: Scene) -> dict[str, object]:
    answer = scene.journal.answer(scene.run, ABORT)
    assert answer is not None, "an abort is in the inbox"
    if scene.last("abort.requested") is None:
        scene.write("abort.requested", who=answer.who, body={"reason": answer.reason})
    return {"aborted_by": answer.who, "reason": answer.reason}


def _held(
    scene: Scene, phase: Phase, findings: Sequence[Finding], body: dict[str, object]
) -> Verdict:
    """Ask a person to decide; a go is a waiver of what is not known, with name and reason.

    `keep`, where the release runs already, ends it without success and leaves it where it is.
    """
    open_points = [f for f in findings if _matters(f)]
    detail = "\n".join(f"{f.status.value}: {f.title}: {f.why or f.actual}" for f in open_points)
    question = Question(
        f"{phase.id}?gate",
        Form.HOLD,
        f"{phase.title}: {_points(open_points)}; go on?",
        phase.span.line,
        detail,
        more=(KEEP,) if may_keep(phase) else (),
    )
    try:
        answer = ask(scene, question)
    except Aborted:
        body |= _aborted(scene)
        return Verdict.NO_GO
    body |= {
        "by": answer.who,
        "reason": answer.reason,
        "expires": good_until(answer.expires) if answer.answer == "go" else answer.expires,
        "held": [f.item for f in open_points],
    }
    if answer.answer == KEEP:
        body["stays"] = True
    return Verdict.GO if answer.answer == "go" else Verdict.NO_GO


def _points(findings: Sequence[Finding]) -> str:
    """Return how many points are open: promises that were broken, and what nobody knows."""
    failed = sum(finding.status is Status.FAIL for finding in findings)
    unknown = len(findings) - failed
    parts = [f"{failed} not met"] if failed else []
    parts += [f"{unknown} without evidence"] if unknown else []
    return ", ".join(parts) or "nothing was checked"
