"""What the values of directives mean: durations, retries, yes and no."""

from __future__ import annotations

import re

from gonogo.plan.model import Retry
from gonogo.runbook import durations

_TIMES = re.compile(
    r"(?:up to |max(?:imum)? )?(\d{1,4})\s*(?:x|times|attempts|tries|retries)?"
    r"(?:[\s,]*(?:,|every|each|with|wait(?:ing)?|after|at|in)\s*(?:every |of )?(.{1,40}))?",
    re.IGNORECASE,
)
_WHILE = re.compile(
    r"(?:for|up to|within|until)\s+(.{1,40}?)[\s,]+(?:every|each)\s+(.{1,40})", re.IGNORECASE
)
_DEFAULT_PAUSE_S = 5.0
_YES = frozenset({"", "yes", "true", "on", "y"})
_NO = frozenset({"no", "false", "off", "n"})


def parse_retry(text: str) -> Retry | None:
    """Read `3 times every 10s` or `for 2 minutes every 5s`; None when it is neither.

    `3 times` means three attempts in all, five seconds apart unless it says otherwise.
    """
    cleaned = " ".join(text.split()).rstrip(".")
    found = _WHILE.fullmatch(cleaned)
    if found is not None:
        whole, pause = durations.seconds(found[1]), durations.seconds(found[2])
        if not whole or not pause:
            return None
        attempts = int(whole // pause) + 1
        return Retry(attempts, pause) if attempts <= 100_000 else None
    found = _TIMES.fullmatch(cleaned)
    if found is None or int(found[1]) < 1:
        return None
    pause = durations.seconds(found[2]) if found[2] else _DEFAULT_PAUSE_S
    return None if pause is None else Retry(int(found[1]), pause)


def parse_yes(text: str) -> bool | None:
    """Read yes or no; an empty text is a yes; None when it is neither."""
    word = text.strip().strip("`.").casefold()
    if word in _YES:
        return True
    return False if word in _NO else None
