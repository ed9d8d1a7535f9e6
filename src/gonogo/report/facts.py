"""The parts that evidence is made of: steps, phases, ways back, answers, waivers and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from gonogo.judge.verdict import Finding, Status, Verdict, decide
from gonogo.report import words
from gonogo.report.looks import Look

if TYPE_CHECKING:
    from gonogo.report.watch import Watch

NOT_RUN = "not run"
UNFINISHED = "unfinished"
SKIPPED = "skipped"
CLAIM = "ticked in the runbook: claimed, not verified"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a step; without `finished` it was broken off and left no result."""

    number: int
    started: str = ""
    finished: str = ""
    status: Status | None = None
    actual: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person said; a yes has a name, a time, a reason and an expiry."""

    answer: str
    who: str
    at: str
    reason: str = ""
    link: str = ""
    expires: str = ""
    expired: bool | None = None  # at the last event; None without a readable expiry
    refused: str = ""  # why it did not fit; empty for an answer that counts


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step of the plan and what became of it; `finding` is the latest one."""

    ALSO: ClassVar[tuple[str, ...]] = ("status", "word", "measured_s", "claim")

    id: str
    title: str
    line: int = 0
    effect: str = ""
    critical: bool = False
    claimed: bool = False
    owner: str = ""
    planned_s: float | None = None
    command: str = ""
    attempts: tuple[Attempt, ...] = ()
    finding: Finding | None = None
    skipped: bool = False
    expired: bool | None = None  # its waiver, at the last event; None without a readable expiry
    looks: tuple[Look, ...] = ()  # in a checkpoint
    accepted: Answered | None = None  # by the person who said go at a gate that was held

    @property
    def status(self) -> Status:
        """Return what is known; a step without a finding is unknown."""
        return Status.UNKNOWN if self.finding is None else self.finding.status

    @property
    def word(self) -> str:
        """Return the status in the word that a reader sees."""
        begun = any(attempt.started for attempt in self.attempts)
        if self.finding is None:
            return UNFINISHED if self.attempts else NOT_RUN
        looked = begun or bool(self.finding.started) or self.effect == "rule"
        if self.finding.status is Status.UNKNOWN and not looked:
            return SKIPPED if self.skipped else NOT_RUN  # the finding says why
        if self.skipped and self.finding.status in (Status.UNKNOWN, Status.WAIVED):
            return SKIPPED  # counts as waived or unknown, and was never carried out
        return self.finding.status.value

    @property
    def measured_s(self) -> float | None:
        """Return how long it took; None when it never ended, or is a rule and took no time."""
        if self.finding is None or (self.effect == "rule" and not self.finding.duration_s):
            return None
        return self.finding.duration_s

    @property
    def claim(self) -> str:
        """Return what to say of a box that was ticked in the file; empty once it is verified."""
        return CLAIM if self.claimed and self.status is not Status.PASS else ""

    @property
    def is_open(self) -> bool:
        """Say whether it was begun and has no result."""
        return bool(self.attempts) and not self.attempts[-1].finished


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gate said, once."""

    at: str
    verdict: Verdict | None
    reasons: tuple[str, ...] = ()
    counts: Mapping[str, object] = field(default_factory=dict)
    held: tuple[str, ...] = ()  # what had no evidence when a person decided
    by: Answered | None = None  # that person


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """A phase, its steps and its gate; the last decision of the gate holds."""

    ALSO: ClassVar[tuple[str, ...]] = ("verdict", "word", "measured_s")

    id: str
    title: str
    role: str = ""
    line: int = 0
    planned_s: float | None = None
    started: str = ""
    decisions: tuple[Decision, ...] = ()
    gap_s: float = 0.0  # of the measured time: nobody carried the run on
    steps: tuple[StepFacts, ...] = ()
    watch: Watch | None = None

    @property
    def judged(self) -> tuple[StepFacts, ...]:
        """Return what its gate decides on: the steps, then the rules that were watched."""
        return self.steps if self.watch is None else (*self.steps, *self.watch.findings)

    @property
    def begun(self) -> bool:
        """Say whether anything of this phase happened."""
        return bool(
            self.started or self.decisions or any(s.attempts or s.finding for s in self.judged)
        )

    @property
    def verdict(self) -> Verdict | None:
        """Return the verdict of the gate; None when it was not reached."""
        return self.decisions[-1].verdict if self.decisions else None

    @property
    def word(self) -> str:
        """Return the verdict in the word that a reader sees."""
        if self.decisions:
            return "no verdict" if self.verdict is None else self.verdict.value
        return UNFINISHED if self.begun else NOT_RUN

    @property
    def measured_s(self) -> float | None:
        """Return the seconds from its start to the decision of its gate, gaps included."""
        return (
            words.seconds_between(self.started, self.decisions[-1].at) if self.decisions else None
        )


@dataclass(frozen=True, slots=True)
class OptionFacts:
    """One way back and what became of it."""

    ALSO: ClassVar[tuple[str, ...]] = ("word",)

    id: str
    title: str
    line: int = 0
    stated_s: float | None = None
    destructive: bool = False
    loses: str = ""
    only_if: tuple[str, ...] = ()  # when it is open, in words
    started: str = ""
    finished: str = ""
    status: str = ""
    why: str = ""
    measured_s: float | None = None
    steps: tuple[StepFacts, ...] = ()

    @property
    def begun(self) -> bool:
        """Say whether this way was taken."""
        return bool(self.started or self.finished or any(s.attempts for s in self.steps))

    @property
    def word(self) -> str:
        """Return the outcome in the word that a reader sees."""
        if self.finished:
            return self.status or "no status"
        return UNFINISHED if self.begun else NOT_RUN


@dataclass(frozen=True, slots=True)
class Recovery:
    """What one bucket said after going back: green, or what is not."""

    way: str
    start: str
    says: str
    look: str = ""  # green, bad or unknown
    count: int = 0  # green ones in a row, this one included
    need: int = 1


@dataclass(frozen=True, slots=True)
class HeldTime:
    """The measured time of going back beside what the runbook allows and states, in seconds."""

    took_s: float | None = None
    limit_s: float | None = None
    strict: bool = False  # less than the limit, not at most
    line: int = 0
    status: str = ""  # pass or fail; empty without a limit
    says: str = ""
    warnings: tuple[str, ...] = ()  # stated times that were exceeded


@dataclass(frozen=True, slots=True)
class RollbackFacts:
    """The way back: why it was taken, the options in order, and the proof that it worked."""

    ALSO: ClassVar[tuple[str, ...]] = ("begun", "proof_verdict", "proof_s")

    id: str = ""
    line: int = 0
    stated_s: float | None = None
    started: str = ""
    finished: str = ""
    reason: str = ""
    item: str = ""  # what led to it
    way: str = ""  # options or undo
    status: str = ""
    option: str = ""  # the one that worked
    why: str = ""
    proof_title: str = ""
    decisions: tuple[Decision, ...] = ()
    options: tuple[OptionFacts, ...] = ()
    undo: tuple[StepFacts, ...] = ()
    proof: tuple[StepFacts, ...] = ()
    recovery: tuple[Recovery, ...] = ()
    held: HeldTime | None = None
    time: tuple[StepFacts, ...] = ()  # the finding about the time, where there is a limit
    watches: tuple[Watch, ...] = ()  # until the numbers are green again

    @property
    def begun(self) -> bool:
        """Say whether the run went back at all."""
        steps = (*self.undo, *self.proof)
        return bool(
            self.started
            or self.finished
            or any(option.begun for option in self.options)
            or any(step.attempts for step in steps)
        )

    @property
    def proof_verdict(self) -> Verdict | None:
        """Return what the proof says; a proof step that did not run is unknown."""
        if not self.begun or not self.proof:
            return None
        return verdict_of(self.proof)

    @property
    def proof_s(self) -> float | None:
        """Return the seconds from the start of the first proof step to the end of the last."""
        return span_s(self.proof)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the answers to it; without one that counts it is still open."""

    ALSO: ClassVar[tuple[str, ...]] = ("is_open",)

    item: str
    title: str
    question: str
    form: str = ""
    choices: tuple[str, ...] = ()
    detail: str = ""
    line: int = 0
    asked: str = ""
    answers: tuple[Answered, ...] = ()

    @property
    def is_open(self) -> bool:
        """Say whether nobody has given an answer that counts."""
        return all(answer.refused for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A person accepts a finding, with a name, a reason and an expiry."""

    item: str
    title: str
    line: int
    by: str
    reason: str
    expires: str
    in_force: bool  # the finding counts as waived
    expired: bool | None = None  # at the last event; None without a readable expiry


@dataclass(frozen=True, slots=True)
class Gap:
    """A time or an attempt of which the journal knows nothing."""

    kind: str  # resumed, attempt, clock
    what: str
    since: str = ""
    until: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Recovery in four parts, in seconds, from the bucket or step that led to it."""

    ALSO: ClassVar[tuple[str, ...]] = ("total_s",)

    detect_s: float | None = None
    decide_s: float | None = None
    act_s: float | None = None
    recover_s: float | None = None

    def parts(self) -> tuple[tuple[str, float], ...]:
        """Return the known parts with their names, in order."""
        named = (
            ("detect", self.detect_s),
            ("decide", self.decide_s),
            ("act", self.act_s),
            ("recover", self.recover_s),
        )
        return tuple((name, seconds) for name, seconds in named if seconds is not None)

    @property
    def total_s(self) -> float | None:
        """Return the sum; None unless all four parts are known."""
        parts = self.parts()
        return sum(seconds for _, seconds in parts) if len(parts) == 4 else None


def verdict_of(steps: Iterable[StepFacts]) -> Verdict:
    """Return what these steps say together; one that has no finding counts as unknown."""
    return decide(
        step.finding or Finding(step.id, step.title, Status.UNKNOWN, step.effect, step.line)
        for step in steps
    )


def span_s(steps: Iterable[StepFacts]) -> float | None:
    """Return the seconds from the first start to the last end; None while one has no end."""
    tried = [step.attempts for step in steps if step.attempts]
    if not tried or any(not attempts[-1].finished for attempts in tried):
        return None
    starts = [attempts[0].started or attempts[0].finished for attempts in tried]
    return words.seconds_between(min(starts), max(attempts[-1].finished for attempts in tried))
