"""The end of a run on one screen: a line per phase, and below it only what is not a pass.

The live view prints the same lines while the run goes on, so that a reader learns one wording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gonogo.judge.verdict import Status
from gonogo.plan.hastened import read_calendar, say
from gonogo.report import words
from gonogo.report.alert_lines import alert_lines
from gonogo.report.evidence import Evidence, Outcome
from gonogo.report.facts import (
    NOT_RUN,
    Answered,
    Gap,
    OptionFacts,
    PhaseFacts,
    Question,
    Recovery,
    RollbackFacts,
    StepFacts,
    Times,
)
from gonogo.report.page import Page
from gonogo.report.watch_lines import watch_lines

_NOUNS = {"check": "check", "action": "action", "manual": "answer", "rule": "rule"}
_MOST_SEEN = 8
_ENDINGS = {
    Outcome.GO: "GO",
    Outcome.HOLD: "HOLD",
    Outcome.NO_GO: "NO-GO",
    Outcome.ROLLED_BACK: "ROLLED BACK",
    Outcome.UNFINISHED: "UNFINISHED",
    Outcome.UNPROVEN: "UNPROVEN",
}


def render(evidence: Evidence, *, width: int = 80) -> str:
    """Return the whole screen; no line is wider than `width` columns (at least 40)."""
    page = Page.of(evidence, width)
    lines = header(evidence, page)
    for phase in evidence.phases:
        lines += phase_lines(phase, page)
    if evidence.elsewhere:
        lines.append(page.row("", f"Outside any phase   {counts(evidence.elsewhere)}"))
        lines += not_pass(evidence.elsewhere, page)
    if evidence.rollback is not None:
        lines += rollback_lines(evidence.rollback, page, known=_not_pass_ids(evidence))
    lines += alert_lines(evidence.deliveries, evidence.alerts, page)
    for question in evidence.questions:
        lines += question_lines(question, page)
    for gap in evidence.gaps:
        lines.append(gap_line(gap, page))
    lines += ending(evidence, page)
    if evidence.place:
        lines += _long("evidence", evidence.place, page)
    return "\n".join(lines) + "\n"


def header(evidence: Evidence, page: Page) -> list[str]:
    """Return who releases what where, and which run this is; two lines when one is too short."""
    left = words.one_line(f"{evidence.service or evidence.title or 'run'} {evidence.release}")
    if evidence.environment:
        left += f" → {words.one_line(evidence.environment)}"
    right = words.one_line(f"run {evidence.run}")
    if evidence.started:
        right += f", started {words.time_of_day(evidence.started)}"
    if evidence.started_by:
        right += f" by {words.one_line(evidence.started_by)}"
    space = page.width - words.cells(left) - words.cells(right)
    notice = words.wrap(scaled(evidence), page.width) if evidence.calendar else []
    if space >= 2:
        return [left + " " * space + right, *notice]
    return [words.cut(left, page.width), words.cut(right, page.width), *notice]


def scaled(evidence: Evidence) -> str:
    """Return that this was not the real thing: a calendar that ran faster than is written."""
    times = read_calendar(evidence.calendar)
    return words.one_line(say(times) if times else f"scaled calendar {evidence.calendar}")


def counts(steps: Sequence[StepFacts], room: int = 80) -> str:
    """Return `12 checks, 3 answers` when all passed, else `5 of 6`; shorter with little room."""
    if not steps:
        return "no steps"
    good = [step for step in steps if step.status is Status.PASS]
    waived = [step for step in steps if step.status is Status.WAIVED]
    if all(step.word == NOT_RUN for step in steps):
        return words.count(len(steps), "step")
    if len(good) + len(waived) < len(steps):
        return f"{len(good)} of {len(steps)}"
    kinds = Counter(_NOUNS.get(step.effect, "step") for step in good)
    named = [
        words.count(kinds[noun], noun)
        for noun in ("check", "action", "step", "rule", "answer")
        if kinds[noun]
    ]
    if waived:
        named.append(f"{len(waived)} waived")
    long = ", ".join(named)
    if words.cells(long) <= room:
        return long
    return f"{len(good)} of {len(steps)}" + (f", {len(waived)} waived" if waived else "")


def planned(seconds: float | None, word: str = "planned") -> str:
    """Return `(planned 2m)`; empty when nothing was planned."""
    return "" if seconds is None else f"({word} {words.duration(seconds)})"


def phase_line(phase: PhaseFacts, page: Page) -> str:
    """Return the line of a phase: verdict, title, counts, measured and planned time."""
    title = words.pad(words.cut(words.one_line(phase.title), page.titles - 1), page.titles)
    tail = planned(phase.planned_s) if phase.begun else ""
    room = page.width - page.word - words.cells(title) - (28 if page.width >= 60 else 8)
    return page.row(phase.word, title + counts(phase.judged, room), phase.measured_s, tail)


def phase_lines(phase: PhaseFacts, page: Page) -> list[str]:
    """Return the line of a phase and, once it was begun, all of its steps that did not pass."""
    if not phase.begun:
        return [phase_line(phase, page)]
    lines = [phase_line(phase, page)]
    if phase.watch is not None:
        lines += watch_lines(phase.watch, page)
    lines += not_pass(phase.judged, page)
    titles = tuple(f"{step.title}:" for step in phase.judged)
    why = phase.watch.why if phase.watch is not None else ""
    for reason in phase.decisions[-1].reasons if phase.decisions else ():
        told = reason.startswith(titles) or (why and reason.endswith(why))
        if not told:  # a step's own reason stands with the step, that of a watch with its end
            lines += _indented(reason, page)
    return lines


def not_pass(steps: Iterable[StepFacts], page: Page) -> list[str]:
    """Return the lines of all steps that did not pass."""
    return [
        line
        for step in steps
        if step.status is not Status.PASS
        for line in page.block(step.word, [step.title, *why_not(step)], page.place(step.line))
    ]


def why_not(step: StepFacts) -> list[str]:
    """Return what was seen against what was expected, and all that qualifies it."""
    finding = step.finding
    parts = []
    if finding is not None:
        parts = [_seen(step), accepted(step)]
        parts += [note for note in finding.notes if note]
        if finding.link:
            parts.append(f"see {finding.link}")
    elif step.attempts and not step.is_open:
        last = step.attempts[-1]
        parts.append(f"last attempt: {last.why or last.actual or last.status}")
    return [part for part in [*parts, step.claim] if part]


def _seen(step: StepFacts) -> str:
    finding = step.finding
    assert finding is not None, "asked for steps with a finding only"
    main = words.against(finding.actual, finding.expected if finding.actual else "")
    why = words.one_line(finding.why)
    if finding.status is Status.WAIVED and step.skipped:
        return ""
    if step.word == NOT_RUN:
        return why.removeprefix(f"{NOT_RUN}: ")
    if not main:
        expected = f"expected {finding.expected}" if finding.expected else ""
        return "; ".join(part for part in (why, expected) if part)
    more = words.besides(main, words.besides(finding.actual, why))
    return f"{main}; {more}" if more else main


def accepted(step: StepFacts) -> str:
    """Return who accepts this finding, why and until when; empty when nobody does."""
    finding = step.finding
    if step.accepted is not None:
        by = step.accepted
        text = f"accepted at the gate by {by.who}" + (f": {by.reason}" if by.reason else "")
        return text + until(by.expires, expired=by.expired)
    if finding is None or not finding.by:
        return ""
    verb = "skipped by" if step.skipped else "by"
    if finding.status is Status.WAIVED and not step.skipped:
        verb = "waived by"
    text = f"{verb} {finding.by}"
    if finding.reason:
        text += f": {finding.reason}"
    return text + until(finding.expires or "", expired=step.expired)


def rollback_lines(back: RollbackFacts, page: Page, known: frozenset[str]) -> list[str]:
    """Return the ways back that were tried, in order, and the proof; nothing when none was."""
    if not back.begun:
        return []
    lines = []
    tried = [option for option in back.options if option.begun]
    for option in tried:
        lines += option_lines(option, page)
    lines += undo_lines(back, page)
    if not tried and not back.undo:
        lines.append(page.row("rollback", "no way back was tried"))
    if back.reason and back.item not in known:
        lines += _indented(f"because {back.reason}", page)
    lines += proof_lines(back, page) + recovery_lines(back.recovery, page) + held_lines(back, page)
    for watch in back.watches:
        lines += [page.row("watch", words.one_line(watch.phase)), *watch_lines(watch, page)]
        lines += not_pass(watch.findings, page)
    told = back.status == Status.PASS and bool(back.proof)
    told = told or any(back.why == option.why for option in back.options)
    if back.why and back.finished and not told:
        lines += _indented(f"{back.status}: {back.why}" if back.status else back.why, page)
    return lines


def undo_lines(back: RollbackFacts, page: Page) -> list[str]:
    """Return what the Undo blocks of finished steps did; nothing when none ran."""
    if not back.undo:
        return []
    done = f"Undo of finished steps, {counts(back.undo)}"
    line = page.row("rollback", done, _spent(back.undo))
    return [line, *not_pass(back.undo, page)]


def proof_lines(back: RollbackFacts, page: Page) -> list[str]:
    """Return whether the old state is back; nothing when the plan has no proof."""
    if not back.proof:
        return []
    title = "Proof that the old state is back"
    if back.proof_title:
        title = f"{words.one_line(back.proof_title)}, old version"
    word = back.proof_verdict.value if back.proof_verdict is not None else ""
    if all(step.word == NOT_RUN for step in back.proof):
        word = NOT_RUN
    good = sum(step.status is Status.PASS for step in back.proof)
    line = page.row(word, f"{title}, {good} of {len(back.proof)}", back.proof_s)
    return [line, *not_pass(back.proof, page)]


def recovery_lines(seen: Sequence[Recovery], page: Page) -> list[str]:
    """Return what the figures said after going back, bucket by bucket; of many the last ones."""
    return [
        line
        for one in seen[-_MOST_SEEN:]
        for line in page.block("seen", [f"{words.time_of_day(one.start)} {one.says or '-'}"])
    ]


def held_lines(back: RollbackFacts, page: Page) -> list[str]:
    """Return the time of going back beside its bound and the stated times that it exceeded."""
    if back.held is None:
        return []
    held = back.held
    lines = []
    if held.status:
        lines += page.block(held.status, [held.says], page.place(held.line))
    for warning in held.warnings:
        lines += page.block("warn", [warning])
    return lines


def option_lines(option: OptionFacts, page: Page) -> list[str]:
    """Return the line of a way back with its measured and stated time, and what went wrong."""
    tail = planned(option.stated_s, "stated")
    good = option.word == Status.PASS.value
    text = words.one_line(option.title) + ("" if good else f": {option.word}")
    lines = [page.row("rollback", text, option.measured_s, tail)]
    if not good:
        lines += _indented(option.why, page) if option.why else []
    if option.begun:
        lines += not_pass(option.steps, page)
    return lines


def question_lines(question: Question, page: Page) -> list[str]:
    """Return an open question, or an answer that a person gave at a gate; others are counted."""
    if question.is_open:
        return page.block("asks", [question.question or question.title], page.place(question.line))
    if question.form not in ("hold", "rollback", "interrupted"):
        return []
    return [
        line
        for answer in question.answers
        if not answer.refused
        for line in page.block("asked", [question.question, said(answer)])
    ]


def said(answer: Answered) -> str:
    """Return `go by ana at 14:02:11: reason, until 2026-01-01`."""
    text = f"{answer.answer} by {answer.who} at {words.time_of_day(answer.at)}"
    if answer.reason:
        text += f": {answer.reason}"
    if answer.link:
        text += f" ({answer.link})"
    return text + until(answer.expires, expired=answer.expired)


def until(expires: str, *, expired: bool | None) -> str:
    """Return `, until 2026-01-01`, with a word when that day has passed."""
    if not expires:
        return ""
    return f", until {expires}" + (" (expired)" if expired else "")


def gap_line(gap: Gap, page: Page) -> str:
    """Return a gap: how long, what is not known, since when."""
    since = f" since {words.time_of_day(gap.since)}" if gap.since else ""
    long = f"{words.duration(gap.seconds)}: " if gap.seconds is not None else ""
    return words.cut(
        words.pad("gap", page.word) + words.one_line(f"{long}{gap.what}{since}"), page.width
    )


def ending(evidence: Evidence, page: Page) -> list[str]:
    """Return the last word: the outcome with its time or reason."""
    outcome = evidence.outcome
    word = _ENDINGS[outcome]
    if outcome is Outcome.UNPROVEN:
        what = f"event {evidence.broken_at} of the journal does not follow from the one before"
        said_ = f", it says {evidence.verdict.value}" if evidence.verdict is not None else ""
        return _long(f"{word}:", what + said_, page)
    if outcome is Outcome.UNFINISHED:
        what = "there is no verdict"
        if evidence.last_event:
            what += f"; the journal ends with {evidence.last_event} "
            what += f"at {words.time_of_day(evidence.ended)}"
        return _long(f"{word}:", what, page)
    if outcome is Outcome.ROLLED_BACK:
        return _long(*_recovered(word, evidence.times, evidence.why), page)
    total = evidence.measured_s
    if total is not None:
        word += f" after {words.duration(total)}"
    return _long(f"{word}:" if evidence.why else word, evidence.why, page)


def _recovered(word: str, times: Times, why: str) -> tuple[str, str]:
    if times.total_s is not None:
        word += f" in {words.duration(times.total_s)}"
    parts = ", ".join(f"{name} {words.duration(seconds)}" for name, seconds in times.parts())
    return (f"{word}:", parts or why) if parts or why else (word, "")


def _long(head: str, text: str, page: Page) -> list[str]:
    """Return `head text`, broken between words, the rest indented by two."""
    return [
        line if not place else f"  {line}"
        for place, line in enumerate(
            words.wrap(f"{head} {text}".strip(), page.width - 2, ends=True)
        )
    ]


def _indented(text: str, page: Page) -> list[str]:
    return [" " * page.word + line for line in words.wrap(text, page.width - page.word)]


def _spent(steps: Iterable[StepFacts]) -> float | None:
    known = [step.measured_s for step in steps if step.measured_s is not None]
    return sum(known) if known else None


def _not_pass_ids(evidence: Evidence) -> frozenset[str]:
    """Return the ids of what a reader has already seen as not passed."""
    steps = (step for phase in evidence.phases for step in phase.judged)
    shown = {step.id for step in steps if step.finding and step.status is not Status.PASS}
    return frozenset(
        shown
        | {phase.id for phase in evidence.phases if shown & {step.id for step in phase.judged}}
    )
