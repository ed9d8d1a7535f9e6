"""Planned windows that a person adds while a run goes on, and ends before their time.

    inbox    silence/N        answer: the figure it is about (or `all`), at: its begin, expires: its
                              end, reason, who
    inbox    silence/N?end    it is over now
    journal  alert.silenced   silence/N    from_ms, until_ms, reason, only (`who` answers for it)
    journal  alert.unsilenced silence/N    at_ms (`who` ended it)

A person writes into the inbox, the run takes it into its journal. Nothing is asked back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gonogo.clock import moment
from gonogo.plan.receivers import Silence
from gonogo.run.journal import Answer, Event, Journal
from gonogo.run.scene import Scene

SILENCED, UNSILENCED = "alert.silenced", "alert.unsilenced"
ALL = "all"
_PREFIX, _END = "silence/", "?end"


@dataclass(frozen=True, slots=True)
class Window:
    """A planned window of a run, as its inbox and its journal have it."""

    silence: Silence
    is_taken: bool  # the run has it in its journal
    ended_by: str = ""  # the person who ended it before its time

    def is_open(self, at_ms: int) -> bool:
        """Say whether it silences something at this moment, or will."""
        return not self.ended_by and at_ms < self.silence.until_ms


def windows(journal: Journal, run: str) -> tuple[Window, ...]:
    """Return every planned window that a person added to a run, in the order of their numbers."""
    found: list[Window] = []
    taken = {event.item for event in journal.events(run) if event.kind == SILENCED}
    while (given := journal.answer(run, name_of(len(found) + 1))) is not None:
        ended = journal.answer(run, given.item + _END)
        who = ended.who if ended is not None else ""
        found.append(Window(of_answer(given), given.item in taken, who))
    return tuple(found)


def name_of(number: int) -> str:
    """Return the item of a planned window in the inbox."""
    return f"{_PREFIX}{number}"


def put(journal: Journal, run: str, silence: Silence, at: str, until: str) -> str:
    """Put a planned window into the inbox of a run and return its name."""
    number = 1
    while True:  # somebody else may add one at the same moment
        name = name_of(number)
        only = silence.only or ALL
        if journal.put(Answer(run, 1, name, only, silence.who, at, silence.reason, "", until)):
            return name
        number += 1


def put_end(journal: Journal, run: str, name: str, who: str, at: str) -> bool:
    """End a planned window now; False when it was ended before."""
    return journal.put(Answer(run, 1, name + _END, "end", who, at))


def of_answer(given: Answer) -> Silence:
    """Return the planned window that stands in the inbox."""
    only = "" if given.answer == ALL else given.answer
    begin, end = _ms(given.at), _ms(given.expires)
    return Silence(given.who, given.reason, begin, end, only, given.item)


class Hearing:
    """Takes planned windows from the inbox of a run into its journal, each once."""

    def __init__(self, scene: Scene) -> None:
        """Go on behind those that the journal has."""
        self._scene = scene
        self._number = 0
        self._open: list[str] = []
        for event in scene.journal.events(scene.run):
            if event.kind == SILENCED and event.item.startswith(_PREFIX):
                self._number += 1
                self._open.append(event.item)
            elif event.kind == UNSILENCED and event.item in self._open:
                self._open.remove(event.item)

    def step(self) -> None:
        """Journal what people have put into the inbox since the last look."""
        journal, run = self._scene.journal, self._scene.run
        while (given := journal.answer(run, name_of(self._number + 1))) is not None:
            self._number += 1
            self._open.append(given.item)
            add_silence(self._scene, of_answer(given))
        for name in tuple(self._open):
            ended = journal.answer(run, name + _END)
            if ended is not None:
                self._open.remove(name)
                body = {"at_ms": _ms(ended.at)}
                self._scene.write(UNSILENCED, name, body=body, who=ended.who, durable=True)


def add_silence(scene: Scene, silence: Silence) -> None:
    """Journal a planned window in which nobody is told; the person answers for it."""
    body = {
        "reason": silence.reason,
        "from_ms": silence.from_ms,
        "until_ms": silence.until_ms,
        "only": silence.only,
    }
    scene.write(SILENCED, silence.name, body=body, who=silence.who, durable=True)


def of_event(event: Event) -> Silence:
    """Read a planned window from the journal."""
    start, end = event.body["from_ms"], event.body["until_ms"]
    assert isinstance(start, int)
    assert isinstance(end, int)
    only, reason = str(event.body["only"]), str(event.body["reason"])
    return Silence(event.who, reason, start, end, only, event.item)


def in_force(events: Sequence[Event], at_ms: int) -> tuple[Silence, ...]:
    """Return the planned windows of a journal that are not over at a moment."""
    found: dict[str, Silence] = {}
    for event in events:
        if event.kind == SILENCED:
            found[event.item] = of_event(event)
        elif event.kind == UNSILENCED and event.item in found:
            found[event.item] = replace(found[event.item], until_ms=0)
    return tuple(one for one in found.values() if at_ms < one.until_ms)


def _ms(at: str) -> int:
    return int(moment(at).timestamp() * 1000)
