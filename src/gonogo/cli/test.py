"""`gonogo test FILE --timeline T.yaml`: whether the rules of a runbook do what the team expects."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gonogo.cli import screen, timelines
from gonogo.cli.load import load
from gonogo.cli.timelines import clock, recovery_json
from gonogo.judge.against import Against
from gonogo.judge.expected import Expectation
from gonogo.judge.firing import lasting
from gonogo.judge.green import Outcome
from gonogo.judge.playing import Difference, Played

_NAMED = 3  # rules that are not tested, in one line


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument(
        "--timeline",
        nargs="+",
        action="extend",
        required=True,
        metavar="T.yaml",
        help="series of values and what is expected of them; one or more files",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Play the timelines; 0 when every expectation holds, 1 when one does not."""
    plan = load(options.file)
    course = timelines.course(plan)
    joined = [timelines.joined(path, course) for path in options.timeline]
    played = [(one, one.play()) for one in joined]
    failed = sum(_failed(case) for _, cases in played for case in cases)
    total = sum(len(case.case.expect) for _, cases in played for case in cases)
    if options.json:
        screen.say_json(
            {
                "file": options.file,
                "passed": total - failed,
                "failed": failed,
                "timelines": [_as_json(one, cases) for one, cases in played],
            }
        )
    else:
        for one, cases in played:
            screen.say("\n".join(line.rstrip() for line in _lines(one, cases, screen.width())))
        screen.say(_summary(total, failed, len(joined)))
    return 1 if failed else 0


def _summary(total: int, failed: int, files: int) -> str:
    from gonogo.report.words import count

    where = "" if files == 1 else f" in {count(files, 'timeline')}"
    if failed:
        return f"{failed} of {count(total, 'expectation')}{where} not met"
    return f"{count(total, 'expectation')}{where}, all met"


def _failed(played: Played) -> int:
    spans = {difference.span for difference in played.differences}
    return sum(expected.span in spans for expected in played.case.expect)


def _lines(joined: Against, cases: tuple[Played, ...], width: int) -> Iterator[str]:
    from gonogo.report.words import count, cut, one_line

    name = joined.timeline.source.name
    rules, buckets = len(joined.stage.rules), lasting(joined.stage.terms.width_ms)
    number = len(joined.stage.program.watches)
    watches = f", {number} watches" if number > 1 else ""
    yield f"{name}: {count(rules, 'rule')}{watches}, buckets of {buckets}"
    for rule in joined.untold[:_NAMED]:
        yield cut(f"  not tested, no series: {rule.id}", width)
    if len(joined.untold) > _NAMED:
        yield f"  not tested, no series: {len(joined.untold) - _NAMED} more"
    for played in cases:
        yield ""
        yield cut(one_line(played.case.name), width)
        for expected in played.case.expect:
            yield from _expectation(joined, expected, played, width)
    yield ""


def _expectation(
    joined: Against, expected: Expectation, played: Played, width: int
) -> Iterator[str]:
    from gonogo.report.words import pad, wrap

    wrong = [d for d in played.differences if d.span == expected.span]
    place = f"line {expected.span.line}"
    room = width - 8 - len(place) - 2
    first, *rest = wrap(_said(joined, expected), room, most=4)
    yield f"  {'FAIL' if wrong else 'pass'}  {pad(first, room)}  {place}"
    yield from (f"        {line}" for line in rest)
    for difference in wrong:
        yield from (f"        {line}" for line in wrap(difference.message, width - 8, most=6))
    if wrong:
        yield f"        --> {joined.timeline.source.name}:{expected.span.line}"


def _said(joined: Against, settled: Expectation) -> str:
    """Return an expectation in the words of its author: `15 min: page/slow firing`."""
    expected = joined.written[settled.span]
    at = "end" if expected.at_ms is None else lasting(expected.at_ms)
    parts = []
    if expected.rule is not None and expected.state is not None:
        parts.append(f"{expected.rule} {expected.state.value}")
    for word, names in (("firing", expected.firing), ("fired", expected.fired)):
        if names is not None:
            parts.append(f"{word} {', '.join(names) or 'nothing'}")
    if expected.verdict is not None:
        parts.append(expected.verdict.value)
    said = f"{at}: {'; '.join(parts)}" if parts else ""
    return "; ".join(part for part in (said, _recovered(joined, expected)) if part)


def _recovered(joined: Against, expected: Expectation) -> str:
    if expected.recovered is None:
        return ""
    if isinstance(expected.recovered, Outcome):
        return f"recovered: {expected.recovered.value}"
    start, width = joined.timeline.start_ms, joined.stage.terms.width_ms
    return f"recovered at {clock(start + expected.recovered, width)}"


def _as_json(joined: Against, cases: tuple[Played, ...]) -> dict[str, object]:
    return {
        "timeline": joined.timeline.source.name,
        "rules": [rule.id for rule in joined.stage.rules],
        "not_tested": [rule.id for rule in joined.untold],
        "cases": [
            {
                "name": played.case.name,
                "line": played.case.span.line,
                "verdict": played.verdict.value,
                "recovery": None
                if played.recovered is None
                else recovery_json(played.recovered, joined.stage.terms.width_ms),
                "moves": [move.as_json() for move in played.moves],
                "expectations": [
                    _expectation_json(joined, expected, played.differences)
                    for expected in played.case.expect
                ],
            }
            for played in cases
        ],
    }


def _expectation_json(
    joined: Against, expected: Expectation, differences: tuple[Difference, ...]
) -> dict[str, object]:
    wrong = [d.message for d in differences if d.span == expected.span]
    return {
        "line": expected.span.line,
        "at_ms": expected.at_ms,
        "expected": _said(joined, expected),
        "passed": not wrong,
        "messages": wrong,
    }
