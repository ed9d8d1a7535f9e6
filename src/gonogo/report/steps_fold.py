"""Takes the events about steps and about the rules of a watch: begun, tried, looked at, judged."""

from __future__ import annotations

from dataclasses import replace

from gonogo.judge.verdict import Status
from gonogo.report import reading
from gonogo.report.facts import Attempt, StepFacts
from gonogo.report.known import Key, Known
from gonogo.report.looks import look_of
from gonogo.report.watch import RULE, WARN
from gonogo.report.watch_fold import watch_of
from gonogo.run.journal import Event


def step_started(fold: Known, event: Event) -> Key:
    """Learn that an attempt of a step began."""
    key = fold.key_of(event.item)
    step = fold.step_at(key, event.body)
    attempt = Attempt(event.attempt or len(step.attempts) + 1, started=event.at)
    fold.steps[key] = replace(step, attempts=(*step.attempts, attempt))
    return key


def step_tried(fold: Known, event: Event) -> Key:
    """Learn how an attempt of a step ended."""
    key = fold.key_of(event.item)
    fold.steps[key] = ended(fold.step_at(key, event.body), event)
    return key


def looked(fold: Known, event: Event) -> Key:
    """Learn one look of a check that looks several times."""
    key = fold.key_of(event.item)
    step = fold.step_at(key, {})
    fold.steps[key] = replace(step, looks=(*step.looks, look_of(event)))
    return key


def step_finished(fold: Known, event: Event) -> Key:
    """Learn what became of a step."""
    key = fold.key_of(event.item)
    step = ended(fold.step_at(key, event.body), event)
    finding = reading.finding(event.body, event.item)
    fold.steps[key] = replace(
        step,
        finding=finding,
        critical=step.critical or finding.critical,
        planned_s=step.planned_s if step.planned_s is not None else finding.planned_s,
    )
    return key


def watch_started(fold: Known, event: Event) -> None:
    """Learn that a watch began, with the rules that decide in it."""
    watching = fold.watching(event.item)
    watching.start(event)
    begun = (Attempt(1, started=event.at),)
    for rule in watching.head.rules:
        if rule.consequence != WARN:  # a warning is told and decides nothing
            step = StepFacts(rule.id, rule.text, rule.line, RULE, attempts=begun)
            fold.steps.setdefault(("rule", event.item, rule.id), step)


def slice_closed(fold: Known, event: Event) -> None:
    """Learn what was measured in one bucket."""
    fold.watching(watch_of(event)).close_slice(event)


def rule_moved(fold: Known, event: Event) -> None:
    """Learn that a rule went from one state to another."""
    fold.watching(fold.place_of(event)).move(event)


def watch_ended(fold: Known, event: Event) -> None:
    """Learn how a watch ended."""
    fold.watching(event.item).end(event)


def rule_judged(fold: Known, event: Event) -> Key:
    """Learn what became of a rule."""
    place = fold.place_of(event)
    fold.watching(place)
    key = ("rule", place, event.item)
    finding = reading.finding(event.body, event.item)
    known = fold.steps.get(key) or StepFacts(
        event.item, finding.title or event.item, finding.line, RULE
    )
    fold.steps[key] = replace(
        ended(known, event), finding=finding, critical=known.critical or finding.critical
    )
    return key


def ended(step: StepFacts, event: Event) -> StepFacts:
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
