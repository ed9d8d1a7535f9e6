"""Kinds that do nothing: what the runbook hop needs of a catalog, and no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gonogo.errors import Diagnostic, Severity
from gonogo.plan.kinds import Context, Destruction, Effect, Observation, Role, Variable, Work
from gonogo.source import Span


def _find(pattern: str, text: str) -> list[tuple[str, Span]]:
    found = []
    for row, line in enumerate(text.split("\n"), start=1):
        found += [
            (match[1], Span.of_line(row, match.start(1) + 1, len(match[1])))
            for match in re.finditer(pattern, line)
        ]
    return found


@dataclass(frozen=True, slots=True)
class Base:
    """What the scripted kinds share."""

    text: str = ""

    def variables(self) -> tuple[Variable, ...]:
        """Return `${NAME}` and `{{NAME}}`."""
        return tuple(Variable(n, s) for n, s in _find(r"(?:\$\{|\{\{)(\w+)\}", self.text))

    def destroys(self) -> tuple[Destruction, ...]:
        """Return `DROP x` and `rm -rf x`."""
        found = _find(r"(?:DROP TABLE|rm -rf) (\S+)", self.text)
        return tuple(Destruction(f"destroys {n}", n, s) for n, s in found)

    def review(self) -> tuple[Diagnostic, ...]:
        """Refuse `tail -f`."""
        found = _find(r"(tail -f)", self.text)
        return tuple(Diagnostic("GN599", f"`{n}` never ends", s) for n, s in found)

    def describe(self) -> str:
        """Return the first line."""
        return self.text.strip().split("\n")[0][:60]

    def perform(self, context: Context) -> Observation:
        """Do nothing."""
        return Observation({"timeout": context.timeout_s})


@dataclass(frozen=True, slots=True)
class Shell(Base):
    """A command."""

    cwd: str | None = None
    interpreter: str | None = None
    kind: ClassVar[str] = "shell"
    languages: ClassVar[tuple[str, ...]] = ("bash", "sh", "shell")
    indicators: ClassVar[Mapping[str, str]] = {"exit code": "of the command", "output": "text"}
    example: ClassVar[str] = "```bash\ntrue\n```"
    traceable: ClassVar[bool] = True

    def effect(self, role: Role) -> Effect:
        """Change the world in deploys and rollbacks."""
        return Effect.ACTION if role in (Role.DEPLOY, Role.ROLLBACK) else Effect.CHECK

    def default_expectation(self, _effect: Effect) -> str | None:
        """Expect success."""
        return "exit code = 0"

    def unjudged(self) -> tuple[Diagnostic, ...]:
        """Warn of `./ask`, whose answer it only prints."""
        found = _find(r"(\./ask)", self.text)
        return tuple(
            Diagnostic("GN509", f"`{n}` only prints", s, severity=Severity.WARNING)
            for n, s in found
        )


@dataclass(frozen=True, slots=True)
class Sql(Base):
    """A statement."""

    on: str = "db"
    kind: ClassVar[str] = "sql"
    languages: ClassVar[tuple[str, ...]] = ("sql",)
    indicators: ClassVar[Mapping[str, str]] = {"rows": "number of rows"}
    example: ClassVar[str] = "```sql\nSELECT 1\n```"
    traceable: ClassVar[bool] = False

    def effect(self, _role: Role) -> Effect:
        """Look, unless the statement changes something."""
        return Effect.CHECK if self.text.strip().upper().startswith("SELECT") else Effect.ACTION

    def default_expectation(self, effect: Effect) -> str | None:
        """Have none for a look."""
        return None if effect is Effect.CHECK else "rows >= 0"


@dataclass(frozen=True, slots=True)
class Http(Base):
    """A request."""

    kind: ClassVar[str] = "http"
    languages: ClassVar[tuple[str, ...]] = ("http",)
    indicators: ClassVar[Mapping[str, str]] = {"status": "of the answer", "latency": "in s"}
    example: ClassVar[str] = "```http\nGET /\n```"
    traceable: ClassVar[bool] = False

    def effect(self, _role: Role) -> Effect:
        """Look."""
        return Effect.CHECK

    def default_expectation(self, _effect: Effect) -> str | None:
        """Expect a success."""
        return "status < 400"


@dataclass(frozen=True, slots=True)
class Port(Base):
    """A typed YAML check."""

    host: str = "localhost"
    port: int = 0
    wait_s: float = 1.0
    tags: tuple[str, ...] = ()
    kind: ClassVar[str] = "port"
    languages: ClassVar[tuple[str, ...]] = ()
    indicators: ClassVar[Mapping[str, str]] = {"open": "whether it answers"}
    example: ClassVar[str] = "```yaml\ncheck: port\nport: 80\n```"
    traceable: ClassVar[bool] = False

    def effect(self, _role: Role) -> Effect:
        """Look."""
        return Effect.CHECK

    def default_expectation(self, _effect: Effect) -> str | None:
        """Expect an open port."""
        return "open = true"


KINDS: tuple[type[Work], ...] = (Shell, Sql, Http, Port)


class ScriptedCatalog:
    """The kinds of this file."""

    def kind(self, name: str) -> type[Work] | None:
        """Return the kind of this name."""
        return next((k for k in KINDS if k.kind == name), None)

    def language(self, word: str) -> type[Work] | None:
        """Return the kind of this language."""
        return next((k for k in KINDS if word in k.languages), None)

    def names(self) -> tuple[str, ...]:
        """Return all names."""
        return tuple(k.kind for k in KINDS)
