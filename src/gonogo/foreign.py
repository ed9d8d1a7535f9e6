"""Reads what others have written, JSON and addresses: values to work with, or a plain refusal."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import urlsplit

_Container: TypeAlias = "list[Any] | dict[str, Any]"

DEEPEST = 100  # levels; whoever judges, masks and keeps values goes down all of them
_LONGEST = 4_300  # digits of a number, as Python limits whole numbers
_FAR = 200_000  # places before or behind the point, more than PostgreSQL's `numeric` can have


def json_in(text: str | bytes) -> Any:
    """Return JSON as values; numbers with a point or an exponent are exact decimals.

    Raises:
        ValueError: it is no JSON, or is nested deeper or has longer numbers than any that is meant.
    """
    try:
        found = json.loads(text, parse_float=_exact)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    _refuse_deep(found)
    return found


def address_in(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL; a text that is none is all host, its port is 0."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        port = parts.port or (443 if scheme in {"https", "wss"} else 80)
    except ValueError:
        return url.partition("://")[0].lower(), url, 0
    return scheme, parts.hostname or url, port


def _exact(text: str) -> Decimal:
    if len(text) > _LONGEST:
        raise ValueError(f"the JSON has a number of {len(text)} digits")
    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent that not even a decimal can have
        raise ValueError("the JSON has a number with an exponent beyond all bounds") from None
    if number and abs(number.adjusted()) > _FAR:
        raise ValueError("the JSON has a number with an exponent beyond all bounds")
    return number


def _refuse_deep(found: object) -> None:
    level = _containers([found])
    for _ in range(DEEPEST + 1):
        if not level:
            return
        level = [
            one
            for each in level
            for one in _containers(each.values() if isinstance(each, dict) else each)
        ]
    raise ValueError("the JSON is nested too deeply")


def _containers(values: Iterable[object]) -> list[_Container]:
    return [one for one in values if isinstance(one, list | dict)]
