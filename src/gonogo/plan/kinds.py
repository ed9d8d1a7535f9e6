"""All that the author of a probe or an action reads: what a block is, is given, and gives back.

A kind is one frozen dataclass. Its *fields are what the runbook may say* (options at the top of the
fence, or keys of a typed YAML block); its one method `perform` is what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from gonogo.errors import Diagnostic
from gonogo.plan.units import Quantity
from gonogo.redaction import Redactor
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.plan.condition import Condition

Datum = Quantity | int | float | Decimal | str | bool | None | list["Datum"] | dict[str, "Datum"]


class Printed(str):
    """Text that a program printed: where a condition asks for a number, it is read as one."""

    __slots__ = ()


class Role(StrEnum):
    """What a phase is for; read from the words of its heading or from `Phase:`."""

    PREFLIGHT = "preflight"  # before anything changes
    DEPLOY = "deploy"  # the world changes
    VERIFY = "verify"  # smoke tests
    LOAD = "load"  # load tests
    WATCH = "watch"  # measuring on a beat after the deploy
    ROLLBACK = "rollback"  # undoing; runs only after a no-go
    SIGNOFF = "sign-off"  # success criteria and approvals
    MAINTENANCE = "maintenance"  # standing duties after the release
    REFERENCE = "reference"  # never carried out


class Effect(StrEnum):
    """What carrying out a step does to the world."""

    CHECK = "check"  # looks; may be repeated at will
    ACTION = "action"  # changes; never repeated without a rule or a person's answer
    MANUAL = "manual"  # a person does it and answers


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that must be bound before the run, and where it is used (relative to the block)."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Destruction:
    """Something that cannot be got back, recognised from the statement itself."""

    statement: str  # the statement or command, as written, shortened
    target: str  # the object that is lost; a person types this name to confirm
    span: Span  # relative to the block


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen, once: indicators by name, rows where there are any, and a text for evidence.

    `indicators` holds typed values: a number with a known unit is a `Quantity` (latency in s).
    `None` means null: it never passes.
    """

    indicators: Mapping[str, Datum]
    rows: Sequence[Mapping[str, Datum]] | None = None
    text: str = ""
    said: str = ""  # the last words of what failed, redacted: stands beside what does not hold


def nothing(_stream: str, _text: str) -> None:
    """Drop live output."""


def never() -> bool:
    """Say that nobody asked to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """What a block is given when it is carried out."""

    targets: Mapping[str, str]  # front matter `targets`, resolved; secrets inside
    variables: Mapping[str, str]  # environment for `${NAME}` and for child processes
    cwd: Path  # where commands run: the folder of the runbook
    folder: Path  # this attempt's own folder; the shim records the child here
    timeout_s: float
    effect: Effect
    redact: Redactor
    on_output: Callable[[str, str], None] = field(default=nothing)
    should_stop: Callable[[], bool] = field(default=never)
    run_folder: Path = field(default=Path())  # the run's own, for all its steps


class Work(Protocol):
    """One block of a runbook that can be carried out."""

    kind: ClassVar[str]  # name in `gonogo kinds` and in a typed YAML block
    languages: ClassVar[tuple[str, ...]]  # fence languages that mean this kind; first is canonical
    indicators: ClassVar[Mapping[str, str]]  # name in conditions -> one sentence with its unit
    example: ClassVar[str]  # a block in Markdown that lint accepts
    traceable: ClassVar[bool]  # runs through the shim: can be re-attached after our own death

    def effect(self, role: Role) -> Effect:
        """Say whether this block looks or changes; by the statement itself where it can be seen."""
        ...

    def default_expectation(self, effect: Effect) -> str | None:
        """Return the condition that holds when the author wrote none; None: there must be one."""
        ...

    def variables(self) -> tuple[Variable, ...]:
        """Return the names that must be bound; places are relative to the block's first line."""
        ...

    def destroys(self) -> tuple[Destruction, ...]:
        """Return what this block destroys; empty for almost all."""
        ...

    def review(self) -> tuple[Diagnostic, ...]:
        """Return the mistakes that can be seen without running; places relative to the block."""
        ...

    def describe(self) -> str:
        """Return one short line for plans and reports."""
        ...

    def perform(self, context: Context) -> Observation:
        """Do it and return what was seen.

        Raises:
            WorkError: it could not be done (`failed=False`) or went wrong (`failed=True`).
        """
        ...


class Usual:
    """What most kinds have in common; one that is otherwise says so itself.

    Plain classes, no dataclasses: every kind is imported alone, and dataclasses are dear.
    """

    __slots__ = ()
    languages: ClassVar[tuple[str, ...]] = ()
    traceable: ClassVar[bool] = False
    expects: ClassVar[str | None] = None  # what holds when the author wrote nothing

    def default_expectation(self, effect: Effect) -> str | None:
        """Return what this kind expects by itself, of checks and actions alike."""
        del effect
        return self.expects


class Looks(Usual):
    """A kind that only looks, whatever it says and wherever it stands."""

    __slots__ = ()

    def effect(self, role: Role) -> Effect:
        """Look, always."""
        del role
        return Effect.CHECK

    def destroys(self) -> tuple[Destruction, ...]:
        """Return nothing."""
        return ()


class Acts(Usual):
    """A kind that changes something, whatever it says; what it destroys it says itself."""

    __slots__ = ()

    def effect(self, role: Role) -> Effect:
        """Act, always."""
        del role
        return Effect.ACTION


class Sends(Usual):
    """A kind that sends requests; whether it looks or changes is said by what it sends."""

    __slots__ = ()

    def destroys(self) -> tuple[Destruction, ...]:
        """Return nothing: what a request destroys cannot be seen from its text."""
        return ()


class Insists(Usual):
    """A kind whose own expectation holds beside every `Expect`."""

    __slots__ = ()

    def stated(self) -> tuple[str, ...]:
        """Return what holds beside every `Expect`."""
        return () if self.expects is None else (self.expects,)

    def translated(self, text: str) -> str | None:
        """Return nothing: no other tool spells it otherwise."""
        del text
        return None


@runtime_checkable
class Scripted(Protocol):
    """A block whose text a shell can parse before anything runs."""

    shell: str
    interpreter: str

    def script(self) -> str:
        """Return the text, line for line as on the page."""
        ...


@runtime_checkable
class Printing(Protocol):
    """A block that may print answers which its exit code does not tell."""

    def unjudged(self) -> tuple[Diagnostic, ...]:
        """Return a warning for each answer that only an `Expect` on the output would judge."""
        ...


@runtime_checkable
class Stating(Protocol):
    """A block that states conditions of its own, such as the limits of a load test."""

    def stated(self) -> tuple[str, ...]:
        """Return them in the words of the condition language; they hold beside every `Expect`."""
        ...

    def translated(self, text: str) -> str | None:
        """Return an `Expect` in another tool's spelling in our words; None for any other text."""
        ...


@runtime_checkable
class Lasting(Protocol):
    """A block that says itself how long it takes, so that the default timeout leaves it room."""

    def lasts_s(self) -> float:
        """Return how long it takes at least, in seconds; 0 when that is not known."""
        ...


@runtime_checkable
class Comparing(Protocol):
    """A check that compares what it sees with its own first look in the same run."""

    def looks_on(self) -> str:
        """Return where it looks, as written; only looks at one place are compared."""
        ...

    def compares(self, asked: Sequence[Condition]) -> str:
        """Return in words what needs an earlier look, given what the author expects; or nothing."""
        ...

    def overlooked(self, earlier: Sequence[Work]) -> tuple[str, ...]:
        """Return a sentence for each thing that it compares and no earlier look has seen."""
        ...


@runtime_checkable
class Divisible(Protocol):
    """An action that may be done in part and keeps which part, so that it can go on or go back.

    After a kill it goes on without a question; its `Undo:` runs also when it has failed.
    """

    def keeps_its_part(self) -> str:
        """Return where it keeps which part is done, for people."""
        ...


@runtime_checkable
class Staking(Protocol):
    """An action that can say what is at stake before a person types the name of what is lost."""

    def at_stake(self, context: Context) -> str:
        """Return in lines what is lost, and what takes its place; it changes nothing.

        Raises:
            WorkError: it would be refused, so nobody need be asked.
        """
        ...


class Catalog(Protocol):
    """The list of kinds, as the runbook hop needs it."""

    def kind(self, name: str) -> type[Work] | None:
        """Return the kind of this name."""
        ...

    def language(self, word: str) -> type[Work] | None:
        """Return the kind that a fence language means."""
        ...

    def names(self) -> tuple[str, ...]:
        """Return the names of all kinds, in the order of the documentation."""
        ...
