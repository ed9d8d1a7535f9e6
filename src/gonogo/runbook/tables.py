"""Tables that mean something: rows of targets are rules, rows of a checklist are steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.plan.grammar_severity import deadline
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence
from gonogo.runbook import phrases
from gonogo.runbook.drafts import RuleDraft
from gonogo.runbook.layout import Place
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import TICK_MARKS, Cell, Row, Table
from gonogo.runbook.roles import CONSEQUENCES, Topic
from gonogo.runbook.words import Piece, Words
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
_METRIC: tuple[str, ...] = (
    "metric",
    "measure",
    "indicator",
    "sli",
    "slo",
    "kpi",
    "signal",
    "name",
    "condition",
)
_METRIC += (
    "condition",
    "check",
    "endpoint",
    "component",
    "service",
    "symptom",
    "trigger",
    "rule",
    "alert",
)
_WINDOW: tuple[str, ...] = (
    "window",
    "measurement window",
    "evaluation window",
    "time window",
    "for",
    "over",
    "duration",
    "sustained",
    "for how long",
    "sustained for",
)
_STATISTIC = re.compile(
    r"\bp\(?\d{2,3}(?:\.\d{1,3})?\)?|\b(?:avg|average|mean|median|max)\b", re.IGNORECASE
)
_SIGN_FIRST = re.compile(
    r"\s*(?:[<>≤≥=]|(?:above|over|below|under|at (?:least|most))\b)", re.IGNORECASE
)
_RANGE = re.compile(r"\s*\d[\d.,]*\s*\S{0,4}\s*[-–]\s*\d[\d.,]*\s*\S{0,4}\s*$")
_BARE = re.compile(r"\s*[<>=≤≥≠!\d]")
_SEVERITY = ("severity", "action", "action/severity", "level", "response", "consequence", "then")
_CLOCK: tuple[str, ...] = (
    "respond within",
    "response within",
    "fix within",
    "mend within",
    "within",
    "deadline",
)
_CLOCK += ("resolve within", "response", "clock", "action", "action/severity")
_OWNER = ("owner", "responsible", "assignee", "who", "dri", "by")
_STATE = ("status", "done", "done?", "complete", "completed", "✓", "✅", "result", "☑")
_DONE = re.compile(r"^\s*(?:done|complete[d]?|yes|pass(?:ed)?|ok|x|\[x\])\b", re.IGNORECASE)
_NOTHING = frozenset({"", "-", "–", "—", "n/a", "na", "none", "tbd", "?", "*"})
_BOUNDS: tuple[tuple[re.Pattern[str], Consequence | None], ...] = (
    (
        re.compile(r"^(?:auto[\s-]?)?(?:roll[\s-]?back|abort|revert|no[\s-]?go)\b", re.IGNORECASE),
        Consequence.ROLLBACK,
    ),
    (re.compile(r"^(?:warn|warning|yellow|amber)\b", re.IGNORECASE), Consequence.WARN),
    (re.compile(r"^(?:critical|crit|red)\b", re.IGNORECASE), Consequence.CRITICAL),
    (re.compile(r"^(?:page|paging|alert)\b", re.IGNORECASE), Consequence.PAGE),
    (
        re.compile(
            r"^(?:targets?|objectives?|goals?|slo|green|healthy|normal|acceptable|pass(?: if)?|"
            r"must be)\b|\btarget$",
            re.IGNORECASE,
        ),
        Consequence.OBJECTIVE,
    ),
    (
        re.compile(
            r"^(?:thresholds?|limits?|bounds?|expected|expectation|value|criteria|max(?:imum)?)\b"
            r"|\bthreshold$|\blimit$",
            re.IGNORECASE,
        ),
        None,
    ),
)
_SEVERITIES: tuple[tuple[re.Pattern[str], Consequence], ...] = (
    (re.compile(r"roll[\s-]?back|revert|abort", re.IGNORECASE), Consequence.ROLLBACK),
    *(
        (re.compile(rf"\bp{level}\b", re.IGNORECASE), Consequence(f"p{level}"))
        for level in range(4)
    ),
    (re.compile(r"critical|sev\s?[01]\b", re.IGNORECASE), Consequence.CRITICAL),
    (re.compile(r"\bpage\b|pager|sev\s?2\b", re.IGNORECASE), Consequence.PAGE),
    (re.compile(r"\bwarn|p4|notify|investigate", re.IGNORECASE), Consequence.WARN),
)


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
    if item is None or table.column(*_TAKEN) is None or _bound_columns(table):
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
                owner=named if named.casefold() not in _NOTHING else None,
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
        if text.casefold() not in _NOTHING:
            found.append(f"{head.text}: {text}")
    return tuple(found)


def _bound_columns(table: Table) -> list[tuple[int, Consequence | None]]:
    found = []
    for index, cell in enumerate(table.header):
        for pattern, consequence in _BOUNDS:
            if pattern.search(cell.text.strip()):
                found.append((index, consequence))
                break
    return found


def targets(
    table: Table, place: Place, path: tuple[str, ...], above: tuple[Topic, str]
) -> list[RuleDraft] | None:
    """Return the rules of a table of targets, or None when the table is none.

    `above` is what the list holds by its heading, and the sentence in front of it.
    """
    topic, lead = above
    bounds = _bound_columns(table)
    metric = table.column(*_METRIC)
    if metric is None and bounds and bounds[0][0] > 0:
        metric = 0
    bounds = [(index, found) for index, found in bounds if index != metric]
    if not bounds:
        return _whole_conditions(table, place, path, above)
    if metric is None:
        return None
    window, severity = table.column(*_WINDOW), table.column(*_SEVERITY)
    clock = table.column(*_CLOCK)
    rules: list[RuleDraft] = []
    for row in table.rows:
        for index, consequence in bounds:
            cell = row.cells[index]
            if cell.text.strip().casefold() in _NOTHING:
                continue
            words = _joined(row, metric, index, window, _statistic(row, metric, bounds))
            said = severity_of(row.cells[severity].text) if severity is not None else None
            meant = consequence
            if consequence in (None, Consequence.OBJECTIVE):
                meant = _by_topic(topic, consequence, said)
            rules.append(
                RuleDraft(
                    words,
                    cell.span,
                    topic,
                    place.role or Role.REFERENCE,
                    path,
                    lead,
                    meant,
                    metric=row.cells[metric].text.strip(),
                    within_s=_clock(row, severity, clock),
                )
            )
    return rules


def _whole_conditions(
    table: Table, place: Place, path: tuple[str, ...], above: tuple[Topic, str]
) -> list[RuleDraft] | None:
    """Return the rules of a table with a whole condition in each row: `Severity`, `Condition`.

    Only where the section holds rules; None where no cell states a bound.
    """
    topic, lead = above
    columns = range(len(table.header)) if topic in CONSEQUENCES else ()
    found = (i for i in columns if any(phrases.smells(row.cells[i].words) for row in table.rows))
    column = next(found, None)
    if column is None:
        return None
    metric = table.column(*_METRIC) or 0
    window, severity = table.column(*_WINDOW), table.column(*_SEVERITY)
    clock = table.column(*_CLOCK)
    rules = []
    for row in table.rows:
        cell = row.cells[column]
        if cell.text.strip().casefold() in _NOTHING:
            continue
        name = metric if _BARE.match(cell.text) else column
        said = severity_of(row.cells[severity].text) if severity not in (None, column) else None
        rules.append(
            RuleDraft(
                _joined(row, name, column, window),
                cell.span,
                topic,
                place.role or Role.REFERENCE,
                path,
                lead,
                None if topic is Topic.TRIGGERS else said,
                within_s=_clock(row, severity, clock),
            )
        )
    return rules


def _clock(row: Row, severity: int | None, clock: int | None) -> float | None:
    """Return the time in which it is to be mended: a column of its own, or behind `P1`."""
    for index in (clock, severity):
        found = deadline(row.cells[index].text) if index is not None else None
        if found is not None:
            return float(found)
    return None


def _by_topic(
    topic: Topic, consequence: Consequence | None, said: Consequence | None
) -> Consequence | None:
    """Settle a column that is called threshold or target by its section and its severity column."""
    if said is not None and consequence is None:
        return said
    return consequence or CONSEQUENCES.get(topic)


def severity_of(text: str) -> Consequence | None:
    """Return what a word such as `Critical`, `SEV2` or `Roll back` asks for; None for others."""
    for pattern, consequence in _SEVERITIES:
        if pattern.search(text):
            return consequence
    return None


def _statistic(row: Row, metric: int, bounds: Sequence[tuple[int, object]]) -> str:
    """Return the one statistic that the bounds of a row name: it holds for those without."""
    if _STATISTIC.search(row.cells[metric].text):
        return ""
    found = {m[0].casefold() for i, _ in bounds for m in _STATISTIC.finditer(row.cells[i].text)}
    return found.pop() if len(found) == 1 else ""


def _joined(row: Row, metric: int, bound: int, window: int | None, stat: str = "") -> Words:
    parts = [row.cells[index].words for index in dict.fromkeys((metric, bound))]
    if stat and _SIGN_FIRST.match(parts[-1].text) and not _STATISTIC.search(parts[-1].text):
        parts[-1] = prefixed(f"{stat} ", parts[-1])
    if _RANGE.match(parts[-1].text):
        parts[-1] = prefixed("between ", parts[-1])
    if window is not None and window not in (metric, bound):
        words = row.cells[window].words
        if words.text.strip().casefold() not in _NOTHING:
            said = words.text.strip().casefold()
            parts.append(words if said.startswith(("for ", "over ")) else prefixed("for ", words))
    return join(parts)


def prefixed(prefix: str, words: Words) -> Words:
    """Return words with a text in front that stands nowhere in the source."""
    first = words.pieces[0]
    moved = (p._replace(offset=p.offset + len(prefix)) for p in words.pieces)
    return Words(prefix + words.text, (first._replace(offset=0), *moved))


def join(parts: Sequence[Words]) -> Words:
    """Return several words as one text with blanks between, each with its own places."""
    text = ""
    pieces: list[Piece] = []
    for words in parts:
        if text:
            text += " "
        pieces += [p._replace(offset=p.offset + len(text)) for p in words.pieces]
        text += words.text
    if pieces:
        pieces[0] = pieces[0]._replace(offset=0)
    return Words(text, tuple(pieces))


def report_bounds(table: Table, book: Notebook) -> None:
    """Warn of bounds in a table that is neither a list of targets nor a checklist."""
    for row in table.rows:
        for cell in row.cells:
            if phrases.smells(cell.words):
                book.warn(
                    "GN331",
                    f"the bound `{cell.text}` is not judged: no column is headed as a target",
                    cell.span,
                    hint="head the columns `Metric` and `Target`, `Warning` or `Rollback`",
                )
                return
