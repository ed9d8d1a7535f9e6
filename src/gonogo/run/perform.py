"""Carrying out one step: look at the journal first, then do it, judge it, journal the finding.

What may be in the journal when a step is entered, and what is done then:

| journal says | check | action |
|---|---|---|
| finished | the finding stands | the finding stands |
| never started | begin | `Unless:`, confirmation, begin |
| started, command still runs or has ended | re-attach | re-attach |
| started, command never began | begin | begin |
| started, cannot be known | look again | `Unless:`, else declared idempotent, else ask |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from gonogo.clock import moment, stamp
from gonogo.errors import WorkError
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Context, Divisible, Effect, Staking
from gonogo.plan.model import Interrupted, Mode, Step
from gonogo.process import Trace, lasted, trace
from gonogo.run.by_hand import allowed, manual, opening, shown, unanswered
from gonogo.run.findings import blank, stopped, waived
from gonogo.run.looking import Seen, look, remembered
from gonogo.run.people import Aborted, Form, Question, Unanswered, ask, stop_signal
from gonogo.run.scene import Scene


@dataclass(frozen=True, slots=True)
class Begin:
    """How an attempt is entered: its number, and whether its command may be running already."""

    attempt: int
    attached: bool = False
    carried_on: bool = False  # it is running already, or has ended while nobody was there
    failed: int = 0  # attempts that were carried out before and are to be repeated
    wait_s: float = 0.0  # what is left of the pause between two attempts
    notes: tuple[str, ...] = ()


Way = Callable[[], Finding]
"""How a step comes to its finding; may raise `Aborted` and `Unanswered`."""


def perform(
    scene: Scene, step: Step, *, deaf: bool = False, way: Way | None = None
) -> Mapping[str, object]:
    """Carry out `step` and return its finding as JSON; safe to enter again after a crash.

    `way` is for steps that come to their finding otherwise than by attempts.
    """
    recorded = scene.last("step.finished", step.id)
    if recorded is not None:
        return recorded.body
    try:
        if way is not None:
            finding = way()
        elif step.block is None:
            finding = manual(scene, step, deaf=deaf)
        else:
            finding = shown(scene, step, _by_machine(scene, step, deaf=deaf), deaf=deaf)
    except Aborted:
        begun = scene.last("step.started", step.id)
        attempts = begun.attempt if begun is not None else 0
        finding = blank(step, Status.UNKNOWN, stopped(scene), attempts=attempts)
        if scene.ending is not None and scene.last("question.asked", step.id) is not None:
            scene.once("question.closed", step.id, body={"why": stopped(scene)})
    except Unanswered as late:
        finding = unanswered(scene, step, late)
    finding = waived(scene, step, finding)
    event = scene.write(
        "step.finished", step.id, body=finding.as_json(), attempt=max(finding.attempts, 1)
    )
    return event.body


def _by_machine(scene: Scene, step: Step, *, deaf: bool) -> Finding:
    stop = stop_signal(scene, deaf=deaf)
    settled = _before(scene, step, stop, deaf=deaf)
    if isinstance(settled, Finding):
        return settled
    attempts = step.retry.attempts if step.retry else 1
    begin = replace(settled, failed=_failed(scene, step))  # being cut off is no failure
    while True:
        if not begin.attached and (stop() or not scene.wait(begin.wait_s, stop)):
            raise Aborted
        finding = _attempt(scene, step, begin, deaf=deaf)
        if finding.status is Status.PASS or begin.failed + 1 >= attempts or stop():
            return finding
        assert step.retry is not None, "only a retried step has several attempts"
        tried = {"status": finding.status.value, "actual": finding.actual, "why": finding.why}
        scene.write("step.tried", step.id, body=tried, attempt=begin.attempt)
        begin = Begin(begin.attempt + 1, failed=begin.failed + 1, wait_s=step.retry.every_s)


def _failed(scene: Scene, step: Step) -> int:
    return sum(e.kind == "step.tried" for e in scene.journal.of_item(scene.run, step.id))


def _before(scene: Scene, step: Step, stop: Callable[[], bool], *, deaf: bool) -> Finding | Begin:
    """Settle how the step begins: as a finding (nothing to do), or as an attempt."""
    events = scene.journal.of_item(scene.run, step.id)
    started = [e for e in events if e.kind == "step.started"]
    tried = {e.attempt for e in events if e.kind == "step.tried"}
    if started and started[-1].attempt not in tried:
        return _in_flight(scene, step, started[-1].attempt, deaf=deaf)
    if started:
        last = [e for e in events if e.kind == "step.tried"][-1]
        every_s = step.retry.every_s if step.retry else 0.0
        passed = (scene.clock.now() - moment(last.at)).total_seconds()
        return Begin(last.attempt + 1, wait_s=min(max(every_s - passed, 0.0), every_s))
    if stop():
        raise Aborted
    return _entered(scene, step, deaf=deaf) or Begin(1)


def _entered(scene: Scene, step: Step, *, deaf: bool) -> Finding | None:
    """Have all that must be settled before the first attempt; None when the step may begin."""
    if scene.plan.mode is Mode.ASSISTED:  # first of all: `Unless:` runs a block too
        answered = allowed(scene, step, deaf=deaf)
        if answered is not None:
            return answered
    if step.effect is not Effect.ACTION:
        return None
    done = _already_done(scene, step, deaf=deaf)
    return done if done is not None else _confirmed(scene, step, deaf=deaf)


def _in_flight(scene: Scene, step: Step, attempt: int, *, deaf: bool) -> Finding | Begin:
    """Settle a step that was cut off: known from its trace, from a rule, or from a person."""
    assert step.block is not None, "only a block can be in flight"
    if step.block.work.traceable:
        found = trace(scene.attempt_folder(step.id, attempt))
        if found in (Trace.RUNNING, Trace.ENDED):
            notes = ("re-attached after a restart",)
            return Begin(attempt, attached=True, carried_on=True, notes=notes)
        if found is Trace.NEVER_STARTED:
            return Begin(attempt, attached=True)
    if step.effect is Effect.CHECK:
        return Begin(attempt + 1, notes=("looked again after a restart",))
    done = _already_done(scene, step, deaf=deaf)
    if done is not None:
        return done
    if step.interrupted is Interrupted.RERUN:
        return Begin(attempt + 1, notes=("ran again after a restart: declared idempotent",))
    if isinstance(step.block.work, Divisible):
        kept = step.block.work.keeps_its_part()
        return Begin(attempt + 1, notes=(f"went on after a restart: `{kept}` says what was done",))
    question = Question(
        f"{step.id}?interrupted{attempt}",
        Form.INTERRUPTED,
        f"was `{step.title}` done? gonogo was stopped in its middle and cannot tell",
        step.span.line,
        step.block.work.describe(),
    )
    answer = ask(scene, question, deaf=deaf)
    if answer.answer == "again":
        return Begin(attempt + 1, notes=(f"ran again after a restart: {answer.who} said so",))
    status = Status.PASS if answer.answer == "done" else Status.FAIL
    why = f"interrupted; {answer.who} said {answer.answer}"
    return blank(step, status, why, by=answer.who, reason=answer.reason or None, attempts=attempt)


def _already_done(scene: Scene, step: Step, *, deaf: bool) -> Finding | None:
    if step.unless is None:
        return None
    block = step.unless.block
    looks = len([e for e in scene.journal.of_item(scene.run, step.id) if e.kind == "step.looked"])
    scene.write("step.looked", step.id, body={"command": block.work.describe()}, attempt=looks + 1)
    context = replace(
        context_of(scene, step, deaf=deaf),
        folder=scene.attempt_folder(f"{step.id}~unless", looks + 1),
        effect=Effect.CHECK,
    )
    seen = look(block, step.unless.expect, context, remembered(scene, step))
    if seen.status is not Status.PASS:
        return None
    why = f"already done: {seen.actual or block.work.describe()}"
    return blank(step, Status.PASS, why, actual=seen.actual, notes=("already done",))


def _confirmed(scene: Scene, step: Step, *, deaf: bool) -> Finding | None:
    """Have what is destroyed typed out by a person; None when it was."""
    for number, loss in enumerate(step.destroys):
        item = f"{step.id}?typed{number}"
        try:
            detail = _at_stake(scene, step, item, deaf=deaf)
        except WorkError as error:
            why = scene.redact(error.message)
            return blank(step, Status.FAIL, why, actual=why, text=scene.redact(error.hint))
        question = Question(
            item,
            Form.TYPED,
            f"`{loss.statement}` cannot be undone; type `{loss.target}` to confirm",
            loss.span.line,
            detail,
            typed=loss.target,
        )
        answer = ask(scene, question, deaf=deaf)
        if answer.answer != loss.target:
            why = f"not confirmed: {answer.who} did not type `{loss.target}`"
            return blank(step, Status.FAIL, why, by=answer.who)
    return None


def _at_stake(scene: Scene, step: Step, item: str, *, deaf: bool) -> str:
    """Return what a person must see beside the question; it is looked at once, when it is asked.

    Raises:
        WorkError: the step would be refused.
    """
    assert step.block is not None, "only a block destroys"
    work = step.block.work
    if not isinstance(work, Staking) or scene.last("question.asked", item) is not None:
        return ""
    try:
        return scene.redact(work.at_stake(context_of(scene, step, deaf=deaf)))
    except WorkError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in a kind never stops a run
        return scene.redact(f"what is at stake cannot be said: {type(error).__name__}: {error}")


def _attempt(scene: Scene, step: Step, begin: Begin, *, deaf: bool) -> Finding:
    assert step.block is not None
    work = step.block.work
    if not begin.attached:
        scene.write(
            "step.started",
            step.id,
            body=opening(step, work.describe()),
            attempt=begin.attempt,
            durable=step.effect is Effect.ACTION,
        )
    started = scene.clock.now()
    begun = scene.clock.monotonic()
    context = context_of(scene, step, deaf=deaf)
    folder = scene.attempt_folder(step.id, begin.attempt)
    memory = remembered(scene, step)
    seen = look(step.block, step.expect, replace(context, folder=folder), memory)
    if context.should_stop() and seen.status is not Status.PASS:
        why = "; ".join(part for part in (stopped(scene), seen.why) if part)
        seen = replace(seen, status=Status.UNKNOWN, why=why)
    lasted_s = scene.clock.monotonic() - begun
    if begin.carried_on:
        started, lasted_s = _carried_on(scene, step, folder)
    return _found(step, seen, begin, stamp(started), round(lasted_s, 3))


def _carried_on(scene: Scene, step: Step, folder: Path) -> tuple[datetime, float]:
    """Return when a command began that outlived its gonogo, and for how many seconds it ran."""
    began = scene.last("step.started", step.id)
    assert began is not None, "what goes on was begun"
    started = moment(began.at)
    known = lasted(folder)
    passed = (scene.clock.now() - started).total_seconds()
    return started, max(passed, 0.0) if known is None else known


def _found(step: Step, seen: Seen, begin: Begin, started: str, duration_s: float) -> Finding:
    status = seen.status
    if step.effect is Effect.ACTION and status is Status.ERROR:
        status = Status.FAIL  # it was to be done, and it is not done
    return blank(
        step,
        status,
        seen.why,
        actual=seen.actual,
        text=seen.text,
        indicators=seen.kept,
        sentences=seen.sentences,
        started=started,
        duration_s=duration_s,
        attempts=begin.attempt,
        notes=(*begin.notes, *seen.notes),
    )


def context_of(scene: Scene, step: Step, *, deaf: bool = False) -> Context:
    """Return what a block of a step is given to work with."""
    return Context(
        targets=scene.targets,
        variables=scene.variables,
        cwd=scene.cwd,
        folder=scene.folder,
        run_folder=scene.folder,
        timeout_s=step.timeout_s,
        effect=step.effect,
        redact=scene.redact,
        on_output=partial(scene.on_output, step.id),
        should_stop=stop_signal(scene, deaf=deaf),
    )
