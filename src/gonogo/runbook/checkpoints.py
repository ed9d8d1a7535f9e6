"""Headings inside a watch that name a time: `First 15 minutes`, `After 4 hours`, `24 hours`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gonogo.plan.model import Checkpoint, Step
from gonogo.runbook import durations
from gonogo.runbook.identity import Register, slug
from gonogo.runbook.notebook import Notebook
from gonogo.source import Span

Path = tuple[str, ...]
Stretch = tuple[float, float]
"""Begin and end in seconds since the watch began; both the same for a moment."""

_MOMENT = re.compile(r"(?:\b(?:after|at)\s+(?:the\s+)?|\bT\s*\+\s*)(.{2,40})$", re.IGNORECASE)
_FIRST = re.compile(r"\bfirst\b", re.IGNORECASE)
_REACHES = re.compile(r"\b(?:first|next|for|over|during|within)\b", re.IGNORECASE)
_DEADLINE = re.compile(
    r"\b(?:required|respond|response|resolve|fix|acknowledge|escalate|evaluate|decide|act)\b",
    re.IGNORECASE,
)
"""A time in which something is to be done is no time of the watch."""
_ALL = re.compile(r"[(\[]([^()\[\]]{2,40})[)\]]\s*$")
_TAIL = re.compile(r"\s*\b(?:check|checks|checkpoint|mark|review|later)\b.*$", re.IGNORECASE)


def counts_from_first(title: str) -> bool:
    """Say whether a watch is called by a time since the release: `First day`."""
    return _FIRST.search(title) is not None and durations.span_in(title) is not None


def time_of(title: str) -> Stretch | None:
    """Return when a checkpoint begins and ends by its heading; None for any other heading."""
    inside = _ALL.search(title)
    for text in (inside[1] if inside else "", title):
        found = _stretch(text.strip()) if text else None
        if found is not None:
            return found
    return None


def _stretch(text: str) -> Stretch | None:
    if _DEADLINE.search(text):
        return None
    moment = _MOMENT.search(text)
    if moment is not None:
        at = durations.seconds(_TAIL.sub("", moment[1]))
        if at is not None:
            return at, at
    if _REACHES.search(text):
        end = durations.span_in(text)
        return None if end is None else (0.0, end)
    bare = _TAIL.sub("", text).replace("-", " ")
    at = durations.seconds(bare) or durations.stated_in(text)
    return None if at is None else (at, at)


def latest(headings: Mapping[Path, Span]) -> float | None:
    """Return the last moment that a heading of a watch names."""
    ends = [found[1] for path in headings if len(path) > 1 and (found := time_of(path[-1]))]
    return max(ends, default=None)


def home_of(section: Path) -> Path | None:
    """Return the heading of the checkpoint that a section stands under: the nearest with a time."""
    for end in range(len(section), 1, -1):
        if time_of(section[end - 1]) is not None:
            return section[:end]
    return None


def checkpoints_of(
    steps: Sequence[tuple[Step, Path]],
    headings: Mapping[Path, Span],
    beats: Mapping[Path, float],
    watch: tuple[Span, float | None],
    book: Notebook,
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a watch that hold steps, the earliest first.

    `steps` come with the headings of their sections, `watch` is the place and the length of the
    watch, for what lint says.
    """
    homes: dict[Path, list[str]] = {}
    for step, section in steps:
        home = home_of(section)
        if home is not None:
            homes.setdefault(home, []).append(step.id)
    register = Register()
    found = []
    for path, ids in homes.items():
        stretch = time_of(path[-1])
        assert stretch is not None
        name, _ = register.claim(slug(path[-1]), 0)
        span = headings.get(path, watch[0])
        one = Checkpoint(name, path[-1], span, *stretch, tuple(ids), beats.get(path))
        _say(one, watch[1], book)
        found.append(one)
    return tuple(sorted(found, key=lambda c: (c.begins_s, c.ends_s)))


def _say(one: Checkpoint, length_s: float | None, book: Notebook) -> None:
    """Say on its line what a checkpoint means, and when it reaches beyond its watch."""
    if one.once:
        said = f"once, {durations.say(one.begins_s)} after the watch began"
    else:
        beat = f", every {durations.say(one.every_s)}" if one.every_s else ""
        said = f"when the watch begins{beat} and {durations.say(one.ends_s)} later"
    book.mean(one.span, "checkpoint", f"looked at {said}")
    if length_s is not None and one.ends_s > length_s:
        book.warn(
            "GN381",
            f"`{one.title}` ends {durations.say(one.ends_s)} after the watch began, the figures are"
            f" watched for {durations.say(length_s)}",
            one.span,
            hint="its steps are carried out all the same; watch longer to have figures until then",
        )
    if one.every_s and one.once:
        book.warn(
            "GN382",
            f"`{one.title}` is one moment: `Every` has nothing to repeat",
            one.span,
            hint=f"write `First {durations.say(one.begins_s)}` to look from the begin to then",
        )
