"""What is known of a run at one moment: its plan, and what has become of each part so far."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from gonogo.report import reading
from gonogo.report.alerts import Told
from gonogo.report.facts import (
    Answered,
    Gap,
    OptionFacts,
    PhaseFacts,
    Question,
    RollbackFacts,
    StepFacts,
)
from gonogo.report.watch import Watch
from gonogo.report.watch_fold import Watching
from gonogo.run.journal import Event

# Section (phase, option, proof, undo, elsewhere, rule), its id, the id of the step or rule.
Key = tuple[str, str, str]


# What the engine hangs on an id to name a question about it.
_QUESTION = re.compile(r"\?(block|gate|decide|choice\d*|green|interrupted\d*|typed\d*)$")
_PROOF = "?proof:"  # way?proof:step is the proof step, carried out after that way back


def about(item: str) -> str:
    """Return the id of the step or phase that an item is about: `home?block` is about `home`."""
    return _QUESTION.sub("", item).rpartition(_PROOF)[2]


class Known:
    """The parts of a run by their ids, and where the run stands."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.start: Event | None = None
        self.last: Event | None = None
        self.ending: Event | None = None  # verdict.given, unless the run went on after it
        self.phases: dict[str, PhaseFacts] = {}
        self.options: dict[str, OptionFacts] = {}
        self.steps: dict[Key, StepFacts] = {}
        self.rollback: RollbackFacts | None = None
        self.questions: list[Question] = []
        self.gaps: list[Gap] = []
        self.aborts: list[Answered] = []
        self.unread: dict[str, None] = {}
        self.phase = ""  # the one being carried out
        self.option = ""
        self.proving = ""
        self.declared: dict[str, list[Key]] = {}
        self.watches: dict[str, Watching] = {}
        self.watched = ""  # the last watch that began
        self.told = Told()

    def plan(self, summary: reading.Body) -> None:
        """Learn the plan summary: every step that the run had before it."""
        for phase in reading.listed(summary, "phases"):
            name = reading.text(phase, "id")
            self.phases[name] = PhaseFacts(
                id=name,
                title=reading.text(phase, "title") or name,
                role=reading.text(phase, "role"),
                line=reading.whole(phase, "line"),
                planned_s=reading.number(phase, "estimate_s"),
            )
            self._declare("phase", name, reading.listed(phase, "steps"))
        back = reading.inner(summary, "rollback")
        if not back:
            return
        self.rollback = RollbackFacts(
            id=reading.text(back, "id"),
            line=reading.whole(back, "line"),
            stated_s=reading.number(back, "stated_s"),
        )
        for option in reading.listed(back, "options"):
            name = reading.text(option, "id")
            self.options[name] = OptionFacts(
                id=name,
                title=reading.text(option, "title") or name,
                line=reading.whole(option, "line"),
                stated_s=reading.number(option, "stated_s"),
                destructive=reading.flag(option, "destructive"),
                loses=reading.text(option, "loses"),
                only_if=reading.texts(option, "only_if"),
            )
            self._declare("option", name, reading.listed(option, "steps"))
        self._declare("proof", "", reading.listed(back, "proof"))

    def steps_of(self, section: str, place: str = "") -> tuple[StepFacts, ...]:
        """Return the steps of a phase, an option, the proof …, in the order of the plan."""
        return tuple(s for key, s in self.steps.items() if key[:2] == (section, place))

    def title(self, item: str) -> str:
        """Return the title of whatever has this id (`step?block` is about `step`), else the id."""
        item = about(item)
        for key in self.declared.get(item, ()):
            return self.steps[key].title
        named = self.phases.get(item) or self.options.get(item)
        if named is not None:
            return named.title
        undeclared = (s.title for key, s in self.steps.items() if key[2] == item)
        return next(undeclared, item)

    def _declare(self, section: str, place: str, steps: Iterable[reading.Body]) -> None:
        for body in steps:
            name = reading.text(body, "id")
            key = (section, place, name)
            self.declared.setdefault(name, []).append(key)
            self.steps[key] = StepFacts(
                id=name,
                title=reading.text(body, "title") or name,
                line=reading.whole(body, "line"),
                effect=reading.text(body, "effect"),
                critical=reading.flag(body, "critical"),
                claimed=reading.flag(body, "claimed"),
                owner=reading.text(body, "owner"),
                planned_s=reading.number(body, "estimate_s"),
            )

    def key_of(self, item: str) -> Key:
        """Return where a step of this id belongs at this point of the run."""
        proof = _PROOF in item
        item = about(item)
        if proof:
            return ("proof", "", item)
        declared = self.declared.get(item, [])
        in_phase = [key for key in declared if key[0] == "phase"]
        back = self.rollback
        if back is None or not back.begun:
            here = [key for key in in_phase if key[1] == self.phase]
            for key in here or in_phase or declared:
                return key
            return ("phase", self.phase, item) if self.phase else ("elsewhere", "", item)
        behind = [key for key in declared if key[0] != "phase"]
        here = [key for key in behind if key[:2] == ("option", self.option)]
        late = [key for key in in_phase if self.steps[key].is_open and not self.proving]
        for key in here or behind or late:
            return key
        if back.way == "undo" and not self.proving:
            return ("undo", "", item)
        return ("option", self.option, item) if self.option else ("proof", "", item)

    def step_at(self, key: Key, body: reading.Body) -> StepFacts:
        """Return what is known of a step, with the words of `body` where the plan has none."""
        known = self.steps.get(key) or self._twin(key[2]) or StepFacts(key[2], "")
        return replace(
            known,
            title=known.title or reading.text(body, "title") or key[2],
            line=known.line or reading.whole(body, "line"),
            effect=known.effect or reading.text(body, "effect"),
            command=reading.text(body, "command") or known.command,
        )

    def watching(self, item: str) -> Watching:
        """Return the watch of this id; one that is not known yet is begun, with its phase."""
        if item not in self.watches:
            back = self.rollback is not None and self.rollback.begun
            self.watches[item] = Watching(Watch(item))
            if not back and item not in self.phases:
                self.phases[item] = PhaseFacts(item, item)
            self.watched = item
        return self.watches[item]

    def place_of(self, event: Event) -> str:
        """Return of which watch an event about a rule tells; without a word, of the last begun."""
        return reading.text(event.body, "phase") or self.watched or self.phase

    def _twin(self, item: str) -> StepFacts | None:
        """Return the plan's own words for a step that is carried out a second time elsewhere."""
        for key in self.declared.get(item, ()):
            return replace(self.steps[key], attempts=(), finding=None, skipped=False)
        return None
