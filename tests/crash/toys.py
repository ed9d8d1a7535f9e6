"""Random explicit runbooks of a few steps whose actions leave one line each in a file."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import yaml

_PAUSE = ("", "; sleep 0.02", "; sleep 0.05", "; sleep 0.15")


@dataclass(frozen=True)
class Toy:
    """A runbook, the answers that go with it, and what it may end with."""

    seed: int
    text: str
    answers: str


class _Writer:
    """Writes a runbook step by step."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.answers: dict[str, object] = {}
        self.number = 0

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def heading(self, text: str) -> None:
        self.lines += ["", text, ""]

    def step(self, title: str, command: str, *remarks: str, box: bool = True) -> None:
        self.lines.append(f"{'- [ ]' if box else '-'} {title}")
        self.lines += ["  ```bash", f"  {command}", "  ```", *(f"  - {r}" for r in remarks)]

    def check(self, *remarks: str, passes: bool = True, parallel: bool = False) -> str:
        self.number += 1
        title = f"Check number {self.number} is well"
        if parallel:
            remarks = (*remarks, "Parallel: yes")
        pause = self.random.choice(_PAUSE[:3])
        said = "well" if passes else "bad"
        wanted = ('Expect: output contains "well"', "Kind: check")
        self.step(title, f"echo {said}{pause}", *wanted, *remarks)
        return title

    def action(self, *remarks: str, passes: bool = True) -> str:
        self.number += 1
        title = f"Act number {self.number}"
        end = "" if passes else "; exit 1"
        pause = self.random.choice(_PAUSE)
        self.step(title, f"echo act-{self.number} >>effects{pause}{end}", "Kind: action", *remarks)
        return title

    def manual(self) -> None:
        self.number += 1
        title = f"Somebody looked at number {self.number}"
        self.lines.append(f"- [ ] {title}")
        self.answers[title] = {"answer": "yes", "by": "ana", "note": "seen"}

    def undo(self) -> str:
        return f"Undo: `echo undo-{self.number + 1} >>effects`"


def a_toy(seed: int) -> Toy:
    """Return a runbook of about six steps; the same seed gives the same one."""
    write = _Writer(Random(seed))
    write.lines = ["---", "gonogo: 1", f"service: toy-{seed}", "---", f"# Toy {seed}: release"]
    write.heading("## Pre-deployment")
    first = write.check()
    if write.maybe():
        write.manual()
    if write.maybe(0.3):
        write.check(parallel=True)
        write.check(parallel=True)
    _deploy(write, first)
    write.heading("## Smoke tests")
    fails = write.maybe(0.6)
    write.check(passes=not fails, parallel=True)
    write.check(parallel=True)
    if write.maybe(0.3):
        write.check("Critical: yes")
    if write.maybe(0.7):
        _rollback(write)
    return Toy(seed, "\n".join(write.lines) + "\n", yaml.safe_dump(write.answers or {}))


def _deploy(write: _Writer, first: str) -> None:
    write.heading("## Deployment")
    write.action(f"Needs: {first}", *([write.undo()] if write.maybe() else []))
    if write.maybe():
        write.action(f"Unless: `grep -q act-{write.number + 1} effects`", write.undo())
    if write.maybe(0.4):
        write.number += 1
        name = write.number
        again = f"echo act-{name} >>effects"
        command = f"if [ -e tried-{name} ]; then {again}; else touch tried-{name}; false; fi"
        write.step(f"Act number {name}", command, "Kind: action", "Retry: 3 times every 1s")
    if write.maybe(0.2):
        write.action(passes=False)


def _rollback(write: _Writer) -> None:
    write.heading("## Rollback")
    write.lines += ["### Option 1: previous release", ""]
    write.action(passes=write.maybe(0.7))
    write.lines += ["", "### Option 2: another way", ""]
    write.action()
    write.lines += ["", "### Verify", ""]
    write.check()
