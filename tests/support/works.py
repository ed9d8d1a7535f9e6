"""Works whose results are written down beforehand, and plans made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from gonogo.plan.grammar import read
from gonogo.plan.kinds import Context, Destruction, Effect, Observation, Role, Variable
from gonogo.plan.model import (
    Block,
    Done,
    Expectation,
    Mode,
    Option,
    Phase,
    Plan,
    Rollback,
    Step,
)
from gonogo.process import Command
from gonogo.process import run as run_command
from gonogo.source import Source, Span

SPAN = Span.of_line(1)
Result = Mapping[str, Any] | Observation | Exception | Callable[[Context], Any]


@dataclass(frozen=True)
class Scripted:
    """A work that gives its results one after the other (the last one for ever) and keeps count."""

    kind: ClassVar[str] = "scripted"
    languages: ClassVar[tuple[str, ...]] = ("scripted",)
    indicators: ClassVar[Mapping[str, str]] = {"ok": "whether it is well"}
    example: ClassVar[str] = ""
    traceable: ClassVar[bool] = False

    name: str = "it"
    results: tuple[Result, ...] = ({"ok": True},)
    log: list[str] = field(default_factory=list, compare=False)
    default: str | None = "ok = true"
    losses: tuple[Destruction, ...] = ()

    def effect(self, role: Role) -> Effect:
        return Effect.ACTION if role is Role.DEPLOY else Effect.CHECK

    def default_expectation(self, effect: Effect) -> str | None:
        return self.default

    def variables(self) -> tuple[Variable, ...]:
        return ()

    def destroys(self) -> tuple[Destruction, ...]:
        return self.losses

    def review(self) -> tuple[Any, ...]:
        return ()

    def describe(self) -> str:
        return f"do {self.name}"

    def perform(self, context: Context) -> Observation:
        done = self.log.count(self.name)
        self.log.append(self.name)
        result = self.results[min(done, len(self.results) - 1)]
        if callable(result):
            result = result(context)
        if isinstance(result, Exception):
            raise result
        return result if isinstance(result, Observation) else Observation(result)


@dataclass(frozen=True)
class Shelled(Scripted):
    """A work that runs a real command under the real shim."""

    kind: ClassVar[str] = "shelled"
    traceable: ClassVar[bool] = True

    command: str = "true"

    def perform(self, context: Context) -> Observation:
        self.log.append(self.name)
        outcome = run_command(
            Command(
                argv=("/bin/sh", "-c", self.command),
                cwd=context.cwd,
                environment={"PATH": "/usr/bin:/bin"},
                timeout_s=context.timeout_s,
                durable=context.effect is Effect.ACTION,
            ),
            context.folder,
            should_stop=context.should_stop,
        )
        exit_code = outcome.exit_code
        return Observation({"ok": exit_code == 0, "exit": exit_code}, text=outcome.stdout)


def wanted(*texts: str) -> tuple[Expectation, ...]:
    """Return conditions as expectations."""
    found = []
    for text in texts:
        condition = read(text, SPAN).condition
        assert condition is not None, text
        found.append(Expectation(condition, SPAN))
    return tuple(found)


def a_block(work: Scripted, line: int = 1) -> Block:
    return Block(work.kind, work, work.describe(), Span.of_line(line))


def a_step(name: str, work: Scripted | None = None, *results: Result, **more: Any) -> Step:
    """Return a check called `name`; with `effect` it is something else."""
    if work is None:
        work = Scripted(name, results or ({"ok": True},))
    values: dict[str, Any] = {
        "id": name,
        "title": f"{name} it",
        "span": Span.of_line(10),
        "path": ("Phase",),
        "effect": Effect.CHECK,
        "block": a_block(work),
        "expect": wanted("ok = true"),
        "destroys": work.losses,
    }
    return Step(**{**values, **more})


def an_action(name: str, *results: Result, log: list[str] | None = None, **more: Any) -> Step:
    work = Scripted(name, results or ({"ok": True},), log if log is not None else [])
    return a_step(name, work, **{"effect": Effect.ACTION, **more})


def a_manual(name: str, **more: Any) -> Step:
    return Step(
        id=name, title=f"{name} it", span=SPAN, path=("Phase",), effect=Effect.MANUAL, **more
    )


def unless(*results: Result, log: list[str] | None = None) -> Done:
    work = Scripted("unless", results, log if log is not None else [])
    return Done(a_block(work), wanted("ok = true"))


def undo(name: str, *results: Result, log: list[str] | None = None, **more: Any) -> Block:
    work = Scripted(name, results or ({"ok": True},), log if log is not None else [], **more)
    return a_block(work, 20)


def a_phase(name: str, *steps: Step, role: Role = Role.VERIFY, **more: Any) -> Phase:
    return Phase(name, name.title(), role, SPAN, steps, **more)


def an_option(name: str, *steps: Step) -> Option:
    return Option(name, name.title(), SPAN, steps)


def a_rollback(*options: Option, proof: Iterable[Step] = (), automatic: bool = True) -> Rollback:
    return Rollback("rollback", SPAN, options, tuple(proof), automatic)


def a_plan(*phases: Phase, **more: Any) -> Plan:
    values: dict[str, Any] = {
        "title": "A release",
        "service": "search",
        "mode": Mode.EXPLICIT,
        "source": Source("deploy.md", "# A release\n"),
        "phases": phases,
        "rollback": None,
        "rules": (),
        "metrics": (),
        "targets": (),
        "environments": {},
        "variables": (),
        "meanings": (),
        "diagnostics": (),
    }
    return Plan(**{**values, **more})


def here(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
