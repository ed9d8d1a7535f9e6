"""From what a load test has counted to the values that its limits speak of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from gonogo.errors import WorkError
from gonogo.load import NEEDED, Result, generator_fault
from gonogo.plan.kinds import Datum, Observation
from gonogo.plan.units import Quantity

_SHARE = Decimal(1).scaleb(-10)  # of a percent: exact enough for a million requests


def seconds(value: float | None) -> Quantity | None:
    """Return a time, to the microsecond."""
    return None if value is None else Quantity(_short(Decimal(str(round(value, 6)))), "s")


def share(part: int, whole: int) -> Quantity | None:
    """Return a percentage; None of nothing."""
    if whole <= 0:
        return None
    number = Decimal(part * 100) / Decimal(whole)
    return Quantity(_short(number.quantize(_SHARE)), "%")


def _short(number: Decimal) -> Decimal:
    """Return a number without zeros at its end, and without an exponent."""
    return Decimal(format(number.normalize(), "f"))


def times(stats: Mapping[str, float | None]) -> dict[str, Datum]:
    """Return the statistics of one kind of time by name."""
    return {name: seconds(value) for name, value in stats.items()}


def refuse_worthless(result: Result, what: str) -> None:
    """Refuse a result that proves nothing.

    Raises:
        WorkError: nothing good came back, or the generator did not keep its schedule.
    """
    if not result.requests:
        raise WorkError(
            "no request was judged", hint="the warm-up is as long as the schedule; send for longer"
        )
    if not result.good:
        why = next(iter(result.reasons), "") if not result.statuses else ""
        why = why or f"every answer was an error, most often {_most(result.statuses)}"
        raise WorkError(
            f"none of {result.requests} requests to {what} had a good answer: {why}",
            hint="is the service up, and is the address right?",
            failed=bool(result.statuses),
        )
    fault = generator_fault(result)
    if fault:
        hint = "the times are not the server's alone: lower `rate`, or run it on an idle machine"
        raise WorkError(fault, hint=hint)


def _most(statuses: Mapping[str, int]) -> str:
    return max(statuses, key=statuses.__getitem__)


def observed(result: Result) -> Observation:
    """Return what the limits are judged by."""
    latency = times(result.latency)
    limited = result.statuses.get("429", 0)
    achieved = Decimal(str(round(result.sent_in_time / result.judged_s, 6)))
    found: dict[str, Datum] = {
        **latency,
        "median": latency["p50"],
        "latency": latency,
        "response time": latency,
        "service time": times(result.service),
        "lateness": times(result.lateness),
        "late p99": seconds(result.lateness["p99"]),
        "error rate": share(result.errors, result.requests),
        "errors": result.errors,
        "rate limited": limited,
        "dropped": result.dropped,
        "requests": result.requests,
        "rate achieved": Quantity(_short(achieved), "r/s"),
    }
    return Observation(found, text=_text(result))


def _text(result: Result) -> str:
    lines = [
        f"{result.requests} requests judged in {result.judged_s:g} s, "
        f"{result.warm_up} before that as warm-up",
        f"{result.errors} without a good answer",
    ]
    for status, number in result.statuses.items():
        note = " (rate limited)" if status == "429" else ""
        lines.append(f"  status {status}{note}: {number}")
    lines += [f"  {reason}: {number}" for reason, number in result.reasons.items()]
    if result.given_up:
        lines.append("stopped early: nothing answered at all")
    if result.waited or result.dropped:
        lines.append(
            f"{result.waited} had to wait for a free connection; {result.dropped} were never sent"
        )
    lines.append("")
    lines.append(_row("", ("p50", "p90", "p95", "p99", "p99.9", "max", "avg")))
    named = (
        ("latency", result.latency),
        ("service time", result.service),
        ("lateness", result.lateness),
        ("of the generator", result.own),
    )
    for name, stats in named:
        lines.append(_row(name, tuple(_said(stats[stat]) for stat in stats)))
    short = [name for name in result.latency if name in NEEDED and result.latency[name] is None]
    if short:
        lines.append(f"{short[0]} needs {NEEDED[short[0]]} requests")
    if not result.exact:
        lines.append("more than a million requests: percentiles within 0.5 %")
    return "\n".join(lines)


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value * 1000:.1f} ms"


def _row(name: str, cells: tuple[str, ...]) -> str:
    return f"{name:<17}" + "".join(f"{cell:>12}" for cell in cells)
