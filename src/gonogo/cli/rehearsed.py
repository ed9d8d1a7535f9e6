"""A rehearsal in lines: when each watch lasts, what moved in it, who is told, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from gonogo.cli import timelines
from gonogo.cli.timelines import clock
from gonogo.judge.course import Course, Program
from gonogo.judge.firing import lasting
from gonogo.judge.green import Outcome, Recovered, patience
from gonogo.judge.moves import Move
from gonogo.judge.rehearsal import Rehearsed, Stage
from gonogo.judge.relay import Past, calendar
from gonogo.judge.streaks import State
from gonogo.plan.model import Checkpoint, Plan
from gonogo.report.words import count, cut, one_line, pad, wrap

_STATE = 8
_LABEL = 10
MOST_MOVES = 12
"""How many moves a story shows, and how many buckets after going back; `--json` has all."""


def head(plan: Plan, course: Course, stage: Stage, start: int, width: int) -> Iterator[str]:
    """Yield what is rehearsed: the watches with their times, and the way back."""
    watches, slice_ms = course.program.watches, course.width_ms
    rules = count(len(stage.rules), "rule")
    if len(watches) == 1:
        whole = lasting(course.planned * slice_ms)
        buckets = f"{count(course.planned, 'bucket')} of {lasting(slice_ms)}"
        yield cut(f"{one_line(plan.service)}: a watch of {whole}, {buckets}, {rules}", width)
    else:
        said = f"{len(watches)} watches, buckets of {lasting(slice_ms)}, {rules}"
        yield cut(f"{one_line(plan.service)}: {said}", width)
    yield "made-up values, no clock: what would move, who would be told, how it would end"
    if len(watches) > 1 or any(watch.checkpoints for watch in watches):
        rows = list(_calendar(plan, stage, start))
        room = max(len(when) for when, _, _ in rows)
        yield from (_two(when, room, title, said, width) for when, title, said in rows)
    if stage.program.way.exists:
        yield from _wrapped("way back", _back(stage.program, slice_ms), width)
    for rule, why in stage.left_out:
        yield from wrap(f"left out: {rule.id}: {why}", width)


def _calendar(plan: Plan, stage: Stage, start: int) -> Iterator[tuple[str, str, str]]:
    """Yield each watch and its checkpoints: when it begins, its title, what is said of it."""
    slice_ms = stage.terms.width_ms
    beats = {step.id: step.every_s for step in plan.steps()}
    for past in calendar(stage.track, start):
        watch = past.watch
        said = "no figures, people and checks only"
        if watch.figured:
            number = (past.closed_ms - past.first_slice_ms) // slice_ms
            rules = count(len(stage.track.rules_of(watch)), "rule")
            said = f"{count(number, 'bucket')} to {clock(past.closed_ms, slice_ms)}, {rules}"
        yield clock(past.first_slice_ms, slice_ms), watch.title, said
        from_ms = past.begun_ms if watch.whole_ms is None else start
        for one in watch.checkpoints:
            at = clock(from_ms + round(one.begins_s * 1000), slice_ms)
            own = [beat for beat in (beats.get(name) for name in one.steps) if beat]
            said = _looks(one, min(own, default=one.every_s), from_ms, slice_ms)
            yield at, f"  {one_line(one.title)}", said


def _looks(one: Checkpoint, every_s: float | None, from_ms: int, slice_ms: int) -> str:
    steps = count(len(one.steps), "step")
    if one.once:
        return f"once, {steps}"
    ends = clock(from_ms + round(one.ends_s * 1000), slice_ms)
    beat = f"every {lasting(round(every_s * 1000))} to" if every_s else "and again at"
    return f"{beat} {ends}, {steps}"


def _two(when: str, room: int, title: str, said: str, width: int) -> str:
    """Return a line with a time, a title and what is said of it; the title is cut for it."""
    left = max(12, width - 2 - room - 2 - len(said) - 2)
    indent = "  " if title.startswith("  ") else ""
    shown = indent + cut(one_line(title), left - len(indent))
    return cut(f"  {pad(when, room)}  {shown}: {said}", width)


def _back(program: Program, slice_ms: int) -> str:
    """Return the way back: what is done first, and when it is over."""
    way, recovery = program.way, program.recovery
    stated = way.acts_s and "(" not in way.title  # most titles say it themselves
    took = f" ({lasting(round(way.acts_s * 1000))})" if stated else ""
    row = f" in a row within {patience(recovery, slice_ms)}" if recovery.green > 1 else ""
    row = row or f" within {patience(recovery, slice_ms)}"
    asked = "; a person is asked first" if way.asks else ""
    return f"{one_line(way.title)}{took}, then {count(recovery.green, 'green bucket')}{row}{asked}"


def story(stage: Stage, played: Rehearsed, start: int, width: int) -> Iterator[str]:
    """Yield one story: what it pretends, what moves, who is told, and how it ends."""
    slice_ms = stage.terms.width_ms
    yield ""
    yield cut(one_line(played.story.name), width)
    rule = next((r for r in stage.rules if r.id == played.story.about), None)
    if rule is not None:
        yield from (f"  {line}" for line in wrap(timelines.says(rule), width - 2))
    begins = played.story.fault
    at = f" ({clock(start + (begins - 1) * slice_ms, slice_ms)})" if begins else ""
    yield from (f"  {line}" for line in wrap(f"{played.story.says}{at}", width - 2))
    yield from _moves(played, slice_ms, width)
    yield _told(played, slice_ms, width)
    yield from _rollback(stage, played, start, width)
    if len(played.watches) + len(played.left) > 1:
        yield from _watches(played, slice_ms, width)
    yield _verdict(played)


def _moves(played: Rehearsed, slice_ms: int, width: int) -> Iterator[str]:
    """Yield the moves, each watch under its name where there are several."""
    several = len(played.watches) + len(played.left) > 1
    numbered = [(past, move) for past in played.watches for move in past.moves]
    for past, group in groupby(numbered[:MOST_MOVES], key=lambda pair: pair[0]):
        if several:
            yield cut(f"  in {one_line(past.watch.title)}", width)
        for _, move in group:
            yield from _move(move, slice_ms, width)
    if len(numbered) > MOST_MOVES:
        more = count(len(numbered) - MOST_MOVES, "more move")
        yield f"  … and {more}; --json has all of them"


def _move(move: Move, slice_ms: int, width: int) -> Iterator[str]:
    when = clock(move.closed_ms, slice_ms)
    before = len(when) + _STATE + 6
    yield f"  {when}  {pad(move.after.value, _STATE)}  {cut(move.rule, width - before)}"
    if move.after is State.FIRING:
        yield from (" " * before + line for line in wrap(move.reason, width - before))


def _told(played: Rehearsed, slice_ms: int, width: int) -> str:
    if not played.alarms:
        return _labelled("alerts", "none")
    said = [f"{a.severity.value} {clock(a.at_ms, slice_ms)}" for a in played.alarms]
    if played.rolled_back is not None:
        said[-1] = f"rollback {clock(played.rolled_back.closed_ms, slice_ms)}"
    return cut(_labelled("alerts", ", ".join(said)), width)


def _rollback(stage: Stage, played: Rehearsed, start: int, width: int) -> Iterator[str]:
    slice_ms, trigger = stage.terms.width_ms, played.rolled_back
    if trigger is None:
        yield _labelled("rollback", "no")
        return
    at = f"at {clock(trigger.closed_ms, slice_ms)}"
    if played.story.fault:
        begun = start + (played.story.fault - 1) * slice_ms
        at += f", {lasting(trigger.closed_ms - begun)} after the fault"
    way = stage.program.way
    if not way.exists:
        yield _labelled("rollback", f"{at}; the runbook has no way back")
        return
    healed = "; then the figures are good again" if played.story.healed is not None else ""
    asked = "; a person is asked first" if way.asks else ""
    yield from _wrapped("rollback", f"{at}{asked}{healed}", width)
    if played.recovered is not None:
        yield from _recovery(stage.program, played.recovered, slice_ms, width)


def _recovery(program: Program, recovered: Recovered, slice_ms: int, width: int) -> Iterator[str]:
    """Yield the row of buckets after going back, and what it came to."""
    for one in recovered.seen[:MOST_MOVES]:
        when = clock(one.start_ms + slice_ms, slice_ms)
        before = len(when) + _STATE + 6
        first, *rest = wrap(one.says, width - before)
        yield f"  {when}  {pad(one.look.value, _STATE)}  {first}"
        yield from (" " * before + line for line in rest)
        for move in (move for move in recovered.moves if move.at_ms == one.start_ms):
            yield from _move(move, slice_ms, width)
    if len(recovered.seen) > MOST_MOVES:
        more = count(len(recovered.seen) - MOST_MOVES, "more bucket")
        yield f"  … and {more}; --json has all of them"
    said = _came_to(program, recovered, slice_ms)
    yield from _wrapped("recovered", said, width)


def _came_to(program: Program, recovered: Recovered, slice_ms: int) -> str:
    at = clock(recovered.at_ms, slice_ms)
    if recovered.outcome is Outcome.GREEN:
        said = f"at {at}, {lasting(recovered.took_ms)} after the first bad bucket began"
        limits = [one for one in program.recovery.limits if one.breached(recovered.took_ms / 1000)]
        if limits:
            most = min(limits, key=lambda one: one.seconds)
            allowed = f"{'less than' if most.strict else 'at most'} "
            allowed += lasting(round(most.seconds * 1000))
            said += f"; too long: {allowed} (line {most.span.line})"
        return said
    number = count(len(recovered.seen), "bucket")
    if recovered.outcome is Outcome.ASKED:
        return f"not known by {at}, after {number}: a person is asked whether it is well"
    left = program.way.more
    then = "the next way back is taken" if left else "no other way is left: critical alert"
    return f"not proved by {at}, the last of {number} is bad; {then}"


def _watches(played: Rehearsed, slice_ms: int, width: int) -> Iterator[str]:
    """Yield what each watch came to, and which were not reached."""
    for past in played.watches:
        yield from _wrapped("watch", _ended(past, played, slice_ms), width)
    for watch in played.left:
        yield cut(_labelled("watch", f"{one_line(watch.title)}: not reached"), width)


def _ended(past: Past, played: Rehearsed, slice_ms: int) -> str:
    title, at = one_line(past.watch.title), clock(past.closed_ms, slice_ms)
    if not past.watch.figured:
        return f"{title}: over at {at}, no figures"
    if played.rolled_back is not None and past is played.watches[-1]:
        return f"{title}: ended by the rollback at {at}"
    longer = f", {count(past.longer, 'bucket')} longer: a streak was open" if past.longer else ""
    said = f"{title}: {past.verdict.value} at {at}{longer}"
    if past.verdict.value != "go" and past is not played.watches[-1]:
        said += "; a person decides, here they go on"
    return said


def _verdict(played: Rehearsed) -> str:
    past = played.watches[-1] if len(played.watches) + len(played.left) == 1 else None
    longer = ""
    if past is not None and past.longer:
        longer = f", {past.longer} more than planned: a streak was open"
    return _labelled("verdict", f"{played.verdict.value} after {played.slices} buckets{longer}")


def _labelled(label: str, said: str) -> str:
    return f"  {label:<{_LABEL}}{said}"


def _wrapped(label: str, said: str, width: int) -> Iterator[str]:
    first, *rest = wrap(said, width - 2 - _LABEL)
    yield _labelled(label, first)
    yield from (" " * (2 + _LABEL) + line for line in rest)
