"""A watch and its alerts as Markdown: tables of rules, moves, gaps and slices that stay short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gonogo.report import watch_lines, watch_tables, words
from gonogo.report.alerts import AlertNote, Delivery, worth_telling
from gonogo.report.cells import cell, table
from gonogo.report.watch import Watch

_MOVES, _SLICES, _GAPS, _ALERTS = 100, 50, 50, 50


def watch_text(watch: Watch) -> str:
    """Return the part of a phase that tells of its watch."""
    rules = [
        (
            cell(row.rule.text),
            cell(row.consequence),
            f"`{row.spark}`" if row.spark else "",
            cell(row.last),
            cell(row.standing),
            cell(row.counted),
            str(row.rule.line or ""),
        )
        for row in watch_tables.rule_rows(watch)
    ]
    head = ("Rule", "Consequence", "Over time", "Last", "Stands", "Seen", "Line")
    parts = [
        "### What the rules saw",
        cell(watch_lines.watched(watch)) + ".",
        *(f"- {cell(name)}: {cell(source)}" for name, source in watch.metrics.items()),
    ]
    parts[2:] = ["\n".join(parts[2:])]
    return _joined([*parts, table(head, rules), _moves(watch), _gaps(watch), _slices(watch)])


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _moves(watch: Watch) -> str:
    shown, more = watch_tables.move_rows(watch, _MOVES)
    names = {rule.id: rule.text for rule in watch.rules}
    rows = [
        (
            words.day_and_time(move.at) if move.at else "",
            cell(names.get(move.rule, move.rule)),
            f"{cell(move.before)} → **{cell(move.after)}**",
            cell(move.reason),
        )
        for move in shown
    ]
    note = f"{more} moves in the middle are left out." if more else ""
    return _joined([table(("Slice", "Rule", "Move", "Reason"), rows), note])


def _gaps(watch: Watch) -> str:
    longest = sorted(watch.gaps, key=lambda gap: -gap.slices)[:_GAPS]
    rows = [
        (words.day_and_time(gap.since), words.day_and_time(gap.until), cell(gap.say()))
        for gap in sorted(longest, key=lambda gap: (gap.since, gap.metric))
    ]
    more = len(watch.gaps) - len(rows)
    note = f"{more} shorter gaps are left out." if more else ""
    return _joined([table(("Since", "Until", "Nothing known"), rows), note])


def _slices(watch: Watch) -> str:
    shown, more = watch_tables.slice_rows(watch, _SLICES)
    rows = [
        (cell(row.at), row.watched, "<br>".join(cell(text) for text in row.said)) for row in shown
    ]
    body = table(("Begins", "Watched", "Seen"), rows)
    if not body:
        return ""
    note = f"{more} slices are left out; the JSON form has them." if more else ""
    head = f"<summary>{len(rows)} of {len(watch.slices)} slices</summary>"
    return f"<details>{head}\n\n{_joined([body, note])}\n\n</details>"


def alerts_text(deliveries: Sequence[Delivery], notes: Sequence[AlertNote]) -> str:
    """Return who was told what, when, and how it went; empty when nobody was."""
    told = [
        (
            words.day_and_time(one.at),
            cell(one.severity),
            cell(one.contact),
            cell(one.channel),
            f"**{cell(one.word)}**" + (f" ({one.attempts} attempts)" if one.attempts > 1 else ""),
            "<br>".join(cell(part) for part in (one.text, one.why) if part),
        )
        for one in deliveries[-_ALERTS:]
    ]
    said = [note for note in notes if worth_telling(note)]
    decided = [
        (
            words.day_and_time(note.at),
            cell(note.alert),
            cell(note.what),
            cell(note.who),
            cell(note.text),
        )
        for note in said[-_ALERTS:]
    ]
    if not told and not decided:
        return ""
    more = max(0, len(deliveries) - _ALERTS) + max(0, len(said) - _ALERTS)
    return _joined(
        [
            "## Alerts",
            table(("When", "Severity", "Who", "By", "How it went", "What"), told),
            table(("When", "Alert", "What", "Who", "Words"), decided),
            f"{more} earlier ones are left out." if more else "",
        ]
    )
