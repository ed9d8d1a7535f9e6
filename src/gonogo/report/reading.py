"""Reads the bodies of events: what is missing or of another shape stays empty, never guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gonogo.judge.verdict import Finding, Status, Verdict

Body = Mapping[str, object]


def text(body: Body, key: str) -> str:
    """Return the words under `key`; empty when there are none."""
    value = body.get(key)
    return value if isinstance(value, str) else ""


def number(body: Body, key: str) -> float | None:
    """Return the finite number under `key`; None when there is none."""
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number of more than 300 digits
        return None


def whole(body: Body, key: str) -> int:
    """Return the whole number under `key`; 0 when there is none."""
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def flag(body: Body, key: str) -> bool:
    """Say whether `key` holds true."""
    return body.get(key) is True


def texts(body: Body, key: str) -> tuple[str, ...]:
    """Return the words in the list under `key`; of a mapping only its keys."""
    value = body.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence | Mapping):
        return ()
    return tuple(item for item in value if isinstance(item, str))


def inner(body: Body, key: str) -> Body:
    """Return the mapping under `key`; empty when there is none."""
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}


def listed(body: Body, key: str) -> tuple[Body, ...]:
    """Return the mappings in the list under `key`."""
    value = body.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def status(body: Body) -> Status | None:
    """Return the status in a body; None when there is none that we know."""
    try:
        return Status(text(body, "status"))
    except ValueError:
        return None


def verdict(body: Body) -> Verdict | None:
    """Return the verdict in a body; None when there is none that we know."""
    try:
        return Verdict(text(body, "verdict"))
    except ValueError:
        return None


def finding(body: Body, item: str) -> Finding:
    """Return the finding in a body; without a readable status it is unknown and says so."""
    seen = status(body)
    why = text(body, "why")
    if seen is None:
        seen = Status.UNKNOWN
        why = why or "the journal holds no readable status for this step"
    return Finding(
        item=text(body, "item") or item,
        title=text(body, "title"),
        status=seen,
        effect=text(body, "effect"),
        line=whole(body, "line"),
        expected=text(body, "expected"),
        actual=text(body, "actual"),
        why=why,
        started=text(body, "started"),
        duration_s=number(body, "duration_s") or 0.0,
        planned_s=number(body, "planned_s"),
        attempts=whole(body, "attempts"),
        by=text(body, "by") or None,
        reason=text(body, "reason") or None,
        expires=text(body, "expires") or None,
        link=text(body, "link") or None,
        text=text(body, "text"),
        indicators=inner(body, "indicators"),
        sentences=texts(body, "sentences"),
        critical=flag(body, "critical"),
        notes=texts(body, "notes"),
    )
