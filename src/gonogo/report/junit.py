"""The evidence for a CI, as JUnit XML: a suite per phase, a case per step, no silent green.

fail is a failure; error, unknown and not run are errors of that type; waived is skipped, with its
reason, and so is what a person accepted at a gate. A step that did not run in a go is skipped. One
more suite holds the verdict and the chain of events, so that a run without any step, or without an
end, is not green either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as Xml

from gonogo.judge.verdict import Status
from gonogo.report import terminal, words
from gonogo.report.evidence import Evidence, Outcome
from gonogo.report.facts import NOT_RUN, UNFINISHED, Attempt, StepFacts
from gonogo.report.looks import lines as look_lines
from gonogo.report.page import Page
from gonogo.report.watch import Watch
from gonogo.report.watch_tables import warnings

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(evidence: Evidence) -> str:
    """Return the XML document."""
    root = Xml.Element("testsuites", name=_line(evidence.title or evidence.service or "gonogo"))
    for title, steps in evidence.sections():
        root.append(_suite(title, [_case(evidence, title, step) for step in steps], evidence))
    for title, watch in evidence.watches():
        if cases := _warnings(evidence, title, watch):
            root.append(_suite(f"{title}: warnings", cases, evidence))
    root.append(_suite("Run", list(_whole(evidence)), evidence))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(evidence.measured_s))
    if evidence.calendar:
        root.set("name", f"{root.get('name')} ({_line(terminal.scaled(evidence))})")
    Xml.indent(root)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
    )


def _suite(title: str, cases: list[Xml.Element], evidence: Evidence) -> Xml.Element:
    suite = Xml.Element("testsuite", name=_line(title), tests=str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    if evidence.started:
        suite.set("timestamp", _line(evidence.started).removesuffix("Z"))
    if evidence.host:
        suite.set("hostname", _line(evidence.host))
    suite.extend(cases)
    return suite


def _named(evidence: Evidence, section: str, title: str, line: int) -> Xml.Element:
    case = Xml.Element("testcase", name=_line(title), classname=_line(section))
    if evidence.runbook:
        case.set("file", _line(evidence.runbook))
    if line:
        case.set("line", str(line))
    return case


def _case(evidence: Evidence, section: str, step: StepFacts) -> Xml.Element:
    case = _named(evidence, section, step.title, step.line)
    case.set("time", _seconds(step.measured_s))
    _mark(case, evidence, step)
    output = "\n".join(_told(step))
    if output:
        Xml.SubElement(case, "system-out").text = _block(output)
    return case


def _warnings(evidence: Evidence, section: str, watch: Watch) -> list[Xml.Element]:
    """Return a case for each rule that only warns; one that fired or saw nothing is no green."""
    cases = []
    for rule, judged, fired in warnings(watch):
        case = _named(evidence, section, rule.text, rule.line)
        case.set("time", _seconds(None))
        if fired:
            times = "once" if fired == 1 else f"{fired} times"
            Xml.SubElement(case, "skipped", message=f"it warned {times}, and decides nothing")
        elif not judged:
            Xml.SubElement(case, "skipped", message="no slice could be judged; it only warns")
        cases.append(case)
    return cases


def _mark(case: Xml.Element, evidence: Evidence, step: StepFacts) -> None:
    message = "; ".join(_line(part) for part in terminal.why_not(step)) or step.word
    if step.status is Status.PASS:
        return
    if step.status is Status.WAIVED or step.accepted is not None:
        Xml.SubElement(case, "skipped", message=message)
    elif step.status is Status.FAIL:
        _fault(case, "failure", "fail", message)
    elif step.word == NOT_RUN and evidence.outcome is Outcome.GO:
        Xml.SubElement(case, "skipped", message=NOT_RUN)
    else:
        _fault(case, "error", step.word, message)


def _fault(case: Xml.Element, tag: str, kind: str, message: str) -> None:
    fault = Xml.SubElement(case, tag, type=kind, message=message)
    fault.text = message


def _told(step: StepFacts) -> Iterable[str]:
    """Yield the sentences, attempts and output of a step."""
    for attempt in step.attempts if len(step.attempts) > 1 else ():
        yield attempt_words(attempt)
    finding = step.finding
    if finding is None:
        return
    if finding.expected or finding.actual:
        yield f"expected: {finding.expected or '-'}; actual: {finding.actual or '-'}"
    yield from finding.sentences
    yield from finding.notes
    yield from look_lines(step.looks)
    if step.status is Status.PASS:
        if accepted := terminal.accepted(step):
            yield accepted
        if finding.link:
            yield f"see {finding.link}"
    if finding.text:
        yield finding.text


def attempt_words(attempt: Attempt) -> str:
    """Return one attempt in a sentence: number, time, result."""
    at = f" at {words.time_of_day(attempt.started)}" if attempt.started else ""
    if not attempt.finished:
        return f"attempt {attempt.number}{at}: no result"
    result = attempt.status.value if attempt.status is not None else UNFINISHED
    seen = words.one_line("; ".join(part for part in (attempt.actual, attempt.why) if part))
    return f"attempt {attempt.number}{at}: {result}" + (f", {seen}" if seen else "")


def _whole(evidence: Evidence) -> Iterable[Xml.Element]:
    """Yield two cases about the run as a whole: its verdict and the chain of its events."""
    verdict = Xml.Element("testcase", name="verdict", classname="Run", time="0")
    outcome = evidence.outcome
    message = " ".join(_line(line) for line in terminal.ending(evidence, Page(400)))
    if outcome in (Outcome.NO_GO, Outcome.ROLLED_BACK):
        _fault(verdict, "failure", outcome.value, message)
    elif outcome is not Outcome.GO:
        _fault(verdict, "error", outcome.value, message)
    yield verdict
    chain = Xml.Element("testcase", name="journal is unbroken", classname="Run", time="0")
    if not evidence.intact:
        _fault(chain, "failure", "broken", f"event {evidence.broken_at} does not follow")
    yield chain


def _seconds(seconds: float | None) -> str:
    return f"{max(seconds or 0.0, 0.0):.3f}"


def _line(text: str) -> str:
    return _NOT_XML.sub("", words.one_line(text))


def _block(text: str) -> str:
    return _NOT_XML.sub("", words.neutral(text))
