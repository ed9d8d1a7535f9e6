"""Takes the events about people and gates: what was asked, answered and decided, and why."""

from __future__ import annotations

from dataclasses import replace

from gonogo.report import reading
from gonogo.report.facts import Answered, Decision, PhaseFacts, Question
from gonogo.report.known import Known, about
from gonogo.run.journal import Event


def asked(fold: Known, event: Event) -> None:
    """Learn that a person is asked; the same question twice is one."""
    wording = reading.text(event.body, "question")
    for known in fold.questions:
        if known.item == event.item and known.question == wording and known.is_open:
            return  # asked once more after a crash
    fold.questions.append(
        Question(
            item=event.item,
            title=fold.title(event.item),
            question=wording,
            form=reading.text(event.body, "form"),
            choices=reading.texts(event.body, "choices"),
            detail=reading.text(event.body, "detail"),
            line=reading.whole(event.body, "line"),
            asked=event.at,
        )
    )


def closed(fold: Known, event: Event) -> None:
    """Learn that a question was closed without an answer."""
    _keep(fold, event, _answer(event, reading.text(event.body, "why")))


def refused(fold: Known, event: Event) -> None:
    """Learn that an answer did not fit."""
    answer = replace(_answer(event, reading.text(event.body, "answer")), refused="refused")
    why = reading.text(event.body, "why")
    _keep(fold, event, replace(answer, refused=why or answer.refused))


def answered(fold: Known, event: Event) -> None:
    """Learn what a person answered."""
    answer = _answer(event, reading.text(event.body, "answer"))
    _keep(fold, event, answer)
    item = about(event.item)
    if answer.answer == "skip" and fold.declared.get(item):
        key = fold.key_of(item)
        fold.steps[key] = replace(fold.step_at(key, {}), skipped=True)


def _keep(fold: Known, event: Event, answer: Answered) -> None:
    """Put an answer under its question; an answer that nobody asked for stands alone."""
    for place in range(len(fold.questions) - 1, -1, -1):
        question = fold.questions[place]
        if question.item == event.item:
            fold.questions[place] = replace(question, answers=(*question.answers, answer))
            break
    else:
        title = fold.title(event.item)
        fold.questions.append(Question(event.item, title, "", answers=(answer,)))


def _answer(event: Event, answer: str) -> Answered:
    return Answered(
        answer=answer,
        who=event.who,
        at=event.at,
        reason=reading.text(event.body, "reason"),
        link=reading.text(event.body, "link"),
        expires=reading.text(event.body, "expires"),
    )


def decided(fold: Known, event: Event) -> None:
    """Learn the verdict of a gate, or of the proof of a way back."""
    body = event.body
    reasons, counts = reading.texts(body, "reasons"), dict(reading.inner(body, "counts"))
    verdict = reading.verdict(body)
    person = reading.text(body, "by")
    by = None
    if person:
        said = "" if verdict is None else verdict.value
        by = replace(_answer(event, said), who=person)
    decision = Decision(event.at, verdict, reasons, counts, reading.texts(body, "held"), by)
    phase = fold.phases.get(event.item)
    back = fold.rollback
    if back is not None and back.begun and (phase is None or event.item == fold.proving):
        fold.rollback = replace(back, decisions=(*back.decisions, decision))
        return
    phase = phase or PhaseFacts(event.item, event.item)
    fold.phases[event.item] = replace(phase, decisions=(*phase.decisions, decision))


def abort(fold: Known, event: Event) -> None:
    """Learn that a person asked to stop the run."""
    fold.aborts.append(_answer(event, "abort"))
