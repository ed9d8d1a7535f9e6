"""What the rules of a watch can do at all: when each fires, whether it ever can, and by mistake.

Everything here is worked out from the runbook alone, before anything runs: `gonogo lint` says it
line by line, and a rule that cannot be judged on its metric refuses the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gonogo.errors import Diagnostic, Severity
from gonogo.judge.candidates import answers
from gonogo.judge.course import LONGER, Course, course_of
from gonogo.judge.hearing import unheard_in
from gonogo.judge.measures import least_samples, misfit
from gonogo.judge.mending import hint_for
from gonogo.judge.rules import check
from gonogo.judge.streaks import Pattern, pattern_of
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Plan, Rule
from gonogo.plan.samples import Yields
from gonogo.plan.sources import HttpSource, LogSource, Source
from gonogo.plan.sources_read import read_metric

RATES = (Decimal("0.01"), Decimal("0.001"))
"""The shares of good buckets that breach by chance, for which false rollbacks are stated."""
_MOST_STATES = 4096
_MOST_WORK = 4_000_000


def fires_between(pattern: Pattern, width_ms: int) -> tuple[int, int]:
    """Return how long after the beginning of a lasting fault a rule fires: not before, not after.

    In milliseconds, without the grace in which a bucket is closed. The bucket in which the fault
    begins may already breach, or not: that is the difference.
    """
    return (pattern.need - 1) * width_ms, (pattern.need + 1) * width_ms


def chance(pattern: Pattern, share: Decimal, planned: int, longer: int = LONGER) -> float | None:
    """Return how likely a rule fires in a watch of good buckets, of which a share breaches.

    Buckets are taken as independent. The last `pattern.of` buckets are followed as a Markov chain
    over the planned ones and on while a streak is open; None where that are too many states.
    """
    states: dict[int, float] = {0: 1.0}
    mask = (1 << pattern.of) - 1
    bad = float(share)
    fired, work = 0.0, 0
    for number in range(planned + longer):
        if number >= planned:
            states.pop(0, None)  # no streak is open: the watch is over
        after: dict[int, float] = {}
        for bits, likely in states.items():
            breach = ((bits << 1) | 1) & mask
            good = 0 if pattern.need == pattern.of else (bits << 1) & mask
            if breach.bit_count() >= pattern.need:
                fired += likely * bad
            else:
                after[breach] = after.get(breach, 0.0) + likely * bad
            after[good] = after.get(good, 0.0) + likely * (1 - bad)
        states = after
        work += len(states)
        if len(states) > _MOST_STATES or work > _MOST_WORK:
            return None
    return fired


def lasting(ms: int) -> str:
    """Return a length of time in words: `10 min`, `1 h 30 min`, `45 s`."""
    seconds, rest = divmod(ms, 1000)
    if rest or not seconds:
        return f"{ms} ms" if ms else "0 min"
    parts = []
    for word, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {word}")
    return " ".join(parts)


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `13th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"


def mistakes_of_watch(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return what is to be said about the rules of a plan on their metrics.

    Errors are rules that cannot be judged on their metric; warnings are rules that can never do
    anything; notes say when a rule fires and how often it would by chance. Rules that people answer
    are not among them.
    """
    course = course_of(plan)
    if not course.rules:
        return ()
    if course.width_ms % 1000:
        return (_crooked(plan, course),)
    found = [*_misfits(course), *_unwatched(plan, course)]
    strange = {m.rule for m in check(course.rules, course.forms, course.terms)}
    for rule in course.rules:
        if rule.id not in strange:
            found += _about(rule, course)
    return (*found, *unheard_in(plan))


def _misfits(course: Course) -> Iterator[Diagnostic]:
    rules = {rule.id: rule for rule in course.rules}
    for one in check(course.rules, course.forms, course.terms):
        hint = hint_for(one, rules[one.rule], course.forms, course.width_ms)
        yield Diagnostic("GN347", one.message, one.span, hint=hint)


def _crooked(plan: Plan, course: Course) -> Diagnostic:
    """Return the mistake of buckets that do not lie on the grid of whole seconds."""
    place = next((p.span for p in plan.phases if p.role is Role.WATCH), course.rules[0].span)
    return Diagnostic(
        "GN354",
        f"buckets of {lasting(course.width_ms)} are no whole seconds",
        place,
        hint="write for example `in 5-minute buckets` or `in 10-second buckets`",
    )


def refusals(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return why a watch cannot be begun: what `gonogo lint` reports as errors of its rules."""
    names = [target.name for target in plan.targets]
    found = [d for metric in plan.metrics for d in read_metric(metric, names)[1]]
    course = course_of(plan)
    if course.rules and course.width_ms % 1000:
        found.append(_crooked(plan, course))
    else:
        found += _misfits(course)
    return tuple(d for d in found if d.severity is Severity.ERROR)


def is_watched(plan: Plan) -> bool:
    """Say whether there is a phase in which the rules of a plan are judged."""
    return any(phase.role is Role.WATCH for phase in plan.phases)


def _unwatched(plan: Plan, course: Course) -> Iterator[Diagnostic]:
    """Yield one warning where no phase judges the rules; a box of the sign-off is asked anyway."""
    if is_watched(plan):
        return
    asked = {step.span.line for step in plan.steps()}
    lost = [rule for rule in course.rules if rule.span.line not in asked]
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        yield _warning(
            "GN353",
            lost[0],
            f"no section is a watch: `{lost[0].condition.text}`{more} is never judged",
            "write its objectives or alerts under a heading such as `## Watch for 24 hours`",
        )


def _about(rule: Rule, course: Course) -> Iterator[Diagnostic]:
    pattern = pattern_of(rule.condition.window, course.width_ms)
    never = [*_never(rule, pattern, course), *_too_few(rule, course)]
    yield from never
    if never:
        return
    if pattern.need > course.room(rule):
        yield _warning(
            "GN348",
            rule,
            f"takes {pattern.need} buckets, the watch has {course.room(rule)}: it fires only where"
            " the watch goes on in an open streak",
            "shorten the window, or watch longer",
        )
    yield _when(rule, pattern, course)
    if rule.consequence is Consequence.ROLLBACK:
        yield from _by_chance(rule, pattern, course)


def _never(rule: Rule, pattern: Pattern, course: Course) -> Iterator[Diagnostic]:
    """Yield why a rule can never fire, always fires, or can never be judged."""
    objective = rule.consequence is Consequence.OBJECTIVE
    seen = answers(rule, course.forms)
    if seen == {False}:
        what = "is always met: no value misses it" if objective else "can never fire: no value does"
        yield _warning("GN348", rule, f"`{rule.condition.text}` {what}", "mend the limit")
    elif seen == {True}:
        what = "can never be met" if objective else "holds for every value: it always fires"
        yield _warning("GN349", rule, f"`{rule.condition.text}` {what}", "mend the limit")
    if pattern.need > course.room(rule) + LONGER:
        yield _warning(
            "GN348",
            rule,
            f"can never fire: it takes {pattern.need} buckets, the watch ends after"
            f" {course.room(rule)}",
            "shorten the window, or watch longer",
        )


def _too_few(rule: Rule, course: Course) -> Iterator[Diagnostic]:
    """Yield the figures that never come from enough samples in one bucket."""
    for predicate in rule.condition.predicates:
        name = predicate.metric or ""
        source, form = course.sources[name], course.forms[name]
        if misfit(predicate, form):
            continue
        least, most = least_samples(predicate, form), _most_samples(source, course.width_ms)
        if most is None or least <= most:
            continue
        hint = f"read it every {_beat(course.width_ms, least)}" if most else ""
        hint = f"{hint}, or " if hint else ""
        yield Diagnostic(
            "GN350",
            f"can never be judged: {predicate.subject() or name} needs {least} samples in a bucket,"
            f" `{name}` gives {f'at most {most}' if most else 'no number of samples'}",
            predicate.span,
            hint=f"{hint}state `minimum samples: {most}` if that is enough for you",
            severity=Severity.WARNING,
        )


def _most_samples(source: Source, width_ms: int) -> int | None:
    """Return the most samples that a bucket can hold; None when nobody can know."""
    if isinstance(source, LogSource):
        return None
    if source.yields is Yields.GIVEN:
        counted = bool(getattr(source, "count", ""))
        return None if counted else 0
    if source.yields is Yields.SAMPLES or isinstance(source, HttpSource):
        return _readings(source, width_ms)
    return None  # one answer may stand for many requests


def _readings(source: Source, width_ms: int) -> int:
    return max(1, -(-width_ms // max(1, int(source.every_s * 1000))))


def _beat(width_ms: int, least: int) -> str:
    seconds = width_ms / 1000 / least
    return f"{int(seconds)} s" if seconds >= 1 else "1 s with longer buckets"


def _when(rule: Rule, pattern: Pattern, course: Course) -> Diagnostic:
    first, last = fires_between(pattern, course.width_ms)
    fires = "is missed" if rule.consequence is Consequence.OBJECTIVE else "fires"
    which = f"{ordinal(pattern.need)} bad bucket"
    if pattern.of > pattern.need:
        which += f" within {pattern.of}"
    at = lasting(pattern.need * course.width_ms)
    room = course.room(rule)
    here = f"bucket {pattern.need} of {room}, {at} into it"
    if pattern.need > room:
        here = f"{lasting((pattern.need - room) * course.width_ms)} after its planned end"
    span = f"{lasting(first)} to {lasting(last)}" if first else f"at most {lasting(last)}"
    return Diagnostic(
        "GN351",
        f"{fires} at the close of the {which}: {span} after the fault",
        rule.span,
        severity=Severity.NOTE,
        notes=(f"a fault from the first moment of the watch: {here}",),
    )


def _by_chance(rule: Rule, pattern: Pattern, course: Course) -> Iterator[Diagnostic]:
    likely = [chance(pattern, share, course.room(rule)) for share in RATES]
    if None in likely:
        return
    often, seldom = (percent(each or 0.0) for each in likely)
    shares = [f"{(share * 100).normalize():f} %" for share in RATES]
    yield Diagnostic(
        "GN352",
        f"of good releases {often} are rolled back by chance if {shares[0]} of their buckets"
        f" breach, {seldom} if {shares[1]} do",
        rule.span,
        severity=Severity.NOTE,
    )


def percent(likely: float) -> str:
    """Return a probability in per cent with two or three digits that count."""
    shown = likely * 100
    if shown >= 99.95:
        return "99.9 % or more"
    if shown >= 10:
        return f"{shown:.0f} %"
    return f"{Decimal(f'{shown:.2g}'):f} %"


def _warning(code: str, rule: Rule, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code, message, rule.span, hint=hint, severity=Severity.WARNING)
