"""A plan as lines for people: what happens in which order, and what it hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gonogo.judge.course import is_watched
from gonogo.plan.kinds import Effect, Role
from gonogo.plan.lengths import is_idle, lengths
from gonogo.plan.model import Option, Phase, Plan, Rollback, Step
from gonogo.plan.route import critical_path, estimated_s, no_return
from gonogo.report.words import count, cut, duration, one_line, pad, wrap

_EFFECTS = {Effect.CHECK: "check", Effect.ACTION: "action", Effect.MANUAL: "person"}
_NOUNS = {Effect.CHECK: "check", Effect.ACTION: "action", Effect.MANUAL: "question"}
_LABEL = 20
_INDENT = " " * 10
_USUAL_TIMEOUT_S = 300.0
_MOST = 12  # lines of one text


def lines(
    plan: Plan,
    width: int,
    ahead: Mapping[str, str] | None = None,
    *,
    needed: Sequence[str] = (),
    bound: str = "",
) -> Iterator[str]:
    """Yield the whole plan, no line wider than `width`.

    `ahead`: see `route.no_return`; `needed` are the names that must be set, `bound` says for what
    the plan is shown.
    """
    service = "" if plan.service == plan.title else f", service {plan.service}"
    yield cut(one_line(plan.title), width)
    yield cut(f"{plan.source.name}, {plan.mode.value}{service}{bound}", width)
    for number, phase in enumerate(plan.phases, start=1):
        yield ""
        yield _head(f"{number}. {phase.title}", _counts(phase.steps), estimated_s(phase), width)
        yield from _watch(plan, phase, width)
        for step in phase.steps:
            yield from _step(step, width)
    if plan.rollback is not None:
        yield ""
        yield from _back(plan, plan.rollback, width)
    yield ""
    yield from _foot(plan, width, ahead or {}, needed)


def _head(title: str, what: str, took_s: float | None, width: int) -> str:
    about = f"about {duration(took_s)}" if took_s else ""
    right = f"{what:<26}{about:>14}"
    return f"{pad(cut(one_line(title), width - 42), width - 40)}{right}".rstrip()


def _watch(plan: Plan, phase: Phase, width: int) -> Iterator[str]:
    """Yield how long a watch lasts and from when, and its checkpoints."""
    if phase.role is not Role.WATCH:
        return
    length = lengths(plan.released, plan.rules, plan.metrics).get(phase.id)
    if phase.span_s is not None and is_idle(phase, plan.rules, plan.metrics):
        yield cut("  takes no time: it has neither figures nor checkpoints", width)
    if length is not None or is_watched(plan, phase):
        said = duration(length) if length is not None else "as long as its longest rule"
        since = "its begin"
        if phase.from_first and length != phase.span_s:
            said, since = f"another {said}", "the end of the watch before"
            said += f", until {duration(phase.span_s)} after the first watch began"
        yield cut(f"  watches {said}, from {since}", width)
    for one in phase.checkpoints:
        when = f"after {duration(one.begins_s)}" if one.begins_s else "at its begin"
        if not one.once:
            beat = f", every {duration(one.every_s)}" if one.every_s else ""
            when += f"{beat}, and after {duration(one.ends_s)}"
        steps = count(len(one.steps), "step")
        yield cut(f"  checkpoint {one_line(one.title)}: {when} ({steps})", width)


def _counts(steps: Iterable[Step]) -> str:
    effects = [step.effect for step in steps]
    parts = [count(effects.count(e), noun) for e, noun in _NOUNS.items() if e in effects]
    return ", ".join(parts)


def _step(step: Step, width: int) -> Iterator[str]:
    place = f"line {step.span.line}"
    marks = ", ".join(_marks(step))
    right = f"{marks}  {place}" if marks else place
    room = width - len(_INDENT) - len(right) - 2
    title = pad(cut(one_line(step.title), room), room)
    yield f"  {_EFFECTS[step.effect]:<8}{title}  {right}"
    if step.baseline is not None:
        figures = ", ".join(figure[0] for figure in step.baseline.figures)
        lasts = duration(step.baseline.for_s) if step.baseline.for_s else "one bucket"
        yield _INDENT + cut(f"measures for {lasts}: {figures}", width - len(_INDENT))
    usual = _expected(step) if all(item.default for item in step.expect) else ""
    if step.block is not None:
        does = f"{step.block.kind}: {one_line(step.block.work.describe())}"
        room = width - len(_INDENT) - (len(usual) + 2 if usual else 0)
        yield f"{_INDENT}{pad(cut(does, room), room)}  {usual}".rstrip()
    for text in (_expected(step) if not usual else "", _more(step)):
        for line in wrap(text, width - len(_INDENT), most=_MOST) if text else ():
            yield _INDENT + line
    for loss in step.destroys:
        words = f"destroys {loss.target}: a person types its name first"
        yield _INDENT + cut(words, width - len(_INDENT))


def _marks(step: Step) -> Iterator[str]:
    if step.critical:
        yield "critical"
    if step.parallel:
        yield "parallel"
    if step.background:
        yield "in the background"
    if step.optional:
        yield "optional"
    if step.claimed:
        yield "claimed"


def _expected(step: Step) -> str:
    said = [item.condition.say() + (" (default)" if item.default else "") for item in step.expect]
    return f"expects {'; '.join(said)}" if said else ""


def _more(step: Step) -> str:
    parts = [f"needs {', '.join(step.needs)}"] if step.needs else []
    if step.unless is not None:
        parts.append(f"unless {one_line(step.unless.block.work.describe())}")
    if step.retry is not None:
        every = f" every {duration(step.retry.every_s)}" if step.retry.every_s else ""
        parts.append(f"up to {count(step.retry.attempts, 'attempt')}{every}")
    if step.timeout_s != _USUAL_TIMEOUT_S and step.block is not None:
        parts.append(f"stopped after {duration(step.timeout_s)}")
    if step.undo:
        parts.append(f"undo: {', '.join(one_line(b.work.describe()) for b in step.undo)}")
    if step.owner:
        parts.append(f"by {step.owner}")
    return "; ".join(parts)


def _back(plan: Plan, rollback: Rollback, width: int) -> Iterator[str]:
    yield from wrap(f"Way back: {_how(rollback)}", width)
    for rank, option in enumerate(rollback.options, start=1):
        yield from _option(option, rank, width)
        for step in option.steps:
            yield from _step(step, width)
    if rollback.proof:
        yield f" proof that the old state is back: {_counts(rollback.proof)}"
        for step in rollback.proof:
            yield from _step(step, width)
    over = _over(plan)
    if over:
        yield from (f" {line}" for line in wrap(over, width - 1, most=_MOST))


def _how(rollback: Rollback) -> str:
    """Return what has to come from a person before something is gone back."""
    several = ", the first that works" if len(rollback.options) > 1 else ""
    if not rollback.automatic:
        return f"after a person's yes, who may choose the way{several}"
    destructive = [option.destructive for option in rollback.options]
    if not any(destructive):
        return f"by itself{several}"
    if len(destructive) == 1:
        return "after a person has typed the name of what it destroys"
    if all(destructive):
        return "a person chooses, and types the name of what it destroys"
    ranks = [str(rank) for rank, lossy in enumerate(destructive, start=1) if lossy]
    which = f"{', '.join(ranks[:-1])} and {ranks[-1]}" if len(ranks) > 1 else ranks[0]
    return f"by itself, but for a name that a person types before {which}{several}"


def _over(plan: Plan) -> str:
    """Return when going back is over, and how long it may take."""
    parts = []
    if plan.rules and plan.metrics:
        number = plan.recovery.green
        row = "1 bucket (default)" if number == 1 else f"{number} buckets in a row"
        within = plan.recovery.within_s
        limit = f", within {duration(within)} after it" if within is not None else ""
        parts.append(f"over when the figures are green for {row}{limit}")
    for bound in plan.recovery.limits:
        least = "less than" if bound.strict else "at most"
        parts.append(f"recovery takes {least} {duration(bound.seconds)} (line {bound.span.line})")
    if plan.rollback is not None and plan.rollback.stated_s is not None:
        parts.append(f"recovery is stated as {duration(plan.rollback.stated_s)}")
    return "; ".join(parts)


def _option(option: Option, rank: int, width: int) -> Iterator[str]:
    """Yield a rung of the ladder: rank, title, stated time, what is lost, when it is open."""
    parts = []
    if option.destructive:
        parts.append("destructive, typed confirmation")
    if option.stated_s:
        parts.append(f"stated {duration(option.stated_s)}")
    right = ", ".join(parts)
    title = f"{rank}. {one_line(option.title)}"
    room = width - len(right) - 3
    yield f" {pad(cut(title, room), room)}  {right}".rstrip()
    told = [f"loses {option.loss}"] if option.loss else []
    told += [f"only if {text}" for text in option.open_when]
    for text in told:
        yield from (f"    {line}" for line in wrap(one_line(text), width - 4, most=_MOST))


def _foot(plan: Plan, width: int, ahead: Mapping[str, str], needed: Sequence[str]) -> Iterator[str]:
    point = no_return(plan, ahead)
    where = "none, every action has a way back"
    if point is not None:
        where = f"{point.step.title} (line {point.step.span.line}): {point.why}"
    yield from _row("point of no return", where, width)
    path = critical_path(plan)
    if path:
        yield from _row("critical path", " → ".join(step.title for step in path), width)
    yield from _row("estimated time", _time(plan), width)
    yield from _row("way back", _way_back(plan), width)
    if plan.settings.get("blocks"):
        yield from _row("blocks", plan.settings["blocks"], width, most=_MOST)
    people = [step for step in plan.steps() if step.effect is Effect.MANUAL]
    for place, step in enumerate(people):
        owner = f" ({step.owner})" if step.owner else ""
        said = cut(one_line(step.title) + owner, width - _LABEL - 12)
        label = "people" if place == 0 else ""
        yield f"{label:<{_LABEL}}{pad(said, width - _LABEL - 10)} line {step.span.line}"
    if needed:
        yield from _row("must be set", ", ".join(needed), width, most=_MOST)
    if any(phase.role is Role.WATCH for phase in plan.phases) and plan.rules:
        rules = f"{count(len(plan.rules), 'rule')}; `gonogo rehearse` shows when each one fires"
        yield from _row("watch", rules, width)


def _row(label: str, text: str, width: int, *, most: int = 3) -> Iterator[str]:
    for place, line in enumerate(wrap(text, width - _LABEL, most=most)):
        yield f"{label if place == 0 else '':<{_LABEL}}{line}"


def _time(plan: Plan) -> str:
    known = [took for phase in plan.phases if (took := estimated_s(phase))]
    if not known:
        return "not known: no phase and no step says how long it takes"
    missing = len(plan.phases) - len(known)
    more = f", and {count(missing, 'phase')} that {_do(missing)} not say" if missing else ""
    return f"{duration(sum(known))}{more}"


def _do(number: int) -> str:
    return "does" if number == 1 else "do"


def _way_back(plan: Plan) -> str:
    if plan.rollback is None:
        undone = sum(bool(step.undo) for step in plan.steps())
        return f"{count(undone, 'step')} with `Undo:`, last first" if undone else "none is written"
    options = plan.rollback.options
    stated = [option.stated_s for option in options if option.stated_s]
    time = f", {' or '.join(duration(s) for s in stated)} stated" if stated else ""
    proof = ", proved" if plan.rollback.proof else ", without a proof"
    return f"{count(len(options), 'option')}{time}{proof}"
