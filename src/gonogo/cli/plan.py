"""`gonogo plan FILE`: what would happen, in which order, and what it would take."""

from __future__ import annotations

import argparse

from gonogo.cli import screen
from gonogo.cli.load import load
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Plan
from gonogo.plan.route import critical_path, estimated_s, no_return


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Show the plan; runs nothing."""
    plan = load(options.file)
    if options.json:
        from gonogo.runbook.canonical import plan_json

        screen.say_json({**plan_json(plan), "route": _route(plan)})
    else:
        from gonogo.cli.planned import lines

        screen.say("\n".join(line.rstrip() for line in lines(plan, screen.width())))
    return 0


def _route(plan: Plan) -> dict[str, object]:
    point = no_return(plan)
    known = [took for phase in plan.phases if (took := estimated_s(phase)) is not None]
    return {
        "critical_path": [step.id for step in critical_path(plan)],
        "point_of_no_return": None
        if point is None
        else {"step": point.step.id, "line": point.step.span.line, "why": point.why},
        "estimated_s": sum(known) if known else None,
        "phases_without_estimate": len(plan.phases) - len(known),
        "people": [step.id for step in plan.steps() if step.effect is Effect.MANUAL],
    }
