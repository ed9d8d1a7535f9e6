"""How durations, times and texts of strangers are written, the same in every form of a report.

Texts come from commands, servers and files: whatever they hold, it must not move a cursor, change
a colour, reverse the reading direction or break a line of the report.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from gonogo import clock

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# Wide since Unicode 16, which the tables of an older Python do not know.
_NEWLY_WIDE = re.compile("[\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\U0001d300-\U0001d376]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEWLINE = re.compile("\r\n?|[\x85\u2028\u2029]")


def _shown(match: re.Match[str]) -> str:
    """Return a visible stand-in for one unsafe character."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"\\u{code:04x}"


def neutral(text: str) -> str:
    """Return `text` with every control, direction and unpaired character made visible.

    Line ends of all systems become a plain newline, tabs become four spaces.
    """
    return _UNSAFE.sub(_shown, _NEWLINE.sub("\n", text)).replace("\t", "    ")


def one_line(text: str) -> str:
    """Return `text` made harmless, on one line, with single spaces."""
    return " ".join(neutral(text).split())


def cells(text: str) -> int:
    """Return how many columns `text` takes in a terminal; in doubt the larger number."""
    if text.isascii():
        return len(text)
    total = 0
    for char in text:
        if char == "\ufe0f":  # shows the character before it as a wide picture
            total += 1
        elif char in "\u200c\u200d" or unicodedata.category(char) in {"Mn", "Me"}:
            continue
        else:
            total += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return total + len(_NEWLY_WIDE.findall(text))


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` columns; a text that was cut ends in `…`."""
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    kept = text[:width]
    while kept and cells(kept) > width - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def cut_left(text: str, width: int) -> str:
    """Return the end of `text` in at most `width` columns, behind `…` when it was cut."""
    if cells(text) <= width:
        return text
    kept = text[-width:]
    while kept and cells(kept) > width - 1:
        kept = kept[1:]
    return "…" + kept


def cut_middle(text: str, width: int) -> str:
    """Return both ends of `text` in at most `width` columns, `…` between them when it was cut."""
    if cells(text) <= width:
        return text
    if width < 3:
        return cut(text, width)
    tail = cut_left(text, width // 2)[1:]
    return cut(text, width - cells(tail)) + tail


def pad(text: str, width: int) -> str:
    """Return `text` followed by spaces up to `width` columns."""
    return text + " " * max(0, width - cells(text))


def wrap(text: str, width: int, *, most: int = 3, ends: bool = False) -> list[str]:
    """Break `text` between words into at most `most` lines of `width` columns.

    A word longer than a line is cut with `…`, and so is the last line when there was more; with
    `ends` both are cut in their middle: a cause often says at its end what it is about.
    """
    shorten = cut_middle if ends else cut
    lines: list[str] = []
    words = one_line(text).split(" ")
    for place, word in enumerate(words):
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += " " + word
        elif len(lines) == most:
            lines[-1] = shorten(lines[-1] + " " + " ".join(words[place:]), width)
            break
        elif word:
            lines.append(shorten(word, width))
    return lines


def duration(seconds: float | None) -> str:
    """Write seconds as people say them: `12 ms`, `0.4 s`, `41 s`, `1m 12s`, `1h 04m`, `2d 03h`."""
    if seconds is None:
        return ""
    if seconds < 0:
        return "-" + duration(-seconds)
    if 0 < seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "< 1 ms"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, big, small in ((86400, "d", "h"), (3600, "h", "m"), (60, "m", "s")):
        if whole >= size:
            per = {"h": 3600, "m": 60, "s": 1}[small]
            rest = whole % size // per
            return f"{whole // size}{big}" + (f" {rest:02d}{small}" if rest else "")
    return f"{whole} s"


def moment(text: str) -> datetime | None:
    """Read a time of the journal; None when it is none. Without a zone it is UTC."""
    try:
        read = clock.moment(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may lie outside of the years 1 to 9999
        return None


def at_ms(value: object) -> str:
    """Return milliseconds since 1970 as a time of the journal; empty when it is no such time."""
    if isinstance(value, bool) or not isinstance(value, int):
        return ""
    try:
        return clock.stamp(_EPOCH + timedelta(milliseconds=value))
    except OverflowError:
        return ""


def later(moment: datetime, seconds: float) -> str:
    """Return the time of the journal that lies so many seconds behind a moment."""
    try:
        return clock.stamp(moment + timedelta(seconds=seconds))
    except OverflowError:
        return ""


def seconds_between(start: str, end: str) -> float | None:
    """Return the seconds from one time of the journal to another; None when one is missing."""
    first, last = moment(start), moment(end)
    if first is None or last is None:
        return None
    return round((last - first).total_seconds(), 3)


def has_passed(expires: str, at: str) -> bool | None:
    """Say whether `expires` lies before `at`; a bare date lasts to its end; None: unreadable."""
    end, now = moment(expires), moment(at)
    if end is None or now is None:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", expires.strip()):
        end = end.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return end <= now


def time_of_day(text: str) -> str:
    """Write a time of the journal as `14:02:11` (UTC); an unreadable one as it stands."""
    read = moment(text)
    return one_line(text) if read is None else f"{read:%H:%M:%S}"


def day_and_time(text: str) -> str:
    """Write a time of the journal as `2026-03-01 14:02:11 UTC`."""
    read = moment(text)
    return one_line(text) if read is None else f"{read:%Y-%m-%d %H:%M:%S} UTC"


def count(number: int, noun: str) -> str:
    """Write a number and its noun: `1 check`, `12 checks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def against(actual: str, expected: str) -> str:
    """Write what was seen against what was expected: `status 200, expected 403`.

    What both sides begin with is said once; a sentence that already compares is left alone.
    """
    actual, expected = one_line(actual), one_line(expected)
    if not expected or "expected" in actual:
        return actual
    if not actual:
        return f"expected {expected}"
    for sign in (" = ", " is "):
        name, found, value = expected.partition(sign)
        if found and actual.startswith(name + " "):
            return f"{actual}, expected {value}"
    first, _, rest = expected.partition(" ")
    if rest and actual.startswith(first + " ") and rest[0] in "<>=!≥≤≠":
        return f"{actual}, expected {rest}"
    return f"{actual}, expected {expected}"


def besides(actual: str, why: str) -> str:
    """Return what a reason says beside what was seen: figures are not said twice.

    Of `fail: rows 1, expected 0`, the reason of a waiver, `fail` is left beside these figures.
    """
    actual, why = one_line(actual), one_line(why)
    if why in actual:
        return ""
    head, found, rest = why.partition(": ")
    return head if found and rest and rest in actual else why
