"""Tables that are checklists: each row is a step, with its owner and how far it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gonogo.runbook.outline import TICK_MARKS, Cell, Row, Table
from gonogo.runbook.tables import NOTHING, bound_columns
from gonogo.runbook.words import Words
from gonogo.source import Span

_ITEM = ("item", "task", "step", "check", "action", "activity", "checklist item", "what", "to do")
_TAKEN: tuple[str, ...] = (
    "status",
    "done",
    "done?",
    "owner",
    "responsible",
    "assignee",
    "who",
    "complete",
)
_TAKEN += ("complete", "completed", "sign-off", "✓", "✅", "date", "by", "result", "dri", "☑")
_OWNER = ("owner", "responsible", "assignee", "who", "dri", "by")
_STATE = ("status", "done", "done?", "complete", "completed", "✓", "✅", "result", "☑")
_DONE = re.compile(r"^\s*(?:done|complete[d]?|yes|pass(?:ed)?|ok|x|\[x\])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One row of a checklist table."""

    words: Words
    span: Span
    claimed: bool
    critical: bool
    owner: str | None
    notes: tuple[str, ...]


def checklist(table: Table) -> tuple[CheckRow, ...] | None:
    """Return the rows of a checklist table, or None when the table is none.

    A checklist has a column of things to do and one that says who does them or how far they are.
    """
    item = table.column(*_ITEM)
    if item is None or table.column(*_TAKEN) is None or bound_columns(table):
        return None
    owner, state = table.column(*_OWNER), table.column(*_STATE)
    rows = []
    for row in table.rows:
        cell = row.cells[item]
        if not cell.text.strip():
            continue
        named = row.cells[owner].text.strip() if owner is not None else ""
        status = row.cells[state] if state is not None else None
        rows.append(
            CheckRow(
                words=cell.words,
                span=row.span,
                claimed=status is not None and _is_done(status),
                critical="⚠" in cell.raw,
                owner=named if named.casefold() not in NOTHING else None,
                notes=_notes(table, row, {item, owner, state}),
            )
        )
    return tuple(rows)


def _is_done(cell: Cell) -> bool:
    return bool(_DONE.match(cell.raw)) or any(mark in cell.raw for mark in TICK_MARKS)


def _notes(table: Table, row: Row, used: set[int | None]) -> tuple[str, ...]:
    found = []
    for index, (head, cell) in enumerate(zip(table.header, row.cells, strict=False)):
        text = cell.text.strip()
        if index in used or head.text.strip() in ("", "#", "No", "No.", "Nr") or not text:
            continue
        if text.casefold() not in NOTHING:
            found.append(f"{head.text}: {text}")
    return tuple(found)
