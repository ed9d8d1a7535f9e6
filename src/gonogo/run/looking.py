"""One look at the world: carry out a block and judge what it saw, never raising."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from gonogo.errors import WorkError
from gonogo.judge.evaluate import Show, Truth, evaluate_observation
from gonogo.judge.lookup import Datum, Missing, find, is_empty
from gonogo.judge.verdict import Status, worst
from gonogo.plan.kinds import Context, Effect, Observation
from gonogo.plan.model import Block, Expectation, Kept, Step
from gonogo.plan.units import Quantity
from gonogo.run.scene import Scene

_TEXT_LIMIT = 4_000
_STATUS = {Truth.PASS: Status.PASS, Truth.FAIL: Status.FAIL, Truth.UNKNOWN: Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier steps of the run kept, by name, and what this one is to keep."""

    recorded: Mapping[str, Datum] = field(default_factory=dict)
    keep: Sequence[Kept] = ()
    names: Sequence[str] = ()  # indicators or columns to keep under their own names


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look gave, judged; everything in it is redacted and JSON."""

    status: Status
    actual: str
    why: str
    text: str
    indicators: Mapping[str, object]
    sentences: tuple[str, ...]
    kept: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # why something was not kept


def remembered(scene: Scene, step: Step) -> Memory:
    """Return what the run knows when a step looks: all that its earlier steps have recorded.

    A name that is kept twice means the later one, in the order of the plan.
    """
    recorded: dict[str, Datum] = {}
    for other in scene.plan.every_step():
        names = [*other.records, *(kept.name for kept in other.keeps)]
        found = scene.last("step.finished", other.id) if names else None
        indicators = found.body.get("indicators") if found is not None else None
        if not isinstance(indicators, Mapping):
            continue
        by_name = {str(key).lower(): value for key, value in indicators.items()}
        recorded |= {n.lower(): by_name[n.lower()] for n in names if n.lower() in by_name}
    return Memory(recorded, step.keeps, step.records)


def look(
    block: Block,
    expect: tuple[Expectation, ...],
    context: Context,
    memory: Memory | None = None,
) -> Seen:
    """Carry out `block` and judge it; what goes wrong is a status, never an exception."""
    try:
        observation = block.work.perform(context)
    except WorkError as error:
        status = Status.FAIL if error.failed else Status.ERROR
        why = context.redact(error.message)
        return Seen(status, why, why, context.redact(error.hint), {}, ())
    except Exception as error:  # noqa: BLE001 - a bug in a kind is a finding, never a stopped run
        why = context.redact(f"bug in kind `{block.kind}`: {type(error).__name__}: {error}")
        return Seen(Status.ERROR, why, why, "", {}, ())
    try:
        return judged(observation, expect, context, memory or Memory())
    except Exception as error:  # noqa: BLE001 - what was seen may be of a form that nobody thought of
        why = context.redact(f"bug in judging `{block.kind}`: {type(error).__name__}: {error}")
        return Seen(Status.ERROR, why, why, "", {}, ())


def judged(
    observation: Observation, expect: tuple[Expectation, ...], context: Context, memory: Memory
) -> Seen:
    """Judge an observation: every expectation must hold; none at all proves only an action."""
    show = _shown_by(context)
    results = [
        evaluate_observation(
            item.condition,
            observation.indicators,
            observation.rows,
            recorded=memory.recorded,
            show=show,
        )
        for item in expect
    ]
    kept, notes = _kept(observation, memory.keep, context)
    kept = _plain(observation, memory.names, context) | kept
    statuses = [_STATUS[result.truth] for result in results]
    said = _beside([result.sentence for result in results], statuses, observation.said)
    sentences = tuple(context.redact(sentence) for sentence in said)
    if not statuses:
        statuses = [Status.PASS if context.effect is Effect.ACTION else Status.UNKNOWN]
        sentences = ("done",) if context.effect is Effect.ACTION else ("nothing was expected",)
    status = worst(statuses)
    why = "; ".join(
        sentence
        for found, sentence in zip(statuses, sentences, strict=True)
        if found is not Status.PASS
    )
    return Seen(
        status,
        "; ".join(sentences),
        why,
        without_middle(context.redact(observation.text)),
        {name: context.redact.value(as_json(v)) for name, v in observation.indicators.items()},
        sentences,
        kept,
        notes,
    )


def _shown_by(context: Context) -> Show:
    """Return how values are shown in sentences; a long output is redacted once for all of them."""
    known: dict[tuple[str, int], Datum] = {}  # what is observed lives longer than this

    def show(name: str, datum: Datum) -> Datum:
        key = (name, id(datum))
        if key not in known:
            known[key] = cast("Datum", context.redact.named(name, datum))
        return known[key]

    return show


def _beside(sentences: list[str], statuses: Sequence[Status], said: str) -> list[str]:
    """Return the sentences, the last words of a command behind the first that does not hold."""
    at = next((n for n, status in enumerate(statuses) if status is not Status.PASS), None)
    if at is not None and said and said not in sentences[at]:
        sentences[at] = f"{sentences[at]}: {said}"
    return sentences


def _plain(observation: Observation, names: Sequence[str], context: Context) -> dict[str, object]:
    """Return the values that are kept under their own names, for the evidence above all."""
    rows = observation.rows or ()
    seen = {**(rows[0] if len(rows) == 1 else {}), **observation.indicators}
    wanted = {name.lower() for name in names}
    return {k: context.redact.value(as_json(v)) for k, v in seen.items() if k.lower() in wanted}


def _kept(
    observation: Observation, keep: Sequence[Kept], context: Context
) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the values to keep by name, and why one was not: nothing is kept by halves."""
    found: dict[str, object] = {}
    notes = []
    for one in keep:
        datum = find(observation.indicators, one.indicator)
        rows = observation.rows or ()
        if isinstance(datum, Missing) and len(rows) == 1:
            datum = find(rows[0], one.indicator)
        value = None if isinstance(datum, Missing) else as_json(datum)
        why = _unfit(datum, value, len(rows))
        if not why and context.redact.named(one.name, value) != value:
            why = "it holds a secret"
        if why:
            notes.append(f"not recorded as `{one.name}`: {why}")
        else:
            found[one.name] = value.strip() if isinstance(value, str) else value
    return found, tuple(notes)


def _unfit(datum: Datum | Missing, value: object, rows: int) -> str:
    """Return why a value cannot be compared with later; empty when it can."""
    if isinstance(datum, Missing):
        return f"{rows} rows, expected one" if rows > 1 else datum.why
    if is_empty(datum):
        return "it is empty"
    if isinstance(value, str) and len(value) > _TEXT_LIMIT:
        return f"{len(value)} characters, at most {_TEXT_LIMIT}: keep a checksum"
    return ""


def without_middle(text: str) -> str:
    """Return `text` with its middle left out when it is long; head and tail are kept."""
    if len(text) <= _TEXT_LIMIT:
        return text
    half = _TEXT_LIMIT // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def as_json(value: object) -> object:
    """Return an indicator's value as JSON; exact numbers stay text when JSON would cut them."""
    if isinstance(value, Quantity):
        return f"{value.number} {value.unit}".strip()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | str) else str(value)
