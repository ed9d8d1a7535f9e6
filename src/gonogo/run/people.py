"""Asking a person: a question is journaled once, the first answer wins, an abort ends the wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gonogo.clock import moment, stamp
from gonogo.run.findings import has_passed
from gonogo.run.journal import ABORT, Answer, Event
from gonogo.run.scene import Scene


class Form(StrEnum):
    """What kind of question is asked; it tells which answers fit."""

    MANUAL = "manual"  # a person does the step: yes, no, skip
    BLOCK = "block"  # assisted mode, may this block run: run, by hand, skip
    HOLD = "hold"  # the gate cannot decide: go, no-go
    INTERRUPTED = "interrupted"  # was it done when we died: done, again, failed
    TYPED = "typed"  # something will be lost: its name typed out, or no
    ROLLBACK = "rollback"  # `rollback: ask`: yes, no


CHOICES: dict[Form, tuple[str, ...]] = {
    Form.MANUAL: ("yes", "no", "skip"),
    Form.BLOCK: ("run", "by hand", "skip", "no"),
    Form.HOLD: ("go", "no-go"),
    Form.INTERRUPTED: ("done", "again", "failed"),
    Form.TYPED: ("no",),
    Form.ROLLBACK: ("yes", "no"),
}

NEEDS_REASON: frozenset[tuple[Form, str]] = frozenset(
    {
        (Form.MANUAL, "skip"),
        (Form.BLOCK, "skip"),
        (Form.HOLD, "go"),
        (Form.ROLLBACK, "no"),
    }
)
"""Answers that count only with a reason, since they set evidence aside."""


class Aborted(Exception):  # noqa: N818 - a fact, not an error
    """A person asked the run to stop while a step waited or worked."""


class Unanswered(Exception):  # noqa: N818 - a fact, not an error
    """Nobody answered until the deadline of a question."""

    def __init__(self, asked: str, deadline: str) -> None:
        """Keep when it was asked and until when it could be answered, as the journal has them."""
        super().__init__(f"nobody answered until {deadline}")
        self.asked = asked
        self.deadline = deadline


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one item; `typed` is the name that must be typed out."""

    item: str
    form: Form
    text: str
    line: int
    detail: str = ""
    typed: str = ""
    deadline: datetime | None = None  # the first one that is journaled counts
    more: tuple[str, ...] = ()  # answers besides the usual ones, before the last of these

    @property
    def choices(self) -> tuple[str, ...]:
        """Return the answers that fit."""
        if self.form is Form.TYPED:
            return (self.typed, "no")
        *usual, last = CHOICES[self.form]
        return (*usual, *self.more, last)


def misfit(question: Question, answer: Answer) -> str | None:
    """Return why an answer does not fit its question; None when it does."""
    if answer.answer not in question.choices:
        fits = ", ".join(f"`{choice}`" for choice in question.choices)
        return f"`{answer.answer}` is no answer here, expected {fits}"
    if (question.form, answer.answer) in NEEDS_REASON and not answer.reason.strip():
        return f"`{answer.answer}` needs a reason"
    return None


def expired(scene: Scene, answer: Answer) -> str | None:
    """Return why an answer that was given beforehand counts no longer; None when it does."""
    over = has_passed(answer.expires, scene.clock.now())
    return f"it expired {answer.expires}" if over else None


def ask(scene: Scene, question: Question, *, deaf: bool = False) -> Answer:
    """Journal the question, wait for a fitting answer, journal it, return it.

    Survives our death: the question is not asked twice, and an answer given meanwhile is found.

    Raises:
        Aborted: a person asked the run to stop (never with `deaf`, inside a rollback), or the
            watch that asks has ended.
        Unanswered: its deadline has passed; an answer that came until then counts.
    """
    given = scene.last("answer.given", question.item)
    if given is not None:
        return _journaled(given.body, given.who, given.at, scene.run, question.item)
    asked = scene.last("question.asked", question.item)
    if asked is None:
        if not deaf and is_aborted(scene):
            raise Aborted  # nobody is asked about what will not happen
        asked = scene.write("question.asked", question.item, body=_body(question), durable=True)
    while True:
        answer = scene.journal.answer(scene.run, question.item)
        _refuse_late(scene, asked, answer)
        if answer is not None:
            why = misfit(question, answer) or expired(scene, answer)
            if why is None:
                break
            refused = {"answer": scene.redact(answer.answer), "why": scene.redact(why)}
            scene.write("answer.refused", question.item, who=answer.who, body=refused)
            scene.journal.withdraw(scene.run, question.item)
        if not deaf and is_aborted(scene):
            raise Aborted
        scene.clock.wait(scene.poll_s)
    scene.write(
        "answer.given",
        question.item,
        who=answer.who,
        durable=True,
        body={
            "answer": answer.answer,
            "reason": answer.reason,
            "link": answer.link,
            "expires": answer.expires,
            "form": question.form.value,
        },
    )
    return answer


def _refuse_late(scene: Scene, asked: Event, answer: Answer | None) -> None:
    """Raise when the deadline has passed; an answer counts by the time at which it was given."""
    deadline = str(asked.body.get("deadline") or "")
    if not deadline:
        return
    at = scene.clock.now() if answer is None else moment(answer.at)
    if at > moment(deadline):
        raise Unanswered(asked.at, deadline)


def is_aborted(scene: Scene) -> bool:
    """Say whether a person asked the run to stop, or the watch that a step belongs to is over."""
    if scene.ending is not None and scene.ending.why:
        return True
    return scene.journal.answer(scene.run, ABORT) is not None


def stop_signal(scene: Scene, *, deaf: bool) -> Callable[[], bool]:
    """Return what a working step asks from time to time; it never asks more often than we poll."""
    if deaf:
        return lambda: False
    state = {"next": 0.0, "aborted": False}

    def asked() -> bool:
        now = scene.clock.monotonic()
        if not state["aborted"] and now >= state["next"]:
            state["next"] = now + scene.poll_s
            state["aborted"] = is_aborted(scene)
        return bool(state["aborted"])

    return asked


def open_questions(kinds: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the items of questions without an answer, from (kind, item) pairs in order."""
    waiting: dict[str, None] = {}
    for kind, item in kinds:
        if kind == "question.asked":
            waiting[item] = None
        elif kind in ("answer.given", "question.closed", "step.finished", "gate.decided"):
            waiting.pop(item, None)
    return tuple(waiting)


def _body(question: Question) -> dict[str, object]:
    body: dict[str, object] = {
        "question": question.text,
        "form": question.form.value,
        "choices": list(question.choices),
        "detail": question.detail,
        "line": question.line,
    }
    if question.deadline is not None:
        body["deadline"] = stamp(question.deadline)
        until = f"answered by {question.deadline:%Y-%m-%d %H:%M:%S} UTC, else it is not known"
        body["detail"] = "\n".join(part for part in (question.detail, until) if part)
    return body


def _journaled(body: object, who: str, at: str, run: str, item: str) -> Answer:
    assert isinstance(body, dict)
    return Answer(
        run=run,
        epoch=1,
        item=item,
        answer=str(body.get("answer", "")),
        who=who,
        at=at,
        reason=str(body.get("reason", "")),
        link=str(body.get("link", "")),
        expires=str(body.get("expires", "")),
    )
