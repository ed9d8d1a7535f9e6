"""`gonogo plan FILE`: what would happen, in which order, and what it would take."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from gonogo.cli import screen
from gonogo.cli.load import load
from gonogo.cli.premigrate import losses_ahead
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
    ahead = losses_ahead(plan)
    if options.json:
        from gonogo.runbook.canonical import plan_json

        screen.say_json({**plan_json(plan), "route": _route(plan, ahead)})
    else:
        from gonogo.cli.planned import lines

        found = lines(plan, screen.width(), ahead)
        screen.say("\n".join(line.rstrip() for line in found))
    return 0


def _route(plan: Plan, ahead: Mapping[str, str]) -> dict[str, object]:
    point = no_return(plan, ahead)
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
