"""From what an author wrote to the fields of a kind: text and YAML values become typed values."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path

from gonogo.plan.kinds import Work
from gonogo.plan.units import Quantity, parse_quantity
from gonogo.runbook import durations
from gonogo.runbook.yaml_nodes import Plain, say

_BODIES = ("body", "text", "script", "query", "request", "source", "code", "sql", "commands")
_COMPARES = re.compile(r"[<>=≤≥]")


class MismatchError(Exception):
    """A value does not fit its field; the text says what was expected."""


def body_field(kind: type[Work]) -> str | None:
    """Return the field that takes the text of the block, or None for a kind without one."""
    fields = _fields(kind)
    for field in fields:
        if field.metadata.get("body"):
            return field.name
    names = {field.name for field in fields}
    return next((name for name in _BODIES if name in names), None)


def _fields(kind: type[Work]) -> tuple[dataclasses.Field[object], ...]:
    return dataclasses.fields(typing.cast(typing.Any, kind))


def written_names(kind: type[Work]) -> tuple[str, ...]:
    """Return what an author may set in a block of this kind, as it is written."""
    body = body_field(kind)
    return tuple(_shown(f.name) for f in _fields(kind) if f.name != body and f.init)


def _shown(name: str) -> str:
    plain = name.rstrip("_")
    return (plain.removesuffix("_s")).replace("_", " ")


def field_of(kind: type[Work], key: str) -> str | None:
    """Return the field that a key of the author means."""
    wanted = " ".join(key.replace("_", " ").replace("-", " ").casefold().split())
    body = body_field(kind)
    for field in _fields(kind):
        if field.name != body and field.init and _shown(field.name).casefold() == wanted:
            return field.name
    return None


def known_elsewhere(kind: type[Work], key: str) -> str:
    """Return what to write for an option that another tool has; empty when none is known."""
    said: Mapping[str, str] = getattr(kind, "elsewhere", {})
    return said.get(" ".join(key.replace("_", " ").replace("-", " ").casefold().split()), "")


def missing(kind: type[Work], given: Mapping[str, object]) -> tuple[str, ...]:
    """Return the fields without a default that were not given, as an author writes them."""
    return tuple(
        _shown(f.name)
        for f in _fields(kind)
        if f.init
        and f.name not in given
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    )


def convert(kind: type[Work], field: str, value: Plain) -> object:
    """Return the value for a field of a kind.

    Raises `MismatchError`, whose text says what was expected.
    """
    wanted = typing.get_type_hints(kind)[field]
    if _is_duration(kind, field) and _takes_number(wanted):
        return _duration(value)
    return _to(wanted, value)


def _is_duration(kind: type[Work], name: str) -> bool:
    """Tell whether a field holds seconds: by its name, or by the unit that its kind declares."""
    return name.endswith("_s") or any(
        field.name == name and field.metadata.get("unit") == "s" for field in _fields(kind)
    )


def _takes_number(wanted: object) -> bool:
    options = typing.get_args(wanted) or (wanted,)
    return float in options or int in options


def _duration(value: Plain) -> float:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return float(value)
    found = durations.seconds(say(value))
    if found is None:
        raise MismatchError("a duration such as `30s` or `5m`")
    return found


def _to(wanted: object, value: Plain) -> object:
    origin, args = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return _to_one_of(args, value)
    if origin is typing.Literal:
        return _to_choice({str(a): a for a in args}, value)
    if origin in (tuple, list, Sequence, frozenset):
        return _to_many(origin, args, value)
    if origin in (dict, Mapping):
        return _to_mapping(args, value)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _to_choice({str(m.value): m for m in wanted}, value)
    reader = _SCALARS.get(wanted) if isinstance(wanted, type) else None
    return value if reader is None else reader(value)


def _to_one_of(args: tuple[object, ...], value: Plain) -> object:
    if value is None and type(None) in args:
        return None
    problem = MismatchError("another value")
    for wanted in sorted((a for a in args if a is not type(None)), key=lambda a: a is str):
        try:
            return _to(wanted, value)
        except MismatchError as found:
            problem = found
    raise problem


def _to_choice(choices: Mapping[str, object], value: Plain) -> object:
    text = say(value).strip()
    for name, choice in choices.items():
        if name.casefold() == text.casefold():
            return choice
    raise MismatchError("one of " + ", ".join(f"`{name}`" for name in choices))


def _to_many(origin: object, args: tuple[object, ...], value: Plain) -> object:
    inner = args[0] if args else str
    if isinstance(value, str):
        items: list[Plain] = [part.strip() for part in value.split(",") if part.strip()]
    elif isinstance(value, list):
        items = value
    else:
        items = [value]
    found = [_to(inner, _one_line(item) if inner is str else item) for item in items]
    if origin is list:
        return found
    return frozenset(found) if origin is frozenset else tuple(found)


def _one_line(item: Plain) -> Plain:
    """Take the limit `- http_req_failed: rate<0.01` as what it looks like: YAML sees a mapping."""
    if not isinstance(item, dict) or len(item) != 1:
        return item
    ((name, value),) = item.items()
    return f"{name}: {value}" if isinstance(value, str) and _COMPARES.search(value) else item


def _to_mapping(args: tuple[object, ...], value: Plain) -> object:
    if not isinstance(value, dict):
        raise MismatchError("a list of `name: value`")
    inner = args[1] if len(args) > 1 else str
    return {key: _to(inner, item) for key, item in value.items()}


def _text(value: Plain) -> str:
    if isinstance(value, list | dict):
        raise MismatchError("one line of text")
    return say(value)


def _bool(value: Plain) -> bool:
    text = say(value).casefold()
    if text in {"true", "yes", "on", ""}:
        return True
    if text in {"false", "no", "off"}:
        return False
    raise MismatchError("`true` or `false`")


def _int(value: Plain) -> int:
    text = say(value).replace("_", "").strip()
    digits = text[1:] if text[:1] in "+-" else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise MismatchError("a whole number")
    return int(text)


def _decimal(value: Plain) -> Decimal:
    found = parse_quantity(say(value))
    if found is None or found.unit:
        raise MismatchError("a number")
    return found.number


def _float(value: Plain) -> float:
    return float(_decimal(value))


def _quantity(value: Plain) -> Quantity:
    found = parse_quantity(say(value))
    if found is None:
        raise MismatchError("a number with its unit")
    return found


def _path(value: Plain) -> Path:
    return Path(_text(value))


_SCALARS: dict[type, typing.Callable[[Plain], object]] = {
    str: _text,
    bool: _bool,
    int: _int,
    float: _float,
    Decimal: _decimal,
    Quantity: _quantity,
    Path: _path,
}
