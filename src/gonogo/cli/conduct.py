"""Carrying one run in this process: serve, show, ask, stop; shared by run, resume and abort."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gonogo.cli import outcome, questions, screen, standing, streams
from gonogo.cli.answers import Answers
from gonogo.cli.ending import ended
from gonogo.cli.home import Home, home_words, is_open
from gonogo.cli.prompt import Prompt
from gonogo.cli.scrub import scrub
from gonogo.clock import SystemClock
from gonogo.errors import GonogoError, JournalError, UsageError
from gonogo.plan.kinds import Context, Effect
from gonogo.plan.model import Plan
from gonogo.plan.samples import Reader
from gonogo.plan.sources import Source
from gonogo.plan.summary import plan_summary
from gonogo.report import collect
from gonogo.report.live import Live
from gonogo.run.bindings import Bindings
from gonogo.run.durable import Engine, Result, Slots
from gonogo.run.journal import ABORT, Event
from gonogo.run.release import release
from gonogo.run.scene import Scene

if TYPE_CHECKING:
    from gonogo.store.journal import SqliteJournal

if TYPE_CHECKING:
    from gonogo.run.heart import Heart
    from gonogo.run.telling import Telling

HOLD = JournalError.exit_code
_LAST_WORDS_S = 30.0  # for messages that are still under way at the end
_TICK_S = 0.05
_SETTLED_S = 5.0
_QUIET_S = 0.5  # a resumed run needs a moment before it begins what can go on
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
_SHOW_CURSOR = "\x1b[?25h"


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
    answers: Answers | None = None  # given beforehand
    as_json: bool = False
    drill: bool = False  # rehearse the way back
    attended: bool = False  # a person sits at the terminal
    clock: SystemClock = field(default_factory=SystemClock)
    fatal: list[Exception] = field(default_factory=list)
    interrupts: list[int] = field(default_factory=list)
    begun: bool = False  # the run is in the journal
    heard: float = 0.0  # when the last event came
    telling: Telling | None = None
    next_told: tuple[int, tuple[str, ...]] | None = None  # who is told next was said

    def carry(self, begin: Callable[[], None]) -> int:
        """Serve the run until it ends or nothing but people can move it; end with its exit code.

        `begin` is called once this process holds the lock, to journal what starts the run. The
        process ends here: threads that wait must not hold it, and everything is journaled.
        """
        screen.hide(self.bindings.redact)
        self._catch_signals()
        try:
            code = self._carried(begin)
        except Exception as error:  # noqa: BLE001 - only a code may leave: threads hold the rest
            code = self._failed(_as_ours(error))
        self._leave(code)

    def _carried(self, begin: Callable[[], None]) -> int:
        from gonogo.store.dbos import DbosEngine  # takes longer to import than all the rest

        engine = DbosEngine(self.home.journal_file)
        live = Live(
            streams.steady(sys.stderr),
            width=screen.width(),
            interactive=self._draws(),
            plan_summary=plan_summary(self.plan),
        )
        scene = self._scene(live)

        async def carried(_run: str, slots: Slots) -> Result:
            return await release(scene, slots)

        engine.serve(carried)
        if is_open(self.journal.events(self.run)):
            engine.refuse_strange(self.run)
        begin()
        self.begun = True
        telling = self.telling = self._telling(scene)
        if telling is not None:
            telling.start()
        heart = self._heart(scene)
        if heart is not None:
            heart.start()
        engine.start(self.run)
        try:
            code = self._follow(live, scene)
        finally:
            live.close()
        if heart is not None:
            heart.finish(ended=code is None)
        if telling is not None:
            for left in telling.finish(within_s=_LAST_WORDS_S):
                screen.tell(f"not delivered yet: {left.notice.contact} by {left.channel}")
        self._settle(engine)
        return self._report(code)

    def _failed(self, error: Exception) -> int:
        code = ended(error, as_json=self.as_json, debug="--debug" in sys.argv)
        if self.begun:
            screen.tell(f"run {self.run} can go on: `gonogo resume {self._named()}`")
        return code

    def _named(self) -> str:
        return f"{self.run}{home_words(self.home)}"

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
            on_output=lambda item, _stream, text: live.output(item, self.bindings.redact(text)),
            on_fatal=self._stop_here,
            open_source=self._open_source,
            drill=self.drill,
        )

    def _telling(self, scene: Scene) -> Telling | None:
        """Return what tells people of alerts; None when nobody is to be told."""
        receivers = self.plan.receivers
        if not any(contact.channels for contact in receivers.contacts):
            return None
        from gonogo.cli.ways import bound_ways
        from gonogo.run.alerting import Alerting
        from gonogo.run.deliveries import Deliverer
        from gonogo.run.telling import Telling, many

        ways = bound_ways(receivers, self.bindings.variables)
        deliverer = Deliverer(scene, receivers, ways, executor=many())
        return Telling(scene, Alerting(scene, receivers), deliverer)

    def _heart(self, scene: Scene) -> Heart | None:
        """Return what tells an outside watcher that this run is carried; None without one."""
        if not self.plan.receivers.heartbeat:
            return None
        from gonogo.cli.ways import heart_of

        return heart_of(scene, self.plan.receivers, self.bindings.variables)

    def _open_source(self, source: Source, position: object) -> Reader:
        """Open a metric of the watch where its last recorded reading ended."""
        from gonogo.metrics import open_source

        context = Context(
            targets=self.bindings.targets,
            variables=self.bindings.variables,
            cwd=self.cwd,
            folder=self.home.run_folder(self.run),
            timeout_s=source.timeout_s,
            effect=Effect.CHECK,
            redact=self.bindings.redact,
        )
        return open_source(source, context, position)

    def _draws(self) -> bool:
        """Say whether progress is drawn as a live tree on a terminal."""
        return self.attended and not screen.is_plain()

    def _stop_here(self, error: Exception) -> None:
        """Hand a fatal error to the main thread and never come back: no slot may raise."""
        self.fatal.append(error)
        threading.Event().wait()

    def _follow(self, live: Live, scene: Scene) -> int | None:
        """Show events as they come and ask what is asked; return None when the verdict is in."""
        seen = 0
        events: list[Event] = []
        prompt = Prompt(self.journal, self.run, self.who)
        while True:
            if self.fatal:
                raise self.fatal[0]
            new = self.journal.events(self.run, after=seen)
            if new or not seen:
                self.heard = self.clock.monotonic()
            if new:
                seen = new[-1].seq
                events.extend(new)
                live.update(new)
            for event in new:
                if event.kind == "step.finished":
                    scrub(scene, event.item)
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
        """Let people answer what is asked; return the exit code when nothing else can go on."""
        if not any(event.kind == "question.asked" for event in events):
            return None
        waiting = self._open(events)
        if self.answers is not None and waiting:
            for event in waiting:
                self.answers.give(self.journal, self.run, event.item)
            waiting = self._open(events)
        if not waiting:
            return None
        if not self.attended or prompt.closed:
            rests = self._rests(events, waiting)
            return HOLD if rests and not self._escalates(waiting) else None
        live.pause()
        prompt.ask(waiting[0], stopped=lambda: self._is_settled(waiting[0]))
        live.resume()
        return None

    def _is_settled(self, asked: Event) -> bool:
        """Say whether somebody at the terminal need not answer: its deadline passed, or we stop."""
        if self.interrupts or self.fatal:
            return True
        latest = self.journal.of_item(self.run, asked.item)
        return any(e.kind == "step.finished" and e.seq > asked.seq for e in latest)

    def _open(self, events: list[Event]) -> tuple[Event, ...]:
        """Return the questions that somebody has to answer; an abort settles all before it."""
        waiting = questions.waiting(self.journal, self.run)
        if self.journal.answer(self.run, ABORT) is None:
            return waiting
        taken = next((event.seq for event in events if event.kind == "abort.requested"), None)
        return tuple(event for event in waiting if taken is not None and event.seq > taken)

    def _rests(self, events: list[Event], waiting: tuple[Event, ...]) -> bool:
        """Say whether nothing goes on but the waiting for people, and has not for a moment."""
        quiet_s = self.clock.monotonic() - self.heard
        return quiet_s > _QUIET_S and not _working(events, tuple(e.item for e in waiting))

    def _escalates(self, waiting: tuple[Event, ...]) -> bool:
        """Say whether somebody is still to be told that we wait, if nobody answers before."""
        if self.telling is None:
            return False
        ahead = self.telling.alerting.ahead(max(event.seq for event in waiting))
        if ahead and ahead[0] != self.next_told:
            self.next_told = ahead[0]
            screen.tell(questions.escalating(*ahead[0]))
        return ahead is None or bool(ahead)

    def _catch_signals(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, lambda caught, _frame: self._interrupt(caught))

    def _interrupt(self, caught: int) -> None:
        self.interrupts.append(caught)
        if len(self.interrupts) > 1:
            words = (
                f"`gonogo resume {self._named()}` goes on" if self.begun else "nothing was begun"
            )
            if self._draws():
                streams.write(sys.stderr, _SHOW_CURSOR)
            screen.tell(f"\nstopped; {words}")
            self._leave(HOLD if self.begun else UsageError.exit_code)

    def _interrupted(self, live: Live, prompt: Prompt) -> bool:
        """Ask what the Ctrl-C was for; True when the run is to be left as it is."""
        if not self.attended or self.interrupts[0] != signal.SIGINT or prompt.closed:
            return True
        live.pause()
        choice = prompt.interrupted()
        self.interrupts.clear()
        live.resume()
        return choice == "stop"

    def _settle(self, engine: Engine) -> None:
        """Give the engine a moment to record the end; a run that is not ended is left at once.

        The verdict is journaled: what goes wrong here changes nothing.
        """
        with contextlib.suppress(Exception):
            end = self.clock.monotonic() + _SETTLED_S
            verdict = any(e.kind == "verdict.given" for e in self.journal.events(self.run))
            while verdict and not engine.finished(self.run) and self.clock.monotonic() < end:
                self.clock.wait(0.01)

    def _report(self, code: int | None) -> int:
        """Write the reports of the run and show its evidence; return the exit code.

        The verdict stands in the journal: nothing that goes wrong here may change its exit code.
        """
        folder = self.home.run_folder(self.run)
        place = outcome.relative(folder / "report.html")
        events = self.journal.events(self.run)
        given = next((e.body.get("exit_code") for e in events if e.kind == "verdict.given"), None)
        exit_code = given if code is None and isinstance(given, int) else HOLD
        try:
            evidence = collect(events, place=place)
            failed = [*standing.closed(folder, events), *outcome.write_reports(folder, evidence)]
            outcome.show(evidence, place, as_json=self.as_json, drawn=self._draws())
            if self.drill:
                exit_code = standing.certify(folder, exit_code)
            for line in outcome.unwritten(failed, self.home, self.run):
                screen.tell(line)
        except Exception as error:  # noqa: BLE001 - a bug of a report must not hide the verdict
            ended(error, debug="--debug" in sys.argv)
        if code is not None:
            for line in outcome.left_open(self.home, self.journal, self.run):
                screen.tell(line)
        return exit_code

    def _leave(self, code: int) -> NoReturn:
        """End the process at once: the engine's threads must not hold it, and nothing is lost."""
        streams.write(sys.stdout, "")
        streams.write(sys.stderr, "")
        os._exit(code)


def _working(events: list[Event], waiting: tuple[str, ...]) -> bool:
    """Say whether a step is being carried out, or figures are watched, without waiting for us."""
    begun: set[str] = set()
    for event in events:
        match event.kind:
            case "step.started" | "step.looked":
                begun.add(event.item)
            case "step.finished":
                begun -= {event.item, f"{event.item}@deadline"}
            case "watch.started" | "checkpoints.began":
                begun.add(f"{event.item}@{event.kind[:5]}")
            case "watch.ended" | "checkpoints.ended":
                begun.discard(f"{event.item}@{event.kind[:5]}")
            case "question.asked" if event.body.get("deadline"):  # time alone settles it
                begun.add(f"{event.item}@deadline")
            case "recovery.started":
                begun.add(f"{event.item}?green")
            case "option.finished":
                begun.discard(f"{event.item}?green")
            case _:
                pass
    held = {item.rsplit("?", 1)[0] for item in waiting} | set(waiting)
    return bool(begun - held)


def _as_ours(error: Exception) -> Exception:
    """Tell the world's refusals, which a person can mend, from bugs of ours."""
    if isinstance(error, GonogoError):
        return error
    room = type(error).__module__.partition(".")[0]
    hint = "free space or rights, then `gonogo resume`; nothing that was journaled is lost"
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return JournalError(f"the run cannot be recorded: {error.strerror}", hint=hint)
    if room in ("sqlite3", "sqlalchemy"):
        cause = str(getattr(error, "orig", error))
        if "full" in cause:
            return JournalError("the disk is full: the journal cannot be written", hint=hint)
        return JournalError(f"the journal cannot be used: {cause}", hint=hint)
    return error
