"""One look at the world: carry out a block and judge what it saw, never raising."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gonogo.errors import WorkError
from gonogo.judge.evaluate import Truth, evaluate_observation
from gonogo.judge.verdict import Status, worst
from gonogo.plan.kinds import Context, Effect, Observation
from gonogo.plan.model import Block, Expectation
from gonogo.plan.units import Quantity

_TEXT_LIMIT = 4_000
_STATUS = {Truth.PASS: Status.PASS, Truth.FAIL: Status.FAIL, Truth.UNKNOWN: Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look gave, judged; everything in it is redacted and JSON."""

    status: Status
    actual: str
    why: str
    text: str
    indicators: Mapping[str, object]
    sentences: tuple[str, ...]


def look(block: Block, expect: tuple[Expectation, ...], context: Context) -> Seen:
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
    return judged(observation, expect, context)


def judged(observation: Observation, expect: tuple[Expectation, ...], context: Context) -> Seen:
    """Judge an observation: every expectation must hold; none at all proves only an action."""
    results = [
        evaluate_observation(item.condition, observation.indicators, observation.rows)
        for item in expect
    ]
    sentences = tuple(context.redact(result.sentence) for result in results)
    statuses = [_STATUS[result.truth] for result in results]
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
        shortened(context.redact(observation.text)),
        {name: context.redact.value(as_json(v)) for name, v in observation.indicators.items()},
        sentences,
    )


def shortened(text: str) -> str:
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
