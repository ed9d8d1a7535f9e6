"""Which section is what: the phase that each heading opens or belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gonogo.plan.kinds import Role
from gonogo.runbook import roles
from gonogo.runbook.directives import Name, remarks_of
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence, Item, Node, Outline, Section, descend
from gonogo.runbook.roles import Guess, Topic

_STEP_NUMBER = re.compile(r"(?:step|task)\b", re.IGNORECASE)
_AFTERWARDS = re.compile(r"\b(?:post|after)[\s-](?:the )?roll[\s-]?back", re.IGNORECASE)
_TAKES_OVER = frozenset({Role.DEPLOY, Role.VERIFY, Role.WATCH, Role.LOAD, Role.SIGNOFF})


@dataclass(frozen=True, slots=True)
class Place:
    """One section, settled: its role, what its lists hold, which heading opened its phase."""

    section: Section
    role: Role | None  # None: not recognised, reference text
    topic: Topic
    anchor: int  # index of the section that opened the phase
    headings: tuple[str, ...]  # from the anchor's heading (without) down to this one
    settled: bool = False  # by `Phase:`

    @property
    def runs(self) -> bool:
        """Whether something of this section may be carried out or judged."""
        return self.role not in (None, Role.REFERENCE)


@dataclass(slots=True)
class _Open:
    """A heading whose section is not over yet."""

    level: int
    place: Place
    guess: Guess
    last_role: Role | None = None  # of the last child that was recognised


def lay_out(outline: Outline, book: Notebook) -> tuple[Place, ...]:
    """Settle the role and topic of every section, in document order."""
    title_level = _title_level(outline.sections)
    title_role = _title_role(outline, book)
    root = _Open(-1, Place(outline.sections[0], None, Topic.STEPS, 0, ()), Guess(None))
    stack: list[_Open] = [root]
    places: list[Place] = []
    steps = _subtrees(outline.sections)
    for index, section in enumerate(outline.sections):
        while len(stack) > 1 and stack[-1].level >= section.level:
            stack.pop()
        parent = stack[-1]
        is_title = section.level == title_level or section.level == 0
        guess = _guess(section, is_title=is_title)
        forced = _forced(section, book)
        if forced is not None:
            place = Place(
                section, forced.role, forced.topic or Topic.STEPS, index, (), settled=True
            )
        else:
            place = _settle(section, index, parent, guess)
        if not book.explicit and ((steps[index] and not is_title) or _has_steps(section.nodes)):
            place = _assume(index, place, parent, guess, title_role)
        if place.runs:
            parent.last_role = place.role
        places.append(place)
        if section.level > 0:
            seen = replace(place, role=None) if is_title and not place.settled else place
            stack.append(_Open(section.level, seen, guess, parent.last_role))
    return tuple(places)


def _title_level(sections: Sequence[Section]) -> int:
    """Return 1 when the document has one level 1 heading, which is then its title.

    The only heading of a document is that of a section, too.
    """
    headings = [section.level for section in sections if section.level > 0]
    return 1 if headings.count(1) == 1 and len(headings) > 1 else -1


def _title_role(outline: Outline, book: Notebook) -> Role | None:
    if book.explicit or not outline.title:
        return None
    role = roles.guess(outline.title).role
    return None if role in (Role.REFERENCE, Role.ROLLBACK) else role


def _guess(section: Section, *, is_title: bool) -> Guess:
    if is_title:
        return Guess(None)
    return roles.guess(section.title or section.text)


def _forced(section: Section, book: Notebook) -> Guess | None:
    """Return what `Phase:` in a section says, if it is there."""
    for node in section.nodes:
        if isinstance(node, Item) and node.checkbox is not None:
            return None
        if isinstance(node, Fence):
            return None
        for remark in remarks_of(node, book):
            if remark.name is Name.PHASE:
                role = roles.role_named(remark.text)
                if role is None:
                    book.error(
                        "GN320",
                        f"`{remark.text}` is no phase",
                        remark.value.place(),
                        hint=book.did_you_mean(remark.text, [r.value for r in Role]),
                    )
                    return None
                topic = roles.topic_of(section.title or section.text)
                return Guess(role, topic, strong=True)
    return None


def _settle(section: Section, index: int, parent: _Open, guess: Guess) -> Place:
    """Combine the words of a heading with the section it stands in."""
    if parent.place.role is None:
        topic = guess.topic or (Topic.PROOF if _proves(guess, section) else Topic.STEPS)
        return Place(section, guess.role, topic, index, ())
    above = parent.place
    headings = (*above.headings, section.title or section.text)
    stays = Place(section, above.role, _inherited(above, guess, section), above.anchor, headings)
    if above.role is Role.REFERENCE:
        return stays
    if guess.role is Role.REFERENCE:
        return Place(section, Role.REFERENCE, Topic.STEPS, index, ())
    if _takes_over(section, parent, guess):
        return Place(section, guess.role, guess.topic or Topic.STEPS, index, ())
    return stays


def _proves(guess: Guess, section: Section) -> bool:
    """Tell `Post-rollback verification` from a way back: what stands there proves that it is."""
    return guess.role is Role.ROLLBACK and _AFTERWARDS.search(section.text) is not None


def _inherited(above: Place, guess: Guess, section: Section) -> Topic:
    if above.role is Role.ROLLBACK and above.topic is Topic.PROOF:
        return Topic.PROOF
    if guess.topic is not None and above.role is not Role.PREFLIGHT:
        return guess.topic
    is_option = section.number is not None and section.number.casefold().startswith("option")
    if above.role is Role.ROLLBACK and not is_option and roles.is_proof(section.text):
        return Topic.PROOF
    if above.topic in (Topic.STEPS, Topic.CRITERIA):
        return above.topic
    return above.topic if guess.role is None else Topic.STEPS


def _takes_over(section: Section, parent: _Open, guess: Guess) -> bool:
    """Whether the words of a sub-heading outrank the phase it stands in."""
    above = parent.place
    if guess.role is None or guess.role is above.role or above.settled:
        return False
    if guess.topic is Topic.TRIGGERS:
        return above.role in _TAKES_OVER and above.role is not Role.WATCH
    if section.number is not None and _STEP_NUMBER.match(section.number):
        return False
    if parent.guess.role is None and above.role in _TAKES_OVER:
        return guess.strong  # the heading above says nothing: it goes on with what came before
    if guess.role is Role.PREFLIGHT and above.role is not Role.DEPLOY:
        return False
    if guess.role is Role.VERIFY and above.role is Role.WATCH:
        return False  # what is looked at during a watch belongs to it
    if parent.guess.role is None:
        return guess.strong
    weak_parent = above.role in _TAKES_OVER and not parent.guess.strong
    return above.role in _TAKES_OVER and (guess.strong or weak_parent)


def _assume(index: int, place: Place, parent: _Open, guess: Guess, title: Role | None) -> Place:
    """In an assisted runbook, let the boxes of a strange heading count too.

    They go on with the phase before them: `Cache warming` after `Deployment` still deploys.
    """
    before = parent.last_role
    if before in (Role.ROLLBACK, Role.MAINTENANCE):
        before = None
    if place.role is None:
        return replace(place, role=before or title or Role.PREFLIGHT)
    is_weak = place.runs and bool(place.headings) and guess.role is None
    goes_on = before is not None and before is not place.role
    if is_weak and goes_on and not parent.guess.strong and not parent.place.settled:
        return Place(place.section, before, Topic.STEPS, index, ())
    return place


def _subtrees(sections: Sequence[Section]) -> list[bool]:
    """Tell of every section whether it or a section below it holds a box."""
    found = [False] * len(sections)
    way: list[int] = []
    for index, section in enumerate(sections):
        while way and sections[way[-1]].level >= section.level:
            way.pop()
        way.append(index)
        if _has_steps(section.nodes):
            for above in reversed(way):
                if found[above]:
                    break
                found[above] = True
    return found


def _has_steps(nodes: Sequence[Node]) -> bool:
    return any(
        isinstance(inner, Item) and inner.checkbox is not None
        for node in nodes
        for inner in descend(node)
    )
