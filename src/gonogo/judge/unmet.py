"""What of the expectations of a timeline did not come true, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gonogo.judge.expected import Expectation
from gonogo.judge.green import Outcome, Recovered
from gonogo.judge.moves import Move, clock_time
from gonogo.judge.relay import Relay
from gonogo.judge.streaks import State


def unmet(
    expected: Expectation,
    relay: Relay,
    names: Sequence[str],
    start_ms: int,
    recovered: Recovered | None = None,
) -> Iterator[str]:
    """Yield what differs from where the rules of a timeline stand now.

    `names` has all rules in their written order, `recovered` what followed a trigger.
    """
    if expected.rule is not None and expected.state is not None:
        state = _state(relay, expected.rule)
        if state is not expected.state:
            last = _last(relay, expected.rule)
            why = f": {last.reason}" if last else ""
            yield f"`{expected.rule}` is {state.value}, expected {expected.state.value}{why}"
    if expected.firing is not None:
        firing = [name for name in names if _state(relay, name) is State.FIRING]
        yield from _sets("firing", firing, expected.firing, relay)
    if expected.fired is not None:
        ever = {move.rule for move in relay.moves if move.after is State.FIRING}
        fired = [name for name in names if name in ever]
        yield from _sets("among those that fired", fired, expected.fired, relay)
    if expected.verdict is not None:
        actual = relay.verdict()
        if actual is not expected.verdict:
            yield f"the verdict is {actual.value}, expected {expected.verdict.value}"
    if expected.recovered is not None:
        yield from _recovery(expected.recovered, relay, start_ms, recovered)


def _last(relay: Relay, rule: str) -> Move | None:
    return next((move for move in reversed(relay.moves) if move.rule == rule), None)


def _state(relay: Relay, rule: str) -> State:
    last = _last(relay, rule)
    return State.INACTIVE if last is None else last.after


def _clock(relay: Relay, at_ms: int) -> str:
    return clock_time(at_ms, relay.track.terms.width_ms, at_ms)


def _sets(word: str, actual: Sequence[str], expected: Sequence[str], relay: Relay) -> Iterator[str]:
    for name in expected:
        if name not in actual:
            yield f"`{name}` is not {word} as expected"
    for name in actual:
        if name not in expected:
            fired = (m for m in relay.moves if m.rule == name and m.after is State.FIRING)
            move = list(fired)[-1]
            when = _clock(relay, move.closed_ms)
            yield f"`{name}` fired at {when}, not expected to be {word}: {move.reason}"


def _recovery(
    expected: int | Outcome, relay: Relay, start_ms: int, recovered: Recovered | None
) -> Iterator[str]:
    """Yield how the end of going back differs from the one that is expected."""
    if isinstance(expected, Outcome):
        wanted = f"expected `{expected.value}`"
    else:
        wanted = f"expected at {_clock(relay, start_ms + expected)}"
    if relay.trigger is None:
        yield f"no trigger fired while a watch was on, so nothing is rolled back; {wanted}"
    elif recovered is None:
        yield f"the runbook has no way back; {wanted}"
    elif not _is_met(expected, start_ms, recovered):
        yield f"{say_end(relay, recovered)}; {wanted}"


def _is_met(expected: int | Outcome, start_ms: int, recovered: Recovered) -> bool:
    if isinstance(expected, Outcome):
        return recovered.outcome is expected
    return recovered.outcome is Outcome.GREEN and recovered.at_ms == start_ms + expected


def say_end(relay: Relay, recovered: Recovered) -> str:
    """Return what going back came to in words, with the last bucket."""
    at = _clock(relay, recovered.at_ms)
    said = recovered.seen[-1].says if recovered.seen else "no whole bucket was seen"
    match recovered.outcome:
        case Outcome.GREEN:
            return f"recovered at {at}"
        case Outcome.NEVER:
            return f"not recovered, bad to the end at {at}: {said}"
        case Outcome.ASKED:
            return f"not known at {at}, a person is asked: {said}"
