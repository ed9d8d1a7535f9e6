"""Takes the events about going back: its ways, how each ended, and the recovery behind them."""

from __future__ import annotations

from dataclasses import replace

from gonogo.report import reading, words
from gonogo.report.facts import OptionFacts, Recovery, RollbackFacts, StepFacts
from gonogo.report.known import Key, Known
from gonogo.report.steps_fold import ended
from gonogo.run.journal import Event


def rollback_started(fold: Known, event: Event) -> None:
    """Learn that going back began, and why."""
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


def option_started(fold: Known, event: Event) -> None:
    """Learn that one way back began."""
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


def option_finished(fold: Known, event: Event) -> None:
    """Learn how one way back ended, and how long it took."""
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


def rollback_finished(fold: Known, event: Event) -> None:
    """Learn how going back ended."""
    back = fold.rollback or RollbackFacts(id=event.item)
    fold.rollback = replace(
        back,
        finished=event.at,
        status=reading.text(event.body, "status"),
        option=reading.text(event.body, "option"),
        why=reading.text(event.body, "why"),
    )


def recovering(fold: Known, event: Event) -> None:
    """Learn what one bucket says about the recovery."""
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


def recovery_judged(fold: Known, event: Event) -> Key:
    """Learn whether going back took no longer than it may."""
    key = ("time", "", event.item)
    finding = reading.finding(event.body, event.item)
    step = StepFacts(event.item, finding.title or event.item, finding.line, "check")
    fold.steps[key] = replace(ended(step, event), finding=finding)
    return key
