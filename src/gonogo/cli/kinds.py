"""`gonogo kinds [KIND]`: every check, action and directive with its fields and an example."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Iterable
from typing import Any

from gonogo.cli import screen
from gonogo.errors import UsageError
from gonogo.plan.kinds import Work


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("kind", nargs="?", help="one kind or directive, in full")
    parser.add_argument("--json", action="store_true", help="as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Print what a runbook may say."""
    from gonogo import catalog
    from gonogo.runbook.directives import DIRECTIVES

    kinds = catalog.load()
    known = {name: kinds.kind(name) for name in kinds.names()}
    described = {name: _described(kind) for name, kind in known.items() if kind is not None}
    said = {
        name.value: {"meaning": meaning, "example": example}
        for name, (meaning, example) in DIRECTIVES.items()
    }
    if options.kind is not None:
        return _one(options.kind, described, said, as_json=options.json)
    if options.json:
        screen.say_json({"kinds": described, "directives": said})
        return 0
    screen.say("kinds (a fence in this language, or `check: NAME` in a YAML fence)")
    for name, data in described.items():
        fences = ", ".join(str(word) for word in _list(data["languages"])) or "check: " + name
        screen.say(f"  {name:<8} {data['meaning']}  [{fences}]")
    screen.say("\ndirectives (list items under a step)")
    for name, words in said.items():
        screen.say(f"  {name:<16} {words['meaning']}")
    screen.say("\n`gonogo kinds NAME` shows fields, indicators and an example")
    return 0


def _described(kind: type[Work]) -> dict[str, object]:
    declared: Any = kind  # a kind is a dataclass, which its protocol cannot say
    fields = {
        field.name: {
            "type": str(field.type),
            "meaning": field.metadata.get("help", ""),
            "default": None
            if field.default is dataclasses.MISSING
            else str(field.default)
            if field.default is not None
            else None,
        }
        for field in dataclasses.fields(declared)
        if field.name != "body"
    }
    return {
        "meaning": (inspect.getdoc(kind) or "").splitlines()[0],
        "languages": list(kind.languages),
        "fields": fields,
        "indicators": dict(kind.indicators),
        "example": kind.example,
    }


def _one(
    name: str,
    kinds: dict[str, dict[str, object]],
    directives: dict[str, dict[str, str]],
    *,
    as_json: bool,
) -> int:
    low = name.lower().rstrip(":")
    directive = next((d for d in directives if d.lower() == low), None)
    if low not in kinds and directive is None:
        known = ", ".join([*kinds, *directives])
        raise UsageError(f"`{name}` is no kind and no directive", hint=f"known: {known}")
    data: dict[str, object] = kinds[low] if low in kinds else dict(directives[directive or ""])
    if as_json:
        screen.say_json({"name": name, **data})
        return 0
    screen.say(f"{name}: {data['meaning']}")
    for heading in ("fields", "indicators"):
        entries = data.get(heading)
        if isinstance(entries, dict) and entries:
            screen.say(f"\n{heading}")
            for key, value in entries.items():
                meaning = value["meaning"] if isinstance(value, dict) else value
                default = value.get("default") if isinstance(value, dict) else None
                more = f" (default {default})" if default not in (None, "") else ""
                screen.say(f"  {key:<18} {meaning}{more}")
    screen.say(f"\nexample\n{_indented(str(data['example']).splitlines())}")
    return 0


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
