"""A runbook, understood: phases, steps, rules, rollback; frozen values with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gonogo.errors import Diagnostic
from gonogo.plan.condition import Condition
from gonogo.plan.kinds import Destruction, Effect, Role, Variable, Work
from gonogo.plan.receivers import Receivers
from gonogo.plan.windows import Calendar
from gonogo.source import Source, Span


class Mode(StrEnum):
    """How much a runbook promises."""

    EXPLICIT = "explicit"  # `gonogo: 1`: what is not understood in an executable phase is an error
    ASSISTED = "assisted"  # any checklist: nothing runs without a person's yes for that block


class Interrupted(StrEnum):
    """What happens to an action that was in flight when we died and cannot be re-attached."""

    ASK = "ask"  # a person says done, run again, or failed
    RERUN = "rerun"  # the author declared it idempotent


class Consequence(StrEnum):
    """What a rule is for; polarity comes from here, never from the operator."""

    OBJECTIVE = "objective"  # must hold
    WARN = "warn"
    PAGE = "page"
    CRITICAL = "critical"
    P0 = "p0"  # as critical
    P1 = "p1"  # to be mended within four hours, or as its line says
    P2 = "p2"  # to be mended within a day
    P3 = "p3"  # to be planned
    ROLLBACK = "rollback"  # must not hold; rolls back when it does


CALLS = frozenset({Consequence.PAGE, Consequence.CRITICAL, Consequence.P0, Consequence.P1})
"""Rules that tell somebody at once; when one fires, a person decides about the watch."""
TELLS = frozenset({Consequence.WARN, Consequence.P2, Consequence.P3})
"""Rules that are told and decide nothing."""
ALERTS = CALLS | TELLS


@dataclass(frozen=True, slots=True)
class Expectation:
    """A condition that a step's observation must meet."""

    condition: Condition
    span: Span
    default: bool = False  # not written by the author; lint and plan print it


@dataclass(frozen=True, slots=True)
class Block:
    """One fence, understood; `span` is the body's place in the runbook."""

    kind: str
    work: Work
    text: str
    span: Span
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again while the expectation is not met; waits `every_s` between two attempts."""

    attempts: int
    every_s: float


@dataclass(frozen=True, slots=True)
class Done:
    """How to see that a step is already done (`Unless:`): a block and what it must show."""

    block: Block
    expect: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A value to keep for later conditions: `Record: output as previous release`."""

    indicator: str  # or the column of the only row
    name: str  # what `recorded NAME` calls it; in small letters


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures to measure before the release: name as in `Predicate.subject`, metric, statistic."""

    figures: tuple[tuple[str, str, str | None], ...]
    for_s: float | None = None  # how long; one bucket when it is not said


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A heading inside a watch with a time: its steps are looked at when it begins and ends."""

    id: str
    title: str
    span: Span
    begins_s: float  # since the begin of the watch
    ends_s: float  # the same as `begins_s`: looked at once
    steps: tuple[str, ...]  # ids
    every_s: float | None = None  # the beat in between

    @property
    def once(self) -> bool:
        """Say whether it is a moment, not a stretch of time."""
        return self.begins_s == self.ends_s


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a block to carry out, or (no block) a question to a person."""

    id: str  # slug of heading path and text, or the author's name; never a position
    title: str
    span: Span
    path: tuple[str, ...]  # headings above
    effect: Effect
    block: Block | None = None
    expect: tuple[Expectation, ...] = ()
    critical: bool = False  # its failure stops everything behind it
    claimed: bool = False  # pre-ticked by the author: a claim, not a result
    optional: bool = False  # a person may leave it out, with a reason
    needs: tuple[str, ...] = ()  # ids of steps that must have passed
    parallel: bool = False  # may run beside its neighbours
    background: bool = False  # what is written after it does not wait for it; the gate does
    retry: Retry | None = None
    timeout_s: float = 300.0
    unless: Done | None = None
    undo: tuple[Block, ...] = ()
    interrupted: Interrupted = Interrupted.ASK
    destroys: tuple[Destruction, ...] = ()  # places are in the runbook
    owner: str | None = None
    estimate_s: float | None = None
    records: tuple[str, ...] = ()  # indicators to keep in the evidence by name
    keeps: tuple[Kept, ...] = ()  # the same, each with the name that conditions use
    notes: tuple[str, ...] = ()  # other directives and prose worth showing, as "Name: value"
    deadline_s: float | None = None  # a question: not answered so long after it is asked, unknown
    baseline: Baseline | None = None  # no block: the figures are measured here
    every_s: float | None = None  # in a checkpoint: looked at again on this beat


@dataclass(frozen=True, slots=True)
class Phase:
    """A heading and its steps, closed by a gate."""

    id: str
    title: str
    role: Role
    span: Span
    steps: tuple[Step, ...]
    estimate_s: float | None = None
    needs: tuple[str, ...] = ()  # ids of phases or steps
    span_s: float | None = None  # a watch: how long
    from_first: bool = False  # a watch: its length counts from the begin of the first watch
    checkpoints: tuple[Checkpoint, ...] = ()  # of a watch, by the time of their begin
    calendar: Calendar | None = None  # when it may begin


@dataclass(frozen=True, slots=True)
class Follows:
    """A step of the release on which a way back depends."""

    step: str  # its id
    title: str
    begun: bool = True  # false: this way is for a run in which the step was not begun


@dataclass(frozen=True, slots=True)
class Option:
    """One way back; options are tried in the written order."""

    id: str
    title: str
    span: Span
    steps: tuple[Step, ...]
    stated_s: float | None = None
    loses: str = ""  # what is gone after it, in the author's words
    conditions: tuple[Step, ...] = ()  # `Only if`: all must pass, else this way is left out
    after: tuple[Follows, ...] = ()  # `Only if` a step of the release was begun, or was not

    @property
    def destructive(self) -> bool:
        """Say whether something cannot be got back; read from the statements, not from labels."""
        return any(step.destroys for step in self.steps)

    @property
    def open_when(self) -> tuple[str, ...]:
        """Return when this way is open, in words; empty when it always is."""
        after = (f"`{one.title}` was {'' if one.begun else 'not '}begun" for one in self.after)
        return (*after, *(step.title.rstrip("?") for step in self.conditions))

    @property
    def loss(self) -> str:
        """Return what is lost by it: the author's words, else what its statements destroy."""
        targets = dict.fromkeys(loss.target for step in self.steps for loss in step.destroys)
        return self.loses or (f"what is in {', '.join(targets)}" if targets else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over the watch with its consequence."""

    id: str
    condition: Condition
    consequence: Consequence
    span: Span
    defaulted: bool = False  # no window was written; the default is one full bucket
    phase: str = ""  # id of the only watch that it belongs to; empty: of every watch
    within_s: float | None = None  # to be mended in this time, where the runbook says so


@dataclass(frozen=True, slots=True)
class Limit:
    """How long the way back may take at most, from the first bad figure to the last green one."""

    seconds: float
    strict: bool  # `< 15 minutes`: exactly 15 minutes is too long
    span: Span

    def breached(self, seconds: float) -> bool:
        """Say whether a measured time is too long."""
        return seconds > self.seconds or (self.strict and seconds == self.seconds)


@dataclass(frozen=True, slots=True)
class Recovery:
    """When going back is over, and how long it may take."""

    green: int = 1  # buckets in a row in which every objective holds
    within_s: float | None = None  # how long the figures have for it after the way back is gone
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollback:
    """The rollback section: options in order, then the proof that the old state is back."""

    id: str
    span: Span
    options: tuple[Option, ...]
    proof: tuple[Step, ...] = ()
    automatic: bool = True  # `rollback: auto`; with `ask` a person says yes first
    stated_s: float | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A name used in rules, bound to a source in the front matter (fields as written)."""

    name: str
    fields: Mapping[str, object]
    span: Span


@dataclass(frozen=True, slots=True)
class Target:
    """A named place in the world: `app: ${APP_URL}`; the text still holds its variables."""

    name: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one piece of the runbook was understood as; the lines of `gonogo lint`."""

    span: Span
    what: str  # phase, step, action, check, manual step, rule, directive, reference, ignored …
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole runbook, understood. `phases` holds the executable ones in order."""

    title: str
    service: str
    mode: Mode
    source: Source
    phases: tuple[Phase, ...]
    rollback: Rollback | None
    rules: tuple[Rule, ...]
    metrics: tuple[Metric, ...]
    targets: tuple[Target, ...]
    environments: Mapping[str, Mapping[str, str]]
    variables: tuple[Variable, ...]  # every name that must be bound, first use each
    meanings: tuple[Meaning, ...]
    diagnostics: tuple[Diagnostic, ...]  # warnings and notes; errors never get this far
    settings: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)  # variables in every environment
    receivers: Receivers = field(default_factory=Receivers)  # who is told of alerts
    recovery: Recovery = field(default_factory=Recovery)  # when going back is over

    @property
    def released(self) -> tuple[Phase, ...]:
        """Return the phases of the release itself: standing duties come after it."""
        return tuple(phase for phase in self.phases if phase.role is not Role.MAINTENANCE)

    def steps(self) -> Iterator[Step]:
        """Yield the steps of the release, in order; not those of the rollback."""
        for phase in self.released:
            yield from phase.steps

    def every_step(self) -> Iterator[Step]:
        """Yield all steps, those of the rollback last."""
        yield from self.steps()
        if self.rollback is not None:
            for option in self.rollback.options:
                yield from option.conditions
                yield from option.steps
            yield from self.rollback.proof
