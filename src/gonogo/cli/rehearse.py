"""`gonogo rehearse FILE`: a whole watch in a moment, against scripted faults or a timeline."""

from __future__ import annotations

import argparse

from gonogo.cli import screen, timelines
from gonogo.cli.load import load
from gonogo.judge.course import Course
from gonogo.judge.rehearsal import Rehearsed, Stage, rehearse, stage_of, stories
from gonogo.judge.relay import Past, calendar
from gonogo.judge.streaks import State
from gonogo.plan.model import Consequence, Plan


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
    """Play the watches of a runbook to their end for each story; runs and measures nothing."""
    plan = load(options.file)
    course = timelines.course(plan)
    if options.timeline is None:
        stage, start = stage_of(course), 0
        played = [rehearse(stage, story) for story in stories(stage)]
    else:
        joined = timelines.joined(options.timeline, course)
        stage, start = joined.stage, joined.timeline.start_ms
        played = [rehearse(stage, story, start) for story in joined.stories()]
    if options.json:
        found = _head_json(plan, course, stage, start)
        found["stories"] = [_as_json(one, stage.terms.width_ms) for one in played]
        screen.say_json({"file": options.file, **found})
        return 0
    _say(plan, course, stage, start)
    if options.timeline is None:
        told = {one.story.about for one in played}
        for rule in stage.rules:
            if rule.id not in told:  # lint says why, or it needs a baseline
                screen.say(f"no scripted fault: {rule.id}")
    for one in played:
        _say_story(stage, one, start)
    return 0


def _say(plan: Plan, course: Course, stage: Stage, start: int) -> None:
    from gonogo.cli import rehearsed

    screen.say("\n".join(rehearsed.head(plan, course, stage, start, screen.width())))


def _say_story(stage: Stage, played: Rehearsed, start: int) -> None:
    from gonogo.cli import rehearsed

    lines = rehearsed.story(stage, played, start, screen.width())
    screen.say("\n".join(line.rstrip() for line in lines))


def _head_json(plan: Plan, course: Course, stage: Stage, start: int) -> dict[str, object]:
    automatic = plan.rollback is not None and plan.rollback.automatic
    return {
        "service": plan.service,
        "bucket_ms": course.width_ms,
        "planned": course.planned,
        "watches": [_watch_json(past) for past in calendar(stage.track, start)],
        "rollback": None if plan.rollback is None else "auto" if automatic else "ask",
        "green": plan.recovery.green,
        "left_out": [{"rule": rule.id, "why": why} for rule, why in stage.left_out],
    }


def _watch_json(past: Past) -> dict[str, object]:
    watch = past.watch
    return {
        "id": watch.id,
        "title": watch.title,
        "begun_ms": past.begun_ms,
        "first_bucket_ms": past.first_slice_ms,
        "ends_ms": past.closed_ms,
        "checkpoints": [
            {
                "title": one.title,
                "begins_s": one.begins_s,
                "ends_s": one.ends_s,
                "every_s": one.every_s,
                "steps": list(one.steps),
            }
            for one in watch.checkpoints
        ],
    }


def _as_json(played: Rehearsed, width_ms: int) -> dict[str, object]:
    trigger, recovered = played.rolled_back, played.recovered
    return {
        "name": played.story.name,
        "says": played.story.says,
        "rule": played.story.about or None,
        "fault_bucket": played.story.fault,
        "moves": [
            move.as_json() | {"watch": past.watch.id}
            for past in played.watches
            for move in past.moves
        ],
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
        "recovery": None if recovered is None else timelines.recovery_json(recovered, width_ms),
        "watches": [
            {
                "id": past.watch.id,
                "title": past.watch.title,
                "begun_ms": past.begun_ms,
                "ended_ms": past.closed_ms,
                "buckets": past.slices,
                "verdict": past.verdict.value if past.watch.figured else None,
                "moves": len(past.moves),
            }
            for past in played.watches
        ],
        "not_reached": [watch.title for watch in played.left],
        "verdict": played.verdict.value,
        "buckets": played.slices,
    }
