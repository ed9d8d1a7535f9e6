"""`gonogo kinds [KIND]`: every check, action and directive with its fields and an example."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, cast

from gonogo.cli import screen
from gonogo.errors import UsageError
from gonogo.plan.kinds import Work
from gonogo.report.words import duration, wrap

_NAME = 18
Data = Mapping[str, Any]  # JSON values


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("kind", nargs="?", help="one kind or directive, in full")
    parser.add_argument("--json", action="store_true", help="as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Print what a runbook may say."""
    known = _known()
    if options.kind is not None:
        found = _found(options.kind, known)
        if options.json:
            screen.say_json(found)
        else:
            screen.say("\n".join(_one(found, screen.width())))
    elif options.json:
        kinds = {name: data for name, data in known.items() if "fields" in data}
        said = {name: data for name, data in known.items() if "fields" not in data}
        screen.say_json({"kinds": kinds, "directives": said})
    else:
        screen.say("\n".join(_all(known, screen.width())))
    return 0


def _known() -> dict[str, Data]:
    """Return all kinds and directives by the name that a runbook uses."""
    from gonogo import catalog
    from gonogo.runbook.directives import DIRECTIVES

    kinds = catalog.load()
    known: dict[str, Data] = {}
    for name in kinds.names():
        kind = kinds.kind(name)
        if kind is not None:
            known[name] = _described(name, kind)
    for directive, (meaning, example) in DIRECTIVES.items():
        word = directive.value
        known[word] = {"name": word, "meaning": meaning, "example": example}
    return known


def _described(name: str, kind: type[Work]) -> Data:
    from gonogo.runbook.fields import field_of, written_names

    declared = {field.name: field for field in dataclasses.fields(cast(Any, kind))}
    fields = {}
    for written in written_names(kind):
        field = declared[field_of(kind, written) or written]
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        fields[written] = {
            "meaning": field.metadata.get("help", ""),
            "required": required,
            "default": None if required else _default(field),
        }
    return {
        "name": name,
        "meaning": (inspect.getdoc(kind) or "").splitlines()[0],
        "languages": list(kind.languages),
        "fields": fields,
        "indicators": dict(kind.indicators),
        "example": kind.example,
    }


def _default(field: dataclasses.Field[Any]) -> str | None:
    """Return a default as an author would write it; None where nothing is set."""
    value = field.default if field.default is not dataclasses.MISSING else None
    if value is None or value == () or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, int | float) and (
        field.name.endswith("_s") or field.metadata.get("unit") == "s"
    ):
        return duration(float(value))
    return str(value)


def _found(name: str, known: Mapping[str, Data]) -> Data:
    low = name.casefold().strip().rstrip(":").replace("_", " ").replace("-", " ")
    for word, data in known.items():
        others = [str(language) for language in data.get("languages", ())]
        if low in [w.casefold().replace("-", " ") for w in (word, *others)]:
            return data
    from gonogo.cli.arguments import nearest

    close = nearest(low, {word.casefold(): word for word in known})
    hint = f"did you mean `{close}`?" if close else f"known: {', '.join(known)}"
    raise UsageError(f"`{name}` is no kind and no directive", hint=hint)


def _typed(name: str) -> str:
    """Return how a block begins: a name with a verb is the kind for that verb only."""
    verb, _, noun = name.rpartition(" ")
    return f"{verb or 'check'}: {noun}"


def _all(known: Mapping[str, Data], width: int) -> Iterator[str]:
    yield "kinds: a fence in one of these languages, or `check: NAME` in a YAML fence"
    for name, data in known.items():
        if "fields" in data:
            yield from _row(name, data["meaning"], width, indent=10)
            fences = ", ".join(data["languages"]) or f"yaml with `{_typed(name)}`"
            yield " " * 10 + fences
    yield ""
    yield "directives: list items under a step, or options at the top of its block"
    for name, data in known.items():
        if "fields" not in data:
            yield from _row(name, data["meaning"], width)
    yield ""
    yield "`gonogo kinds NAME` shows fields, indicators and an example"


def _one(data: Data, width: int) -> Iterator[str]:
    yield from wrap(f"{data['name']}: {data['meaning']}", width)
    if data.get("languages"):
        yield from _row("languages", ", ".join(data["languages"]), width, indent=2 + _NAME)
    for heading in ("fields", "indicators"):
        entries = data.get(heading)
        if not entries:
            continue
        yield ""
        yield f"{heading}:"
        for name, value in entries.items():
            yield from _row(name, value if isinstance(value, str) else _field(value), width)
    yield ""
    yield "example:"
    yield from (f"  {line}".rstrip() for line in str(data["example"]).splitlines())


def _field(value: Data) -> str:
    if value["required"]:
        return f"{value['meaning']} (must be given)"
    return (
        f"{value['meaning']} (default: {value['default']})"
        if value["default"]
        else value["meaning"]
    )


def _row(name: str, text: str, width: int, *, indent: int = 2 + _NAME) -> Iterator[str]:
    """Yield a name and its meaning in a column of its own; a long name stands above it."""
    is_long = len(name) > indent - 3
    if is_long:
        yield f"  {name}"
    for place, line in enumerate(wrap(text, width - indent, most=8)):
        head = f"  {name:<{indent - 3}} " if place == 0 and not is_long else " " * indent
        yield head + line
