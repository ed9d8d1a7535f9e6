"""Asking the person at the terminal; an answer given elsewhere meanwhile ends the question."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence

from gonogo.cli import questions, screen, streams
from gonogo.clock import SystemClock, stamp
from gonogo.run.journal import ABORT, Answer, Event, Journal
from gonogo.run.people import NEEDS_REASON, Form

_SHORT = {
    "y": "yes",
    "n": "no",
    "s": "skip",
    "r": "run",
    "b": "by hand",
    "g": "go",
    "x": "no-go",
    "d": "done",
    "a": "again",
    "f": "failed",
    "k": "keep",
}
_ALL = ("y!", "yes!")
_NEED_REASON = {(form.value, answer) for form, answer in NEEDS_REASON}
_GLANCE_S = 0.2


class Prompt:
    """Questions of one run, answered in the name of one person."""

    def __init__(self, journal: Journal, run: str, who: str) -> None:
        """Ask in the name of `who`."""
        self._journal = journal
        self._run = run
        self._who = who
        self._all_yes: str | None = None  # the note that goes with each yes
        self._typed = b""
        self.closed = False  # the terminal is gone: nobody answers here any more

    def ask(self, event: Event, *, stopped: Callable[[], bool]) -> None:
        """Ask one journaled question and put the answer into the inbox."""
        form = str(event.body.get("form"))
        if self._all_yes is not None and form == Form.MANUAL:
            screen.tell(f"  yes: {questions.text(event)}")
            self._put(event.item, "yes", self._all_yes)
            return
        screen.tell("")
        for line in questions.shown(event, screen.width()):
            screen.tell(line.rstrip())
        screen.tell(f"  {_offer(form, questions.choices(event))}")
        while (typed := self._line(event.item, stopped)) is not None:
            if self._settle(event, form, typed.strip(), stopped):
                return

    def interrupted(self) -> str:
        """Ask what a Ctrl-C was for: `continue`, `stop` or `abort`."""
        screen.tell("\n? interrupted; what now?")
        screen.tell("  [c] continue, [s] stop here and resume later, [a] abort and roll back")
        while True:
            line = self._line("", lambda: False)
            if line is None:  # nobody is there any more
                return "stop"
            word, _, reason = line.strip().partition(" ")
            low = word.lower()
            if low and "abort".startswith(low):
                self._put(ABORT, "abort", reason.strip() or "Ctrl-C")
                return "abort"
            if low and "stop".startswith(low):
                return "stop"
            if not low or "continue".startswith(low):
                return "continue"
            screen.tell(f"  `{word}` is no answer here: c, s or a")

    def _settle(self, event: Event, form: str, typed: str, stopped: Callable[[], bool]) -> bool:
        """Put what was typed into the inbox; False when it is no answer yet."""
        choices = questions.choices(event)
        answer, note = _understood(form, choices, typed)
        bulk = form == Form.MANUAL and answer in _ALL
        if bulk:
            answer = "yes"
        if answer not in choices:
            if typed:
                screen.tell(f"  `{typed}` is no answer here")
            return False
        if (form, answer) in _NEED_REASON and not note:
            screen.tell("  why? (it stands in the evidence with your name)")
            note = (self._line(event.item, stopped) or "").strip()
            if not note:
                screen.tell("  without a reason it does not count")
                return False
        if bulk:
            self._all_yes = note
        self._put(event.item, answer, note)
        return True

    def _line(self, item: str, stopped: Callable[[], bool]) -> str | None:
        """Read a line, unless the question is answered elsewhere or the run is interrupted."""
        streams.write(sys.stderr, "> ")
        while not stopped():
            if b"\n" in self._typed:
                line, self._typed = self._typed.split(b"\n", 1)
                return line.decode(errors="replace").replace("\r", "")
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], _GLANCE_S)
            if ready:
                more = self._read()
                if not more:
                    self.closed = True
                    return None
                self._typed += more
            elif item and self._journal.answer(self._run, item) is not None:
                screen.tell("(answered elsewhere)")
                return None
        return None

    def _read(self) -> bytes:
        try:
            return os.read(sys.stdin.fileno(), 4096)
        except OSError:  # the terminal was closed
            return b""

    def _put(self, item: str, answer: str, reason: str) -> None:
        at = stamp(SystemClock().now())
        self._journal.put(Answer(self._run, 1, item, answer, self._who, at, reason))


def _understood(form: str, choices: Sequence[str], typed: str) -> tuple[str, str]:
    """Return the answer that was meant and the note behind it; a typed name must be exact."""
    if form == Form.TYPED:
        return ("no" if typed.lower() in ("n", "no") else typed), ""
    low = typed.lower()
    for choice in sorted(choices, key=len, reverse=True):  # `by hand` before a word that begins it
        if low == choice or low.startswith(f"{choice} "):
            return choice, typed[len(choice) :].strip()
    word, _, note = typed.partition(" ")
    return _SHORT.get(word.lower(), word.lower()), note.strip()


def _offer(form: str, choices: Sequence[str]) -> str:
    if form == Form.TYPED:
        return "type the name exactly to confirm, or `no`"
    keys = {word: key for key, word in _SHORT.items()}
    offered = [f"[{keys[choice]}] {choice}" if choice in keys else choice for choice in choices]
    if form == Form.MANUAL:
        offered.append("[y!] yes to all that follow")
    return ", ".join(offered) + "; a note may follow"
