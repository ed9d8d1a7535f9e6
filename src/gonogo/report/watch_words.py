"""A rule and what was seen of it in few words: name, value, limit, sparkline, streak."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.report import words
from gonogo.report.watch import (
    BREACH,
    FIRING,
    GOOD,
    NO_DATA,
    OBJECTIVE,
    PENDING,
    RESOLVED,
    RuleFacts,
    Seen,
    Watch,
)

_BARS = "▁▂▃▄▅▆▇█"
_VERBS = {
    "objective": "must be",
    "warn": "warns at",
    "page": "pages at",
    "critical": "critical at",
    **{f"p{level}": f"p{level} at" for level in range(4)},
    "rollback": "rolls back at",
}
_WINDOW = re.compile(r" for (?:\d+ (?:of|consecutive|buckets?)\b|\d).*$")
_SIGN = "(?:[<>≤≥≠=]|!=|between |is |in )"
_OPERATOR = re.compile(f" (?={_SIGN})")
_JOIN = re.compile(f" (and|or) (?=(?:(?! and | or ).)* {_SIGN})")  # not that of `between 3 and 4`
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Worded:
    """A rule in parts: `error rate`, `> 1 %`, ` for 2 buckets`."""

    names: tuple[str, ...]
    limits: tuple[str, ...]
    join: str = ""
    window: str = ""

    @property
    def name(self) -> str:
        """Return what the rule looks at."""
        return ", ".join(dict.fromkeys(self.names))

    @property
    def limit(self) -> str:
        """Return the comparison without the window."""
        return f" {self.join} ".join(part for part in self.limits if part)

    @property
    def falls(self) -> bool:
        """Say whether the comparison is about low values."""
        return bool(self.limits) and self.limits[0][:1] in "<≤"


def worded(rule: RuleFacts) -> Worded:
    """Take the canonical wording of a rule apart; what does not fit stays whole as its name."""
    said = words.cut(words.one_line(rule.says), _LONGEST)
    window = _WINDOW.search(said)
    core = said[: window.start()] if window else said
    shown = window[0].replace(" consecutive ", " ") if window else ""
    join = _JOIN.search(core)
    pairs = [_OPERATOR.split(part, maxsplit=1) for part in _JOIN.split(core)[::2]]
    return Worded(
        names=tuple(pair[0] for pair in pairs),
        limits=tuple(pair[1] if len(pair) > 1 else "" for pair in pairs),
        join=join[1] if join else "",
        window=shown,
    )


def consequence(rule: RuleFacts, limit: str) -> str:
    """Return what follows at the limit: `rolls back at > 1 %`."""
    return f"{_VERBS.get(rule.consequence, rule.consequence or 'asks for')} {limit}".strip()


def value(seen: Seen, name: str) -> str:
    """Return the value of a slice: as a number where there is one, else out of the sentence."""
    if seen.value is not None:
        return f"{number(seen.value)} {seen.unit}".strip()
    said = words.one_line(seen.says).partition(", expected")[0]
    if ";" in said or not said.startswith(name + " "):
        return ""
    return said.removeprefix(name + " ")


def number(figure: float) -> str:
    """Write a figure with at most four digits that count, without an exponent."""
    if figure == 0:
        return "0"
    if abs(figure) >= 1000:
        return f"{figure:.0f}" if abs(figure) < 1e15 else f"{figure:.3g}"
    return f"{figure:.4g}"


def lack(seen: Seen) -> str:
    """Return why a slice says nothing: `no data`, `12 samples, at least 100 needed`."""
    said = words.one_line(seen.says).partition(", expected")[0]
    why = said.partition(" unknown: ")[2] or said
    return why or seen.event or "nothing known"


def high_is_bad(rule: RuleFacts) -> bool:
    """Say whether large values break the rule; polarity comes from the consequence."""
    return worded(rule).falls == (rule.consequence == OBJECTIVE)


def spark(rule: RuleFacts, series: Sequence[Seen], columns: int = 8) -> str:
    """Draw a rule over time in `columns` characters; of many slices the worst is drawn.

    With values as bars up to the limit or the largest; without them `·` good, `×` breach. In both
    `?` is where nothing is known.
    """
    groups = [group for group in chunks(series, columns) if group]
    values = [seen.value for seen in series if seen.known and seen.value is not None]
    if not values:
        return "".join(_mark(group) for group in groups)
    limits = [seen.limit for seen in series if seen.limit is not None]
    top, low = max([*values, *limits]), min([0.0, *values])
    worst = max if high_is_bad(rule) else min
    drawn = ""
    for group in groups:
        found = [seen.value for seen in group if seen.known and seen.value is not None]
        if not found:
            drawn += _mark(group)
            continue
        share = (worst(found) - low) / (top - low) if top > low else 0.0
        drawn += _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]
    return drawn


def chunks(series: Sequence[Seen], columns: int) -> list[Sequence[Seen]]:
    """Cut a series into at most `columns` parts of nearly equal length."""
    many = min(columns, len(series))
    edges = [place * len(series) // many for place in range(many + 1)] if many else [0]
    return [series[start:end] for start, end in itertools.pairwise(edges)]


def _mark(group: Sequence[Seen]) -> str:
    events = {seen.event for seen in group}
    if BREACH in events:
        return "×"
    return "·" if GOOD in events else "?"


def clock(at: str, watch: Watch) -> str:
    """Return a time as `14:05`, with seconds for short slices, with the day on another day."""
    moment = words.moment(at)
    if moment is None:
        return words.one_line(at)
    last = words.moment(watch.last.start if watch.last else watch.started)
    said = f"{moment:%H:%M:%S}" if watch.width_ms % 60_000 else f"{moment:%H:%M}"
    return said if last is None or last.date() == moment.date() else f"{moment:%m-%d} {said}"


def streak(rule: RuleFacts, watch: Watch) -> str:
    """Return where a rule stands: `1 of 2 since 14:35`, `firing since 14:40`, `-`."""
    last = watch.last.rules.get(rule.id) if watch.last else None
    if last is None:
        return "-"
    since = watch.since(rule.id)
    when = f" since {clock(since, watch)}" if since else ""
    later = _moved_later(rule, watch)
    state = later or last.state
    if state == PENDING:
        return "pending" + when if later else f"{last.count} of {last.of or last.need}{when}"
    if state == FIRING:
        return f"firing{when}"
    if state == RESOLVED:
        return f"resolved{when.replace(' since', '')}"
    return "-"


def _moved_later(rule: RuleFacts, watch: Watch) -> str:
    """Return where a rule stands that has moved since the watch: alerts go on after going back."""
    move = next((one for one in reversed(watch.moves) if one.rule == rule.id), None)
    at, last = (words.moment(move.at) if move else None), watch.last
    seen = words.moment(last.start) if last else None
    return move.after if move and at and seen and at > seen else ""


def standing(rule: RuleFacts, watch: Watch) -> str:
    """Return where a rule stands in words that need no column: `1 of 2 since 14:35`, `quiet`."""
    said = streak(rule, watch)
    return "quiet" if said == "-" else said


def silence(rule: RuleFacts, watch: Watch) -> str:
    """Return since when there is no data and why; empty when the last slice says something."""
    last = watch.last
    seen = last.rules.get(rule.id) if last else None
    if last is None or seen is None or seen.event != NO_DATA:
        return ""
    metrics = [name for name in watch.metrics if words.one_line(name) in worded(rule).name]
    lacking = [name for name in metrics if not (m := last.metrics.get(name)) or not m.count]
    starts = [watch.since(f"no-data/{name}") for name in lacking]
    since = min((at for at in starts if at), default=_silent_since(rule, watch))
    whys = dict.fromkeys(w for name in lacking if (m := last.metrics.get(name)) for w in m.lacks)
    why = f" ({words.one_line('; '.join(whys))})" if whys else ""
    return f"no data since {clock(since, watch)}{why}"


def _silent_since(rule: RuleFacts, watch: Watch) -> str:
    start = ""
    for one in reversed(watch.slices):
        seen = one.rules.get(rule.id)
        if seen is None or seen.event != NO_DATA:
            break
        start = one.start
    return start


def paging(rule: RuleFacts, watch: Watch) -> str:
    """Return when the silence of a rule pages or has paged somebody; empty when not known."""
    for name in watch.metrics:
        blind = next((m for m in reversed(watch.moves) if m.rule == f"blind/{name}"), None)
        if blind is None or words.one_line(name) not in worded(rule).name:
            continue
        if blind.after == FIRING:
            return f"paged {clock(blind.closed, watch)}"
        at = words.moment(blind.slices[0] if blind.slices else blind.at)
        if blind.after == PENDING and at is not None and watch.blind_after_s is not None:
            return f"pages at {clock(words.later(at, watch.blind_after_s), watch)}"
    return ""
