"""Carries the alerts of a run: reads the journal, decides, journals what is due to be told.

    alert.decided     -         decisions, notices (messages that became due), state, seen
    alert.silenced    silence/N a planned window added during the run: see run/silences.py
    alert.unsilenced  silence/N it was ended before its time
    rule.moved        rule      a `Move` of the watch, or of the alerts after going back; read here
    bucket.closed     watch@ms  what each rule saw: told when the run is over; read here
    recovery.seen     way@ms    the same after going back, of the alerts that are open; read here
    run.resumed       -         gap_s: how long nobody watched; read here
    alert.raised      rule      something else that people must be told of: severity, text
    alert.cleared     rule      its end: text

Everything that raises or ends an alert stands in the journal, so that after a crash it is read
again from where the last decision left off: `alert.decided` holds the state, the messages and the
place in the journal in one event, and there is no moment in which one is kept and the other lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gonogo.clock import moment
from gonogo.judge.alert import Alert, Stepped
from gonogo.judge.alerts import Alerts
from gonogo.judge.raising import (
    ROLLBACK,
    Clearing,
    Raising,
    of_move,
    rollback_alert,
    rollback_over,
    unwatched,
)
from gonogo.judge.streaks import Event as StreakEvent
from gonogo.judge.verdict import Status
from gonogo.plan.notices import Severity
from gonogo.plan.receivers import Receivers, Silence
from gonogo.run.journal import Event
from gonogo.run.scene import Scene
from gonogo.run.silences import UNSILENCED, Hearing, of_event

DECIDED = "alert.decided"
ACK_CHOICES = ("seen",)
ASKED = f"{ROLLBACK}/asked"
_ROLLBACK_FORM = "rollback"
_KNOWN = (StreakEvent.BREACH.value, StreakEvent.GOOD.value)


class Alerting:
    """The alerts of one run; `step` may be called at any time and as often as one likes."""

    def __init__(self, scene: Scene, receivers: Receivers, about: str = "") -> None:
        """Go on from the journal, where this run has decided about alerts before."""
        self._scene = scene
        self.alerts = Alerts(scene.run, about or scene.plan.service, receivers)
        self._seen = 0
        self._ended = False
        self._silences = Hearing(scene)
        self._ahead: tuple[tuple[int, tuple[str, ...]], ...] = ()
        self._judged = 0  # up to this event
        decided = scene.last(DECIDED)
        if decided is not None:
            state, seen = decided.body["state"], decided.body["seen"]
            assert isinstance(state, Mapping)
            assert isinstance(seen, int)
            self.alerts.resume(state)
            self._seen = seen
            self._ended = bool(decided.body.get("ended"))

    def step(self) -> Stepped:
        """Take in what has happened since the last step, decide, and journal it."""
        now_ms = self._now_ms()
        ends = False
        stepped = Stepped()
        self._hear()
        for event in self._scene.journal.events(self._scene.run, after=self._seen):
            self._seen = event.seq
            ends = ends or event.kind == "verdict.given"
            stepped += self._take(event)
        if self._ended:
            return Stepped()
        stepped += self.alerts.end(now_ms) if ends else self.alerts.step(now_ms)
        self._ended = ends
        if stepped.anything or ends:
            self._write(stepped)
        self._ahead, self._judged = self.alerts.ahead(now_ms), self._seen
        return stepped

    def ahead(self, read: int) -> tuple[tuple[int, tuple[str, ...]], ...] | None:
        """Return when (ms since 1970) and to whom urgent alerts go on; see `Alerts.ahead`.

        None when the journal up to event `read` has not been judged yet. May be asked from
        another thread than the one that steps.
        """
        return self._ahead if self._judged >= read else None

    def next_in_s(self) -> float | None:
        """Return in how many seconds time alone changes something; None when nothing waits."""
        now_ms = self._now_ms()
        at = self.alerts.next_ms(now_ms)
        return None if at is None else (at - now_ms) / 1000

    def questions(self) -> tuple[dict[str, object], ...]:
        """Return what people are asked now: item, question, choices; `seen` acknowledges.

        The answer goes into the inbox of the run under this item; the next step finds it.
        """
        return tuple({"item": alert.ack, **ack_of(alert)} for alert in self.alerts.waiting())

    def _now_ms(self) -> int:
        return int(self._scene.clock.now().timestamp() * 1000)

    def _write(self, stepped: Stepped) -> None:
        self._scene.write(
            DECIDED,
            body={
                "decisions": [decision.as_json() for decision in stepped.decisions],
                "notices": [notice.as_json() for notice in stepped.notices],
                "state": self.alerts.as_json(),
                "seen": self._seen,
                "ended": self._ended,
            },
            durable=bool(stepped.notices),
        )

    def _hear(self) -> None:
        """Take the acknowledgements and the planned windows that people have given meanwhile."""
        self._silences.step()
        for alert in self.alerts.waiting():
            answer = self._scene.journal.answer(self._scene.run, alert.ack)
            if answer is not None:
                self.alerts.acknowledge(alert.ack, answer.who)

    def _take(self, event: Event) -> Stepped:
        reader = _READERS.get(event.kind)
        found = reader(event) if reader is not None else None
        if isinstance(found, Raising) and event.kind == "rule.moved":
            found = self._of_rule(found)
        if isinstance(found, Raising):
            self.alerts.fire(found, _ms(event))
        elif isinstance(found, Clearing):
            return self._clear(found, event)
        elif isinstance(found, Silence):
            self.alerts.silence(found)
        elif event.kind == UNSILENCED:
            self.alerts.unsilence(event.item, _whole(event.body["at_ms"]))
        elif event.kind in ("bucket.closed", "recovery.seen"):
            self._saw(event)
        elif event.kind == "run.resumed":
            self._resumed(event)
        elif event.kind == "contact.unreached":
            told = event.body["alerts"]
            assert isinstance(told, list)
            self.alerts.unreached([str(name) for name in told])
        return Stepped()

    def _clear(self, found: Clearing, event: Event) -> Stepped:
        """End an alert; with a proven rollback also those of ways back that did not work."""
        stepped = Stepped()
        if self.alerts.is_untold(found.rule):  # it ended while we were away: told all the same
            stepped = self.alerts.step(_ms(event))
        self.alerts.clear(found.rule, found.text)
        for alert in self.alerts.open if event.kind == "rollback.finished" else ():
            if alert.rule.startswith(f"{ROLLBACK}/"):
                self.alerts.clear(alert.rule, f"another way back has worked: {found.text}")
        return stepped

    def _saw(self, event: Event) -> None:
        """Keep the figures of what is open, where a bucket says anything of them."""
        rules = event.body.get("rules")
        for rule in {alert.rule for alert in self.alerts.open}:
            seen = rules.get(rule) if isinstance(rules, Mapping) else None
            if isinstance(seen, Mapping) and seen.get("event") in _KNOWN:
                self.alerts.saw(rule, str(seen["says"]), _ms(event))

    def _of_rule(self, raising: Raising) -> Raising:
        """Add what the runbook says of the rule that fired: its figures, its deadline."""
        rule = next((one for one in self._scene.plan.rules if one.id == raising.rule), None)
        if rule is None:
            return raising
        named = " ".join(p.metric for p in rule.condition.predicates if p.metric)
        return replace(raising, metrics=named, within_s=rule.within_s)

    def _resumed(self, event: Event) -> None:
        """Tell people that nobody watched, where figures were being watched when we died."""
        events = self._scene.journal.events(self._scene.run)
        width_s = _watches(e for e in events if e.seq < event.seq)
        gap = event.body.get("gap_s")
        if width_s is None or not isinstance(gap, int | float):
            return
        found = unwatched(gap, _ms(event), width_s=width_s)
        if found is not None:
            self.alerts.fire(found, _ms(event))


def ack_of(alert: Alert) -> dict[str, object]:
    """Return what a person is asked about an alert, as the body of a question."""
    return {
        "question": f"who looks after `{alert.text}`?",
        "form": "acknowledge",
        "choices": list(ACK_CHOICES),
        "detail": f"{alert.severity.value}, told to {', '.join(alert.told)}",
        "line": 1,
    }


def raise_alert(scene: Scene, raising: Raising) -> None:
    """Journal something that people must be told of; the next step of the alerts finds it."""
    body = {
        "severity": raising.severity.value,
        "text": raising.text,
        "since_ms": raising.since_ms,
        "always": raising.always,
    }
    scene.write("alert.raised", raising.rule, body=body, durable=True)


def clear_alert(scene: Scene, clearing: Clearing) -> None:
    """Journal the end of something that people were told of."""
    scene.write("alert.cleared", clearing.rule, body={"text": clearing.text})


def _watches(events: Iterable[Event]) -> float | None:
    """Return the width of a bucket in seconds where figures were being watched; else None."""
    watched: set[str] = set()
    width_ms = 0
    for event in events:
        if event.kind == "watch.started":
            width_ms = _whole(event.body.get("width_ms", 0))
        if event.kind in ("watch.started", "recovery.started"):
            watched.add(event.item)
        elif event.kind in ("watch.ended", "option.finished"):
            watched.discard(event.item)
        elif event.kind == "rollback.finished":
            watched.clear()
    return width_ms / 1000 if watched else None


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _ms(event: Event) -> int:
    return int(moment(event.at).timestamp() * 1000)


def _moved(event: Event) -> Raising | Clearing | None:
    return of_move(event.body)


def _raised(event: Event) -> Raising:
    since = event.body["since_ms"]
    assert isinstance(since, int)
    return Raising(
        rule=event.item,
        severity=Severity(str(event.body["severity"])),
        text=str(event.body["text"]),
        since_ms=since,
        always=bool(event.body["always"]),
    )


def _cleared(event: Event) -> Clearing:
    return Clearing(event.item, str(event.body["text"]))


def _rollback_began(event: Event) -> Raising:
    return rollback_alert(str(event.body.get("reason", "")), _ms(event))


def _rollback_ended(event: Event) -> Raising | Clearing:
    why = str(event.body.get("why") or "")
    if event.body.get("status") == Status.PASS.value:
        return rollback_over(why)
    return rollback_alert(why, _ms(event), failed=True)


def _way_ended(event: Event) -> Raising | None:
    """Page when a way back did not work, whatever comes next."""
    if event.body.get("status") != Status.FAIL.value:
        return None
    text = f"a way back failed: {event.body.get('why') or event.item}"
    return Raising(f"{ROLLBACK}/{event.item}", Severity.PAGE, text, _ms(event), always=True)


def _asked(event: Event) -> Raising | None:
    """Page when a rollback waits for a person's yes."""
    if event.body.get("form") != _ROLLBACK_FORM:
        return None
    return Raising(ASKED, Severity.PAGE, str(event.body["question"]), _ms(event), always=True)


def _answered(event: Event) -> Clearing | None:
    if event.body.get("form") != _ROLLBACK_FORM:
        return None
    return Clearing(ASKED, f"{event.who} answered {event.body.get('answer')}")


_READERS: Mapping[str, Callable[[Event], Raising | Clearing | Silence | None]] = {
    "rule.moved": _moved,
    "alert.raised": _raised,
    "alert.cleared": _cleared,
    "alert.silenced": of_event,
    "rollback.started": _rollback_began,
    "option.finished": _way_ended,
    "rollback.finished": _rollback_ended,
    "question.asked": _asked,
    "answer.given": _answered,
}
