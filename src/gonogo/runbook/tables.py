"""Tables of targets: rows and cells that state a bound are rules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gonogo.plan.grammar_severity import deadline
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence
from gonogo.runbook import phrases, polarity
from gonogo.runbook.drafts import RuleDraft
from gonogo.runbook.layout import Place
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Row, Table
from gonogo.runbook.roles import CONSEQUENCES, Topic
from gonogo.runbook.words import Piece, Words

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
_ACTION = (
    "action",
    "action/severity",
    "action on breach",
    "actions",
    "response",
    "then",
    "consequence",
)
_CLOCK: tuple[str, ...] = (
    "respond within",
    "response within",
    "fix within",
    "mend within",
    "within",
    "deadline",
)
_CLOCK += ("resolve within", "response", "clock", "action", "action/severity")
_TIMES = frozenset(
    ("timeline", "time", "time limit", "time frame", "response time", "sla", *_CLOCK)
)
"""Columns that say by when something is done, and no condition."""
NOTHING = frozenset({"", "-", "–", "—", "n/a", "na", "none", "tbd", "?", "*"})
_BOUNDS: tuple[tuple[re.Pattern[str], Consequence | None], ...] = (
    (
        re.compile(
            r"^(?:auto[\s-]?)?(?:roll[\s-]?back|abort|revert|no[\s-]?go|go back)\b", re.IGNORECASE
        ),
        Consequence.ROLLBACK,
    ),
    (
        re.compile(
            r"^(?:warn|warning|yellow|amber|caution|concern|worry|degraded)\b", re.IGNORECASE
        ),
        Consequence.WARN,
    ),
    (
        re.compile(r"^(?:critical|crit|red|danger|unacceptable)\b", re.IGNORECASE),
        Consequence.CRITICAL,
    ),
    (re.compile(r"^(?:page|paging|alert)\b", re.IGNORECASE), Consequence.PAGE),
    (
        re.compile(
            r"^(?:targets?|objectives?|goals?|slo|green|healthy|normal|acceptable|pass(?: if)?|"
            r"must be|success|expected|expectation|ok|good|go if|promote if)\b|\btarget$",
            re.IGNORECASE,
        ),
        Consequence.OBJECTIVE,
    ),
    (
        re.compile(
            r"^(?:thresholds?|limits?|bounds?|value|criteria|max(?:imum)?)\b"
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


def bound_columns(table: Table) -> list[tuple[int, Consequence | None]]:
    """Return the columns that hold bounds, each with what it is for when its heading says so."""
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
    bounds = bound_columns(table)
    metric = table.column(*_METRIC)
    if metric is None and bounds and bounds[0][0] > 0:
        metric = 0
    bounds = [(index, found) for index, found in bounds if index != metric]
    if not bounds:
        return _whole_conditions(table, place, path, above)
    if metric is None:
        return None
    window, severity = table.column(*_WINDOW), table.column(*_SEVERITY)
    clock, action = table.column(*_CLOCK), table.column(*_ACTION)
    rules: list[RuleDraft] = []
    for row in table.rows:
        for index, consequence in bounds:
            cell = row.cells[index]
            if cell.text.strip().casefold() in NOTHING:
                continue
            words = _joined(row, metric, index, window, _statistic(row, metric, bounds))
            if consequence is Consequence.OBJECTIVE and cell.text.strip() == "0":
                words = join([row.cells[metric].words, prefixed("= ", cell.words)])
            said = severity_of(row.cells[severity].text) if severity is not None else None
            if consequence is None and said is None and action is not None:
                said = _by_action(row.cells[action].text, cell.text, words, topic)
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
    columns = [
        index
        for index, head in enumerate(table.header)
        if topic in CONSEQUENCES and head.text.strip().casefold() not in _TIMES
    ]
    found = (i for i in columns if any(phrases.smells(row.cells[i].words) for row in table.rows))
    column = next(found, None)
    if column is None:
        return None
    metric = table.column(*_METRIC) or 0
    window, severity = table.column(*_WINDOW), table.column(*_SEVERITY)
    clock, action = table.column(*_CLOCK), table.column(*_ACTION)
    rules = []
    for row in table.rows:
        cell = row.cells[column]
        if cell.text.strip().casefold() in NOTHING:
            continue
        name = metric if _BARE.match(cell.text) else column
        said = severity_of(row.cells[severity].text) if severity not in (None, column) else None
        if action not in (None, column) and rolls_back(row.cells[action].text):
            said = Consequence.ROLLBACK
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
    open_still = topic in (Topic.THRESHOLDS, Topic.ALERTS)  # the words of the heading may tell
    return consequence or (None if open_still else CONSEQUENCES.get(topic))


def _by_action(action: str, bound: str, words: Words, topic: Topic) -> Consequence | None:
    """Return what a row is for when its action names no severity: calm, or something is done."""
    if action.strip().casefold() in NOTHING:
        return None
    found = polarity.of_action(action, bound, words)
    holds = found is Consequence.OBJECTIVE or topic in (Topic.OBJECTIVES, Topic.STEPS)
    return found if holds else None


def rolls_back(text: str) -> bool:
    """Tell whether what is done about a row is to go back."""
    return severity_of(text) is Consequence.ROLLBACK


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
        if words.text.strip().casefold() not in NOTHING:
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


def report_others(table: Table, rules: Sequence[RuleDraft], book: Notebook) -> None:
    """Warn of bounds in a column beside those that are judged, once for each column."""
    judged = {rule.span for rule in rules}
    times = {i for i, head in enumerate(table.header) if head.text.strip().casefold() in _TIMES}
    used = {table.column(*_METRIC) or 0, table.column(*_WINDOW), table.column(*_SEVERITY)} | times
    for index, head in enumerate(table.header):
        cells = [row.cells[index] for row in table.rows if index not in used]
        first = next(
            (c for c in cells if _SIGN_FIRST.match(c.text) and phrases.smells(c.words)), None
        )
        if first is None or any(cell.span in judged for cell in cells):
            continue
        book.warn(
            "GN331",
            f"the bound `{first.text}` is not judged: `{head.text}` does not say what it is for",
            first.span,
            hint="head the column `Target`, `Warning`, `Critical` or `Rollback`",
        )


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
