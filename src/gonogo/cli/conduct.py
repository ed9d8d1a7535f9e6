"""Carrying one run in this process: serve, show, ask, stop; shared by run, resume and abort."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gonogo.cli import screen
from gonogo.cli.home import Home
from gonogo.cli.prompt import Prompt
from gonogo.clock import SystemClock
from gonogo.errors import GonogoError, JournalError
from gonogo.plan.model import Plan
from gonogo.plan.summary import plan_summary
from gonogo.report import Format, collect, render
from gonogo.report.live import Live
from gonogo.run.bindings import Bindings
from gonogo.run.durable import Result, Slots
from gonogo.run.journal import Event, Journal
from gonogo.run.people import open_questions
from gonogo.run.release import release
from gonogo.run.scene import Scene
from gonogo.store.journal import SqliteJournal

HOLD = 3
_TICK_S = 0.05
_REPORTS: Mapping[str, Format] = {
    "report.html": Format.HTML,
    "report.md": Format.MARKDOWN,
    "report.json": Format.JSON,
    "report.txt": Format.TEXT,
    "junit.xml": Format.JUNIT,
}


@dataclass(slots=True)
class Conduct:
    """One run being carried in this process."""

    home: Home
    journal: SqliteJournal
    run: str
    plan: Plan
    bindings: Bindings
    cwd: Path
    who: str
    waivers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    answers: Callable[[Journal, str, str], bool] | None = None  # given beforehand, by item
    as_json: bool = False
    attended: bool = False  # a person sits at the terminal
    clock: SystemClock = field(default_factory=SystemClock)
    fatal: list[Exception] = field(default_factory=list)
    interrupts: list[int] = field(default_factory=list)

    def carry(self, begin: Callable[[], None]) -> int:
        """Serve the run until it ends or nothing but people can move it; return the exit code.

        `begin` is called once this process holds the lock, to journal what starts the run.
        """
        from gonogo.store.dbos import DbosEngine

        engine = DbosEngine(self.home.journal_file)
        live = Live(
            sys.stderr,
            width=_width(),
            interactive=self._draws(),
            plan_summary=plan_summary(self.plan),
        )
        scene = self._scene(live)

        async def carried(_run: str, slots: Slots) -> Result:
            return await release(scene, slots)

        engine.serve(carried)
        begin()
        self._catch_signals()
        engine.start(self.run)
        try:
            code = self._follow(live)
        finally:
            live.close()
        self._settle(lambda: engine.finished(self.run))
        return self._end(code)

    def _scene(self, live: Live) -> Scene:
        return Scene(
            run=self.run,
            plan=self.plan,
            journal=self.journal,
            clock=self.clock,
            redact=self.bindings.redact,
            targets=self.bindings.targets,
            variables={**self.bindings.variables, "GONOGO_RUN": self.run},
            cwd=self.cwd,
            folder=self.home.run_folder(self.run),
            waivers=self.waivers,
            on_output=lambda item, _stream, text: live.output(item, text),
            on_fatal=self._stop_here,
        )

    def _draws(self) -> bool:
        """Say whether progress is drawn as a live tree on a terminal."""
        return self.attended and sys.stderr.isatty()

    def _stop_here(self, error: Exception) -> None:
        """Hand a fatal error to the main thread and never come back: no slot may raise."""
        self.fatal.append(error)
        threading.Event().wait()

    def _follow(self, live: Live) -> int | None:
        """Show events as they come and ask what is asked; return None when the verdict is in."""
        seen = 0
        events: list[Event] = []
        prompt = Prompt(self.journal, self.run, self.who)
        while True:
            if self.fatal:
                raise _as_ours(self.fatal[0])
            new = self.journal.events(self.run, after=seen)
            if new:
                seen = new[-1].seq
                events.extend(new)
                live.update(new)
            if any(event.kind == "verdict.given" for event in new):
                return None
            live.tick(self.clock.now())
            if self.interrupts and self._interrupted(live, prompt):
                return HOLD
            code = self._people(events, live, prompt)
            if code is not None:
                return code
            self.clock.wait(_TICK_S)

    def _people(self, events: list[Event], live: Live, prompt: Prompt) -> int | None:
        waiting = open_questions([(event.kind, event.item) for event in events])
        for item in waiting:
            if self.answers is not None and self.journal.answer(self.run, item) is None:
                self.answers(self.journal, self.run, item)
        waiting = tuple(i for i in waiting if self.journal.answer(self.run, i) is None)
        if not waiting:
            return None
        if not self.attended or prompt.closed:
            return HOLD if not _working(events, waiting) else None
        live.pause()
        asked = next(e for e in reversed(events) if e.item == waiting[0] and "form" in e.body)
        prompt.ask(asked, stopped=lambda: bool(self.interrupts))
        live.resume()
        return None

    def _catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda caught, _frame: self._interrupt(caught))

    def _interrupt(self, caught: int) -> None:
        self.interrupts.append(caught)
        if len(self.interrupts) > 1:
            self._leave(HOLD)

    def _interrupted(self, live: Live, prompt: Prompt) -> bool:
        """Ask what the Ctrl-C was for; True when the run is to be left as it is."""
        if not self.attended or signal.SIGTERM in self.interrupts:
            return True
        live.pause()
        choice = prompt.interrupted()
        self.interrupts.clear()
        live.resume()
        return choice == "stop"

    def _settle(self, finished: Callable[[], bool]) -> None:
        """Give the engine a moment to record the end; a run that is not ended is left at once."""
        end = self.clock.monotonic() + 5
        verdict = any(e.kind == "verdict.given" for e in self.journal.events(self.run))
        while verdict and not finished() and self.clock.monotonic() < end:
            self.clock.wait(0.01)

    def _end(self, code: int | None) -> int:
        """Write the reports and say the outcome; then leave without waiting for threads."""
        exit_code = self.report(code)
        self._leave(exit_code, quiet=True)
        return exit_code

    def report(self, code: int | None) -> int:
        """Write the reports of the run and show its evidence; return the exit code."""
        folder = self.home.run_folder(self.run)
        place = _relative(folder / "report.html")
        evidence = collect(self.journal.events(self.run), place=place)
        folder.mkdir(parents=True, exist_ok=True)
        for name, form in _REPORTS.items():
            (folder / name).write_text(render(evidence, form), encoding="utf-8")
        if self.as_json:
            screen.write(sys.stdout, render(evidence, Format.JSON))
        else:
            on_screen = self._draws() and sys.stdout.isatty()
            text = render(evidence, Format.TEXT, width=_width()).rstrip("\n")
            screen.say(f"evidence {place}" if on_screen else text)
        if code is not None:
            self._parked()
            return code
        return HOLD if evidence.exit_code is None else evidence.exit_code

    def _parked(self) -> None:
        waiting = open_questions([(e.kind, e.item) for e in self.journal.events(self.run)])
        for item in waiting:
            screen.tell(f"waiting for a person: {item}")
        if waiting:
            screen.tell(f"hint: `gonogo answer {waiting[0]!r} yes --by NAME`, then `gonogo resume`")
        else:
            screen.tell(f"stopped; `gonogo resume {self.run}` goes on")

    def _leave(self, code: int, *, quiet: bool = False) -> None:
        """End the process at once: the engine's threads must not hold it, and nothing is lost."""
        if not quiet:
            screen.tell(f"\nstopped; `gonogo resume {self.run}` goes on")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _working(events: list[Event], waiting: tuple[str, ...]) -> bool:
    """Say whether some step is being carried out that does not wait for a person."""
    begun: set[str] = set()
    for event in events:
        if event.kind in ("step.started", "step.looked"):
            begun.add(event.item)
        elif event.kind == "step.finished":
            begun.discard(event.item)
    held = {item.rsplit("?", 1)[0] for item in waiting} | set(waiting)
    return bool(begun - held)


def _as_ours(error: Exception) -> Exception:
    if isinstance(error, GonogoError):
        return error
    if "full" in str(error) and "disk" in str(error):
        return JournalError(
            "the disk is full: the journal cannot be written",
            hint="free space, then `gonogo resume`; nothing that was journaled is lost",
        )
    return error


def _width() -> int:
    import shutil

    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
