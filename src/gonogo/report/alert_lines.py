"""The lines of alerts on a terminal and in a pipe: who was told, and how it went."""

from __future__ import annotations

from collections.abc import Sequence

from gonogo.report import words
from gonogo.report.alerts import AlertNote, Delivery, worth_telling
from gonogo.report.page import Page

_MOST = 12


def delivery_lines(one: Delivery, page: Page) -> list[str]:
    """Return the lines of one message."""
    return page.block("alert", [f"{words.time_of_day(one.at)} {one.say()}", one.text])


def note_lines(note: AlertNote, page: Page) -> list[str]:
    """Return the lines of what was decided or said about an alert."""
    return page.block("alert", [f"{words.time_of_day(note.at)} {note.say()}", note.text])


def alert_lines(
    deliveries: Sequence[Delivery], notes: Sequence[AlertNote], page: Page
) -> list[str]:
    """Return the last alerts in order of time; those before them are counted."""
    told = [(one.at, delivery_lines(one, page)) for one in deliveries[-_MOST:]]
    said = [note for note in notes if worth_telling(note)]
    told += [(note.at, note_lines(note, page)) for note in said[-_MOST:]]
    told.sort(key=lambda pair: pair[0])
    more = len(deliveries) + len(said) - min(len(told), _MOST)
    lines = page.block("alert", [f"… {words.count(more, 'alert')} before these"]) if more else []
    return lines + [line for _, block in told[-_MOST:] for line in block]
