"""The lines of a watch on a terminal and in a pipe: one per rule, slice, move and gap.

error rate  0.4 %   ▁▁▁▂▁▁▅▇  rolls back at > 1 %                1 of 2 since 14:35
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from gonogo.report import watch_words, words
from gonogo.report.page import Page
from gonogo.report.watch import (
    BREACH,
    FIRING,
    GOOD,
    NO_DATA,
    PENDING,
    Move,
    RuleFacts,
    Seen,
    Slice,
    Watch,
)

_SPARK = 8
_NAME, _VALUE = 22, 10  # the widest these columns may become
_LEAST = 10  # fewer columns say nothing of a limit
_MOST_GAPS = 5
INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Row:
    """One rule, ready to be set in columns."""

    name: str
    value: str
    spark: str
    limit: str
    at: str  # what follows at the limit
    window: str
    tail: str
    baseline: str = ""
    silence: str = ""
    joined: bool = False  # several names, no single value


def rule_lines(watch: Watch, page: Page, *, recent: bool = False) -> list[str]:
    """Return one line per rule; `recent` draws the last slices instead of the whole watch."""
    rows = [_row(rule, watch, recent=recent) for rule in watch.rules]
    if not rows:
        return []
    single = [row for row in rows if not row.joined] or rows
    room = page.width - len(INDENT)
    name = min(max(words.cells(row.name) for row in single), _NAME, room // 3)
    value = min(max(words.cells(row.value) for row in rows), _VALUE)
    spark = max(len(row.spark) for row in rows) if room >= 60 else 0
    return [INDENT + _set(row, name, value, spark, room) for row in rows]


def _row(rule: RuleFacts, watch: Watch, *, recent: bool) -> _Row:
    parts = watch_words.worded(rule)
    series = [*watch.series(rule.id)]
    drawn = watch_words.spark(rule, series[-_SPARK:] if recent else series, _SPARK)
    known = next((seen for seen in reversed(series) if seen.known), Seen())
    silence = watch_words.silence(rule, watch)
    tail = watch_words.streak(rule, watch)
    if silence and tail == "-":
        tail = watch_words.paging(rule, watch) or tail
    last = series[-1] if series else Seen()
    if not silence and last.event and not last.known:
        silence = watch_words.lack(last)
    return _Row(
        name=parts.name,
        value=watch_words.value(known, parts.name),
        spark=drawn,
        limit=parts.limit,
        at=watch_words.consequence(rule, parts.limit),
        window=parts.window,
        tail=tail,
        baseline=f", baseline {words.one_line(rule.baseline)}" if rule.baseline else "",
        silence=silence,
        joined=len(parts.names) > 1,
    )


def _set(row: _Row, name: int, value: int, spark: int, room: int) -> str:
    wide = name + 2 + value if row.joined else name
    left = words.pad(words.cut(row.name, wide), wide) + "  "
    wordings: tuple[str, ...] = (row.silence,)
    if not row.silence:
        left += "" if row.joined else words.pad(words.cut(row.value, value), value) + "  "
        left += words.pad(row.spark, spark) + "  " if spark else ""
        long, before = row.at + row.window, row.baseline
        wordings = (long + before, row.at + before, row.limit + before, long, row.at, row.limit)
    free = room - words.cells(left) - words.cells(row.tail) - 2
    if free < _LEAST:  # where the streak stands is worth more than what follows from it
        return words.cut(left + row.tail, room).rstrip()
    fits = (wording for wording in wordings if words.cells(wording) <= free)
    shown = next(fits, words.cut(wordings[-1], free))
    return (left + words.pad(shown, free) + "  " + row.tail).rstrip()


def gap_lines(watch: Watch, page: Page) -> list[str]:
    """Return where the watch knows nothing, the longest ones when there are many."""
    longest = sorted(watch.gaps, key=lambda gap: -gap.slices)[:_MOST_GAPS]
    gaps = sorted(longest, key=lambda gap: (gap.since, gap.metric))
    lines = [
        line
        for gap in gaps
        for line in page.block("gap", [f"{span(gap.since, gap.until, watch)}  {gap.say()}"])
    ]
    left = len(watch.gaps) - len(gaps)
    return lines + page.block("gap", [f"… {words.count(left, 'more gap')}"]) if left else lines


def span(since: str, until: str, watch: Watch) -> str:
    """Return `14:05 to 14:15`."""
    return f"{watch_words.clock(since, watch)} to {watch_words.clock(until, watch)}"


def watched(watch: Watch) -> str:
    """Return how long was watched against what was planned, and how it ended."""
    known = words.duration(watch.watched_s) if watch.slices else "nothing"
    said = f"watched {known}"
    if watch.planned_s is not None:
        said += f" of {words.duration(watch.planned_s)}"
    if watch.width_ms:
        said += f" in slices of {words.duration(watch.width_ms / 1000)}"
    return f"{said}; {ended(watch)}"


def ended(watch: Watch) -> str:
    """Return why the watch ended."""
    if watch.complete is None:
        return "it has not ended"
    early = "" if watch.complete else " before the planned end"
    return f"ended{early}: {words.one_line(watch.why) or 'no reason given'}"


def watch_lines(watch: Watch, page: Page) -> list[str]:
    """Return the lines below the phase: rules, gaps, and what was watched of what was planned."""
    lines = [*rule_lines(watch, page), *gap_lines(watch, page)]
    return lines + [
        " " * page.word + line for line in words.wrap(watched(watch), page.width - page.word)
    ]


def next_slice(watch: Watch, page: Page, now: datetime | None) -> list[str]:
    """Return which slice is open and in how long it is closed; nothing without a width."""
    width_s = watch.width_ms / 1000
    begun = words.moment(watch.started)
    if not width_s or begun is None:
        return []
    last = words.moment(watch.last.start) if watch.last else None
    whole = width_s * (begun.timestamp() // width_s)
    start_s = whole if last is None else last.timestamp() + width_s
    left = "" if now is None else _closes(start_s + width_s - now.timestamp())
    start = words.at_ms(round(start_s * 1000))
    end = words.at_ms(round((start_s + width_s) * 1000))
    done = f", {len(watch.slices)} of {watch.planned} closed" if watch.planned else ""
    return [words.cut(f"{INDENT}slice {span(start, end, watch)}{left}{done}", page.width)]


def _closes(seconds: float) -> str:
    if seconds <= 0:
        return " is being closed"
    return f" ends in {words.duration(float(math.ceil(seconds)))}"


def slice_lines(one: Slice, before: Slice | None, watch: Watch, page: Page) -> list[str]:
    """Return the plain lines of a closed slice: how many rules are good, and what is not quiet.

    A rule is named when its streak goes on, or when it says something else than before without
    moving; the moves have lines of their own.
    """
    events = Counter(seen.event for seen in one.rules.values())
    other = len(one.rules) - events[GOOD] - events[BREACH] - events[NO_DATA]
    counted = (
        (events[BREACH], f"{events[BREACH]} bad"),
        (events[NO_DATA], f"{events[NO_DATA]} without data"),
        (other, f"{other} with too little"),
    )
    beat = f"{words.count(events[GOOD], 'rule')} good"
    said = [beat, *(text for number, text in counted if number)]
    lines = [page.row("slice", f"{watch_words.clock(one.start, watch)}  {', '.join(said)}")]
    rules = {rule.id: rule for rule in watch.rules}
    for rule, seen in one.rules.items():
        was = before.rules.get(rule, Seen()) if before is not None else Seen()
        lasts = seen.state in (PENDING, FIRING) and seen.state == was.state
        turned = bool(was.event) and seen.event != was.event and seen.state == was.state
        if lasts or turned:
            known = rules.get(rule) or RuleFacts(rule, rule, rule)
            lines += page.block("", [_short(known, seen)])
    return lines


def _short(rule: RuleFacts, seen: Seen) -> str:
    """Return what a slice says in few words: `error rate 1.4 %, rolls back at > 1 %: 1 of 2`."""
    parts = watch_words.worded(rule)
    said = words.one_line(seen.says).partition(", expected")[0]
    if not seen.known:
        said = f"{parts.name}: {watch_words.lack(seen)}"
    told = f"{said or parts.name}, {watch_words.consequence(rule, parts.limit)}"
    if seen.state == PENDING:
        return f"{told}: {seen.count} of {seen.of or seen.need}"
    return f"{told}: still firing" if seen.state == FIRING else told


def move_lines(move: Move, watch: Watch, page: Page) -> list[str]:
    """Return the lines of a move: the new state, the rule, the reason, where it is written."""
    rule = next((rule for rule in watch.rules if rule.id == move.rule), None)
    title = rule.text if rule is not None else move.rule
    kind = f" [{move.consequence}]" if move.consequence else ""
    place = page.place(rule.line) if rule is not None else ""
    return page.block(move.after or "moved", [f"{title}{kind}", move.reason], place)
