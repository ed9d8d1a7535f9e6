"""What a person does or judges: manual steps, blocks that need a yes, what only prose expects."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gonogo.clock import moment
from gonogo.judge.firing import lasting
from gonogo.judge.raising import Raising
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Consequence, Step
from gonogo.plan.notices import Severity
from gonogo.run.alerting import raise_alert
from gonogo.run.findings import blank, expected, good_until
from gonogo.run.journal import ABORT, Answer
from gonogo.run.people import Aborted, Form, Question, Unanswered, ask, is_aborted
from gonogo.run.scene import Scene

_PROSE = "Expected: "  # a note of the plan: what the page expects in words of its own
_NO_CONDITION = "Expect: "  # the same, where the author wrote `Expect` and no condition
_REFUSED = "By hand only: "  # a note of the plan: why gonogo does not carry out the block
_BLOCK = "Block: "  # the same: the text of that block
_SCREENFUL = 16  # lines of a block that are shown beside a question
_MUST_NOT = "Must not be: "  # a note of the plan: a trigger without a figure
_TRIGGER = f"({Consequence.ROLLBACK.value})"  # the end of such a note, when it rolls back
SEEN = "seen"
"""The answer of a person who saw what must not be."""
_JUDGED = {"yes": Status.PASS, "no": Status.FAIL, SEEN: Status.FAIL}


def manual(
    scene: Scene, step: Step, *, deaf: bool = False, until: datetime | None = None
) -> Finding:
    """Ask a person about a step; `until` is a deadline beside the step's own.

    Raises:
        Aborted, Unanswered: see `people.ask`.
    """
    if is_aborted(scene) and not deaf:
        raise Aborted
    begun = scene.last("step.started", step.id) or scene.write(
        "step.started", step.id, body=opening(step, ""), attempt=1
    )
    why, block = _refused(scene, step)
    detail = "\n".join(part for part in (expected(step.expect), why, block) if part)
    text = step.title
    more: tuple[str, ...] = ()
    if any(note.startswith(_MUST_NOT) for note in step.notes):  # yes is always the good answer
        text, more = f"nothing of this kind is seen: {step.title}", (SEEN,)
    deadline = _deadline(step, moment(begun.at), until)
    question = Question(
        step.id, Form.MANUAL, text, step.span.line, detail, deadline=deadline, more=more
    )
    answer = ask(scene, question, deaf=deaf)
    if answer.answer in ("no", SEEN) and _rolls_back(step):
        _press(scene, step, answer)
    return _answered(
        step,
        _JUDGED.get(answer.answer, Status.WAIVED),
        answer,
        started=begun.at,
        duration_s=round((scene.clock.now() - moment(begun.at)).total_seconds(), 3),
        attempts=1,
        notes=(why,) if why else (),
        text=block,
    )


def _refused(scene: Scene, step: Step) -> tuple[str, str]:
    """Return why the block of a step is not carried out, and the block in a screenful.

    Both are redacted before they are cut; both are empty when the step has no block.
    """
    said = {
        head: note for note in step.notes for head in (_REFUSED, _BLOCK) if note.startswith(head)
    }
    if len(said) < 2:
        return "", ""
    why = f"not run by gonogo: {scene.redact(said[_REFUSED].removeprefix(_REFUSED))}"
    lines = scene.redact(said[_BLOCK].removeprefix(_BLOCK)).split("\n")
    more = len(lines) - _SCREENFUL
    if more > 0:
        lines = [*lines[:_SCREENFUL], f"… {more} more of its lines stand in the runbook"]
    return why, "\n".join(lines)


def _rolls_back(step: Step) -> bool:
    """Say whether it is a trigger without a figure, not an alert or an objective."""
    return any(n.startswith(_MUST_NOT) and n.endswith(_TRIGGER) for n in step.notes)


def _press(scene: Scene, step: Step, answer: Answer) -> None:
    """Stop the run at once: a person saw what rolls back. Put twice, it is there once."""
    reason = f"{step.title}, seen" + (f": {answer.reason}" if answer.reason else "")
    pressed = Answer(scene.run, answer.epoch, ABORT, SEEN, answer.who, answer.at, reason)
    scene.journal.put(pressed)


def _deadline(step: Step, asked: datetime, until: datetime | None) -> datetime | None:
    """Return the earlier of the step's own deadline and another one."""
    own = None if step.deadline_s is None else asked + timedelta(seconds=step.deadline_s)
    return min((at for at in (own, until) if at is not None), default=None)


def unanswered(scene: Scene, step: Step, late: Unanswered) -> Finding:
    """Return what is known of a question that nobody answered in time: nothing; page once."""
    asked, deadline = moment(late.asked), moment(late.deadline)
    waited_s = (deadline - asked).total_seconds()
    lasted = lasting(round(waited_s) * 1000 if waited_s >= 1 else round(waited_s * 1000))
    rule = f"unanswered/{step.id}"
    if scene.last("alert.raised", rule) is None:
        text = f"nobody answered `{step.title}` within {lasted}"
        since = int(asked.timestamp() * 1000)
        raise_alert(scene, Raising(rule, Severity.PAGE, text, since))
    scene.once("question.closed", step.id, body={"why": f"nobody answered within {lasted}"})
    why = f"nobody answered within {lasted} (until {deadline:%Y-%m-%d %H:%M:%S} UTC)"
    return blank(step, Status.UNKNOWN, why, started=late.asked, attempts=1)


def shown(scene: Scene, step: Step, finding: Finding, *, deaf: bool = False) -> Finding:
    """Let a person judge what only prose expects, on top of what the machine has judged.

    Asks only where all else holds: a person's yes makes no pass of a failed exit code, nor of one
    that could not be seen.
    """
    prose = _prose(step)
    unjudged = finding.status is Status.UNKNOWN and not step.expect
    if not prose or not (finding.status is Status.PASS or unjudged):
        return finding
    if finding.by is not None:  # done by hand: its person has answered for it
        return finding
    question = Question(
        f"{step.id}?shown",
        Form.MANUAL,
        f"`{step.title}` should show: {'; '.join(prose)}. does it?",
        step.span.line,
        finding.text,
    )
    answer = ask(scene, question, deaf=deaf)
    status = {"yes": Status.PASS, "no": Status.FAIL}.get(answer.answer, Status.WAIVED)
    return replace(
        finding,
        status=status,
        why="" if status is Status.PASS else f"answered {answer.answer}: not {'; '.join(prose)}",
        by=answer.who,
        reason=answer.reason or None,
        link=answer.link or None,
        expires=_expires(status, answer),
    )


def _prose(step: Step) -> list[str]:
    """Return what a person is to judge: prose counts unless a condition was written beside it."""
    written = any(not item.default for item in step.expect)
    kinds = (_NO_CONDITION,) if written else (_PROSE, _NO_CONDITION)
    return [note.partition(": ")[2] for note in step.notes if note.startswith(kinds)]


def allowed(scene: Scene, step: Step, *, deaf: bool = False) -> Finding | None:
    """Ask, in assisted mode, what to do with a block; None when it may run."""
    assert step.block is not None
    question = Question(
        f"{step.id}?block",
        Form.BLOCK,
        f"run the block of `{step.title}`?",
        step.block.span.line,
        step.block.text,
    )
    answer = ask(scene, question, deaf=deaf)
    if answer.answer == "run":
        return None
    status = {"by hand": Status.PASS, "no": Status.FAIL}.get(answer.answer, Status.WAIVED)
    return _answered(step, status, answer)


def _answered(step: Step, status: Status, answer: Answer, **more: object) -> Finding:
    """Return the finding that a person's answer makes, in that person's name."""
    said = f"answered {answer.answer}"
    return blank(
        step,
        status,
        "" if status is Status.PASS else said,
        actual=said,
        by=answer.who,
        reason=answer.reason or None,
        link=answer.link or None,
        expires=_expires(status, answer),
        **more,
    )


def _expires(status: Status, answer: Answer) -> str | None:
    """Return until when the answer holds; what sets evidence aside always has an end."""
    return good_until(answer.expires) if status is Status.WAIVED else answer.expires or None


def opening(step: Step, command: str) -> dict[str, object]:
    """Return what is journaled when a step is begun."""
    return {
        "title": step.title,
        "line": step.span.line,
        "effect": step.effect.value,
        "command": command,
    }
