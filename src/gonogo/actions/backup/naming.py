"""The names that a backup's path may hold: `{{time}}`, the run, and variables of the runbook."""

from __future__ import annotations

import re

_NAMES = re.compile(r"\$\{[^}]*\}|\{\{[^}]*\}\}")
_TIME = re.compile(r"\{\{\s*time\s*\}\}")
_OWN = re.compile(r"\{\{\s*(?:time|GONOGO_RUN)\s*\}\}|\$\{GONOGO_RUN\}")


def with_time(said: str, stamp: str) -> str:
    """Return the path with the moment filled in."""
    return _TIME.sub(stamp, said)


def pattern(said: str) -> str:
    """Return what backups of one series have in common: names and moments left open."""
    return _NAMES.sub("*", said).strip().rstrip("/")


def without_own(said: str) -> str:
    """Return the path without the names that need no binding."""
    return _OWN.sub("", said)
