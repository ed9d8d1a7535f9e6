"""`gonogo plan FILE`: what would happen, in which order, and what it would take."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gonogo.cli import screen
from gonogo.cli.load import load
from gonogo.plan.kinds import Effect, Role
from gonogo.plan.model import Phase, Plan, Step
from gonogo.plan.route import critical_path, estimated_s, no_return
from gonogo.report.words import count, cut, duration

_WIDTH = 80
_SIGN = {Effect.CHECK: "check", Effect.ACTION: "action", Effect.MANUAL: "person"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Show the plan; runs nothing."""
    plan = load(options.file)
    if options.json:
        from gonogo.runbook.canonical import plan_json

        screen.say_json(plan_json(plan))
        return 0
    for line in _lines(plan):
        screen.say(line.rstrip())
    return 0


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.title}   {plan.source.name}, {plan.mode.value}, service {plan.service}"
    for number, phase in enumerate(plan.phases, start=1):
        yield ""
        yield from _phase(number, phase)
    yield ""
    yield from _back(plan)
    yield from _foot(plan)


def _phase(number: int, phase: Phase) -> Iterator[str]:
    took = estimated_s(phase)
    about = f"about {duration(took)}" if took else ""
    kinds = [
        count(sum(s.effect is effect for s in phase.steps), noun)
        for effect, noun in (
            (Effect.CHECK, "check"),
            (Effect.ACTION, "action"),
            (Effect.MANUAL, "question"),
        )
        if any(s.effect is effect for s in phase.steps)
    ]
    head = f"{number}. {phase.title}"
    yield f"{cut(head, 38):<38} {', '.join(kinds):<28} {about:>12}"
    for step in phase.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    marks = [
        word
        for word, holds in (
            ("critical", step.critical),
            ("parallel", step.parallel),
            ("optional", step.optional),
            ("claimed, not verified", step.claimed),
            ("destroys", bool(step.destroys)),
            ("undo written", bool(step.undo)),
        )
        if holds
    ]
    line = f"line {step.span.line}"
    title = cut(step.title, _WIDTH - 13 - len(line) - 1)
    yield f"   {_SIGN[step.effect]:<7}{title:<{_WIDTH - 11 - len(line)}} {line}"
    if step.block is not None:
        yield f"          {cut(step.block.kind + ': ' + step.block.work.describe(), 68)}"
    for item in step.expect:
        words = item.condition.say() + (" (default)" if item.default else "")
        yield f"          expects {cut(words, 60)}"
    for loss in step.destroys:
        yield f"          destroys {loss.target}: a person types its name first"
    if step.needs:
        yield f"          needs {cut(', '.join(step.needs), 60)}"
    if marks:
        yield f"          {', '.join(marks)}"


def _back(plan: Plan) -> Iterator[str]:
    if plan.rollback is None:
        undone = sum(bool(step.undo) for step in plan.steps())
        yield f"way back: {count(undone, 'step')} with `Undo:`" if undone else "way back: none"
        return
    how = "by itself" if plan.rollback.automatic else "after a person's yes"
    yield f"way back: {how}, in this order"
    for option in plan.rollback.options:
        stated = f", stated {duration(option.stated_s)}" if option.stated_s else ""
        typed = ", destructive: only after a typed confirmation" if option.destructive else ""
        yield f"   {cut(option.title, 50)}{stated}{typed}"
        for step in option.steps:
            yield from _step(step)
    if plan.rollback.proof:
        yield "   proof that the old state is back"
        for step in plan.rollback.proof:
            yield from _step(step)


def _foot(plan: Plan) -> Iterator[str]:
    yield ""
    point = no_return(plan)
    yield f"point of no return: {point or 'none, every action has a way back'}"
    path = critical_path(plan)
    if path:
        yield "critical path: " + cut(" → ".join(step.title for step in path), _WIDTH - 15)
    known = [phase for phase in plan.phases if estimated_s(phase)]
    total = sum(estimated_s(phase) or 0.0 for phase in known)
    if known:
        yield (
            f"estimated time: {duration(total)}, from {len(known)} of "
            f"{count(len(plan.phases), 'phase')}"
        )
    people = [step for step in plan.steps() if step.effect is Effect.MANUAL]
    if people:
        yield f"people: {count(len(people), 'question')}"
        for step in people:
            owner = f" ({step.owner})" if step.owner else ""
            yield f"   {cut(step.title + owner, 64)}  line {step.span.line}"
    if plan.variables:
        yield "variables: " + ", ".join(dict.fromkeys(v.name for v in plan.variables))
    if any(phase.role is Role.WATCH for phase in plan.phases) and plan.rules:
        rules = count(len(plan.rules), "rule")
        yield f"watch: {rules} understood, not watched by this version: its gate will hold"
