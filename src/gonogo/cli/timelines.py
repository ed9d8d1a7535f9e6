"""Timelines on the command line: read, brought together with a runbook, and said in clock times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.cli.load import LARGEST
from gonogo.errors import RunbookError, Severity, UsageError
from gonogo.judge.course import Course, course_of
from gonogo.judge.firing import is_watched, mistakes_of_watch
from gonogo.plan.model import Plan, Rule
from gonogo.source import Source

if TYPE_CHECKING:
    from gonogo.judge.against import Against
    from gonogo.judge.green import Recovered


def course(plan: Plan) -> Course:
    """Return the watch of a runbook.

    Raises:
        UsageError: nothing is watched, or nothing of it is measured.
        RunbookError: a rule cannot be judged on its metric.
    """
    if not plan.rules:
        raise UsageError(
            f"`{plan.source.name}` has no rule: nothing is watched",
            hint="write objectives, alerts or rollback triggers; docs/language.md shows how",
        )
    found = mistakes_of_watch(plan)
    if any(d.severity is Severity.ERROR for d in found):
        raise RunbookError(plan.source, found)
    course = course_of(plan)
    if not is_watched(plan):
        raise UsageError(
            f"no section of `{plan.source.name}` is a watch: its rules are never judged",
            hint="write objectives or alerts under a heading such as `## Watch for 24 hours`",
        )
    if not course.rules:
        raise UsageError(
            f"no rule of `{plan.source.name}` is measured: people answer all of them",
            hint="bind the metrics under `metrics:` in the front matter",
        )
    return course


def joined(path: str, course: Course) -> Against:
    """Read a timeline and bring it together with the rules of a runbook.

    Raises:
        UsageError: the file cannot be read.
        RunbookError: with every mistake in it.
    """
    from gonogo.judge.against import against
    from gonogo.judge.timeline import read_timeline

    return against(read_timeline(Source(path, _text(path))), course)


def _text(path: str) -> str:
    file = Path(path)
    if file.is_dir():
        raise UsageError(f"`{path}` is a folder, expected a timeline", hint="name a YAML file")
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no timeline `{path}`", hint="look at the path") from None
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be read: {error.strerror or error}",
            hint="look at its name and rights",
        ) from None
    if len(data) > LARGEST:
        raise UsageError(f"`{path}` is larger than 10 MiB", hint="split it into several files")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"`{path}` is not UTF-8", hint="save it as UTF-8") from None


def says(rule: Rule) -> str:
    """Return a rule in its canonical words with what it is for: `page: p99 > 1.2 s`."""
    return f"{rule.consequence.value}: {replace(rule.condition, severity=None).say()}"


def clock(at_ms: int, width_ms: int) -> str:
    """Return a moment of a rehearsal as `00:15`; the day in front where it is not the first."""
    from gonogo.judge.moves import clock_time

    days = at_ms // 86_400_000
    said = clock_time(at_ms, width_ms, at_ms)
    return f"{days}d {said}" if 0 < days < 365 else said


def recovery_json(recovered: Recovered, width_ms: int) -> dict[str, object]:
    """Return what follows a rollback for machines: the row of buckets, and what it came to."""
    return {
        "begun_ms": recovered.begun_ms,
        "outcome": recovered.outcome.value,
        "at_ms": recovered.at_ms,
        "took_ms": recovered.took_ms,
        "buckets": [
            {
                "closed_ms": one.start_ms + width_ms,
                "look": one.look.value,
                "green": one.count,
                "need": one.need,
                "says": one.says,
            }
            for one in recovered.seen
        ],
        "moves": [move.as_json() for move in recovered.moves],
    }
