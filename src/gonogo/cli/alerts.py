"""What a run's alerts want of people: acknowledgements that are awaited, and planned windows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from gonogo.cli.home import Home, home_words, is_open
from gonogo.clock import moment
from gonogo.judge.alert import Alert, open_in, waiting_in
from gonogo.plan.notices import moment as of_ms
from gonogo.run.alerting import DECIDED, ack_of
from gonogo.run.journal import Event, Journal
from gonogo.run.silences import Window, windows

PREFIX = "alert/"
FORM = "acknowledge"


def waiting(journal: Journal, run: str) -> tuple[Event, ...]:
    """Return the alerts that wait for somebody's acknowledgement, each in the form of a question.

    They are no questions of the run: nothing waits for them.
    """
    events = journal.events(run)
    decided = _decided(events)
    if decided is None or not is_open(events):
        return ()
    found = waiting_in(_state(decided))
    return tuple(
        _question(decided, alert) for alert in found if journal.answer(run, alert.ack) is None
    )


def _decided(events: Sequence[Event]) -> Event | None:
    return next((event for event in reversed(events) if event.kind == DECIDED), None)


def _state(decided: Event) -> Mapping[str, object]:
    state = decided.body.get("state")
    return state if isinstance(state, Mapping) else {}


def _question(decided: Event, alert: Alert) -> Event:
    body = {**ack_of(alert), "severity": alert.severity.value, "since": of_ms(alert.since_ms)}
    return Event(
        decided.seq, decided.run, 1, decided.at, "gonogo", "question.asked", alert.ack, 0, body, ""
    )


def why_not(journal: Journal, run: str, wanted: str) -> tuple[str, str] | None:
    """Return why an alert that somebody names cannot be acknowledged, and what to do; or None."""
    low = wanted.strip().casefold()
    if not low.startswith(PREFIX):
        return None
    name = low.removeprefix(PREFIX).partition("?")[0]
    events = journal.events(run)
    decided = _decided(events)
    alerts = open_in(_state(decided)) if decided is not None else ()
    known = next((alert for alert in alerts if alert.id.casefold() == name), None)
    if known is not None and is_open(events):
        return _of_open(journal, run, known)
    last = next((one for one in _decisions(events) if str(one["alert"]).casefold() == name), None)
    if last is None:
        rules = ", ".join(f"`{PREFIX}{alert.id}`" for alert in alerts) or "none is open"
        return f"run {run} has no alert `{wanted}`", f"open alerts: {rules}"
    return f"the alert `{PREFIX}{name}` is over", "nothing is left to acknowledge"


def _of_open(journal: Journal, run: str, alert: Alert) -> tuple[str, str] | None:
    given = journal.answer(run, alert.ack)
    who = alert.acknowledged or (given.who if given is not None else "")
    name = f"`{PREFIX}{alert.id}`"
    if who:
        return f"the alert {name} was acknowledged by {who}", "it is quiet until it becomes worse"
    if not alert.repeats:
        said = f"the alert {name} (`{alert.severity.value}`) wants no acknowledgement"
        return said, "it is told once, and once more when it is over"
    if not alert.told:
        return f"nobody was told of the alert {name} so far", "`gonogo status` shows why"
    return f"the alert {name} has become worse since", f"acknowledge `{alert.ack}`"


def _decisions(events: Sequence[Event]) -> Iterator[Mapping[str, object]]:
    for event in reversed(events):
        listed = event.body.get("decisions") if event.kind == DECIDED else None
        yield from (one for one in reversed(listed) if one) if isinstance(listed, list) else ()


def how_to_acknowledge(home: Home, run: str, asked: Sequence[Event], width: int) -> Iterator[str]:
    """Yield the alerts that wait for an acknowledgement, each with the command to type."""
    from gonogo.report.words import cut

    if not asked:
        return
    number = "an alert waits" if len(asked) == 1 else f"{len(asked)} alerts wait"
    yield f"{number} for an acknowledgement:"
    for event in asked:
        yield cut(f"  {event.body['severity']}: {event.body['question']}", width)
        yield cut(f"    since {event.body['since']}, {event.body['detail']}", width)
        yield f"    gonogo answer {shlex.quote(event.item)} seen --run {run}{home_words(home)}"


def open_windows(journal: Journal, run: str, at_ms: int) -> tuple[Window, ...]:
    """Return the planned windows of a run that silence something now, or will."""
    return tuple(one for one in windows(journal, run) if one.is_open(at_ms))


def window_lines(home: Home, run: str, found: Sequence[Window], width: int) -> Iterator[str]:
    """Yield each planned window that is in force, and how to end it."""
    from gonogo.report.words import cut

    for one in found:
        yield cut(f"silenced {say_window(one)}", width)
        yield f"    gonogo silence {run} --end{home_words(home)}"


def say_window(one: Window) -> str:
    """Return a planned window in one sentence."""
    silence = one.silence
    only = f", only {silence.only}" if silence.only else ""
    pending = "" if one.is_taken else ", not taken up by the run yet"
    return f"until {of_ms(silence.until_ms)} by {silence.who}: {silence.reason}{only}{pending}"


def window_json(one: Window) -> Mapping[str, object]:
    """Return a planned window as JSON."""
    silence = one.silence
    return {
        "item": silence.name,
        "from": of_ms(silence.from_ms),
        "until": of_ms(silence.until_ms),
        "by": silence.who,
        "reason": silence.reason,
        "only": silence.only or None,
    }


def to_ms(at: str) -> int:
    """Return a moment in ISO 8601 as milliseconds since 1970."""
    return int(moment(at).timestamp() * 1000)
