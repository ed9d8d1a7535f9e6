"""In whose name something is said or started, and until when it counts."""

from __future__ import annotations

import argparse
import getpass
import os
from datetime import UTC

from gonogo.clock import SystemClock, moment
from gonogo.errors import UsageError
from gonogo.plan.model import Plan

_DATE = len("2026-01-31")


def add_by(parser: argparse.ArgumentParser, words: str) -> None:
    """Add the option that names the person."""
    parser.add_argument("--by", metavar="NAME", default="", help=f"{words} (default: your login)")


def add_start(parser: argparse.ArgumentParser, *, env: str, by: str) -> None:
    """Add what is said when a runbook is carried out: for what, by whom, with which answers."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument("--env", metavar="NAME", help=env)
    parser.add_argument("--release", metavar="V", help="what is released; bound to ${RELEASE}")
    parser.add_argument("--yes", action="store_true", help="start without asking")
    add_by(parser, by)
    parser.add_argument("--answers", metavar="FILE", help="YAML: step -> answer, given beforehand")


def check_environment(plan: Plan, name: str | None) -> None:
    """Refuse an environment that the runbook does not have.

    Raises:
        UsageError: the hint names those that it has.
    """
    if name is not None and name not in plan.environments:
        known = ", ".join(plan.environments) or "none is written"
        raise UsageError(f"there is no environment `{name}`", hint=f"known: {known}")


def who_of(options: argparse.Namespace) -> str:
    """Return the person that the options name, else the login, else the number of the user."""
    given = str(options.by).strip()
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that nobody named
        return f"uid {os.getuid()}"


def read_expiry(text: str) -> str:
    """Return a date or a time as it was given, after making sure that it can be kept to.

    A bare date lasts to its end in UTC.

    Raises:
        UsageError: it is no ISO 8601 date or time, or it has passed.
    """
    if not text:
        return ""
    example = "expected an ISO date or time, as in `2026-12-31` or `2026-12-31T18:00Z`"
    try:
        end = moment(text.strip())
        if len(text.strip()) <= _DATE:
            end = end.replace(hour=23, minute=59, second=59, microsecond=999_999)
        end = (end if end.tzinfo else end.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may lie in the year 10000
        raise UsageError(f"`{text}` is no date; {example}", hint="write year-month-day") from None
    if end <= SystemClock().now():
        raise UsageError(
            f"`{text}` has passed: what expires then would never count",
            hint="give a date that is still to come",
        )
    return text.strip()
