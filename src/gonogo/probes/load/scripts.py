"""Load scripts of other tools, run as they are when the tool is installed: k6 and Locust."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from gonogo import process
from gonogo.errors import WorkError
from gonogo.foreign import json_in
from gonogo.load import NEEDED
from gonogo.plan.kinds import Context, Datum, Effect, Observation
from gonogo.plan.units import Quantity
from gonogo.probes.load.seen import share
from gonogo.process import Command, EndedBy

_THRESHOLDS_FAILED = 99  # k6 ends with it when the script's own limits are crossed
_SUMMARY = "summary.json"
_TREND = "avg,min,med,max,p(90),p(95),p(99),p(99.9)"
_K6_STATS = {
    "avg": "avg",
    "max": "max",
    "p50": "med",
    "p90": "p(90)",
    "p95": "p(95)",
    "p99": "p(99)",
    "p99.9": "p(99.9)",
}
_MOST = 10**15  # of anything that a script counts, and of milliseconds
_SHARES = {name: Fraction(name[1:]) / 100 for name in NEEDED}


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that carries out load scripts."""

    name: str
    arguments: Callable[[str, Path], tuple[str, ...]]
    allowed: tuple[int, ...]
    read: Callable[[str], Observation]
    has_file: bool


def perform(name: str, script: str, more: str, context: Context) -> Observation:
    """Run the script with its program and return what its summary says.

    Raises:
        WorkError: the program is not installed, broke, or left no summary.
    """
    tool = TOOLS[name]
    program = shutil.which(name, path=context.variables.get("PATH", ""))
    if program is None:
        raise WorkError(
            f"not run: {name} is not installed",
            hint=f"install {name} on this machine, or write the load as `url` and `rate`",
        )
    if not (context.cwd / script).is_file():
        raise WorkError(f"there is no file `{script}`", hint="look at the path; it is not run")
    summary = context.folder.absolute() / _SUMMARY
    command = Command(
        argv=(program, *tool.arguments(script, summary), *shlex.split(more)),
        cwd=context.cwd.absolute(),
        environment=context.variables,
        timeout_s=context.timeout_s,
        durable=context.effect is Effect.ACTION,
    )
    outcome = process.run(command, context.folder, should_stop=context.should_stop)
    last = context.redact(outcome.stderr.strip() or outcome.stdout.strip())[-400:]
    is_action = context.effect is Effect.ACTION
    if outcome.ended_by is not EndedBy.EXIT:
        how = {
            EndedBy.ABORT: "was stopped",
            EndedBy.DEADLINE: f"did not end within {context.timeout_s:g} s",
        }.get(outcome.ended_by, "was started, and nobody knows how it ended")
        raise WorkError(f"{name} {how}", hint=last or "run it again", failed=is_action)
    if outcome.exit_code not in tool.allowed:
        raise WorkError(f"{name} ended with exit code {outcome.exit_code}", hint=last)
    try:
        text = summary.read_text(encoding="utf-8") if tool.has_file else outcome.stdout
    except OSError:
        raise WorkError(f"{name} left no summary", hint=last) from None
    return tool.read(text)


def read_k6(text: str) -> Observation:
    """Read k6's summary, as `--summary-export` writes it or as `handleSummary` is given it.

    Raises:
        WorkError: it is no such summary, or says that nothing was asked.
    """
    metrics = _object(text, "k6").get("metrics")
    if not isinstance(metrics, dict):
        raise WorkError("the summary of k6 has no metrics", hint=_SAY_SO)
    count = _number(_values(metrics, "http_reqs").get("count"))
    requests = int(count or 0)
    if not requests:
        raise WorkError("k6 has sent no HTTP request", hint="look at the script")
    trend = _values(metrics, "http_req_duration")
    stats = {
        name: _number(trend.get(key)) if requests >= NEEDED.get(name, 1) else None
        for name, key in _K6_STATS.items()
    }
    failed = _values(metrics, "http_req_failed")
    limits = dict(_limits(metrics))
    found: dict[str, Datum] = {
        **_of_times(stats),
        "error rate": _percent(failed.get("value", failed.get("rate"))),
        "requests": requests,
        "rate achieved": _rate(_values(metrics, "http_reqs").get("rate")),
        "failed thresholds": sum(limits.values()) if limits else None,
    }
    lines = [f"{'crossed' if crossed else 'kept'}: {name}" for name, crossed in limits.items()]
    lines.append("k6 counts from when a request was sent, not from when it was due")
    return Observation(found, text=f"{requests} requests by k6\n" + "\n".join(lines))


def read_locust(text: str) -> Observation:
    """Read the statistics that `locust --json` prints: a list with an entry per name and method.

    Raises:
        WorkError: it is no such list, or says that nothing was asked.
    """
    entries = _entries(text)
    times: dict[Decimal, int] = {}
    requests = failures = 0
    for entry in entries:
        requests += int(_certain(entry.get("num_requests")))
        failures += int(_certain(entry.get("num_failures")))
        spread = entry.get("response_times")
        for milliseconds, number in (spread if isinstance(spread, dict) else {}).items():
            at = _certain(milliseconds)
            times[at] = times.get(at, 0) + int(_certain(number))
    if not requests or not times:
        raise WorkError("locust has sent no request", hint="look at the locustfile")
    totals = [_certain(entry.get("total_response_time")) for entry in entries]
    highest = [_certain(entry.get("max_response_time")) for entry in entries]
    stats = {name: _ranked(times, name) for name in _SHARES}
    stats |= {"max": max(highest), "avg": sum(totals, Decimal(0)) / requests}
    found: dict[str, Datum] = {
        **_of_times(stats),
        "error rate": share(failures, requests),
        "errors": failures,
        "requests": requests,
    }
    note = "locust rounds its times and waits for each answer before the next request of a user"
    return Observation(found, text=f"{requests} requests by locust, {failures} failed\n{note}")


TOOLS: Mapping[str, Tool] = {
    "k6": Tool(
        "k6",
        lambda script, summary: (
            *("run", "--quiet", "--no-color", "--no-usage-report"),
            f"--summary-export={summary}",
            f"--summary-trend-stats={_TREND}",
            script,
        ),
        (0, _THRESHOLDS_FAILED),
        read_k6,
        has_file=True,
    ),
    "locust": Tool(
        "locust",
        lambda script, _: ("-f", script, "--headless", "--only-summary", "--json"),
        (0, 1),
        read_locust,
        has_file=False,
    ),
}
_SAY_SO = "is this version of the program newer than gonogo?"


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        found = json_in(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise WorkError(f"the summary of {name} cannot be read", hint=_SAY_SO)
    return found


def _entries(text: str) -> list[dict[str, Any]]:
    start = text.find("[")
    try:
        found = json_in(text[start:]) if start >= 0 else None
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise WorkError("the statistics of locust cannot be read", hint=_SAY_SO)
    return found


def _values(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    metric = metrics.get(name)
    if not isinstance(metric, dict):
        return {}
    values = metric.get("values")
    return values if isinstance(values, dict) else metric


def _limits(metrics: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Return each limit of the script and whether it was crossed.

    The exported summary says `true` of a limit that was crossed; the other form says `ok`.
    """
    found = []
    for name, metric in metrics.items():
        limits = metric.get("thresholds") if isinstance(metric, dict) else None
        for text, said in (limits if isinstance(limits, dict) else {}).items():
            crossed = not said.get("ok") if isinstance(said, dict) else said is not False
            found.append((f"{name} {text}", crossed))
    return found


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and 0 <= number < _MOST else None


def _certain(value: object) -> Decimal:
    """Return a figure of Locust; what is missing must not count as none.

    Raises:
        WorkError: it is no figure.
    """
    number = _number(value)
    if number is None:
        raise WorkError("the statistics of locust cannot be read", hint=_SAY_SO)
    return number


def _of_times(stats: Mapping[str, Decimal | None]) -> dict[str, Datum]:
    times: dict[str, Datum] = {
        name: None if value is None else Quantity(round(value / 1000, 6), "s")
        for name, value in stats.items()
    }
    return {**times, "median": times["p50"], "latency": times, "response time": times}


def _ranked(times: Mapping[Decimal, int], name: str) -> Decimal | None:
    count = sum(times.values())
    if count < NEEDED[name]:
        return None
    rank, below = ceil(_SHARES[name] * count), 0
    for at, number in sorted(times.items()):
        below += number
        if below >= rank:
            return at
    return None


def _percent(value: object) -> Quantity | None:
    number = _number(value)
    return None if number is None else Quantity(round(number * 100, 10).normalize() + 0, "%")


def _rate(value: object) -> Quantity | None:
    number = _number(value)
    return None if number is None else Quantity(round(number, 6), "r/s")
