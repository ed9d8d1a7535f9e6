"""`gonogo plan FILE`: what would happen, in which order, and what it would take."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from gonogo.cli import hiding, screen
from gonogo.cli.load import load
from gonogo.cli.premigrate import losses_ahead
from gonogo.cli.who import check_environment
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Plan
from gonogo.plan.route import critical_path, estimated_s, no_return
from gonogo.run.bindings import must_be_set


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument("--env", metavar="NAME", help="an entry of `environments:`")
    parser.add_argument("--release", metavar="V", help="what is released; bound to ${RELEASE}")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Show the plan; runs nothing."""
    plan = load(options.file)
    check_environment(plan, options.env)
    ahead = losses_ahead(plan)
    hide = hiding.hider(plan.source, plan.diagnostics)
    needed = must_be_set(plan, environment=options.env, release=options.release)
    if options.json:
        from gonogo.runbook.canonical import plan_json

        found = {**plan_json(plan), "route": _route(plan, ahead, needed)}
        screen.say_json(hiding.hidden(found, hide))
    else:
        from gonogo.cli.planned import lines

        named = {"environment": options.env, "release": options.release}
        bound = "".join(f", {what} {name}" for what, name in named.items() if name)
        shown = lines(plan, screen.width(), ahead, needed=needed, bound=bound)
        screen.say("\n".join(hide(line.rstrip()) for line in shown))
    return 0


def _route(plan: Plan, ahead: Mapping[str, str], needed: Sequence[str]) -> dict[str, object]:
    point = no_return(plan, ahead)
    known = [took for phase in plan.phases if (took := estimated_s(phase)) is not None]
    return {
        "critical_path": [step.id for step in critical_path(plan)],
        "point_of_no_return": None
        if point is None
        else {"step": point.step.id, "line": point.step.span.line, "why": point.why},
        "estimated_s": sum(known) if known else None,
        "phases_without_estimate": len(plan.phases) - len(known),
        "must_be_set": list(needed),
        "people": [step.id for step in plan.steps() if step.effect is Effect.MANUAL],
    }
