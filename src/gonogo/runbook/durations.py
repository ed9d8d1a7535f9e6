"""Durations as people write them: `5m`, `1h 30m`, `about 2 minutes`, `4-6 hours`."""

from __future__ import annotations

import re
from decimal import Decimal

from gonogo.plan.units import Quantity, is_time, unit_of

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s{0,3}([a-zA-Zµμ]{1,12})\.?(?=$|[\s,;)\d+])")
_RANGE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s{0,2}(?:-|–|—|to)\s{0,2}(?=\d)")
_ABOUT = re.compile(
    r"^(?:about|around|approx(?:imately|\.)?|roughly|up to|"
    r"max(?:imum|\.)?|est(?:imated|\.)?|under|within|ca\.?|~|≈|"
    r"<=|≤|<)\s*",
    re.IGNORECASE,
)
_WORDS = {
    "a minute": "1 min",
    "one minute": "1 min",
    "an hour": "1 h",
    "one hour": "1 h",
    "a day": "1 d",
    "one day": "1 d",
    "a week": "1 w",
    "one week": "1 w",
}
_IN_TITLE = re.compile(
    r"[(\[,–—:-]\s*((?:about |around |(?:approx|ca|max|est)\.? |up to |~|≈|< ?)?"
    r"\d[^()\[\]]{0,40})[)\]]?\s*$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{1,60})[)\]]\s*$")
_SPAN_IN_TITLE = re.compile(
    r"(?:for|first|next|last|over|during|within)\s+(?:the\s+)?(?:first\s+|next\s+)?"
    r"((?:about |~|≈)?(?:\d[\d.]{0,8}(?:\s{0,2}[-–]\s{0,2}\d{1,6})?\s{0,2}|an?\s|one\s)?"
    r"-?(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w))\b",
    re.IGNORECASE,
)
_BUCKET = re.compile(
    r"(\d{1,6}(?:\.\d{1,3})?)[\s-]?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)"
    r"[\s-](?:buckets?|windows?)",
    re.IGNORECASE,
)


def seconds(text: str) -> float | None:
    """Return the seconds that a text says, and nothing else; the upper end of a range.

    A bare number is no duration: nobody knows its unit.
    """
    cleaned = " ".join(text.split()).strip(" .;()")
    cleaned = _ABOUT.sub("", cleaned)
    cleaned = _WORDS.get(cleaned.lower(), cleaned)
    cleaned = _RANGE.sub("", cleaned, count=1).rstrip("+")
    total, end, found = 0.0, 0, False
    for match in _PART.finditer(cleaned):
        between = cleaned[end : match.start()].strip(" ,;+")
        unit = unit_of(match[2])
        if (between and between.lower() != "and") or not is_time(unit):
            return None
        total += float(Quantity(Decimal(match[1]), unit or "").si)
        end, found = match.end(), True
    return total if found and not cleaned[end:].strip(" .+") else None


def stated_in(title: str) -> float | None:
    """Return the duration that stands at the end of a heading: `Option 1 (about 2 minutes)`."""
    found = _IN_TITLE.search(title)
    return seconds(found[1]) if found else None


def without(title: str) -> str:
    """Return a title without a duration in brackets at its end."""
    cut = _BRACKETS.search(title)
    if cut is None or (seconds(cut[1]) is None and span_in(cut[1]) is None):
        return title
    return title[: cut.start()].strip() or title


def span_in(title: str) -> float | None:
    """Return how long a watch lasts by its heading: `Watch for 24 hours`, `First hour`."""
    found = _SPAN_IN_TITLE.search(title)
    if found is None:
        return stated_in(title)
    text = found[1].strip()
    if not text[:1].isdigit() and text[:1] not in "~≈a" and not text.lower().startswith("one"):
        text = "1 " + text
    return seconds(text.replace("-", " ", 1) if re.match(r"\d+-[a-z]", text) else text)


def bucket_in(title: str) -> float | None:
    """Return the bucket length that a heading names: `in 5-minute buckets`."""
    found = _BUCKET.search(title)
    return seconds(f"{found[1]} {found[2]}") if found else None


def say(duration_s: float) -> str:
    """Return a short wording: `45 s`, `2 min`, `1 h 30 min`, `1 d`."""
    whole = round(duration_s)
    if duration_s < 60 or whole != duration_s:
        return f"{duration_s:g} s"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
