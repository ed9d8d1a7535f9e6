"""What a watch saw: its rules, slice after slice, every move with its reason, and the gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from gonogo.report.facts import StepFacts

BREACH, GOOD, NO_DATA = "breach", "good", "no data"
PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
NOT_WATCHED = "not watched"
OBJECTIVE, WARN = "objective", "warn"
_MOST_MISSING = 2_016  # a week of slices; a longer hole is drawn no longer
RULE = "rule"
"""The effect of a finding about a rule: it was watched, not carried out."""


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A rule as its author wrote it, and what follows when it is broken."""

    id: str
    text: str
    says: str  # the same in canonical wording
    consequence: str = ""
    line: int = 0
    baseline: str = ""  # what its figure was before the release: `412 ms`


@dataclass(frozen=True, slots=True)
class Seen:
    """What one slice says about one rule, and how full its streak is after it."""

    says: str = ""
    event: str = ""  # breach, good, insufficient, no data; empty when nothing was journaled
    state: str = ""  # inactive, pending, firing, resolved
    count: int = 0
    need: int = 0
    of: int = 0
    value: float | None = None
    unit: str = ""
    limit: float | None = None

    @property
    def known(self) -> bool:
        """Say whether the slice could be judged."""
        return self.event in (BREACH, GOOD)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one metric in one slice; `coverage` is the watched share of it, 0 to 1."""

    count: int = 0
    coverage: float | None = None
    late: int = 0
    why: tuple[str, ...] = ()
    bad: Mapping[str, int] = field(default_factory=dict)  # what is no figure, by reason

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return why nothing came, or nothing that could be used."""
        return (*self.why, *(f"no figure: {reason}" for reason in self.bad if not self.count))


@dataclass(frozen=True, slots=True)
class Slice:
    """One closed slice of time."""

    start: str
    start_ms: int
    rules: Mapping[str, Seen] = field(default_factory=dict)
    metrics: Mapping[str, Taken] = field(default_factory=dict)

    @property
    def watched(self) -> float:
        """Return which share of it was watched by the metric that was watched longest."""
        return max((_share(taken) for taken in self.metrics.values()), default=0.0)


def _share(taken: Taken) -> float:
    if taken.coverage is None:
        return 1.0 if taken.count else 0.0
    return min(max(taken.coverage, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Move:
    """One rule went from one state to another when a slice was closed."""

    rule: str
    consequence: str = ""
    at: str = ""  # start of the slice
    closed: str = ""  # its end
    before: str = ""
    after: str = ""
    event: str = ""
    reason: str = ""
    slices: tuple[str, ...] = ()  # starts of those that count
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blank:
    """Slices in a row of which one metric, or the whole watch, knows nothing."""

    what: str  # not watched, no data
    metric: str  # empty: all of them
    since: str
    until: str
    slices: int
    why: str = ""

    def say(self) -> str:
        """Return what is not known, of what and why."""
        of = f" of {self.metric}" if self.metric else ""
        number = f"{self.slices} slice" + ("" if self.slices == 1 else "s")
        return f"{self.what}{of} for {number}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class Watch:
    """All that is known of one watch; slices in order of time, each once."""

    ALSO: ClassVar[tuple[str, ...]] = ("planned_s", "watched_s")

    phase: str
    started: str = ""
    width_ms: int = 0
    planned: int = 0  # slices
    blind_after_s: float | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)  # name -> where it comes from
    rules: tuple[RuleFacts, ...] = ()
    slices: tuple[Slice, ...] = ()
    moves: tuple[Move, ...] = ()
    gaps: tuple[Blank, ...] = ()
    findings: tuple[StepFacts, ...] = ()
    ended: str = ""
    why: str = ""
    complete: bool | None = None  # None until it has ended

    @property
    def planned_s(self) -> float | None:
        """Return how long it was to last."""
        return self.planned * self.width_ms / 1000 if self.planned and self.width_ms else None

    @property
    def watched_s(self) -> float:
        """Return for how long it really was watched; gaps and blind times are not."""
        return round(sum(one.watched for one in self.slices) * self.width_ms / 1000, 3)

    @property
    def last(self) -> Slice | None:
        """Return the latest closed slice."""
        return self.slices[-1] if self.slices else None

    def grid(self) -> list[Slice | None]:
        """Return the slices in their places on the clock; None where one is missing."""
        found: list[Slice | None] = []
        before: int | None = None
        for one in self.slices:
            if before is not None and self.width_ms:
                missing = (one.start_ms - before) // self.width_ms - 1
                found += [None] * min(max(missing, 0), _MOST_MISSING)
            found.append(one)
            before = one.start_ms
        return found

    def series(self, rule: str) -> Iterator[Seen]:
        """Yield what each slice says about a rule; nothing of a missing one."""
        nothing = Seen()
        for one in self.grid():
            yield nothing if one is None else one.rules.get(rule, nothing)

    def since(self, rule: str) -> str:
        """Return since when a rule is as it is: the first slice that counts; empty if unknown."""
        for move in reversed(self.moves):
            if move.rule == rule:
                pending = move.after == PENDING and move.slices
                return move.slices[0] if pending else move.at
        return ""
