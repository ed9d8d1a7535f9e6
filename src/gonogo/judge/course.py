"""The watches of a plan before anything is measured: their rules, metrics, buckets and lengths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gonogo.judge.buckets import Form, Grid, Shape
from gonogo.judge.rules import Terms
from gonogo.plan.kinds import Role
from gonogo.plan.lengths import has_figures, lengths
from gonogo.plan.model import Checkpoint, Phase, Plan, Recovery, Rule
from gonogo.plan.samples import Yields
from gonogo.plan.sources import RedisSource, Source, SqlSource
from gonogo.plan.sources_read import read_metric

BUCKET_S = 300
"""The width of a bucket when the runbook says none."""
LONGER = 24
"""How many buckets a watch may last longer: an open streak, a clock that is set, its last one."""
_LONG_GRACE_S = 10
_SHORT_GRACE_S = 1
_MINUTE_MS = 60_000


def form_of(source: Source) -> Form:
    """Return what the buckets of a source are made of."""
    return Form(
        shape=Shape(source.yields.value),
        unit=source.unit or ("%" if source.yields is Yields.SHARE else ""),
        stat=source.stat_given or "avg",
        least=source.minimum_samples,
    )


def sources_of(plan: Plan) -> dict[str, Source]:
    """Return the sources of the metrics that are bound; lint has refused mistakes in them."""
    names = [target.name for target in plan.targets]
    found = {metric.name: read_metric(metric, names)[0] for metric in plan.metrics}
    return {name: source for name, source in found.items() if source is not None}


def forms_of(sources: Mapping[str, Source]) -> dict[str, Form]:
    """Return what the figures of each metric are."""
    return {name: form_of(source) for name, source in sources.items()}


def figured(plan: Plan, phase: Phase | None = None) -> tuple[Rule, ...]:
    """Return the rules whose metrics are all bound, of one watch when one is given.

    A person answers the others.
    """
    bound = {metric.name for metric in plan.metrics}
    return tuple(
        rule
        for rule in plan.rules
        if all(p.metric in bound for p in rule.condition.predicates)
        and (phase is None or rule.phase in ("", phase.id))
    )


def watches_of(plan: Plan) -> tuple[Phase, ...]:
    """Return the phases that are watched by figures, in order."""
    found = (phase for phase in plan.released if phase.role is Role.WATCH)
    return tuple(phase for phase in found if figured(plan, phase))


def watched_phase(plan: Plan) -> Phase | None:
    """Return the first phase that is watched by figures."""
    return next(iter(watches_of(plan)), None)


def is_watched(plan: Plan, phase: Phase) -> bool:
    """Say whether a phase is watched by figures."""
    return phase.role is Role.WATCH and has_figures(phase, plan.rules, plan.metrics)


def width_ms(plan: Plan) -> int:
    """Return the width of a bucket in milliseconds."""
    return max(1, int(Decimal(plan.settings.get("bucket", BUCKET_S)) * 1000))


def terms_of(plan: Plan) -> Terms:
    """Return how a watch is judged where its rules do not say it: the front matter may."""
    said, usual = plan.settings, Terms()
    clear = said.get("clear")
    return Terms(
        width_ms=width_ms(plan),
        blind_after_s=int(Decimal(said.get("blind after", usual.blind_after_s))),
        clear=int(clear) if clear is not None else None,
    )


def grid_of(plan: Plan, sources: Iterable[Source] | None = None) -> Grid:
    """Return the grid of the watch; short buckets have a short grace.

    What was seen counts for its own time, and a source may hand it over later by as much as it
    says (`lag_s`): a log by its beat, a request by the time that its answer may take. Without that
    the slowest would be left out.
    """
    width = width_ms(plan)
    used = sources_of(plan).values() if sources is None else sources
    return Grid(width // 1000, _grace_s(width, used))


def _grace_s(width: int, sources: Iterable[Source]) -> int:
    base = _LONG_GRACE_S if width >= _MINUTE_MS else _SHORT_GRACE_S
    return max([base, *(math.ceil(source.lag_s) for source in sources)])


def planned(plan: Plan, phase: Phase) -> int:
    """Return how many buckets a watch lasts: its stated length, else its longest rule."""
    width = width_ms(plan)
    stated = lengths(plan.released, plan.rules, plan.metrics).get(phase.id)
    if stated is not None:
        return max(1, -(-int(stated * 1000) // width))
    return longest(figured(plan, phase), width)


def longest(rules: Iterable[Rule], width: int) -> int:
    """Return how many buckets the longest of the rules takes, at least one."""
    windows = [rule.condition.window for rule in rules if rule.condition.window]
    counts = [window.of or window.count or 1 for window in windows]
    lasting = [-(-int((window.seconds or 0) * 1000) // width) for window in windows]
    return max([1, *counts, *lasting])


@dataclass(frozen=True, slots=True)
class Watching:
    """One watch of a release before it begins: how long it lasts, and from when that counts."""

    id: str = ""  # of its phase; rules that name it are judged in it alone
    title: str = ""
    planned: int = 1  # buckets, counted from its own begin
    whole_ms: int | None = None  # `First day`: until so long after the first watch began
    figured: bool = True  # some rule has figures in it; without, only its checkpoints take time
    checkpoints: tuple[Checkpoint, ...] = ()

    def ends_ms(self, first_ms: int, begun_ms: int, width_ms: int) -> int:
        """Return its planned end; over already when it begins, it lasts one bucket."""
        if self.whole_ms is None:
            return begun_ms + self.planned * width_ms
        return max(first_ms + self.whole_ms, begun_ms + width_ms)

    def looks_end_ms(self, first_ms: int, begun_ms: int) -> int:
        """Return when its last checkpoint is over: its gate waits for that."""
        from_ms = begun_ms if self.whole_ms is None else first_ms
        last = max((one.ends_s for one in self.checkpoints), default=None)
        return begun_ms if last is None else from_ms + round(last * 1000)


def watching_of(plan: Plan, phase: Phase) -> Watching:
    """Return one watch of a plan before it begins."""
    width, whole = width_ms(plan), None
    if phase.from_first and phase.span_s is not None:
        whole = -(-int(phase.span_s * 1000) // width) * width
    return Watching(
        phase.id,
        phase.title,
        planned(plan, phase),
        whole,
        is_watched(plan, phase),
        phase.checkpoints,
    )


@dataclass(frozen=True, slots=True)
class Way:
    """The first way back, as far as it is known before anything went wrong."""

    title: str = ""
    acts_s: float = 0.0  # as stated, else as its steps are estimated
    asks: bool = False  # a person decides first
    more: int = 0  # ways that are left when this one does not help
    exists: bool = True


def way_of(plan: Plan) -> Way:
    """Return the first way back of a plan: its first option, else the `Undo:` of its steps."""
    back = plan.rollback
    automatic = back.automatic if back is not None else plan.settings.get("rollback") != "ask"
    if back is None or not back.options:
        undone = any(step.undo for step in plan.steps())
        return Way("what the steps undo" if undone else "", asks=not automatic, exists=undone)
    first = back.options[0]
    stated = first.stated_s
    if stated is None:
        stated = sum(step.estimate_s or 0.0 for step in first.steps)
    return Way(
        first.title, stated, asks=not automatic or first.destructive, more=len(back.options) - 1
    )


@dataclass(frozen=True, slots=True)
class Program:
    """What a release goes through once it is watched: its watches in turn, and the way back."""

    watches: tuple[Watching, ...] = ()
    grace_ms: int = _LONG_GRACE_S * 1000  # from the end of a bucket until it is closed
    way: Way = field(default_factory=Way)
    recovery: Recovery = field(default_factory=Recovery)
    counters: frozenset[str] = frozenset()  # metrics of which a reading says what has come since


def program_of(plan: Plan) -> Program:
    """Return what a release goes through once it is watched."""
    sources = sources_of(plan)
    watches = [phase for phase in plan.released if phase.role is Role.WATCH]
    return Program(
        tuple(watching_of(plan, phase) for phase in watches),
        _grace_s(width_ms(plan), sources.values()) * 1000,
        way_of(plan),
        plan.recovery,
        counters_of(sources),
    )


def counters_of(sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the metrics of which a reading says what has come since the reading before it."""
    return frozenset(
        name
        for name, source in sources.items()
        if (isinstance(source, SqlSource) and source.delta)
        or (isinstance(source, RedisSource) and (source.delta or bool(source.hits)))
    )


@dataclass(frozen=True, slots=True)
class Course:
    """The watches of a plan as one: their rules, their metrics, their buckets."""

    rules: tuple[Rule, ...]  # those whose metrics are all bound
    sources: Mapping[str, Source]
    forms: Mapping[str, Form]
    width_ms: int
    planned: int  # buckets, of all watches together
    own: Mapping[str, int] = field(default_factory=dict)  # buckets of each watch, by its id
    settled: Terms | None = None
    program: Program = field(default_factory=Program)

    @property
    def terms(self) -> Terms:
        """Return the terms on which the watch is judged."""
        return self.settled or Terms(width_ms=self.width_ms)

    def room(self, rule: Rule) -> int:
        """Return how many buckets a rule has: those of its own watch, else of all."""
        return self.own.get(rule.phase, self.planned)


def course_of(plan: Plan) -> Course:
    """Return the watches of a plan; a metric with mistakes takes its rules along."""
    sources = sources_of(plan)
    forms = forms_of(sources)
    rules = tuple(
        rule
        for rule in plan.rules
        if all((p.metric or "") in forms for p in rule.condition.predicates)
    )
    width = width_ms(plan)
    own = {phase.id: planned(plan, phase) for phase in plan.released if phase.role is Role.WATCH}
    whole = sum(own.values()) or longest(plan.rules, width)
    return Course(rules, sources, forms, width, whole, own, terms_of(plan), program_of(plan))
