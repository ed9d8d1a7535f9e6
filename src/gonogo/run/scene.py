"""All that one run needs while it is carried out: its plan, its journal, its place in the world."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gonogo.clock import Clock
from gonogo.plan.model import Plan, Step
from gonogo.plan.samples import Reader
from gonogo.plan.sources import Source
from gonogo.redaction import Redactor
from gonogo.run.ending import Ending
from gonogo.run.journal import Event, Journal

_OUR_WORDS = frozenset(
    ("item", "status", "effect", "form", "choices", "answer", "verdict", "way", "role")
)
"""Fields that hold words of ours: a password that is such a word must not make them unreadable."""
_UNSAFE = re.compile(r"[^a-z0-9.-]+")


def silent(_item: str, _stream: str, _text: str) -> None:
    """Drop live output."""


def fatal(error: Exception) -> None:
    """Let the error through; the real process stops instead, so that no slot ever raises."""
    raise error


def no_source(source: Source, _position: object) -> Reader:
    """Refuse to open a source: nothing was handed in that can."""
    raise LookupError(source.name)


@dataclass(frozen=True, slots=True)
class Scene:
    """One run in its surroundings; the journal is the only memory."""

    run: str
    plan: Plan
    journal: Journal
    clock: Clock
    redact: Redactor
    targets: Mapping[str, str]  # resolved
    variables: Mapping[str, str]  # the environment of children, bindings laid over it
    cwd: Path  # where commands run
    folder: Path  # the run's own folder for children and reports
    waivers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # given at the start
    on_output: Callable[[str, str, str], None] = field(default=silent)
    on_fatal: Callable[[Exception], None] = field(default=fatal)  # ends the process, or raises
    open_source: Callable[[Source, object], Reader] = field(default=no_source)
    drill: bool = False  # the way back is rehearsed: the judge is told of a breach
    poll_s: float = 0.1  # how often an answer is looked for
    ending: Ending | None = None  # of the watch that a step belongs to
    in_turn: bool = False  # read the sources of a watch one after another: a clock that is led

    def write(
        self,
        kind: str,
        item: str = "",
        *,
        body: Mapping[str, object] | None = None,
        who: str = "gonogo",
        attempt: int = 0,
        durable: bool = False,
    ) -> Event:
        """Journal one fact, redacted."""
        clean = {
            name: value if name in _OUR_WORDS else self.redact.value(value)
            for name, value in (body or {}).items()
        }
        return self.journal.append(
            self.run, kind, item, body=clean, who=who, attempt=attempt, durable=durable
        )

    def last(self, kind: str, item: str = "") -> Event | None:
        """Return the latest event of a kind for an item, if there is one."""
        found = [e for e in self.journal.of_item(self.run, item) if e.kind == kind]
        return found[-1] if found else None

    def once(
        self, kind: str, item: str = "", *, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        """Journal a fact that a run has only once; return what stands in the journal."""
        found = self.last(kind, item)
        return (found or self.write(kind, item, body=body)).body

    def attempt_folder(self, item: str, attempt: int) -> Path:
        """Return the folder where one attempt of one step records its child."""
        readable = _UNSAFE.sub("-", item.lower())[-60:].strip("-.")
        digest = hashlib.sha256(item.encode()).hexdigest()[:12]  # two steps never share a folder
        return self.folder / "steps" / f"{readable}-{digest}" / str(attempt)

    def wait(self, seconds: float, stop: Callable[[], bool]) -> bool:
        """Let `seconds` pass in small slices; False when `stop` said so meanwhile."""
        end = self.clock.monotonic() + seconds
        while not stop():
            left = end - self.clock.monotonic()
            if left <= 0:
                return True
            self.clock.wait(min(left, self.poll_s))
        return False


def heading(step: Step) -> str:
    """Return the step's title with the heading it stands under."""
    return f"{step.path[-1]}: {step.title}" if step.path else step.title
