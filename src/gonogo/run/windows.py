"""Waiting for the window of a phase: the run stays, and a named person may let it begin early.

Outside of the window the run waits and says until when. `go` with a reason begins at once and is a
waiver; `no-go` ends the run. Where the runbook says *if possible* it goes on, and that is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from gonogo.clock import stamp
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Phase
from gonogo.plan.route import estimated_s
from gonogo.plan.windows import Calendar
from gonogo.run.findings import good_until
from gonogo.run.journal import Answer
from gonogo.run.people import Form, Question, expired, is_aborted, misfit
from gonogo.run.scene import Scene

TITLE = "the window for this phase is open"
WISHED = "outside of the window, which is only a wish"

_WISH = "; the runbook lets it begin"


def slot_name(phase: Phase) -> str:
    """Return the name of the slot in which a phase waits for its window."""
    return f"{phase.id}?window"


def slot_names(phase: Phase) -> list[str]:
    """Return the slots that the window of a phase needs."""
    return [] if phase.calendar is None else [slot_name(phase)]


def enter(scene: Scene, phase: Phase) -> Mapping[str, object]:
    """Wait until the phase may begin; return the finding. Safe to enter again after a crash."""
    item = slot_name(phase)
    recorded = scene.last("step.finished", item)
    if recorded is not None:
        return recorded.body
    assert phase.calendar is not None, "only a phase with a window waits for it"
    begun = scene.last("step.started", item)
    if begun is None:
        wished = _is_wished(scene, phase, phase.calendar)
        opening = {"title": WISHED if wished else TITLE, "line": phase.span.line, "effect": "check"}
        begun = scene.write("step.started", item, body=opening, attempt=1)
    finding = _waited(scene, phase, phase.calendar, begun.at)
    return scene.write("step.finished", item, body=finding.as_json(), attempt=1).body


def _lasting(phase: Phase) -> timedelta:
    return timedelta(seconds=max(estimated_s(phase) or 0.0, 60.0))


def _is_wished(scene: Scene, phase: Phase, calendar: Calendar) -> bool:
    """Say whether the window is closed, and only wished for."""
    now = scene.clock.now()
    wish = calendar.soft and calendar.frozen(now) is None
    return wish and calendar.closed(now, _lasting(phase)) is not None


def _waited(scene: Scene, phase: Phase, calendar: Calendar, started: str) -> Finding:
    lasting = _lasting(phase)
    first = calendar.closed(scene.clock.now(), lasting)
    if first is not None and _is_wished(scene, phase, calendar):
        return _found(phase, started, Status.PASS, f"{first}{_WISH}")
    question = f"{phase.id}?early"
    while (why := calendar.closed(scene.clock.now(), lasting)) is not None:
        if is_aborted(scene):
            return _found(phase, started, Status.UNKNOWN, f"{why}; the run was aborted")
        _ask(scene, phase, question, calendar, why, lasting)
        answer = _answer(scene, question, phase)
        if answer is not None:
            return _early(phase, started, answer, why)
        scene.clock.wait(scene.poll_s)
    if scene.last("question.asked", question) is not None:
        _close(scene, question)
    said = f"it is {calendar.local(scene.clock.now())}"
    waited = "" if first is None else f"; waited, since {first}"
    return _found(phase, started, Status.PASS, said + waited)


def _ask(
    scene: Scene, phase: Phase, item: str, calendar: Calendar, why: str, lasting: timedelta
) -> None:
    if scene.last("question.asked", item) is not None:
        return
    opens = calendar.opens(scene.clock.now(), lasting)
    until = "no window opens within a year" if opens is None else f"opens {calendar.local(opens)}"
    question = Question(
        item,
        Form.HOLD,
        f"{phase.title}: {why}; it waits: {until}; begin all the same?",
        phase.span.line,
        f"{until}; the run waits for it",
    )
    body = {
        "question": question.text,
        "form": question.form.value,
        "choices": list(question.choices),
        "detail": question.detail,
        "line": question.line,
        "opens": None if opens is None else stamp(opens),
    }
    scene.write("question.asked", item, body=body, durable=True)


def _close(scene: Scene, item: str) -> None:
    """Take the question back: nobody needs to answer it, not even who just sees it."""
    nobody = Answer(scene.run, 1, item, "open", "gonogo", stamp(scene.clock.now()))
    scene.journal.put(nobody)
    scene.once("question.closed", item, body={"why": "the window is open"})


def _answer(scene: Scene, item: str, phase: Phase) -> Answer | None:
    """Return what a person said meanwhile; an answer that does not fit is refused."""
    answer = scene.journal.answer(scene.run, item)
    if answer is None:
        return None
    why = misfit(Question(item, Form.HOLD, "", phase.span.line), answer)
    why = why or expired(scene, answer)
    if why is None:
        body = {
            "answer": answer.answer,
            "reason": answer.reason,
            "expires": answer.expires,
            "form": Form.HOLD.value,
        }
        scene.write("answer.given", item, who=answer.who, body=body, durable=True)
        return answer
    refused = {"answer": scene.redact(answer.answer), "why": scene.redact(why)}
    scene.write("answer.refused", item, who=answer.who, body=refused)
    scene.journal.withdraw(scene.run, item)
    return None


def _early(phase: Phase, started: str, answer: Answer, why: str) -> Finding:
    status = Status.WAIVED if answer.answer == "go" else Status.FAIL
    found = replace(_found(phase, started, status, why), by=answer.who, reason=answer.reason)
    accepts = status is Status.WAIVED
    return replace(found, expires=good_until(answer.expires)) if accepts else found


def _found(phase: Phase, started: str, status: Status, said: str) -> Finding:
    assert phase.calendar is not None, "only a phase with a window waits for it"
    wished = status is Status.PASS and said.endswith(_WISH)
    return Finding(
        item=slot_name(phase),
        title=WISHED if wished else TITLE,
        status=status,
        effect="check",
        line=phase.span.line,
        expected=phase.calendar.say(),
        actual=said,
        why="" if status is Status.PASS else said,
        started=started,
        attempts=1,
        critical=True,
    )
