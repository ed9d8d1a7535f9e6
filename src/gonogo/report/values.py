"""Values of the evidence as plain JSON values, whole or without what differs from run to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache


@lru_cache(maxsize=64)
def _names(kind: type) -> tuple[str, ...]:
    """Return what is written of a kind of value: its fields, then what follows from them."""
    own = tuple(item.name for item in fields(kind))
    return (*own, *getattr(kind, "ALSO", ()))


def form(value: object) -> object:
    """Return a value of the evidence as JSON values: its fields, then what follows from them."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): form(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [form(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: form(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, bool | int | float):
        return value
    return str(value)


_OF_TIME = {
    *("run", "host", "folder", "place", "events", "head", "last_event", "broken_at", "number"),
    *("started", "ended", "finished", "at", "since", "until", "asked", "gaps", "gap_s"),
    *("attempts", "notes", "times", "measured_s", "duration_s", "proof_s", "total_s"),
    *("slices", "moves", "watched_s", "recovery", "held", "time"),
}
_OF_A_RULE = {"actual", "indicators"}  # they count slices
_OF_AN_ALERT = {"key", "text", "why", "late"}
_MEASURES_TIME = re.compile(
    r"(^|[ _.])(pid|time|duration|latency|elapsed|s|ms|seconds)$", re.IGNORECASE
)


def without_times(data: object, *, within: str = "") -> object:
    """Return JSON values of evidence without what differs between two runs of the same course."""
    if isinstance(data, dict):
        left_out = _OF_TIME
        if within == "finding" and data.get("effect") == "rule":
            left_out = _OF_TIME | _OF_A_RULE
        elif within in ("alerts", "deliveries"):
            left_out = _OF_TIME | _OF_AN_ALERT
        return {
            key: without_times(item, within=key)
            for key, item in data.items()
            if not (_MEASURES_TIME.search(key) if within == "indicators" else key in left_out)
        }
    if isinstance(data, list):
        return [without_times(item, within=within) for item in data]
    return data
