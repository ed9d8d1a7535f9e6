"""The evidence as Markdown that reads well on GitHub: tables of findings, answers, gaps."""

from __future__ import annotations

from collections.abc import Sequence

from gonogo.report import terminal, words
from gonogo.report.cells import cell, fenced, table
from gonogo.report.evidence import Evidence, Outcome
from gonogo.report.facts import PhaseFacts, RollbackFacts, StepFacts
from gonogo.report.junit import attempt_words
from gonogo.report.looks import lines as look_lines
from gonogo.report.page import Page
from gonogo.report.watch import Watch
from gonogo.report.watch_markdown import alerts_text, watch_text

_FINDINGS = ("", "Step", "Status", "Expected", "Actual", "Started (UTC)", "Took", "Planned", "Line")


def render(evidence: Evidence) -> str:
    """Return the document."""
    parts = [_top(evidence), _overview(evidence)]
    parts += [_phase(phase) for phase in evidence.phases]
    if evidence.elsewhere:
        parts.append(_section("Outside any phase", evidence.elsewhere))
    if evidence.rollback is not None and evidence.rollback.begun:
        parts.append(_rollback(evidence.rollback, evidence))
    parts.append(alerts_text(evidence.deliveries, evidence.alerts))
    parts += [_questions(evidence), _waivers(evidence), _gaps(evidence), _proof(evidence)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _top(evidence: Evidence) -> str:
    name = evidence.service or evidence.title or "run"
    target = f" → {cell(evidence.environment)}" if evidence.environment else ""
    page = Page(400)
    ending = cell(" ".join(terminal.ending(evidence, page)))
    notice = f"\n\n> **{cell(terminal.scaled(evidence))}**" if evidence.calendar else ""
    return f"# {cell(name)} {cell(evidence.release)}{target}\n\n**{ending}**{notice}"


def _overview(evidence: Evidence) -> str:
    started = words.day_and_time(evidence.started) if evidence.started else "not known"
    runbook = evidence.runbook
    if evidence.digest:
        runbook += f" (digest {evidence.digest})"
    facts = [
        ("Run", evidence.run),
        ("Runbook", f"{evidence.title}, {runbook}" if evidence.title else runbook),
        ("Started", f"{started} by {evidence.started_by or 'nobody named'}"),
        ("Last event", words.day_and_time(evidence.ended) if evidence.ended else ""),
        ("Host", evidence.host),
        ("gonogo", evidence.version),
        ("Mode", evidence.mode),
        ("Blocks", evidence.blocks),
        ("Bindings (names only)", ", ".join(evidence.bindings)),
        ("Exit code", "" if evidence.exit_code is None else str(evidence.exit_code)),
        ("Why", evidence.why),
    ]
    phases = [
        (
            cell(phase.title),
            f"**{cell(phase.word)}**",
            cell(terminal.counts(phase.judged)),
            words.duration(phase.measured_s) or "-",
            words.duration(phase.planned_s) or "-",
        )
        for phase in evidence.phases
    ]
    return "\n\n".join(
        part
        for part in (
            table(("Fact", ""), [(cell(name), cell(value)) for name, value in facts if value]),
            table(("Phase", "Gate", "Steps", "Measured", "Planned"), phases),
        )
        if part
    )


def _phase(phase: PhaseFacts) -> str:
    notes = [
        f"Gate at {words.day_and_time(decision.at)}: "
        f"**{cell(decision.verdict.value if decision.verdict else 'no verdict')}**"
        + (f", {cell('; '.join(decision.reasons))}" if decision.reasons else "")
        for decision in phase.decisions
    ]
    if phase.gap_s > 0:
        notes.append(f"Of the measured time, {words.duration(phase.gap_s)} is a gap.")
    return _section(f"{phase.title}: {phase.word}", phase.judged, notes, phase.watch)


def _section(
    title: str, steps: Sequence[StepFacts], notes: Sequence[str] = (), watch: Watch | None = None
) -> str:
    rows = [_finding(place, step) for place, step in enumerate(steps, start=1)]
    parts = [f"## {cell(title)}", *notes, table(_FINDINGS, rows) or "No steps."]
    parts += [_details(step) for step in steps]
    parts += [watch_text(watch)] if watch is not None else []
    return "\n\n".join(part for part in parts if part)


def _finding(place: int, step: StepFacts) -> tuple[str, ...]:
    finding = step.finding
    actual = []
    if finding is not None:
        actual = [finding.actual, words.besides(finding.actual, finding.why)]
    actual += [terminal.accepted(step), step.claim]
    started = next((attempt.started for attempt in step.attempts if attempt.started), "")
    return (
        str(place),
        ("⚠️ " if step.critical else "") + cell(step.title),
        f"**{cell(step.word)}**",
        cell(finding.expected) if finding is not None else "",
        "<br>".join(cell(part) for part in actual if part),
        words.time_of_day(started),
        words.duration(step.measured_s),
        words.duration(step.planned_s),
        str(step.line) if step.line else "",
    )


def _details(step: StepFacts) -> str:
    """Return what does not fit a table: attempts, sentences, notes, indicators, output."""
    lines = [attempt_words(one) for one in step.attempts] if len(step.attempts) > 1 else []
    finding = step.finding
    output = ""
    if finding is not None:
        lines += finding.sentences
        lines += finding.notes
        lines += look_lines(step.looks)
        lines += [f"{name}: {value}" for name, value in finding.indicators.items()]
        if finding.link:
            lines.append(f"see {finding.link}")
        output = fenced(finding.text) if finding.text.strip() else ""
    if step.command and (lines or output):
        lines.insert(0, f"ran: {step.command}")
    if not lines and not output:
        return ""
    listed = "\n".join(f"- {cell(line)}" for line in lines)
    body = "\n\n".join(part for part in (listed, output) if part)
    head = f"<summary>{cell(step.title)}: {cell(step.word)}</summary>"
    return f"<details>{head}\n\n{body}\n\n</details>"


def _rollback(back: RollbackFacts, evidence: Evidence) -> str:
    tried = [option for option in back.options if option.begun]
    parts = ["## Rollback"]
    if back.reason:
        parts.append(f"Because {cell(back.reason)}, at {words.day_and_time(back.started)}.")
    if back.finished:
        status = cell(back.status or "without a status")
        end = f"Ended {status} at {words.day_and_time(back.finished)}"
        parts.append(end + (f": {cell(back.why)}." if back.why else "."))
    parts.append(_recovery(evidence))
    parts.append(_ladder(back))
    parts += [_section(option.title, option.steps) for option in tried]
    if back.undo:
        parts.append(_section("Undo of finished steps", back.undo))
    if back.proof:
        says = back.proof_verdict.value if back.proof_verdict else ""
        parts.append(_section(f"{back.proof_title or 'Proof'} (old version): {says}", back.proof))
    seen = [
        (words.day_and_time(one.start) if one.start else "", cell(one.says))
        for one in back.recovery
    ]
    parts.append(table(("After going back", "The figures said"), seen))
    parts += [_section("Recovery time", back.time)] if back.time else []
    parts += [_section(f"Watch {w.phase}", w.findings, watch=w) for w in back.watches]
    return "\n\n".join(part for part in parts if part)


def _ladder(back: RollbackFacts) -> str:
    """Return the ways back as a table; what is lost and when one is open, where that is said."""
    columns = [
        ("Way back", [cell(one.title) for one in back.options]),
        ("Status", [f"**{cell(one.word)}**" for one in back.options]),
        ("Measured", [words.duration(one.measured_s) or "-" for one in back.options]),
        ("Stated", [words.duration(one.stated_s) or "-" for one in back.options]),
    ]
    if any(one.loses for one in back.options):
        columns.append(("Loses", [cell(one.loses) or "-" for one in back.options]))
    if any(one.only_if for one in back.options):
        columns.append(("Only if", [cell("; ".join(one.only_if)) for one in back.options]))
    columns.append(("Why", [cell(one.why) for one in back.options]))
    rows = list(zip(*(cells for _, cells in columns), strict=True))
    return table(tuple(name for name, _ in columns), rows)


def _held(evidence: Evidence) -> list[tuple[str, str]]:
    """Return the rows of what the runbook allows and states about the time of going back."""
    held = None if evidence.rollback is None else evidence.rollback.held
    if held is None:
        return []
    rows = [("warning", cell(warning)) for warning in held.warnings]
    if held.limit_s is not None:
        bound = f"{'less than' if held.strict else 'at most'} {words.duration(held.limit_s)}"
        rows.insert(0, (f"**{cell(held.status)}**", f"{bound} (line {held.line})"))
    return rows


def _recovery(evidence: Evidence) -> str:
    parts = evidence.times.parts()
    rows = [(name, words.duration(seconds)) for name, seconds in parts]
    if evidence.times.total_s is not None:
        rows.append(("**recovery**", words.duration(evidence.times.total_s)))
    rows += _held(evidence)
    return table(("Part", "Took"), rows)


def _questions(evidence: Evidence) -> str:
    rows = []
    for question in evidence.questions:
        asked = cell(question.question or question.title)
        for answer in question.answers:
            word = (
                f"refused ({answer.refused}): {answer.answer}" if answer.refused else answer.answer
            )
            when = words.day_and_time(answer.at)
            until = terminal.until(answer.expires, expired=answer.expired).removeprefix(", until ")
            note = "; ".join(part for part in (answer.reason, answer.link) if part)
            rows.append((asked, *(cell(part) for part in (word, answer.who, when, note, until))))
        if question.is_open:
            rows.append((asked, "**open**", "", "", "", ""))
    for abort in evidence.aborts:
        when = words.day_and_time(abort.at)
        rows.append(("Stop the run", "abort", cell(abort.who), when, cell(abort.reason), ""))
    head = ("Question", "Answer", "Who", "When", "Note", "Until")
    return f"## Questions and answers\n\n{table(head, rows)}" if rows else ""


def _waivers(evidence: Evidence) -> str:
    rows = [
        (
            cell(waiver.title),
            "in force" if waiver.in_force else "not in force",
            cell(waiver.by),
            cell(waiver.reason),
            cell(waiver.expires or "never") + (" **expired**" if waiver.expired else ""),
            str(waiver.line or ""),
        )
        for waiver in evidence.waivers
    ]
    head = ("Step", "Waiver", "Who", "Reason", "Until", "Line")
    return f"## Waivers\n\n{table(head, rows)}" if rows else ""


def _gaps(evidence: Evidence) -> str:
    rows = [
        (
            words.duration(gap.seconds) or "-",
            cell(gap.what),
            words.day_and_time(gap.since) if gap.since else "-",
            words.day_and_time(gap.until) if gap.until else "-",
        )
        for gap in evidence.gaps
    ]
    return f"## Gaps\n\n{table(('How long', 'What', 'Since', 'Until'), rows)}" if rows else ""


def _proof(evidence: Evidence) -> str:
    lines = [f"{evidence.events} events, last hash {cell(evidence.head)}."]
    if evidence.outcome is Outcome.UNPROVEN:
        lines = [f"**Event {evidence.broken_at} does not follow from the one before.**"]
    else:
        lines.append("Every event follows from the one before.")
    if evidence.unread:
        lines.append(f"Not understood by this version: {cell(', '.join(evidence.unread))}.")
    return "## Journal\n\n" + " ".join(lines)
