"""Takes the events of a run one after the other and keeps what is known so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gonogo.report import answers_fold, reading, rollback_fold, steps_fold, words
from gonogo.report.alerts import ALERTS, DELIVERING
from gonogo.report.facts import Gap, PhaseFacts
from gonogo.report.known import Key, Known
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


def _delivered(fold: Fold, event: Event) -> None:
    fold.told.deliver(event)


def _noted(fold: Fold, event: Event) -> None:
    fold.told.note(event)


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
    "step.started": steps_fold.step_started,
    "step.looked": _nothing,
    "look.taken": steps_fold.looked,
    "look.missed": steps_fold.looked,
    **dict.fromkeys(("checkpoints.began", "checkpoints.ended", "baseline.recorded"), _nothing),
    "step.tried": steps_fold.step_tried,
    "step.finished": steps_fold.step_finished,
    "question.asked": answers_fold.asked,
    "question.closed": answers_fold.closed,
    "answer.given": answers_fold.answered,
    "answer.refused": answers_fold.refused,
    "gate.decided": answers_fold.decided,
    "abort.requested": answers_fold.abort,
    "rollback.started": rollback_fold.rollback_started,
    "option.started": rollback_fold.option_started,
    "option.finished": rollback_fold.option_finished,
    "rollback.finished": rollback_fold.rollback_finished,
    "recovery.started": _nothing,
    "recovery.seen": rollback_fold.recovering,
    "recovery.judged": rollback_fold.recovery_judged,
    "verdict.given": _verdict,
    "watch.started": steps_fold.watch_started,
    "bucket.closed": steps_fold.slice_closed,
    "rule.moved": steps_fold.rule_moved,
    "rule.judged": steps_fold.rule_judged,
    "watch.ended": steps_fold.watch_ended,
    **dict.fromkeys((f"delivery.{word}" for word in DELIVERING), _delivered),
    **dict.fromkeys(ALERTS, _noted),
}
