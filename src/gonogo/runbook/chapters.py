"""The phases of a page in the author's words: sections that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gonogo.plan.kinds import Role
from gonogo.runbook import checkpoints, durations, promises, returning
from gonogo.runbook.blocks import Fences
from gonogo.runbook.collect import Collector
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.drafts import WHOLE, Draft, RuleDraft
from gonogo.runbook.layout import Place
from gonogo.runbook.notebook import Notebook
from gonogo.source import Span

_OF_PHASE = frozenset(
    {Name.PHASE, Name.NEEDS, Name.ESTIMATE, Name.FOR, Name.EVERY, Name.NOTE, Name.WINDOW}
    | {Name.REQUIRES, Name.BLOCKS}
)
_FOR_ALL = WHOLE - {Name.NAME, Name.ESTIMATE, Name.NEEDS, Name.NOTE, Name.REQUIRES, Name.BLOCKS}


@dataclass(slots=True)
class Chapter:
    """One phase before it is bound."""

    title: str
    role: Role
    anchor: int
    span: Span
    drafts: list[Draft] = field(default_factory=list)
    rules: list[RuleDraft] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    headings: dict[tuple[str, ...], Span] = field(default_factory=dict)
    below: dict[tuple[str, ...], list[Remark]] = field(default_factory=dict)  # of ways back
    beats: dict[tuple[str, ...], float] = field(default_factory=dict)  # `Every:` of a checkpoint
    required: list[tuple[Remark, list[Draft]]] = field(default_factory=list)  # by its steps

    @property
    def counts_from_first(self) -> bool:
        """Whether its length is a time since the release, as in `First day`."""
        own = any(durations.seconds(r.text) for r in of_name(self.remarks, Name.FOR))
        return not own and checkpoints.counts_from_first(self.title)

    def watch_s(self) -> float | None:
        """Return how long a watch lasts: `For:`, its heading, else its longest sub-heading."""
        for remark in of_name(self.remarks, Name.FOR):
            found = durations.seconds(remark.text)
            if found is not None:
                return found
        of_title = durations.span_in(self.title)
        if of_title is not None:
            return of_title
        return checkpoints.latest(self.headings)


def read_chapters(places: Sequence[Place], book: Notebook, fences: Fences) -> list[Chapter]:
    """Collect the executable sections, in document order; a phase that was interrupted goes on."""
    chapters: list[Chapter] = []
    titles = {n: p.section.title or p.section.text for n, p in enumerate(places)}
    for place in places:
        if not place.runs or place.role is None:
            continue
        section = place.section
        last = chapters[-1] if chapters else None
        if last is None or (last.anchor, last.role) != (place.anchor, place.role):
            title = section.title or section.text or "Steps"
            last = Chapter(title, place.role, place.anchor, section.span)
            chapters.append(last)
            book.mean(section.span, "phase", f"{place.role.value}: {title}")
        else:
            book.mean(section.span, "heading", f"{place.topic.value} of the phase above")
        collector = Collector(place, titles[place.anchor] or "Steps", book, fences.runnable)
        collector.collect()
        promises.report_heading(place, collector.drafts, book)
        last.headings[collector.path] = section.span
        _share(collector, last, book)
        last.drafts += collector.drafts
        last.rules += collector.rules
    return chapters


def _share(collector: Collector, chapter: Chapter, book: Notebook) -> None:
    """Give the directives of a section to its steps, or to the phase."""
    is_top = not collector.place.headings
    for remark in _not_kept(collector, chapter, book):
        if _is_beat(remark, collector):
            _keep_beat(remark, collector, chapter, book)
        elif remark.name in _FOR_ALL:
            for draft in collector.drafts:
                draft.remarks.insert(0, remark)
            book.mean(remark.span, "directive", f"{remark.name.value} for all steps of the section")
        elif remark.name in _OF_PHASE and (is_top or remark.name is not Name.NEEDS):
            if is_top or remark.name is not Name.ESTIMATE:
                chapter.remarks.append(remark)
            book.mean(remark.span, "directive", f"{remark.name.value}: {remark.text}")
        elif remark.name is Name.NEEDS:
            for draft in collector.drafts:
                draft.remarks.append(remark)
        elif remark.prose_expectation:
            book.mean(remark.span, "text", f"Expected: {remark.text}")
        else:
            book.strict(
                "GN311",
                f"`{remark.name.value}` belongs to no step",
                remark.span,
                hint="indent it under the step that it belongs to",
            )


def _not_kept(collector: Collector, chapter: Chapter, book: Notebook) -> list[Remark]:
    """Keep what is said of ways back or required by steps, by its heading; return the others."""
    others = []
    for remark in collector.remarks:
        if remark.name in returning.OF_OPTION | returning.OF_RECOVERY:
            chapter.below.setdefault(collector.path, []).append(remark)
            book.mean(remark.span, "directive", f"{remark.name.value}: {remark.text}")
        elif remark.name is Name.REQUIRES and collector.place.headings:
            chapter.required.append((remark, collector.drafts))
            book.mean(remark.span, "directive", f"{remark.name.value}: {remark.text}")
        else:
            others.append(remark)
    return others


def _is_beat(remark: Remark, collector: Collector) -> bool:
    """Tell `Every:` under the heading of a checkpoint from the length of a bucket."""
    if remark.name is not Name.EVERY or collector.place.role is not Role.WATCH:
        return False
    return len(collector.path) > 1 and checkpoints.time_of(collector.path[-1]) is not None


def _keep_beat(remark: Remark, collector: Collector, chapter: Chapter, book: Notebook) -> None:
    beat = durations.seconds(remark.text)
    if not beat:
        book.strict(
            "GN315",
            f"`Every` is `{remark.text}`, expected a duration",
            remark.value.place(),
            hint="write for example `30s`, `5m` or `2 hours`",
        )
        return
    chapter.beats[collector.path] = beat
    book.mean(remark.span, "directive", f"looked at every {durations.say(beat)}")
