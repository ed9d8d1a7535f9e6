"""The evidence as one HTML file: readable offline, printable, with the runbook it talks about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from gonogo.judge.verdict import Status, Verdict
from gonogo.report import terminal, words
from gonogo.report.alerts import worth_telling
from gonogo.report.evidence import Evidence, Outcome
from gonogo.report.facts import NOT_RUN, SKIPPED, UNFINISHED, StepFacts
from gonogo.report.junit import attempt_words
from gonogo.report.looks import lines as look_lines
from gonogo.report.page import Page
from gonogo.report.watch_html import SIZE, ShownWatch, shown
from gonogo.report.watch_tables import MOST

# A reader who sees no colour has the word, and beside it a sign of another shape.
_SIGNS = {
    Status.PASS: "✓",
    Status.WAIVED: "◇",
    Status.UNKNOWN: "?",
    Status.ERROR: "!",
    Status.FAIL: "✗",
    Verdict.GO: "✓",
    Verdict.HOLD: "?",
    Verdict.NO_GO: "✗",
    Outcome.ROLLED_BACK: "↩",
    Outcome.UNPROVEN: "!",
    UNFINISHED: "…",
    NOT_RUN: "–",
    SKIPPED: "◇",
}
_TONES = {
    "good": ("pass", "go"),
    "bad": ("fail", "no-go", "unproven"),
    "odd": ("unknown", "error", "hold", "rolled back", "unfinished", "skipped", "waived"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One table of findings, and where it is linked to."""

    anchor: str
    title: str
    word: str
    steps: tuple[StepFacts, ...]
    notes: tuple[str, ...] = ()
    watch: ShownWatch | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """Planned and measured time of one phase or way back, as shares of the longest (percent)."""

    anchor: str
    title: str
    word: str
    counts: str
    measured_s: float | None
    planned_s: float | None
    measured: float
    planned: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the runbook with the findings that point at it."""

    number: int
    text: str
    marks: tuple[tuple[str, str], ...]  # anchor, word


def render(evidence: Evidence) -> str:
    """Return the page; nothing in it refers to another file or host."""
    sections = _sections(evidence)
    anchors = {id(step): f"f{place}" for place, step in enumerate(_all_steps(sections), start=1)}
    return _template().render(
        evidence=evidence,
        outcome=evidence.outcome.value,
        ending=" ".join(terminal.ending(evidence, Page(400))),
        scaled=terminal.scaled(evidence) if evidence.calendar else "",
        sections=sections,
        bars=_bars(evidence),
        recovery=_recovery(evidence),
        size=SIZE,
        lines=_lines(evidence, sections, anchors),
        anchor_of=lambda step: anchors[id(step)],
        **_alerts(evidence),
        open_questions=[question for question in evidence.questions if question.is_open],
    )


def _alerts(evidence: Evidence) -> dict[str, object]:
    """Return the last deliveries and decisions, and how many are left out before them."""
    notes = [note for note in evidence.alerts if worth_telling(note)]
    return {
        "deliveries": evidence.deliveries[-MOST:],
        "more_deliveries": max(0, len(evidence.deliveries) - MOST),
        "notes": notes[-MOST:],
        "more_notes": max(0, len(notes) - MOST),
    }


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gonogo.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_harmless,
    )
    filters: dict[str, Callable[..., object]] = {
        "duration": lambda seconds: words.duration(seconds) or "–",
        "clock": words.time_of_day,
        "stamp": words.day_and_time,
        "line": words.one_line,
        "tone": tone,
        "sign": lambda word: _SIGNS.get(word, "·"),
        "until": lambda fact: words.one_line(
            terminal.until(fact.expires, expired=fact.expired).removeprefix(", until ")
        ),
        "details": _details,
        "seen": _seen,
        "first_start": _first_start,
    }
    environment.filters.update(filters)
    return environment.get_template("report.html.j2")


def _harmless(value: object) -> object:
    """Make what is printed safe to look at; markup of our own template stays as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.neutral(value)
    return "" if value is None else value


def tone(word: str) -> str:
    """Return good, bad, odd or calm for a word that a reader sees."""
    return next((name for name, group in _TONES.items() if word in group), "calm")


def _sections(evidence: Evidence) -> tuple[Section, ...]:
    found = [
        Section(
            f"p{place}",
            phase.title,
            phase.word,
            phase.judged,
            tuple(
                f"gate at {words.day_and_time(decision.at)}: "
                f"{decision.verdict.value if decision.verdict else 'no verdict'}"
                + "".join(f"; {reason}" for reason in decision.reasons)
                for decision in phase.decisions
            )
            + ((f"includes a gap of {words.duration(phase.gap_s)}",) if phase.gap_s else ()),
            None if phase.watch is None else shown(phase.watch, f"w{place}", phase.title),
        )
        for place, phase in enumerate(evidence.phases, start=1)
    ]
    if evidence.elsewhere:
        found.append(Section("p0", "Outside any phase", "", evidence.elsewhere))
    back = evidence.rollback
    if back is None or not back.begun:
        return tuple(found)
    for place, option in enumerate(back.options, start=1):
        if option.begun:
            note = (option.why,) if option.why else ()
            found.append(Section(f"r{place}", option.title, option.word, option.steps, note))
    if back.undo:
        found.append(Section("undo", "Undo of finished steps", "", back.undo))
    if back.proof:
        title = f"{back.proof_title or 'Proof that the old state is back'} (old version)"
        word = back.proof_verdict.value if back.proof_verdict is not None else ""
        found.append(Section("proof", title, word, back.proof))
    if back.time:
        warnings = back.held.warnings if back.held is not None else ()
        found.append(Section("time", "Recovery time", "", back.time, warnings))
    for place, watch in enumerate(back.watches, start=1):
        title, anchor = f"Watch {watch.phase}", f"v{place}"
        found.append(Section(f"r{anchor}", title, "", watch.findings, watch=shown(watch, anchor)))
    return tuple(found)


def _all_steps(sections: Sequence[Section]) -> list[StepFacts]:
    return [step for section in sections for step in section.steps]


def _bars(evidence: Evidence) -> tuple[Bar, ...]:
    rows: list[tuple[str, str, str, str, float | None, float | None]] = [
        (
            f"p{place}",
            phase.title,
            phase.word,
            terminal.counts(phase.judged),
            phase.measured_s,
            phase.planned_s,
        )
        for place, phase in enumerate(evidence.phases, start=1)
    ]
    back = evidence.rollback
    if back is not None and back.begun:
        rows += [
            (
                f"r{place}",
                option.title,
                option.word,
                terminal.counts(option.steps),
                option.measured_s,
                option.stated_s,
            )
            for place, option in enumerate(back.options, start=1)
            if option.begun
        ]
    known = [seconds for row in rows for seconds in row[4:] if isinstance(seconds, float)]
    longest = max([*known, 0.001])
    return tuple(Bar(*row, _share(row[4], longest), _share(row[5], longest)) for row in rows)


def _share(seconds: float | None, longest: float) -> float:
    return 0.0 if seconds is None else round(min(max(seconds / longest * 100, 0.4), 100), 2)


def _recovery(evidence: Evidence) -> tuple[tuple[str, float, float, float], ...]:
    """Return the parts of the recovery: name, seconds, start and length in percent."""
    parts = evidence.times.parts()
    whole = sum(max(seconds, 0) for _, seconds in parts) or 1.0
    rows, start = [], 0.0
    for name, seconds in parts:
        length = max(seconds, 0) / whole * 100
        rows.append((name, seconds, round(start, 2), round(length, 2)))
        start += length
    return tuple(rows)


def _lines(
    evidence: Evidence, sections: Sequence[Section], anchors: dict[int, str]
) -> tuple[Line, ...]:
    marks: dict[int, list[tuple[str, str]]] = {}
    for step in _all_steps(sections):
        marks.setdefault(step.line, []).append((anchors[id(step)], step.word))
    text = evidence.text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    if not text:
        return ()
    return tuple(
        Line(number, line, tuple(marks.get(number, ())))
        for number, line in enumerate(text.split("\n"), start=1)
    )


def _details(step: StepFacts) -> tuple[str, ...]:
    """Return what is told below the row: attempts, sentences, notes, indicators, link."""
    found = [attempt_words(one) for one in step.attempts] if len(step.attempts) > 1 else []
    finding = step.finding
    if finding is not None:
        found += [*finding.sentences, *finding.notes, *look_lines(step.looks)]
        found += [f"{name}: {value}" for name, value in finding.indicators.items()]
        found += [f"see {finding.link}"] if finding.link else []
    return tuple(words.one_line(line) for line in found)


def _seen(step: StepFacts) -> tuple[str, ...]:
    """Return what stands in the column of what was seen."""
    finding = step.finding
    parts = []
    if finding is not None:
        parts = [finding.actual, words.besides(finding.actual, finding.why)]
    return tuple(part for part in (*parts, terminal.accepted(step), step.claim) if part)


def _first_start(step: StepFacts) -> str:
    """Return when the first attempt began; empty when none did."""
    return next((attempt.started for attempt in step.attempts if attempt.started), "")
