"""Reads the time of a log line in the forms that logs use: ISO 8601, epoch, access logs.

A time without a zone is taken as UTC: guessing the zone of another machine moves samples into
buckets in which nothing happened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

TIME_FIELDS = (
    *("time", "timestamp", "ts", "@timestamp", "time_local", "time_iso8601", "msec", "datetime"),
    *("date", "asctime", "eventTime", "start_time", "t"),
)
"""Where the time of a line is looked for when the front matter does not say; the first that is."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_CLF = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?([+-]\d{4}|Z)?")
_DIGITS = re.compile(r"\d{1,20}(?:\.\d{1,12})?")
_ZONE = re.compile(r"(?<=\d) ?(?:UTC|GMT)$")
# An epoch number is read by its size; each of these holds the years 1973 to 5138 in its unit.
_SCALES = ((1e8, 1e11, 1000.0), (1e11, 1e14, 1.0), (1e14, 1e17, 1e-3), (1e17, 1e20, 1e-6))


def epoch_ms(value: float) -> int | None:
    """Return milliseconds from an epoch number in s, ms, µs or ns; None when it is none."""
    for low, high, factor in _SCALES:
        if low <= value < high:
            return int(value * factor) if factor != 1000.0 else _seconds_ms(value)
    return None


def _seconds_ms(value: float) -> int:
    # 1709294400.001 * 1000 is a little less than the whole number: round what a float cannot hold
    return value * 1000 if isinstance(value, int) else int(round(value * 1000, 3))


def text_ms(text: str) -> int | None:
    """Return milliseconds from a time written as text; None when it is none that we know."""
    if text[4:5] == "-":  # by far the most common form goes first
        found = _iso_ms(text)
        if found is not None:
            return found
    text = text.strip()
    if len(text) > 64:
        return None
    if _DIGITS.fullmatch(text):
        return epoch_ms(float(text) if "." in text else int(text))
    clf = _CLF.fullmatch(text.strip("[]"))
    return _iso_ms(_ZONE.sub("+00:00", text)) if clf is None else _clf_ms(clf)


def _iso_ms(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            if len(text) < 16:
                return None  # a day alone is no time
            moment = moment.replace(tzinfo=UTC)
        since = moment - _EPOCH
    except (ValueError, OverflowError):
        return None
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _clf_ms(match: re.Match[str]) -> int | None:
    day, month, year, hour, minute, second, fraction, offset = match.groups()
    number = _MONTHS.get(month.title())
    if number is None:
        return None
    zone = UTC if offset in (None, "Z") else _zone(offset)
    try:
        moment = datetime(
            int(year), number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone
        )
    except ValueError:
        return None
    return (moment - _EPOCH) // _MS + int((fraction or "0").ljust(3, "0")[:3])


def _zone(offset: str) -> timezone:
    size = timedelta(hours=int(offset[1:3]), minutes=min(int(offset[3:5]), 59))
    if size >= timedelta(days=1):
        return UTC
    return timezone(size if offset[0] == "+" else -size)


def reader() -> Callable[[object], int | None]:
    """Return a function from the value of a time field to milliseconds.

    It remembers the last text: many lines carry the same second.
    """
    last: object = None
    last_ms: int | None = None

    def read(value: object) -> int | None:
        nonlocal last, last_ms
        if type(value) is str:
            if value != last:
                last, last_ms = value, text_ms(value)
            return last_ms
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return epoch_ms(value)

    return read
