"""What a timeline expects: which rules fire when, the verdict, and when going back is over."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from gonogo.judge.green import Outcome
from gonogo.judge.moves import clock_time
from gonogo.judge.nodes import Nodes
from gonogo.judge.streaks import State
from gonogo.judge.verdict import Verdict
from gonogo.plan.units import Dimension, parse_quantity
from gonogo.source import Span

_EXPECT = ("at", "rule", "state", "firing", "fired", "verdict", "recovered")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DAY_MS = 86_400_000
_RECOVERED = "write `14:30`, a time from the start such as `30m`, `never`, or `asked`"


@dataclass(frozen=True, slots=True)
class Frame:
    """The slices of a timeline: where they begin, and how wide they are."""

    start_ms: int
    width_ms: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true when the slices up to a moment are closed; the end when none is said."""

    span: Span
    at_ms: int | None = None  # from the start of the timeline
    rule: str | None = None
    state: State | None = None
    firing: tuple[str, ...] | None = None  # exactly these fire
    fired: tuple[str, ...] | None = None  # exactly these have fired by then
    verdict: Verdict | None = None
    recovered: int | Outcome | None = None  # from the start; or what it comes to without an end


def read_expectations(reader: Nodes, node: yaml.Node, frame: Frame) -> tuple[Expectation, ...]:
    """Read the list under `expect`; each mistake is noted with its place."""
    return tuple(_expectation(reader, item, frame) for item in reader.items(node, "`expect`"))


def _expectation(reader: Nodes, item: yaml.Node, frame: Frame) -> Expectation:
    parts = {key: value for key, _, value in reader.pairs(item, "an expectation", _EXPECT)}
    if ("rule" in parts) != ("state" in parts):
        reader.wrong(item, "`rule` and `state` go together")
    if not {"state", "firing", "fired", "verdict", "recovered"} & set(parts):
        reader.wrong(
            item,
            "nothing is expected here",
            "say `state`, `firing`, `fired`, `verdict` or `recovered`",
        )
    if {"at", "recovered"} <= set(parts):
        reader.wrong(
            parts["at"],
            "`at` and `recovered` do not go together",
            "`recovered` says when; write what must be true at another time as one more item",
        )
    state, verdict, recovered = (parts.get(key) for key in ("state", "verdict", "recovered"))
    return Expectation(
        reader.span(item),
        reader.duration_ms(parts["at"], "`at`") if "at" in parts else None,
        reader.text(parts["rule"], "`rule`") if "rule" in parts else None,
        None if state is None else reader.word(state, "state", State),
        _names(reader, parts, "firing"),
        _names(reader, parts, "fired"),
        None if verdict is None else reader.word(verdict, "verdict", Verdict),
        None if recovered is None else _recovered(reader, recovered, frame),
    )


def _names(reader: Nodes, parts: dict[str, yaml.Node], key: str) -> tuple[str, ...] | None:
    if key not in parts:
        return None
    said = [reader.text(node, "a rule") for node in reader.items(parts[key], f"`{key}`")]
    return tuple(name for name in said if name is not None)


def _recovered(reader: Nodes, node: yaml.Node, frame: Frame) -> int | Outcome | None:
    """Read when going back is over: a clock time as it is shown, or a time from the start."""
    said = (reader.text(node, "`recovered`") or "").strip().lower()
    if said in (Outcome.NEVER, Outcome.ASKED):
        return Outcome(said)
    clock = _CLOCK.fullmatch(said)
    quantity = parse_quantity(said)
    if clock is not None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        ms = (hours * 3600 + minutes * 60 + seconds) * 1000
        after_ms = (ms - frame.start_ms) % _DAY_MS
    elif quantity is not None and quantity.dimension is Dimension.TIME and quantity.number >= 0:
        after_ms = min(int(quantity.si * 1000), 10**13)
    else:
        if said:
            reader.wrong(node, f"`{said}` is no moment at which a service can be well", _RECOVERED)
        return None
    if after_ms % frame.width_ms:
        ends = [frame.start_ms + after_ms // frame.width_ms * frame.width_ms]
        ends.append(ends[0] + frame.width_ms)
        near = " or ".join(f"`{clock_time(end, frame.width_ms, end)}`" for end in ends)
        reader.wrong(node, f"`{said}` is not the end of a bucket", f"{near}")
        return None
    return after_ms
