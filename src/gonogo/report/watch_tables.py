"""The tables of a watch for a document: what is told of rules, moves and slices, and what is cut.

A watch of a week has thousands of slices: a document shows all of a short watch, and of a long one
those in which something happened. The JSON form has them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.report import watch_words, words
from gonogo.report.facts import StepFacts
from gonogo.report.watch import BREACH, FIRING, PENDING, Move, RuleFacts, Slice, Watch

MOST = 300
"""The most rows of slices or moves in a document."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a table says of one rule."""

    rule: RuleFacts
    consequence: str
    spark: str
    last: str
    standing: str
    counted: str
    word: str  # of its finding; empty for a rule that only warns


@dataclass(frozen=True, slots=True)
class SliceRow:
    """What a table says of one slice."""

    at: str
    watched: str
    said: tuple[str, ...]


def rule_rows(watch: Watch, columns: int = 24) -> list[RuleRow]:
    """Return a row per rule."""
    words_of = {step.id: step.word for step in watch.findings}
    return [_rule_row(rule, watch, words_of.get(rule.id, ""), columns) for rule in watch.rules]


def _rule_row(rule: RuleFacts, watch: Watch, word: str, columns: int) -> RuleRow:
    series = list(watch.series(rule.id))
    events = Counter(seen.event for seen in series)
    judged = sum(seen.known for seen in series)
    counted = f"{events[BREACH]} of {judged} judged slices bad"
    if len(series) > judged:
        counted += f", {len(series) - judged} said nothing"
    known = next((seen for seen in reversed(series) if seen.known), None)
    last = watch_words.value(known, watch_words.worded(rule).name) if known else ""
    before = f" (baseline {words.one_line(rule.baseline)})" if rule.baseline else ""
    seen = watch_words.silence(rule, watch) or last or (known.says if known else "nothing known")
    return RuleRow(
        rule=rule,
        consequence=rule.consequence or "-",
        spark=watch_words.spark(rule, series, columns),
        last=seen + before,
        standing=watch_words.standing(rule, watch),
        counted=counted,
        word=word,
    )


def slice_rows(watch: Watch, most: int = MOST) -> tuple[list[SliceRow], int]:
    """Return a row per slice and how many are left out: quiet ones first, then the middle."""
    chosen: Sequence[Slice] = watch.slices
    if len(chosen) > most:
        moved = {move.at for move in watch.moves}
        chosen = [one for one in chosen if one.start in moved or not _quiet(one)]
    if len(chosen) > most:
        chosen = [*chosen[: most // 2], *chosen[-(most - most // 2) :]]
    names = {rule.id: watch_words.worded(rule).name for rule in watch.rules}
    rows = [_slice_row(one, watch, names) for one in chosen]
    return rows, len(watch.slices) - len(rows)


def _quiet(one: Slice) -> bool:
    flawed = any(taken.bad for taken in one.metrics.values())
    good = all(seen.event == "good" for seen in one.rules.values())
    return good and one.watched > 0.99 and not flawed


def _slice_row(one: Slice, watch: Watch, names: dict[str, str]) -> SliceRow:
    said = []
    for rule, seen in one.rules.items():
        text = words.one_line(seen.says) or f"{names.get(rule, rule)}: nothing said"
        text += "" if seen.event == "good" else f": {seen.event or 'not judged'}"
        if seen.state in (PENDING, FIRING):
            of = seen.of or seen.need
            text += f", {seen.count} of {of}" if seen.state == PENDING else ", firing"
        said.append(text)
    for name, taken in one.metrics.items():
        if taken.bad and taken.count:
            flaws = ", ".join(
                f"{number} {words.one_line(why)}" for why, number in taken.bad.items()
            )
            said.append(f"{words.one_line(name)}: {flaws} not counted")
    late = sum(taken.late for taken in one.metrics.values())
    if late:
        said.append(f"{late} came too late")
    return SliceRow(
        at=watch_words.clock(one.start, watch),
        watched=f"{one.watched * 100:.0f} %",
        said=tuple(dict.fromkeys(said)),
    )


def move_rows(watch: Watch, most: int = MOST) -> tuple[Sequence[Move], int]:
    """Return the moves, of many the first and the last ones, and how many are left out."""
    if len(watch.moves) <= most:
        return watch.moves, 0
    shown = [*watch.moves[: most // 2], *watch.moves[-(most - most // 2) :]]
    return shown, len(watch.moves) - len(shown)


def warnings(watch: Watch) -> list[tuple[RuleFacts, int, int]]:
    """Return the rules that have no finding of their own: how often judged, how often fired."""
    judged = {step.id for step in watch.findings}
    return [
        (
            rule,
            sum(seen.known for seen in watch.series(rule.id)),
            sum(move.rule == rule.id and move.after == FIRING for move in watch.moves),
        )
        for rule in watch.rules
        if rule.id not in judged
    ]


def finding_of(watch: Watch, rule: str) -> StepFacts | None:
    """Return the finding of a rule."""
    return next((step for step in watch.findings if step.id == rule), None)
