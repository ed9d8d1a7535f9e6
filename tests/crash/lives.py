"""Carries a toy through as many lives as a killer leaves it, and looks at what remains."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.toys import Toy

from gonogo.clock import SystemClock
from gonogo.report.evidence import collect
from gonogo.run.journal import Event, broken_link
from gonogo.store.journal import SqliteJournal

LONGEST_S = 60.0
MOST_LIVES = 200


class Nursery:
    """Gonogo processes, forked one at a time from one whose imports are done."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._number()

    def _number(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def start(self, cwd: Path, argv: list[str]) -> int:
        order = {"cwd": str(cwd), "argv": argv, "out": str(cwd / "out"), "err": str(cwd / "err")}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._number()

    def ended(self) -> int:
        """Return the exit code; negative for a signal."""
        return os.waitstatus_to_exitcode(self._number())


class Process:
    """The same for one process that is started for real."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.command = command
        self.environment = environment

    def start(self, cwd: Path, argv: list[str]) -> int:
        with (cwd / "out").open("ab") as out, (cwd / "err").open("ab") as err:
            self.child = subprocess.Popen(
                [*self.command, *argv],
                cwd=cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return self.child.pid

    def ended(self) -> int:
        return self.child.wait(timeout=LONGEST_S)


@dataclass
class Run:
    """One toy in a folder of its own."""

    folder: Path
    toy: Toy
    kills: int = 0
    killed_in: Counter[str] = field(default_factory=Counter)
    code: int | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "deploy.md").write_text(self.toy.text)
        (self.folder / "answers.yml").write_text(self.toy.answers)
        self._journal: SqliteJournal | None = None

    def events(self) -> tuple[Event, ...]:
        if self._journal is None:
            file = self.folder / ".gonogo" / "journal.db"
            if not file.exists() or file.stat().st_size == 0:
                return ()
            self._journal = SqliteJournal(file, SystemClock(), create=False)
        runs = self._journal.runs()
        assert len(runs) <= 1, "one folder, one run"
        return self._journal.events(runs[0]) if runs else ()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def argv(self) -> list[str]:
        command = ["resume"] if self.events() else ["run", "deploy.md", "--yes"]
        return [*command, "--answers", "answers.yml", "--by", "ana"]

    def effects(self) -> list[str]:
        file = self.folder / "effects"
        return file.read_text().split() if file.exists() else []

    def errors(self) -> str:
        return (self.folder / "err").read_text()


Killer = Callable[[Run, int, float], bool]
"""Whether to kill now: the run, how many facts it had when this life began, and the seconds since
this life wrote its first event (0 before)."""


def facts(events: tuple[Event, ...]) -> int:
    """Count what a life adds for good: a step that is only begun again is nothing new."""
    return len({(e.kind, e.item) for e in events if e.kind != "run.resumed"})


def live(run: Run, starter: Any, killer: Killer) -> None:
    """Carry the run on until it ends; kill it whenever the killer says so."""
    for _ in range(MOST_LIVES):
        before = run.events()
        known = facts(before)
        pid = starter.start(run.folder, run.argv())
        killed = _attend(run, pid, known, len(before), killer)
        code = starter.ended()
        if not killed or code != -signal.SIGKILL:
            run.code = code
            return
        run.kills += 1
        events = run.events()
        run.killed_in[events[-1].kind if events else "nothing"] += 1
        ends = [e for e in events if e.kind == "verdict.given"]
        if ends:  # killed behind its end: there is nothing to go on with
            run.code = int(str(ends[0].body["exit_code"]))
            return
    raise AssertionError(f"seed {run.toy.seed}: the run does not get on")


def _attend(run: Run, pid: int, known: int, count: int, killer: Killer) -> bool:
    """Watch one life; say whether it was killed."""
    handle = os.pidfd_open(pid)
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        end = time.monotonic() + LONGEST_S
        first: float | None = None
        while not poller.poll(2):
            now = time.monotonic()
            assert now < end, f"seed {run.toy.seed}: silent for {LONGEST_S} s\n{run.errors()}"
            if first is None and len(run.events()) > count:
                first = now
            if killer(run, known, now - first if first is not None else 0.0):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                poller.poll()
                return True
    finally:
        os.close(handle)
    return False


def undisturbed(folder: Path, toy: Toy, starter: Any) -> Run:
    """Carry the toy once without any harm."""
    run = Run(folder, toy)
    live(run, starter, lambda *_: False)
    assert run.code in (0, 1, 4), f"seed {toy.seed}, exit {run.code}: {run.errors()}"
    return run


def prove(run: Run, calm: Run) -> None:
    """Assert all that must hold of a run that was killed, against one that was not."""
    place = f"seed {run.toy.seed}, {run.kills} kills, {run.folder}"
    events = run.events()
    assert run.code == calm.code, f"{place}\n{run.errors()}"
    mine, other = collect(events).comparable(), collect(calm.events()).comparable()
    assert mine == other, place
    assert run.effects() == calm.effects(), place
    assert len(set(run.effects())) == len(run.effects()), f"{place}: {run.effects()}"
    assert broken_link(events) is None, place
    _prove_steps(events, place)
    assert "Traceback" not in run.errors(), f"{place}\n{run.errors()}"
    assert "bug in gonogo" not in run.errors(), f"{place}\n{run.errors()}"
    assert left_behind(run.folder) == [], place


def _prove_steps(events: tuple[Event, ...], place: str) -> None:
    """No finished step began again; exactly one verdict, at most one rollback."""
    finished: set[str] = set()
    for event in events:
        if event.kind == "step.started":
            assert event.item not in finished, f"{place}: {event.item} began again"
        elif event.kind == "step.finished":
            assert event.item not in finished, f"{place}: {event.item} finished twice"
            finished.add(event.item)
    kinds = Counter(event.kind for event in events)
    assert kinds["verdict.given"] == 1, place
    assert kinds["rollback.started"] <= 1, place
    asked = Counter(event.item for event in events if event.kind == "question.asked")
    assert all(count == 1 for count in asked.values()), f"{place}: {asked}"
    assert not [item for item in asked if "?interrupted" in item], f"{place}: {asked}"


def left_behind(folder: Path) -> list[str]:
    """Return the command lines of processes that still live in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            inside = (entry / "cwd").readlink().is_relative_to(folder) or str(folder) in line
        except OSError:
            continue
        if inside and line:
            found.append(f"{entry.name} {line}")
    return found
