"""Takes the events of a run one after the other and keeps what is known so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gonogo.judge.verdict import Status
from gonogo.report import reading, words
from gonogo.report.alerts import ALERTS, DELIVERING
from gonogo.report.facts import (
    Answered,
    Attempt,
    Decision,
    Gap,
    OptionFacts,
    PhaseFacts,
    Question,
    Recovery,
    RollbackFacts,
    StepFacts,
)
from gonogo.report.known import Key, Known, about
from gonogo.report.looks import look_of
from gonogo.report.watch import RULE, WARN
from gonogo.report.watch_fold import watch_of
from gonogo.run.journal import Event


class Fold(Known):
    """What a list of events says; `take` may be called at any time with the next event."""

    def take(self, event: Event) -> Key | None:
        """Learn one event; return the key of the step that it is about, if it is about one."""
        self._watch_clock(event)
        handler = _HANDLERS.get(event.kind)
        if handler is None:
            self.unread[event.kind] = None
        elif event.kind in _GOES_ON:
            self.ending = None
        key = handler(self, event) if handler is not None else None
        self.last = event
        return key

    def _watch_clock(self, event: Event) -> None:
        if self.last is None:
            return
        passed = words.seconds_between(self.last.at, event.at)
        if passed is not None and passed < 0:
            what = "the clock of the machine was set back"
            self.gaps.append(Gap("clock", what, self.last.at, event.at, passed))


def _nothing(_fold: Fold, _event: Event) -> None:
    """Learn nothing from an event that other events repeat in full."""


def _started(fold: Fold, event: Event) -> None:
    fold.start = fold.start or event
    fold.plan(reading.inner(event.body, "plan"))


def _resumed(fold: Fold, event: Event) -> None:
    since = fold.last.at if fold.last is not None else ""
    passed = words.seconds_between(since, event.at)
    if passed is None:
        passed = reading.number(event.body, "gap_s")
    what = "nobody carried the run on"
    fold.gaps.append(Gap("resumed", what, since, event.at, passed))
    phase = fold.phases.get(fold.phase)
    if phase is not None and not phase.decisions and passed is not None and passed > 0:
        fold.phases[fold.phase] = replace(phase, gap_s=phase.gap_s + passed)


def _phase_started(fold: Fold, event: Event) -> None:
    title = reading.text(event.body, "title")
    known = fold.phases.get(event.item)
    if fold.rollback is not None and fold.rollback.begun:
        fold.proving, fold.option = event.item, ""
        title = title or (known.title if known is not None else event.item)
        fold.rollback = replace(fold.rollback, proof_title=title)
        return
    fold.phase = event.item
    phase = known or PhaseFacts(event.item, title or event.item)
    role = phase.role or reading.text(event.body, "role")
    fold.phases[event.item] = replace(phase, role=role, started=phase.started or event.at)


def _step_started(fold: Fold, event: Event) -> Key:
    key = fold.key_of(event.item)
    step = fold.step_at(key, event.body)
    attempt = Attempt(event.attempt or len(step.attempts) + 1, started=event.at)
    fold.steps[key] = replace(step, attempts=(*step.attempts, attempt))
    return key


def _step_tried(fold: Fold, event: Event) -> Key:
    key = fold.key_of(event.item)
    fold.steps[key] = _ended(fold.step_at(key, event.body), event)
    return key


def _looked(fold: Fold, event: Event) -> Key:
    key = fold.key_of(event.item)
    step = fold.step_at(key, {})
    fold.steps[key] = replace(step, looks=(*step.looks, look_of(event)))
    return key


def _step_finished(fold: Fold, event: Event) -> Key:
    key = fold.key_of(event.item)
    step = _ended(fold.step_at(key, event.body), event)
    finding = reading.finding(event.body, event.item)
    fold.steps[key] = replace(
        step,
        finding=finding,
        critical=step.critical or finding.critical,
        planned_s=step.planned_s if step.planned_s is not None else finding.planned_s,
    )
    return key


def _watch_started(fold: Fold, event: Event) -> None:
    watching = fold.watching(event.item)
    watching.start(event)
    begun = (Attempt(1, started=event.at),)
    for rule in watching.head.rules:
        if rule.consequence != WARN:  # a warning is told and decides nothing
            step = StepFacts(rule.id, rule.text, rule.line, RULE, attempts=begun)
            fold.steps.setdefault(("rule", event.item, rule.id), step)


def _slice_closed(fold: Fold, event: Event) -> None:
    fold.watching(watch_of(event)).close_slice(event)


def _rule_moved(fold: Fold, event: Event) -> None:
    fold.watching(reading.text(event.body, "phase") or fold.watched or fold.phase).move(event)


def _watch_ended(fold: Fold, event: Event) -> None:
    fold.watching(event.item).end(event)


def _rule_judged(fold: Fold, event: Event) -> Key:
    place = reading.text(event.body, "phase") or fold.watched or fold.phase
    fold.watching(place)
    key = ("rule", place, event.item)
    finding = reading.finding(event.body, event.item)
    known = fold.steps.get(key) or StepFacts(
        event.item, finding.title or event.item, finding.line, RULE
    )
    fold.steps[key] = replace(
        _ended(known, event), finding=finding, critical=known.critical or finding.critical
    )
    return key


def _delivered(fold: Fold, event: Event) -> None:
    fold.told.deliver(event)


def _noted(fold: Fold, event: Event) -> None:
    fold.told.note(event)


def _ended(step: StepFacts, event: Event) -> StepFacts:
    """Close the attempt that is open, or add one of which only the end is known."""
    before = step.attempts[:-1] if step.is_open else step.attempts
    current = step.attempts[-1] if step.is_open else Attempt(event.attempt or len(before) + 1)
    closed = replace(
        current,
        finished=event.at,
        status=reading.status(event.body) or Status.UNKNOWN,
        actual=reading.text(event.body, "actual"),
        why=reading.text(event.body, "why"),
    )
    return replace(step, attempts=(*before, closed))


def _asked(fold: Fold, event: Event) -> None:
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


def _closed(fold: Fold, event: Event) -> None:
    _keep(fold, event, _answer(event, reading.text(event.body, "why")))


def _refused(fold: Fold, event: Event) -> None:
    answer = replace(_answer(event, reading.text(event.body, "answer")), refused="refused")
    why = reading.text(event.body, "why")
    _keep(fold, event, replace(answer, refused=why or answer.refused))


def _answered(fold: Fold, event: Event) -> None:
    answer = _answer(event, reading.text(event.body, "answer"))
    _keep(fold, event, answer)
    item = about(event.item)
    if answer.answer == "skip" and fold.declared.get(item):
        key = fold.key_of(item)
        fold.steps[key] = replace(fold.step_at(key, {}), skipped=True)


def _keep(fold: Fold, event: Event, answer: Answered) -> None:
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


def _decided(fold: Fold, event: Event) -> None:
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


def _abort(fold: Fold, event: Event) -> None:
    fold.aborts.append(_answer(event, "abort"))


def _rollback_started(fold: Fold, event: Event) -> None:
    back = fold.rollback or RollbackFacts(id=event.item)
    if back.started:
        return  # said once more after a crash
    body = event.body
    fold.rollback = replace(
        back,
        started=event.at,
        reason=reading.text(body, "reason"),
        item=reading.text(body, "item"),
        way=reading.text(body, "way"),
    )


def _option_started(fold: Fold, event: Event) -> None:
    option = fold.options.get(event.item) or OptionFacts(event.item, "")
    fold.option = event.item
    stated = reading.number(event.body, "stated_s")
    fold.options[event.item] = replace(
        option,
        title=option.title or reading.text(event.body, "title") or event.item,
        stated_s=option.stated_s if option.stated_s is not None else stated,
        loses=option.loses or reading.text(event.body, "loses"),
        started=option.started or event.at,
    )


def _option_finished(fold: Fold, event: Event) -> None:
    option = fold.options.get(event.item) or OptionFacts(event.item, event.item)
    measured = reading.number(event.body, "duration_s")
    if measured is None:  # the proof comes before the end of an option, and is not part of it
        acts = fold.steps_of("option", event.item)
        ends = [step.attempts[-1].finished for step in acts if step.attempts]
        measured = words.seconds_between(option.started, max(ends, default="") or event.at)
    measured = measured if option.started else None  # one that was left out took no time
    fold.options[event.item] = replace(
        option,
        finished=event.at,
        status=reading.text(event.body, "status"),
        why=reading.text(event.body, "why"),
        measured_s=measured,
    )
    fold.option = ""


def _rollback_finished(fold: Fold, event: Event) -> None:
    back = fold.rollback or RollbackFacts(id=event.item)
    fold.rollback = replace(
        back,
        finished=event.at,
        status=reading.text(event.body, "status"),
        option=reading.text(event.body, "option"),
        why=reading.text(event.body, "why"),
    )


def _recovering(fold: Fold, event: Event) -> None:
    back = fold.rollback or RollbackFacts()
    way, says = reading.text(event.body, "way"), reading.text(event.body, "says")
    start = words.at_ms(event.body.get("start_ms"))
    seen = Recovery(
        way or event.item.rpartition("@")[0] or event.item,
        start,
        says,
        reading.text(event.body, "look"),
        reading.whole(event.body, "count"),
        reading.whole(event.body, "need") or 1,
    )
    kept = (one for one in back.recovery if (one.way, one.start) != (seen.way, seen.start))
    fold.rollback = replace(back, recovery=(*kept, seen))


def _recovery_judged(fold: Fold, event: Event) -> Key:
    key = ("time", "", event.item)
    finding = reading.finding(event.body, event.item)
    step = StepFacts(event.item, finding.title or event.item, finding.line, "check")
    fold.steps[key] = replace(_ended(step, event), finding=finding)
    return key


def _verdict(fold: Fold, event: Event) -> None:
    fold.ending = event


_GOES_ON = {
    "watch.started",
    "bucket.closed",
    "run.resumed",
    "phase.started",
    "step.started",
    "step.tried",
    "step.finished",
    "gate.decided",
    "rollback.started",
    "option.started",
    "option.finished",
    "rollback.finished",
}

_HANDLERS: dict[str, Callable[[Fold, Event], Key | None]] = {
    "run.started": _started,
    "run.resumed": _resumed,
    "phase.started": _phase_started,
    "step.started": _step_started,
    "step.looked": _nothing,
    "look.taken": _looked,
    "look.missed": _looked,
    **dict.fromkeys(("checkpoints.began", "checkpoints.ended", "baseline.recorded"), _nothing),
    "step.tried": _step_tried,
    "step.finished": _step_finished,
    "question.asked": _asked,
    "question.closed": _closed,
    "answer.given": _answered,
    "answer.refused": _refused,
    "gate.decided": _decided,
    "abort.requested": _abort,
    "rollback.started": _rollback_started,
    "option.started": _option_started,
    "option.finished": _option_finished,
    "rollback.finished": _rollback_finished,
    "recovery.started": _nothing,
    "recovery.seen": _recovering,
    "recovery.judged": _recovery_judged,
    "verdict.given": _verdict,
    "watch.started": _watch_started,
    "bucket.closed": _slice_closed,
    "rule.moved": _rule_moved,
    "rule.judged": _rule_judged,
    "watch.ended": _watch_ended,
    **dict.fromkeys((f"delivery.{word}" for word in DELIVERING), _delivered),
    **dict.fromkeys(ALERTS, _noted),
}
