"""The rollback section: its options in the written order, then the proof."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gonogo.plan.kinds import Effect
from gonogo.plan.model import Option, Rollback, Step
from gonogo.runbook import durations, returning
from gonogo.runbook.binding import Loose
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.identity import Register, slug_of_title
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.returning import OF_OPTION, Ways
from gonogo.runbook.roles import Topic
from gonogo.source import Span


@dataclass(frozen=True, slots=True)
class Section:
    """One rollback heading with what stands under it."""

    title: str
    span: Span
    items: tuple[tuple[Loose, Step], ...]  # the steps, with the drafts that they come from
    remarks: tuple[Remark, ...]
    headings: dict[tuple[str, ...], Span]  # of each sub-heading, by its path
    below: dict[tuple[str, ...], list[Remark]]  # what is said of ways back, by the heading above


def build(sections: Sequence[Section], ways: Ways, *, automatic: bool) -> Rollback | None:
    """Return the rollback of a runbook, or None when no section holds a step."""
    sections = [section for section in sections if section.items]
    if not sections:
        return None
    options: list[Option] = []
    proof: list[Step] = []
    register = Register()
    for section in sections:
        proof += [step for loose, step in section.items if loose.draft.topic is Topic.PROOF]
        options += _options(section, register, ways)
    first = sections[0]
    stated = durations.stated_in(first.title)
    for remark in of_name(first.remarks, Name.ESTIMATE):
        stated = durations.seconds(remark.text) or stated
    said = (remark for one in sections for found in one.below.values() for remark in found)
    stated = returning.stated_in(said) or stated
    name = slug_of_title(first.title)
    return Rollback(name, first.span, tuple(options), tuple(proof), automatic, stated)


def _options(section: Section, register: Register, ways: Ways) -> list[Option]:
    """Group the steps of a section by the heading that names a way back.

    It is the heading below the section's own; one more below when that one holds nothing but
    headings, as in `Rollback plan > Procedure > Option 1`.
    """
    families: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for loose, _ in section.items:
        families[loose.draft.section[:2]].add(loose.draft.section)
    groups: dict[tuple[str, ...], list[Step]] = {}
    said: dict[tuple[str, ...], list[Remark]] = {p: [*found] for p, found in section.below.items()}
    for loose, step in section.items:
        path = loose.draft.section
        if loose.draft.topic is Topic.PROOF:
            continue
        family = families[path[:2]]
        deeper = len(path) > 2 and len(family) > 1 and all(len(p) > 2 for p in family)
        way = path[:3] if deeper else path[:2]
        groups.setdefault(way, []).append(step)
        said.setdefault(way, []).extend(returning.remarks_in([loose.draft], OF_OPTION))
    found = []
    for path, steps in groups.items():
        title = path[-1]
        name, _ = register.claim("/".join(slug_of_title(part) for part in path), steps[0].span.line)
        span = section.headings.get(path, section.span)
        option = Option(name, title, span, tuple(steps), durations.stated_in(title))
        found.append(ways.complete(option, _once(said.get(path, ()))))
        _check_acts(option, ways.book)
    lost = [remark for path, here in said.items() if path not in groups for remark in here]
    returning.misplaced([remark for remark in lost if remark.name in OF_OPTION], ways.book)
    return found


def _check_acts(option: Option, book: Notebook) -> None:
    """Warn of a way back that only looks: tried in its turn, it would bring nothing back."""
    if any(step.effect is not Effect.CHECK for step in option.steps):
        return
    book.warn(
        "GN386",
        f"`{option.title}` is read as a way back, and nothing in it goes back",
        option.span,
        label="only checks stand under it",
        hint="proof that the old state is back stands under a heading such as `### Verify` or "
        "`### After the way back`; a way back needs a step that changes something",
    )


def _once(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Return directives without those that several blocks of one step share."""
    return tuple({remark.span: remark for remark in remarks}.values())
