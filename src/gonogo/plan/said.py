"""Declares what a runbook may say in a block: a field with its meaning for `gonogo kinds`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TypeVar

_T = TypeVar("_T")


def says(help: str, *, default: _T | str = "", unit: str = "") -> _T:  # noqa: A002 - its name in the docs
    """Return a dataclass field with its meaning; `unit` is said where the type does not tell."""
    return field(default=default, metadata={"help": help, "unit": unit})  # type: ignore[return-value]


def pairs(written: dict[str, str] | tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Return names with their texts: a map as it is, or lines of `Name: text`."""
    if isinstance(written, dict):
        yield from written.items()
        return
    for line in written:
        name, _, text = line.partition(":")
        yield name.strip(), text.strip()
