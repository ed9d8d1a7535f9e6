"""`gonogo rehearse FILE`: a whole watch in a moment, against scripted faults or a timeline."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gonogo.cli import screen, timelines
from gonogo.cli.load import load
from gonogo.cli.timelines import clock
from gonogo.judge.firing import Course, lasting
from gonogo.judge.rehearsal import Rehearsed, Stage, rehearse, stage_of, stories
from gonogo.judge.rules import Move
from gonogo.judge.streaks import State
from gonogo.plan.model import Consequence, Plan

_STATE = 8
_MOST_MOVES = 12
"""How many moves a story shows; `--json` has all of them."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument(
        "--timeline",
        metavar="T.yaml",
        help="series of values; without it, scripted faults of every rule and metric",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, with every move")


def carry_out(options: argparse.Namespace) -> int:
    """Play the watch of a runbook to its end for each story; runs and measures nothing."""
    plan = load(options.file)
    course = timelines.course(plan)
    if options.timeline is None:
        stage, start = stage_of(course), 0
        played = [rehearse(stage, story) for story in stories(stage)]
    else:
        joined = timelines.joined(options.timeline, course)
        stage, start = joined.stage, joined.timeline.start_ms
        played = [rehearse(stage, story, start) for story in joined.stories()]
    automatic = plan.rollback is not None and plan.rollback.automatic
    if options.json:
        screen.say_json(
            {
                "file": options.file,
                "service": plan.service,
                "bucket_ms": course.width_ms,
                "planned": course.planned,
                "rollback": None if plan.rollback is None else "auto" if automatic else "ask",
                "left_out": [{"rule": rule.id, "why": why} for rule, why in stage.left_out],
                "stories": [_as_json(one) for one in played],
            }
        )
        return 0
    screen.say("\n".join(_head(plan, course, stage, screen.width())))
    if options.timeline is None:
        told = {one.story.about for one in played}
        for rule in stage.rules:
            if rule.id not in told:  # lint says why, or it needs a baseline
                screen.say(f"no scripted fault: {rule.id}")
    for one in played:
        screen.say("\n".join(line.rstrip() for line in _lines(plan, stage, one, start)))
    return 0


def _head(plan: Plan, course: Course, stage: Stage, width: int) -> Iterator[str]:
    from gonogo.report.words import count, wrap

    whole = lasting(course.planned * course.width_ms)
    buckets = f"{count(course.planned, 'bucket')} of {lasting(course.width_ms)}"
    yield f"{plan.service}: a watch of {whole}, {buckets}, {count(len(stage.rules), 'rule')}"
    yield "made-up values, no clock: what would move, who would be told, how it would end"
    for rule, why in stage.left_out:
        yield from wrap(f"left out: {rule.id}: {why}", width)


def _lines(plan: Plan, stage: Stage, played: Rehearsed, start: int) -> Iterator[str]:
    from gonogo.report.words import count, cut, one_line, wrap

    width, slice_ms = screen.width(), stage.terms.width_ms
    yield ""
    yield cut(one_line(played.story.name), width)
    rule = next((r for r in stage.rules if r.id == played.story.about), None)
    if rule is not None:
        yield from (f"  {line}" for line in wrap(timelines.says(rule), width - 2))
    begins = played.story.fault
    at = f" ({clock(start + (begins - 1) * slice_ms, slice_ms)})" if begins else ""
    yield from (f"  {line}" for line in wrap(f"{played.story.says}{at}", width - 2))
    for move in played.moves[:_MOST_MOVES]:
        yield from _move(move, slice_ms, width)
    if len(played.moves) > _MOST_MOVES:
        more = count(len(played.moves) - _MOST_MOVES, "more move")
        yield f"  … and {more}; --json has all of them"
    yield _told(played, slice_ms, width)
    yield from _end(plan, stage, played, start)


def _move(move: Move, slice_ms: int, width: int) -> Iterator[str]:
    from gonogo.report.words import cut, pad, wrap

    when = clock(move.closed_ms, slice_ms)
    before = len(when) + _STATE + 6
    yield f"  {when}  {pad(move.after.value, _STATE)}  {cut(move.rule, width - before)}"
    if move.after is State.FIRING:
        yield from (" " * before + line for line in wrap(move.reason, width - before))


def _told(played: Rehearsed, slice_ms: int, width: int) -> str:
    from gonogo.report.words import cut

    if not played.alarms:
        return "  alerts    none"
    said = [f"{a.severity.value} {clock(a.at_ms, slice_ms)}" for a in played.alarms]
    if played.rolled_back is not None:
        said[-1] = f"rollback {clock(played.rolled_back.closed_ms, slice_ms)}"
    return cut(f"  alerts    {', '.join(said)}", width)


def _end(plan: Plan, stage: Stage, played: Rehearsed, start: int) -> Iterator[str]:
    slice_ms = stage.terms.width_ms
    trigger = played.rolled_back
    if trigger is not None:
        at = f"at {clock(trigger.closed_ms, slice_ms)}"
        if played.story.fault:
            begun = start + (played.story.fault - 1) * slice_ms
            at += f", {lasting(trigger.closed_ms - begun)} after the fault"
        yield f"  rollback  {at}{_how(plan)}"
    else:
        yield "  rollback  no"
    more = played.slices - stage.planned
    longer = f", {more} more than planned: a streak was open" if more > 0 else ""
    yield f"  verdict   {played.verdict.value} after {played.slices} buckets{longer}"


def _how(plan: Plan) -> str:
    back = plan.rollback
    if back is None or not back.options:
        return "; the runbook has no way back"
    return "" if back.automatic else "; a person is asked first"


def _as_json(played: Rehearsed) -> dict[str, object]:
    trigger = played.rolled_back
    return {
        "name": played.story.name,
        "says": played.story.says,
        "rule": played.story.about or None,
        "fault_bucket": played.story.fault,
        "moves": [move.as_json() for move in played.moves],
        "alerts": [
            {"at_ms": a.at_ms, "rule": a.rule, "severity": a.severity.value} for a in played.alarms
        ],
        "missed": sorted(
            {
                m.rule
                for m in played.moves
                if m.consequence is Consequence.OBJECTIVE and m.after is State.FIRING
            }
        ),
        "rollback": None
        if trigger is None
        else {"rule": trigger.rule, "at_ms": trigger.closed_ms, "why": trigger.reason},
        "verdict": played.verdict.value,
        "buckets": played.slices,
    }
