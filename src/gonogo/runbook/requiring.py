"""What a release requires from elsewhere, and what waits for it: lines above its steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from gonogo.plan.kinds import Role
from gonogo.runbook.bound import BoundChapter
from gonogo.runbook.chapters import Chapter
from gonogo.runbook.directives import Name, Remark, lines_of, name_of, of_name, remarks_of
from gonogo.runbook.drafts import Draft, Origin, short_title
from gonogo.runbook.identity import slug, step_id
from gonogo.runbook.labels import directive_of
from gonogo.runbook.layout import Place
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.order import Entry, Index
from gonogo.runbook.outline import Item, Node, Paragraph
from gonogo.runbook.words import Words
from gonogo.source import Span

OURS = frozenset({Name.REQUIRES, Name.BLOCKS})
"""Directives that speak of other releases, tickets and people."""
_LIST = re.compile(r"\s*[,;]\s*")
_AND = re.compile(r"\s*\band\b\s*")
_NOTHING = re.compile(r"(?:none|nothing|nobody|n/a)\b.*|[-–—]+", re.IGNORECASE)
_SAME = 0.85  # so like the name of a step that it is one, misspelt
_TITLE = "Dependencies"
_HINT = (
    "another release is looked at by a block `check: run` with `service:`, a step of this runbook "
    "is named by its text"
)


def settle(bound: list[BoundChapter], places: Sequence[Place], book: Notebook) -> str:
    """Turn what is required into needs and questions; return what waits for this release.

    The name of a step or phase is a need of the section that says it. Anything else, such as a
    ticket, is asked of a person before the release begins, and stops it when it is not there: in
    the phase that comes first, where that changes nothing yet, else in one of its own.
    """
    released = [one for one in bound if one.chapter.role not in (Role.ROLLBACK, Role.MAINTENANCE)]
    if not released:
        return ""
    home = released[0]
    if home.chapter.role is not Role.PREFLIGHT:
        home = _phase_of_its_own(bound)
    settler = _Settler(home.chapter, Index(_entries(bound)), book)
    for place in places:
        chapter = next((one.chapter for one in bound if _is_of(place, one.chapter)), None)
        for name, words in _outside(place, book):
            needs = settler.needs(name, words)
            if chapter is not None:
                chapter.remarks += needs
    for one in bound:
        _settle_chapter(one.chapter, settler)
    home.chapter.drafts[:0] = settler.questions
    if settler.questions and home not in bound:
        home.chapter.span = settler.questions[0].span
        book.mean(home.chapter.span, "phase", f"{Role.PREFLIGHT.value}: {_TITLE}")
        bound.insert(0, home)
    return "; ".join(dict.fromkeys(settler.blocked))


def _settle_chapter(chapter: Chapter, settler: _Settler) -> None:
    remarks, chapter.remarks = chapter.remarks, []
    for remark in remarks:
        chapter.remarks += settler.of(remark) if remark.name in OURS else [remark]
    for remark, drafts in chapter.required:
        needs = settler.of(remark)
        for draft in drafts:
            draft.remarks += needs


def _phase_of_its_own(bound: Sequence[BoundChapter]) -> BoundChapter:
    """Return a phase for the questions alone, under a name that no other has."""
    taken = {one.id for one in bound}
    names = (slug(_TITLE) + "-first" * again for again in count())
    name = next(name for name in names if name not in taken)
    return BoundChapter(Chapter(_TITLE, Role.PREFLIGHT, -1, Span.of_line(1)), name)


class _Settler:
    """Knows every step and phase; collects the questions and what is blocked."""

    def __init__(self, home: Chapter, index: Index, book: Notebook) -> None:
        self.home = home
        self.index = index
        self.book = book
        self.questions: list[Draft] = []
        self.blocked: list[str] = []

    def of(self, remark: Remark) -> list[Remark]:
        """Settle one directive and the list under it; return what of it is a need."""
        needs: list[Remark] = []
        for words in (remark.value, *(item.words for item in remark.items)):
            needs += self.needs(remark.name, words)
        return needs

    def needs(self, name: Name, words: Words) -> list[Remark]:
        """Settle one text; return the steps and phases that it names, as needs."""
        if not words.text.strip() or _NOTHING.fullmatch(words.text.strip()):
            return []
        if name is Name.BLOCKS:
            self.blocked.append(" ".join(words.text.split()))
            self.book.mean(words.place(), "blocks", words.text)
            return []
        known = []
        for part in self._parts(words):
            if self._is_known(part.text):
                known.append(Remark(Name.NEEDS, part, part.place()))
            else:
                self._ask(part)
        return known

    def _parts(self, words: Words) -> list[Words]:
        """Split at commas, and at `and` only where that gives the name of a step."""
        if self.index.find(words.text):
            return [words]
        found: list[Words] = []
        for part in _split(words, _LIST):
            smaller = _split(part, _AND)
            splits = not self.index.find(part.text) and any(
                self.index.find(one.text) for one in smaller
            )
            found += smaller if splits else [part]
        return found

    def _is_known(self, text: str) -> bool:
        if self.index.find(text):
            return True
        return self.book.nearest(text, self.index.names(), cutoff=_SAME) is not None

    def _ask(self, words: Words) -> None:
        text = " ".join(words.text.split())
        self.questions.append(
            Draft(
                title=f"Required: {short_title(text)}",
                words=words,
                span=words.place(),
                path=(self.home.title,),
                origin=Origin.BULLET,
                role=Role.PREFLIGHT,
                section=(self.home.title,),
                critical=True,
                notes=[] if short_title(text) == text else [f"Requires: {text}"],
            )
        )
        self.book.note(
            "GN418",
            f"`{short_title(text)}` names no step: a person is asked before the release begins",
            words.place(),
            hint=_HINT,
        )


def _split(words: Words, pattern: re.Pattern[str]) -> list[Words]:
    parts, start = [], 0
    for match in pattern.finditer(words.text):
        parts.append(words.part(start, match.start()))
        start = match.end()
    parts.append(words.part(start))
    return [part for part in parts if part.text]


def _entries(bound: Sequence[BoundChapter]) -> Iterator[Entry]:
    for one in bound:
        chapter = one.chapter
        yield Entry(f"phase:{one.id}", chapter.title, (), chapter.span, is_phase=True)
        for draft in chapter.drafts:
            named = next((r.text for r in of_name(draft.remarks, Name.NAME)), "")
            name = slug(named) if named.strip() else step_id(draft.path, draft.title)
            yield Entry(name, draft.title, draft.path, draft.span)


def _is_of(place: Place, chapter: Chapter) -> bool:
    return place.runs and (place.anchor, place.role) == (chapter.anchor, chapter.role)


def _outside(place: Place, book: Notebook) -> Iterator[tuple[Name, Words]]:
    """Yield what no step and no phase has said yet.

    That is everything in a section that is not carried out, and the list behind a label alone,
    `**Requires:**`, in any section.
    """
    label: Name | None = None
    for node in place.section.nodes:
        lines = lines_of(node) if isinstance(node, Paragraph) else (node,)
        ours = [r for line in lines if _is_ours(line) for r in remarks_of(line, book)]
        if not ours and label is not None and isinstance(node, Item):
            if _is_plain(node):
                yield label, node.words
            continue
        for remark in ours if not place.runs else ():
            yield remark.name, remark.value
            for item in remark.items:
                yield remark.name, item.words
        label = _label(node, ours)


def _label(node: Node, ours: Iterable[Remark]) -> Name | None:
    """Return the directive whose list is to follow: its paragraph says its name and no more."""
    last = next(reversed(list(ours)), None)
    alone = last is not None and isinstance(node, Paragraph) and not last.text.strip()
    return last.name if last is not None and alone else None


def _is_plain(item: Item) -> bool:
    return item.checkbox is None and item.ordered is None and not item.fences


def _is_ours(node: Node) -> bool:
    found = directive_of(node)
    return found is not None and name_of(found.name) in OURS
