"""The run while it goes on: a tree that is redrawn on a terminal, one plain line each in a pipe.

Both say what the final report says, in its words. On a terminal, finished phases scroll up and
stay; below them the current phase is drawn anew with what runs, for how long, and what is asked.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from gonogo.judge.verdict import Status
from gonogo.report import alert_lines, reading, terminal, watch_lines, words
from gonogo.report.alerts import ALERTS, worth_telling
from gonogo.report.evidence import gathered
from gonogo.report.facts import StepFacts
from gonogo.report.fold import Fold
from gonogo.report.known import Key, about
from gonogo.report.page import Page
from gonogo.report.watch_fold import watch_of
from gonogo.run.journal import Event

if TYPE_CHECKING:
    from gonogo.report.screen import Screen

_TAIL = 3  # lines of output shown under a running step
_MOST = 20  # lines of the current phase; a longer one is shown around what runs


class Live:
    """Shows a run as it goes; all methods may be called from any thread, in any order.

    On a terminal nothing is drawn between `pause` and `resume`, so that a question can be asked
    there; in a pipe a pause holds lines back. `close` leaves the last state on the screen.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        width: int = 80,
        interactive: bool,
        plan_summary: Mapping[str, object] | None = None,
    ) -> None:
        """Write to `stream`; `interactive`: it is a terminal that can be redrawn."""
        self._fold = Fold()
        self._fold.plan(plan_summary or {})
        self._width = width
        self._page = self._set()
        self._tails: dict[str, deque[str]] = {}
        self._now: datetime | None = None
        self._held: list[str] = []
        self._paused = self._closed = False
        self._lock = threading.RLock()
        self._stream = stream
        self._screen: Screen | None = None
        if interactive:
            # rich takes longer to import than a small run takes; a pipe does without it.
            from gonogo.report.screen import Screen

            self._screen = Screen(stream, width)

    def update(self, events: Iterable[Event]) -> None:
        """Learn new events, in order, and show what follows from them."""
        with self._lock:
            for event in events:
                key = self._fold.take(event)
                if event.kind == "run.started":
                    self._page = self._set()
                if event.kind == "step.finished":
                    self._tails.pop(event.item, None)
                self._say(self._lines(event, key))
            self._draw()

    def _set(self) -> Page:
        """Return the page for the plan as far as it is known."""
        return replace(Page.of(gathered(self._fold), self._width), word=9)

    def output(self, item: str, text: str) -> None:
        """Show the last lines that a running step wrote; in a pipe they are left out."""
        if self._screen is None:
            return
        with self._lock:
            tail = self._tails.setdefault(item, deque(maxlen=_TAIL))
            tail.extend(line for line in words.neutral(text).split("\n") if line.strip())

    def tick(self, now: datetime) -> None:
        """Draw anew with the times of `now`; in a pipe nothing happens."""
        with self._lock:
            self._now = now
            self._draw()

    def pause(self) -> None:
        """Stop drawing and leave the terminal to somebody else."""
        with self._lock:
            self._paused = True
            if self._screen is not None:
                self._screen.stop()

    def resume(self) -> None:
        """Draw again, beginning with what was held back."""
        with self._lock:
            self._paused = False
            held, self._held = self._held, []
            self._say(held)
            self._draw()

    def close(self) -> None:
        """Show the last state and give the stream back; calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._paused = False
            held, self._held = self._held, []
            self._say(held)
            self._closed = True
            if self._screen is not None:
                self._screen.show(self._current(), [])

    def _say(self, lines: list[str]) -> None:
        """Write lines that stay."""
        if self._closed or not lines:
            return
        if self._paused:
            self._held += lines
        elif self._screen is not None:
            self._screen.show(lines, self._current())
        else:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()

    def _draw(self) -> None:
        if self._screen is not None and not self._paused and not self._closed:
            self._screen.show([], self._current())

    def _lines(self, event: Event, key: Key | None) -> list[str]:
        """Return the lines that stay, for one event."""
        page = self._page
        back = self._fold.rollback
        match event.kind:
            case "run.started":
                return terminal.header(gathered(self._fold), page)
            case "run.resumed":
                return [terminal.gap_line(self._fold.gaps[-1], page)]
            case "gate.decided":
                return self._gate(event.item)
            case "rollback.started" if back is not None:
                why = words.one_line(back.reason)
                return [page.row("rollback", f"because {why}" if why else "begins")]
            case "option.finished":
                option = self._fold.options[event.item]
                steps = () if self._screen is None else self._fold.steps_of("option", option.id)
                return terminal.option_lines(replace(option, steps=steps), page)
            case "rollback.finished":
                return self._proof()
            case "verdict.given":
                return terminal.ending(gathered(self._fold), page)
            case _:
                pass
        told = self._told(event)
        return told or (self._plain(event, key) if self._screen is None else [])

    def _told(self, event: Event) -> list[str]:
        """Return the lines of a move, of a recovery, and of what people were told."""
        told, page = self._fold.told, self._page
        if event.kind == "rule.moved":
            watch = self._fold.watching(self._fold.place_of(event)).brief()
            return watch_lines.move_lines(watch.moves[-1], watch, page)
        back = self._fold.rollback
        if event.kind == "recovery.seen" and back is not None:
            return terminal.recovery_lines(back.recovery[-1:], page)
        if event.kind in ("delivery.done", "delivery.late"):
            return alert_lines.delivery_lines(told.deliveries[event.item], page)
        if event.kind not in ALERTS:
            return []
        new = told.notes[len(told.notes) - told.newest :]
        return [
            line
            for note in new
            if worth_telling(note)
            for line in alert_lines.note_lines(note, page)
        ]

    def _gate(self, item: str) -> list[str]:
        known = {phase.id: phase for phase in gathered(self._fold).phases}
        phase = known.get(item)
        if phase is None:
            return []  # the gate of the proof; it is told when the rollback ends
        if self._screen is None:
            return [terminal.phase_line(phase, self._page)]
        return terminal.phase_lines(phase, self._page)

    def _proof(self) -> list[str]:
        back = gathered(self._fold).rollback
        assert back is not None, "a rollback that ended is known"
        undo = terminal.undo_lines(back, self._page)
        proof = terminal.proof_lines(back, self._page)
        if self._screen is None:  # its steps have been told one by one
            undo, proof = undo[:1], proof[:1]
        return [*undo, *proof]

    def _plain(self, event: Event, key: Key | None) -> list[str]:
        """Return the lines that only a pipe gets; a terminal shows the same in its tree."""
        page, fold = self._page, self._fold
        match event.kind:
            case "phase.started":
                # The proof of a rollback is a phase too, under the title of the old one.
                return [page.row("phase", words.one_line(fold.title(event.item)))]
            case "step.tried" if key is not None:
                step = fold.steps[key]
                last = step.attempts[-1]
                seen = last.actual or last.why or last.status or ""
                return page.block("again", [step.title, f"attempt {last.number}: {seen}"])
            case "step.finished" if key is not None:
                return self._step(fold.steps[key])
            case "look.taken" | "look.missed" if key is not None:
                step = fold.steps[key]
                return page.block("look", [f"{step.title}: {step.looks[-1].line}"])
            case "question.asked":
                asked = [q for q in fold.questions if q.item == event.item]
                return terminal.question_lines(asked[-1], page)
            case "answer.given":
                answers = [a for q in fold.questions if q.item == event.item for a in q.answers]
                return page.block("answer", [fold.title(event.item), terminal.said(answers[-1])])
            case "rule.judged" if key is not None:
                return self._step(fold.steps[key])
            case _:
                return self._plain_watch(event)

    def _plain_watch(self, event: Event) -> list[str]:
        """Return the lines of a closed slice, and of the end of a watch."""
        if event.kind == "watch.ended":
            watch = self._fold.watches[event.item].brief()
            return self._page.block("watch", [watch_lines.ended(watch)])
        if event.kind != "bucket.closed":
            return []
        watch = self._fold.watching(watch_of(event)).brief()
        start = reading.whole(event.body, "start_ms")
        at = next((n for n, one in enumerate(watch.slices) if one.start_ms == start), None)
        if at is None:
            return []
        before = watch.slices[at - 1] if at else None
        return watch_lines.slice_lines(watch.slices[at], before, watch, self._page)

    def _step(self, step: StepFacts) -> list[str]:
        page = self._page
        if step.status is not Status.PASS:
            parts = [step.title, *terminal.why_not(step)]
            return page.block(step.word, parts, page.place(step.line))
        return page.block("pass", [step.title], words.duration(step.measured_s))

    def _current(self) -> list[str]:
        """Return the lines of what goes on now, of what is asked, and of what is still ahead."""
        fold = self._fold
        if fold.start is None or fold.ending is not None:
            return []
        back = fold.rollback is not None and fold.rollback.begun
        lines = self._way_back() if back else self._ahead()
        steps = {key[2] for key in fold.steps}
        for question in fold.questions:
            if question.is_open and about(question.item) not in steps:
                lines += terminal.question_lines(question, self._page)
        return lines

    def _way_back(self) -> list[str]:
        fold, page = self._fold, self._page
        option = fold.options.get(fold.option)
        if option is None:
            steps = (*fold.steps_of("undo"), *fold.steps_of("proof"))
            lines = [page.row("rollback", "going back to the old state"), *self._tree(steps)]
            return lines + self._rules(fold.watched)
        tail = terminal.planned(option.stated_s, "stated")
        title, elapsed = words.one_line(option.title), self._since(option.started)
        steps = fold.steps_of("option", fold.option)
        lines = [page.row("rollback", title, elapsed, tail), *self._tree(steps)]
        return lines + self._rules(fold.watched)

    def _ahead(self) -> list[str]:
        fold, page = self._fold, self._page
        lines = []
        for phase in fold.phases.values():
            steps = fold.steps_of("phase", phase.id)
            if phase.started and not phase.decisions:
                tail = terminal.planned(phase.planned_s)
                title = words.one_line(phase.title)
                lines.append(page.row("now", title, self._since(phase.started), tail))
                lines += self._tree(steps)
                lines += self._rules(phase.id)
            elif not phase.started:
                lines.append(terminal.phase_line(replace(phase, steps=steps), page))
        return lines

    def _rules(self, item: str) -> list[str]:
        """Return the rules of a watch that goes on, and the slice that is open."""
        watching = self._fold.watches.get(item)
        if watching is None or watching.head.ended:
            return []
        watch = watching.brief()
        rules = watch_lines.rule_lines(watch, self._page, recent=True)
        return [*rules, *watch_lines.next_slice(watch, self._page, self._now)]

    def _tree(self, steps: tuple[StepFacts, ...]) -> list[str]:
        """Return a line per step, around the one that runs when there are too many."""
        waiting = {about(q.item): q.question or q.title for q in self._fold.questions if q.is_open}
        at = next((n for n, s in enumerate(steps) if s.finding is None), len(steps))
        first = max(0, min(at - _MOST // 2, len(steps) - _MOST))
        lines = [
            line for step in steps[first : first + _MOST] for line in self._leaf(step, waiting)
        ]
        above, below = first, len(steps) - first - _MOST
        if above > 0:
            lines.insert(0, self._page.row("", f"… {words.count(above, 'step')} before"))
        if below > 0:
            lines.append(self._page.row("", f"… {words.count(below, 'step')} behind"))
        return lines

    def _leaf(self, step: StepFacts, waiting: Mapping[str, str]) -> list[str]:
        page = self._page
        title = words.one_line(step.title)
        if step.finding is not None:
            return self._step(step)
        if step.id in waiting:
            return page.block("asks", [waiting[step.id]], page.place(step.line))
        if not step.attempts:
            return [page.row("", f"      {title}")]
        times = [words.duration(self._since(step.attempts[-1].started))]
        times.append(terminal.planned(step.planned_s))
        room = page.width - page.word - 8
        shown = [words.cut(line.strip(), room) for line in self._tails.get(step.id, ())]
        again = f" (attempt {len(step.attempts)})" if len(step.attempts) > 1 else ""
        rows = page.block("runs", [title + again], " ".join(part for part in times if part))
        return [*rows, *[f"{' ' * (page.word + 6)}│ {line}" for line in shown]]

    def _since(self, started: str) -> float | None:
        """Return the seconds since a time of the journal, whole; None before the first tick."""
        begun = words.moment(started)
        if begun is None or self._now is None:
            return None
        return float(max(0, int((self._now - begun).total_seconds())))
