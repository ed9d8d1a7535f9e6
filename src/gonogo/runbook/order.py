"""What must come before what: `Needs:` resolved, cycles found."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gonogo.runbook.directives import Remark
from gonogo.runbook.identity import slug_of_title
from gonogo.runbook.labels import numbered
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.words import Words
from gonogo.source import Span

_SPLIT = re.compile(r"\s*(?:,|;|\band\b)\s*")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be needed: a step or a whole phase."""

    id: str
    title: str
    path: tuple[str, ...]
    span: Span
    is_phase: bool = False


class Index:
    """Finds steps and phases by identity, name, title or group."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Remember every entry under all of its names, in document order."""
        self.by_id: dict[str, Entry] = {}
        self.position: dict[str, int] = {}
        self._titles: dict[str, list[Entry]] = defaultdict(list)
        self._groups: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self.by_id.setdefault(entry.id, entry)
            self.position.setdefault(entry.id, len(self.position))
            self._titles[slug_of_title(entry.title)].append(entry)
            if not entry.is_phase:
                for part in entry.path[1:]:
                    self._groups[slug_of_title(part)].append(entry)

    def find(self, text: str) -> list[Entry]:
        """Return what a name means; several when it is a group or not unique."""
        cleaned = text.strip().strip("`\"'“”").rstrip(".").strip()
        if cleaned.casefold() in self.by_id:
            return [self.by_id[cleaned.casefold()]]
        for wanted in (slug_of_title(cleaned), slug_of_title(numbered(cleaned)[1])):
            found = self._titles.get(wanted)
            if found:
                phases = [e for e in found if e.is_phase]
                return phases[:1] or found
            if wanted in self._groups:
                return self._groups[wanted]
        return []

    def is_ambiguous(self, found: Sequence[Entry], text: str) -> bool:
        """Tell whether a name means several steps that are not one group."""
        several = len({entry.path for entry in found}) > 1
        return several and slug_of_title(text) in self._titles

    def names(self) -> list[str]:
        """Return the titles by which things can be needed."""
        return [entry.title for entry in self.by_id.values()]


def resolve(
    remarks: Sequence[Remark], index: Index, book: Notebook
) -> tuple[tuple[str, Span], ...]:
    """Return the identities that `Needs:` lines name, each with its place."""
    found: dict[str, Span] = {}
    for remark in remarks:
        texts = [remark.value] if remark.value.text.strip() else []
        texts += [item.words for item in remark.items]
        for words in texts:
            for part in _parts(words, index):
                for entry in _look_up(part, index, book):
                    found.setdefault(entry.id, part.place())
    return tuple(found.items())


_NEEDS_HINT = (
    "write the text of a step or heading; another release is a block `check: run` with `service:`, "
    "a ticket a box of its own that its owner answers"
)


def _parts(words: Words, index: Index) -> list[Words]:
    """Split a list of names, unless the whole text is one name."""
    if index.find(words.text):
        return [words]
    parts, start = [], 0
    for match in _SPLIT.finditer(words.text):
        parts.append(words.part(start, match.start()))
        start = match.end()
    parts.append(words.part(start))
    return [part for part in parts if part.text]


def _look_up(words: Words, index: Index, book: Notebook) -> list[Entry]:
    found = index.find(words.text)
    if not found:
        book.strict(
            "GN401",
            f"no step or phase is named `{words.text}`",
            words.place(),
            hint=book.did_you_mean(words.text, index.names(), _NEEDS_HINT),
        )
    elif index.is_ambiguous(found, words.text):
        lines = ", ".join(str(entry.span.line) for entry in found[:5])
        book.strict(
            "GN402",
            f"`{words.text}` names several steps, on lines {lines}",
            words.place(),
            hint="give the step that you mean a `Name:` and write that",
        )
        return []
    return found


Edges = Mapping[str, Sequence[tuple[str, Span]]]
"""For each identity what it needs, with the place where that is written."""


def check_order(edges: Edges, index: Index, parents: Mapping[str, str], book: Notebook) -> None:
    """Report cycles and needs that stand later in the file: steps run in the written order."""
    in_cycle = _report_cycles(edges, index, parents, book)
    for name, needed in edges.items():
        if name in in_cycle:
            continue
        for other, span in needed:
            is_later = index.position.get(other, -1) > index.position.get(name, 0)
            if is_later and parents.get(name) != other:
                book.strict(
                    "GN404",
                    f"`{index.by_id[other].title}` stands later in the file than what needs it",
                    span,
                    hint="steps run in the written order: move it in front of what needs it",
                )


def _report_cycles(
    edges: Edges, index: Index, parents: Mapping[str, str], book: Notebook
) -> set[str]:
    """Report each cycle once, with the lines of all of its steps."""
    members: dict[str, list[str]] = defaultdict(list)
    for child, parent in parents.items():
        members[parent].append(child)
    state: dict[str, int] = {}
    caught: set[str] = set()
    for start in edges:
        if state.get(start):
            continue
        for cycle in _cycles_from(start, edges, members, state, parents):
            caught.update(cycle)
            own = [n for n in cycle if edges.get(n)]
            above = [parents.get(n, "") for n in cycle]  # a phase that needs a step of its own
            _report_cycle(own or [n for n in above if edges.get(n)], edges, index, book)
    return caught


def _next(
    name: str, edges: Edges, members: Mapping[str, list[str]], parents: Mapping[str, str]
) -> list[str]:
    """Return what must be finished before `name`: its needs, those of its phase, its members."""
    own = [other for other, _ in edges.get(name, ())]
    above = [other for other, _ in edges.get(parents.get(name, ""), ())]
    return [*own, *above, *members.get(name, ())]


def _cycles_from(
    start: str,
    edges: Edges,
    members: Mapping[str, list[str]],
    state: dict[str, int],
    parents: Mapping[str, str],
) -> list[list[str]]:
    """Walk depth first without recursion; state 1 is on the way, 2 is done."""
    cycles: list[list[str]] = []
    way: list[str] = [start]
    stack = [iter(_next(start, edges, members, parents))]
    state[start] = 1
    while stack:
        following = next(stack[-1], None)
        if following is None:
            state[way.pop()] = 2
            stack.pop()
        elif state.get(following) == 1:
            cycles.append(way[way.index(following) :])
        elif state.get(following) is None:
            state[following] = 1
            way.append(following)
            stack.append(iter(_next(following, edges, members, parents)))
    return cycles


def _report_cycle(cycle: list[str], edges: Edges, index: Index, book: Notebook) -> None:
    said = " → ".join(f"`{index.by_id[n].title}` (line {index.by_id[n].span.line})" for n in cycle)
    first = index.by_id[cycle[0]]
    book.strict(
        "GN403",
        f"these need each other: {said} → `{first.title}`",
        edges[cycle[0]][0][1],
        hint="take one of the `Needs:` away",
    )
