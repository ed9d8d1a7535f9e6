"""What the journal of a run proves, as one value built from its events alone.

`collect` reads no file and asks no clock: the same events give the same evidence on any machine, on
any day. What the events do not say stays empty; what never ran is listed as not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import ClassVar

from gonogo.judge.verdict import Status, Verdict
from gonogo.report import reading, words
from gonogo.report.alerts import AlertNote, Delivery
from gonogo.report.facts import (
    Answered,
    Gap,
    HeldTime,
    PhaseFacts,
    Question,
    RollbackFacts,
    StepFacts,
    Times,
    Waiver,
)
from gonogo.report.fold import Fold
from gonogo.report.values import form, without_times
from gonogo.report.watch import Watch
from gonogo.run.journal import Event, broken_link


class Outcome(StrEnum):
    """What a reader is told in the first place."""

    GO = "go"
    HOLD = "hold"  # a person decides
    NO_GO = "no-go"
    ROLLED_BACK = "rolled back"  # no-go, and the old state is back and proved
    UNFINISHED = "unfinished"  # the journal ends before a verdict
    UNPROVEN = "unproven"  # the chain of events is broken: whatever it says, it proves nothing


ROLLED_BACK_EXIT = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a run's events prove; times are ISO 8601 UTC, durations in seconds."""

    ALSO: ClassVar[tuple[str, ...]] = ("outcome", "intact", "measured_s")

    run: str = ""
    service: str = ""
    title: str = ""
    release: str = ""
    environment: str = ""
    mode: str = ""
    calendar: str = ""  # `1/720`: lengths of time ran so much faster than is written
    blocks: str = ""  # what waits for this release, as the runbook says it
    runbook: str = ""  # the name under which its reader knows it
    digest: str = ""
    text: str = ""  # the runbook as it was when the run started
    started_by: str = ""
    host: str = ""
    version: str = ""
    folder: str = ""
    bindings: tuple[str, ...] = ()  # names, never values
    started: str = ""
    ended: str = ""  # the last event
    phases: tuple[PhaseFacts, ...] = ()
    elsewhere: tuple[StepFacts, ...] = ()  # findings that belong to no phase
    questions: tuple[Question, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    gaps: tuple[Gap, ...] = ()
    aborts: tuple[Answered, ...] = ()
    rollback: RollbackFacts | None = None
    alerts: tuple[AlertNote, ...] = ()  # what was decided about alerts
    deliveries: tuple[Delivery, ...] = ()  # who was told
    verdict: Verdict | None = None
    exit_code: int | None = None
    why: str = ""
    times: Times = field(default_factory=Times)
    events: int = 0
    head: str = ""  # hash of the last event
    broken_at: int | None = None  # first event that does not follow
    unread: tuple[str, ...] = ()  # kinds of events that this version does not know
    last_event: str = ""
    place: str = ""  # where the report is kept

    @property
    def intact(self) -> bool:
        """Say whether every event follows from the one before."""
        return self.broken_at is None

    @property
    def finished(self) -> bool:
        """Say whether the run ended with a verdict."""
        return self.verdict is not None or self.exit_code is not None

    @property
    def outcome(self) -> Outcome:
        """Return what to tell first; go only with a verdict of go in an unbroken journal."""
        if not self.intact:
            return Outcome.UNPROVEN
        went_back = self.rollback is not None and self.rollback.begun
        if self.exit_code == ROLLED_BACK_EXIT and went_back:
            return Outcome.ROLLED_BACK
        if self.verdict is None:
            return Outcome.UNFINISHED
        if self.verdict is Verdict.GO and self.exit_code not in (0, None):
            return Outcome.HOLD  # the two do not agree: a person must look
        return Outcome(self.verdict.value)

    @property
    def measured_s(self) -> float | None:
        """Return the seconds from the first event to the last."""
        return words.seconds_between(self.started, self.ended)

    def sections(self) -> tuple[tuple[str, tuple[StepFacts, ...]], ...]:
        """Return all steps under the title of the place where they were carried out.

        Ways back that were not needed are left out: there was nothing to find.
        """
        found = [(phase.title, phase.judged) for phase in self.phases]
        back = self.rollback
        if back is not None and back.begun:
            found += [(option.title, option.steps) for option in back.options if option.begun]
            found.append(("Undo", back.undo))
            found.append((back.proof_title or "Proof", back.proof))
            found.append(("Recovery time", back.time))
            found += [(f"Watch {watch.phase}", watch.findings) for watch in back.watches]
        found.append(("Elsewhere", self.elsewhere))
        return tuple((title, steps) for title, steps in found if steps)

    def watches(self) -> tuple[tuple[str, Watch], ...]:
        """Return every watch under the title of its phase; those of a way back last."""
        found = [(phase.title, phase.watch) for phase in self.phases if phase.watch is not None]
        behind = self.rollback.watches if self.rollback is not None else ()
        return (*found, *((f"Watch {watch.phase}", watch) for watch in behind))

    def comparable(self) -> dict[str, object]:
        """Return what must be equal for two runs that went the same way, as JSON values.

        Left out: times, durations, gaps, attempts, notes about them, hosts, folders, run ids,
        process ids, hashes, and indicators that measure time.
        """
        data = without_times(form(self))
        assert isinstance(data, dict)
        return data


def collect(events: Sequence[Event], *, place: str = "") -> Evidence:
    """Return the evidence of one run from all of its events, in order; raises nothing for any.

    `place` is where the report will be found; it is only printed.
    """
    fold = Fold()
    for event in events:
        fold.take(event)
    evidence = gathered(fold, place=place)
    return replace(
        evidence,
        events=len(events),
        head=events[-1].hash if events else "",
        broken_at=broken_link(events),
    )


def gathered(fold: Fold, *, place: str = "") -> Evidence:
    """Return what a fold knows so far; the chain of events is not looked at."""
    start, last, ending = fold.start, fold.last, fold.ending
    body = start.body if start is not None else {}
    end = ending.body if ending is not None else {}
    at = last.at if last is not None else ""
    phases = _phases(fold)
    return Evidence(
        run=last.run if last is not None else "",
        service=reading.text(body, "service"),
        title=reading.text(body, "title"),
        release=reading.text(body, "release"),
        environment=reading.text(body, "environment"),
        mode=reading.text(body, "mode"),
        calendar=reading.text(body, "calendar"),
        blocks=reading.text(reading.inner(body, "plan"), "blocks"),
        runbook=reading.text(body, "runbook"),
        digest=reading.text(body, "digest"),
        text=reading.text(body, "text"),
        started_by=start.who if start is not None else "",
        host=reading.text(body, "host"),
        version=reading.text(body, "version"),
        folder=reading.text(body, "folder"),
        bindings=reading.texts(body, "bindings"),
        started=start.at if start is not None else "",
        ended=at,
        phases=phases,
        elsewhere=_steps(fold, "elsewhere"),
        questions=tuple(_aged(question, at) for question in fold.questions),
        waivers=(*_waivers(fold, body, at), *_gate_waivers(fold, phases, at)),
        gaps=(*fold.gaps, *_broken_off(fold.steps.values())),
        aborts=tuple(fold.aborts),
        rollback=_rollback(fold),
        alerts=tuple(fold.told.notes),
        deliveries=tuple(fold.told.deliveries.values()),
        verdict=reading.verdict(end),
        exit_code=reading.whole(end, "exit_code") if "exit_code" in end else None,
        why=reading.text(end, "why"),
        times=_times(end),
        unread=tuple(fold.unread),
        last_event="" if last is None else f"{last.kind} {last.item}".strip(),
        place=place,
    )


def _steps(fold: Fold, section: str, place: str = "") -> tuple[StepFacts, ...]:
    at = fold.last.at if fold.last is not None else ""
    return tuple(
        replace(step, expired=words.has_passed(step.finding.expires, at))
        if step.finding is not None and step.finding.expires
        else step
        for step in fold.steps_of(section, place)
    )


def _accepted(phase: PhaseFacts, steps: tuple[StepFacts, ...], at: str) -> PhaseFacts:
    """Return the phase with its steps and who accepts what was held at its gate."""
    last = phase.decisions[-1] if phase.decisions else None
    phase = replace(phase, steps=steps)
    if last is None or last.by is None or last.verdict is not Verdict.GO:
        return phase
    by = replace(last.by, expired=words.has_passed(last.by.expires, at))

    def marked(judged: tuple[StepFacts, ...]) -> tuple[StepFacts, ...]:
        return tuple(
            replace(step, accepted=by) if step.id in last.held else step for step in judged
        )

    watch = phase.watch
    if watch is not None:
        watch = replace(watch, findings=marked(watch.findings))
    return replace(phase, steps=marked(steps), watch=watch)


def _phases(fold: Fold) -> tuple[PhaseFacts, ...]:
    at = fold.last.at if fold.last is not None else ""
    return tuple(
        _accepted(replace(phase, watch=_watch(fold, phase.id)), _steps(fold, "phase", phase.id), at)
        for phase in fold.phases.values()
    )


def _watch(fold: Fold, item: str) -> Watch | None:
    known = fold.watches.get(item)
    return None if known is None else known.whole(_steps(fold, "rule", item))


def _rollback(fold: Fold) -> RollbackFacts | None:
    if fold.rollback is None:
        return None
    options = tuple(
        replace(option, steps=_steps(fold, "option", option.id)) for option in fold.options.values()
    )
    undo, proof = _steps(fold, "undo"), _steps(fold, "proof")
    behind = (_watch(fold, item) for item in fold.watches if item not in fold.phases)
    watches = tuple(watch for watch in behind if watch is not None)
    end = fold.ending.body if fold.ending is not None else {}
    return replace(
        fold.rollback,
        options=options,
        undo=undo,
        proof=proof,
        watches=watches,
        held=_held(end),
        time=_steps(fold, "time"),
    )


def _held(end: reading.Body) -> HeldTime | None:
    body = reading.inner(end, "recovery")
    if not body:
        return None
    return HeldTime(
        took_s=reading.number(body, "took_s"),
        limit_s=reading.number(body, "limit_s"),
        strict=reading.flag(body, "strict"),
        line=reading.whole(body, "line"),
        status=reading.text(body, "status"),
        says=reading.text(body, "says"),
        warnings=reading.texts(body, "warnings"),
    )


def _times(end: reading.Body) -> Times:
    body = reading.inner(end, "times")
    return Times(*(reading.number(body, item.name) for item in fields(Times)))


def _aged(question: Question, at: str) -> Question:
    answers = tuple(
        replace(answer, expired=words.has_passed(answer.expires, at)) for answer in question.answers
    )
    return replace(question, answers=answers)


def _waivers(fold: Fold, start: reading.Body, at: str) -> tuple[Waiver, ...]:
    """Return waivers by finding, then those given at the start that changed no finding."""
    found = []
    used = set()
    for step in fold.steps.values():
        finding = step.finding
        if finding is None or (finding.status is not Status.WAIVED and not finding.expires):
            continue
        used.add(step.id)
        found.append(
            Waiver(
                item=step.id,
                title=step.title,
                line=step.line,
                by=finding.by or "",
                reason=finding.reason or "",
                expires=finding.expires or "",
                in_force=finding.status is Status.WAIVED,
                expired=words.has_passed(finding.expires or "", at),
            )
        )
    given = reading.inner(start, "waivers")
    for item in given:
        if item in used:
            continue
        body = reading.inner(given, item)
        expires = reading.text(body, "expires")
        by, reason = reading.text(body, "who"), reading.text(body, "reason")
        found.append(
            Waiver(
                item=item,
                title=fold.title(item),
                line=0,
                by=by,
                reason=reason,
                expires=expires,
                in_force=False,
                expired=words.has_passed(expires, at),
            )
        )
    return tuple(found)


def _gate_waivers(fold: Fold, phases: tuple[PhaseFacts, ...], at: str) -> tuple[Waiver, ...]:
    """Return what persons accepted by saying go at a gate that was held."""
    found = []
    for phase in phases:
        last = phase.decisions[-1] if phase.decisions else None
        if last is None or last.by is None or last.verdict is not Verdict.GO:
            continue
        lines = {step.id: step.line for step in phase.judged}
        by = last.by
        found += [
            Waiver(
                item=item,
                title=fold.title(item),
                line=lines.get(item, phase.line),
                by=by.who,
                reason=by.reason,
                expires=by.expires,
                in_force=True,
                expired=words.has_passed(by.expires, at),
            )
            for item in last.held or (phase.id,)
        ]
    return tuple(found)


def _broken_off(steps: Iterable[StepFacts]) -> tuple[Gap, ...]:
    return tuple(
        Gap(
            "attempt", f"attempt {attempt.number} of `{step.title}` left no result", attempt.started
        )
        for step in steps
        for attempt in step.attempts[:-1]
        if not attempt.finished
    )
