"""`gonogo drill FILE`: rehearse the way back where nobody is hurt, and certify its time.

The release is carried out against a rehearsal environment. In its watch, or where there is none at
its end, the judge is handed a breach that was made up: the trigger fires, people are told, the
rollback runs, its proof and the recovery are real. Nothing is broken on purpose in any service.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

from gonogo.cli import run
from gonogo.cli.home import add_home
from gonogo.cli.load import load
from gonogo.cli.who import add_start
from gonogo.errors import UsageError
from gonogo.plan.model import Plan
from gonogo.plan.shellfilled import filled
from gonogo.runbook import durations

_LIVE = re.compile(  # `prod-eu` too, but not `prod-copy`
    r"(?:prod(?:uction)?|prd|live|main)(?:[-_.]?(?!\w*(?:like|copy|clone|mirror|test|rehears|drill))\w+)*",
    re.IGNORECASE,
)
_ENV_HINT = "write `environments: { rehearsal: { DATABASE_URL: … } }` and give `--env rehearsal`"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    env = "the rehearsal: an entry of `environments:`"
    add_start(parser, env=env, by="who rehearses this")
    parser.add_argument(
        "--valid", metavar="TIME", default="30d", help="how long this drill counts (default: 30d)"
    )
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    add_home(parser)
    parser.set_defaults(drill=True, waive=[], expires="")


def carry_out(options: argparse.Namespace) -> int:
    """Refuse what is no rehearsal, then carry the release out and go back.

    The exit code is 0 when the way back was carried out, proved, and took no longer than stated.
    """
    plan = load(options.file)
    _refuse_live(plan, options.env)
    _refuse_one_way(plan)
    options.valid_s = durations.seconds(options.valid)
    if not options.valid_s:
        raise UsageError(f"`--valid {options.valid}` is no time", hint="expected `30d` or `12h`")
    return run.carry_out(options)


def _refuse_live(plan: Plan, environment: str | None) -> None:
    """Refuse an environment that people use.

    Raises:
        UsageError: it is not named, its name says so, or a live one has the same addresses.
    """
    if environment is None:
        raise UsageError("a drill needs a rehearsal environment", hint=_ENV_HINT)
    if _LIVE.fullmatch(environment):
        raise UsageError(f"`{environment}` is no place for a drill", hint=_ENV_HINT)
    mine = plan.environments.get(environment)
    if mine is None:
        return  # the run says which there are
    for name, values in plan.environments.items():
        shared = _shared(plan, mine, values) if _LIVE.fullmatch(name) else None
        if shared is not None:
            raise UsageError(
                f"`{environment}` and `{name}` have the same {shared}",
                hint="a drill must not reach what people use: give the rehearsal its own",
            )


def _shared(plan: Plan, mine: Mapping[str, str], live: Mapping[str, str]) -> str | None:
    """Return what both reach: a target whose address is the same text, filled as far as it goes.

    A variable that neither sets comes from outside, and then it is the same one for both.
    """
    for target in plan.targets:
        if filled(target.text, mine) == filled(target.text, live):
            names = [f"`{name}`" for name in _names(target.text)]
            return " and ".join(names) or f"address of `{target.name}`"
    return None


def _names(text: str) -> list[str]:
    return re.findall(r"\$\{?([A-Za-z_]\w*)", text)


def _refuse_one_way(plan: Plan) -> None:
    """Refuse a runbook without a way back.

    Raises:
        UsageError: it has neither a rollback section nor any `Undo:`.
    """
    if plan.rollback is None and not any(step.undo for step in plan.steps()):
        raise UsageError(
            f"`{plan.source.name}` has no way back to rehearse",
            hint="write a section `## Rollback`, or `- Undo:` under what changes something",
        )
