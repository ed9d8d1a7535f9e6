"""Asking the person at the terminal; an answer given elsewhere meanwhile ends the question."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence

from gonogo.cli.screen import tell
from gonogo.clock import SystemClock, stamp
from gonogo.run.journal import ABORT, Answer, Event, Journal

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
}


class Prompt:
    """Questions of one run, answered in the name of one person."""

    def __init__(self, journal: Journal, run: str, who: str) -> None:
        """Ask in the name of `who`."""
        self._journal = journal
        self._run = run
        self._who = who
        self._all_yes = False
        self._typed = ""
        self.closed = False  # the terminal is gone: nobody answers here any more

    def ask(self, event: Event, *, stopped: Callable[[], bool]) -> None:
        """Ask one journaled question and put the answer into the inbox."""
        body = event.body
        form = str(body.get("form"))
        choices = [str(c) for c in _list(body.get("choices"))]
        if self._all_yes and form == "manual":
            self._put(event.item, "yes", "")
            return
        tell(f"\n? {body.get('question')}   (line {body.get('line')})")
        if body.get("detail"):
            for line in str(body["detail"]).splitlines():
                tell(f"  | {line}")
        tell(f"  {_offer(form, choices)}")
        typed = self._line(event.item, stopped)
        if typed is None:
            return
        self._settle(event.item, form, choices, typed, stopped)

    def interrupted(self) -> str:
        """Ask what a Ctrl-C was for: `continue`, `stop` or `abort`."""
        tell("\n? interrupted: [c]ontinue, [s]top here (resume later), [a]bort and roll back")
        typed = (self._line("", lambda: False) or "c").strip().lower()
        if typed.startswith("a"):
            self._put(ABORT, "abort", "Ctrl-C")
            return "abort"
        return "stop" if typed.startswith("s") else "continue"

    def _settle(
        self,
        item: str,
        form: str,
        choices: Sequence[str],
        typed: str,
        stopped: Callable[[], bool],
    ) -> None:
        word, _, reason = typed.strip().partition(" ")
        if form == "manual" and word.lower() in ("y!", "yes!"):
            self._all_yes = True
            word = "yes"
        answer = typed.strip() if form == "typed" else _SHORT.get(word.lower(), word.lower())
        if form != "typed" and typed.strip().lower() in choices:
            answer, reason = typed.strip().lower(), ""
        if answer not in choices:
            tell(f"  `{typed.strip()}` is no answer here")
            return
        if answer in ("skip", "go") and not reason:
            tell("  why? (it stands in the evidence with your name)")
            reason = (self._line(item, stopped) or "").strip()
            if not reason:
                return
        self._put(item, answer, reason.strip())

    def _line(self, item: str, stopped: Callable[[], bool]) -> str | None:
        """Read a line, unless the question is answered elsewhere or the run is interrupted."""
        sys.stderr.write("> ")
        sys.stderr.flush()
        while not stopped():
            if "\n" in self._typed:
                line, self._typed = self._typed.split("\n", 1)
                return line
            ready, _, _ = select.select([sys.stdin], [], [], 0.2)
            if ready:
                more = os.read(sys.stdin.fileno(), 4096).decode(errors="replace")
                if not more:
                    self.closed = True
                    return None
                self._typed += more.replace("\r\n", "\n")
            elif item and self._journal.answer(self._run, item) is not None:
                tell("(answered elsewhere)")
                return None
        return None

    def _put(self, item: str, answer: str, reason: str) -> None:
        at = stamp(SystemClock().now())
        self._journal.put(Answer(self._run, 1, item, answer, self._who, at, reason))


def _offer(form: str, choices: Sequence[str]) -> str:
    if form == "typed":
        return f"type `{choices[0]}` to confirm, or `no`"
    keys = {word: key for key, word in _SHORT.items()}
    offered = ", ".join(f"[{keys[c]}] {c}" if c in keys else c for c in choices)
    more = "; a note may follow the letter"
    return offered + (", [y!] yes to all that follow" if form == "manual" else "") + more


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
