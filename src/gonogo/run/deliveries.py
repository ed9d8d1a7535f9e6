"""Delivers each message to each receiver at least once, in order, and journals what came of it.

    delivery.due      key   notice, contact, channel, due_ms
    delivery.trying   key   an attempt begins (attempt); flushed before anything is sent
    delivery.tried    key   it failed: failure, why, next_s (until the next attempt)
    delivery.late     key   not taken within the stated time: failure, why; it is tried on, slowly
    delivery.done     key   outcome (sent, failed, given up), failure, why, id, attempts
    contact.unreached key   no channel of this contact took the message: contact, alerts

The key is `run/number/contact/channel`. A `delivery.trying` without an answer means that gonogo was
killed between sending and knowing: the message is sent again under the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import StrEnum

from gonogo.plan.notices import (
    FOR_GOOD,
    MAY_HAVE_ARRIVED,
    Failure,
    Notice,
    Receipt,
    Way,
    notice_from_json,
)
from gonogo.plan.receivers import Receivers
from gonogo.run.alerting import DECIDED
from gonogo.run.journal import Event
from gonogo.run.scene import Scene

FORGET_S = 86_400.0
"""After a day a message is given up: nobody acts on it any longer."""
_FIRST_S, _LONGEST_S, _LATE_S = 5.0, 60.0, 300.0
URGENT_ONLY = "page"
"""The channel that wakes people up: used for urgent messages, or when a contact has no other."""


class Outcome(StrEnum):
    """How a delivery ended."""

    SENT = "sent"
    FAILED = "failed"  # trying again would not help
    GIVEN_UP = "given up"  # it was not taken for a day


@dataclass(slots=True)
class Delivery:
    """One message on one channel, as far as it has come."""

    key: str
    notice: Notice
    channel: str
    due_ms: int
    attempts: int = 0
    trying: bool = False  # begun, and nothing is known of its end
    may_have_arrived: bool = False
    late: bool = False
    next_ms: int = 0
    outcome: Outcome | None = None

    @property
    def missed(self) -> bool:
        """Say whether the contact does not have it on this channel, and not for lack of time."""
        return self.outcome is not Outcome.SENT and (self.late or self.outcome is not None)


@dataclass(slots=True)
class _Lane:
    """The messages of one channel of one contact: one after the other, in order."""

    way: Way
    waiting: list[Delivery] = field(default_factory=list)


class Deliverer:
    """Sends what is due; `step` returns when every channel that could be tried was tried once."""

    def __init__(
        self,
        scene: Scene,
        receivers: Receivers,
        ways: Mapping[tuple[str, str], Way],
        *,
        executor: Executor | None = None,
    ) -> None:
        """Go on from the journal; `ways` has one for each contact and channel that is bound.

        With an executor the channels are tried side by side, so that one that hangs holds up no
        other.
        """
        self._scene = scene
        self._within_ms = int(receivers.within_s * 1000)
        self._lanes = {address: _Lane(way) for address, way in ways.items()}
        self._known: dict[str, Delivery] = {}
        self._unreached: set[str] = set()
        self._map: Callable[..., Iterable[None]] = executor.map if executor else map
        self._seen = 0
        self._take_in(anew=True)

    def step(self) -> None:
        """Take in the messages that became due, and try every channel whose time has come."""
        changed = self._take_in()
        now_ms = self._now_ms()
        due = [lane for lane in self._lanes.values() if self._is_due(lane, now_ms)]
        for _ in self._map(self._serve, due):
            pass
        if changed or due:
            self._tell_unreached()

    def pending(self) -> tuple[Delivery, ...]:
        """Return what is not delivered yet, oldest first."""
        return tuple(d for d in self._known.values() if d.outcome is None)

    def next_in_s(self) -> float | None:
        """Return in how many seconds something is to be tried; None when nothing waits."""
        heads = [lane.waiting[0].next_ms for lane in self._lanes.values() if lane.waiting]
        return max(min(heads) - self._now_ms(), 0) / 1000 if heads else None

    def _now_ms(self) -> int:
        return int(self._scene.clock.now().timestamp() * 1000)

    def _is_due(self, lane: _Lane, now_ms: int) -> bool:
        return bool(lane.waiting) and lane.waiting[0].next_ms <= now_ms

    # --- the journal

    def _take_in(self, *, anew: bool = False) -> bool:
        """Journal what has become due since the last look, once; say whether anything did.

        With `anew` what an earlier process did is taken in first.
        """
        notices: list[Notice] = []
        for event in self._scene.journal.events(self._scene.run, after=self._seen):
            self._seen = event.seq
            if event.kind == DECIDED:
                notices += _notices(event)
            elif anew:
                self._fold(event)
        for notice in notices:
            channels = tuple(self._channels(notice))
            for key, channel in channels:
                if key not in self._known:
                    self._due(key, notice, channel)
            if not channels:
                self._unreach(notice)
        return bool(notices)

    def _channels(self, notice: Notice) -> Iterator[tuple[str, str]]:
        kinds = [kind for contact, kind in self._lanes if contact == notice.contact]
        quiet = [kind for kind in kinds if kind != URGENT_ONLY]
        for kind in kinds if notice.urgent or not quiet else quiet:
            yield f"{notice.key}/{notice.contact}/{kind}", kind

    def _due(self, key: str, notice: Notice, channel: str) -> None:
        body = {
            "notice": notice.as_json(),
            "contact": notice.contact,
            "channel": channel,
            "due_ms": notice.at_ms,
        }
        self._fold(self._scene.write("delivery.due", key, body=body))

    def _fold(self, event: Event) -> None:
        if event.kind == "delivery.due":
            self._enter(event)
        elif event.kind == "contact.unreached":
            self._unreached.add(event.item)
        delivery = self._known.get(event.item)
        if delivery is None:
            return
        match event.kind:
            case "delivery.trying":
                delivery.attempts, delivery.trying = event.attempt, True
            case "delivery.tried":
                delivery.trying = False
                failure = Failure(str(event.body["failure"]))
                delivery.may_have_arrived |= failure in MAY_HAVE_ARRIVED
            case "delivery.late":
                delivery.late = True
            case "delivery.done":
                delivery.outcome = Outcome(str(event.body["outcome"]))
                self._leave(delivery)
            case _:
                pass

    def _enter(self, event: Event) -> None:
        if event.item in self._known:
            return
        notice, due_ms = event.body["notice"], event.body["due_ms"]
        assert isinstance(notice, Mapping)
        assert isinstance(due_ms, int)
        told = notice_from_json(notice)
        delivery = Delivery(event.item, told, str(event.body["channel"]), due_ms)
        self._known[event.item] = delivery
        lane = self._lanes.get((told.contact, delivery.channel))
        if lane is not None:
            lane.waiting.append(delivery)

    def _leave(self, delivery: Delivery) -> None:
        lane = self._lanes.get((delivery.notice.contact, delivery.channel))
        if lane is not None and delivery in lane.waiting:
            lane.waiting.remove(delivery)

    # --- sending

    def _serve(self, lane: _Lane) -> None:
        """Send the messages of a channel until one is not taken or none is left."""
        while self._is_due(lane, self._now_ms()):
            delivery = lane.waiting[0]
            if delivery.trying:
                self._interrupted(delivery)
            if not self._attempt(lane, delivery):
                return

    def _interrupted(self, delivery: Delivery) -> None:
        delivery.trying, delivery.may_have_arrived = False, True
        body = {"failure": Failure.INTERRUPTED.value, "why": "gonogo was killed while it sent"}
        self._scene.write(
            "delivery.tried",
            delivery.key,
            body={**body, "next_s": 0.0},
            attempt=delivery.attempts,
        )

    def _attempt(self, lane: _Lane, delivery: Delivery) -> bool:
        delivery.attempts += 1
        key, attempt = delivery.key, delivery.attempts
        self._scene.write("delivery.trying", key, attempt=attempt, durable=True)
        is_copy = delivery.may_have_arrived and not lane.way.knows_copies
        receipt = _sent(lane.way, delivery.notice, key, is_copy=is_copy)
        if receipt.failure is None:
            self._done(lane, delivery, Outcome.SENT, receipt)
            return True
        delivery.may_have_arrived |= receipt.failure in MAY_HAVE_ARRIVED
        now_ms = self._now_ms()
        waited = now_ms - delivery.due_ms
        if receipt.failure in FOR_GOOD or waited >= FORGET_S * 1000:
            outcome = Outcome.FAILED if receipt.failure in FOR_GOOD else Outcome.GIVEN_UP
            self._done(lane, delivery, outcome, receipt)
            return True
        pause = self._pause_s(delivery, receipt)
        delivery.next_ms = now_ms + int(pause * 1000)
        body = {"failure": receipt.failure.value, "why": receipt.message}
        self._scene.write("delivery.tried", key, body={**body, "next_s": pause}, attempt=attempt)
        if waited >= self._within_ms and not delivery.late:
            self._be_late(lane, body)
        return False

    def _pause_s(self, delivery: Delivery, receipt: Receipt) -> float:
        if delivery.late:
            return _LATE_S
        doubled = _FIRST_S * 2.0 ** min(delivery.attempts - 1, 10)
        return float(max(min(doubled, _LONGEST_S), receipt.retry_after_s or 0.0))

    def _be_late(self, lane: _Lane, body: Mapping[str, object]) -> None:
        """Note every message of a channel that has waited too long behind the first."""
        limit = self._now_ms() - self._within_ms
        for delivery in lane.waiting:
            if delivery.due_ms <= limit and not delivery.late:
                delivery.late = True
                self._scene.write("delivery.late", delivery.key, body=body)

    def _done(self, lane: _Lane, delivery: Delivery, outcome: Outcome, receipt: Receipt) -> None:
        delivery.trying, delivery.outcome = False, outcome
        lane.waiting.remove(delivery)
        body = {
            "outcome": outcome.value,
            "failure": receipt.failure.value if receipt.failure else None,
            "why": receipt.message,
            "id": receipt.id,
            "attempts": delivery.attempts,
            "contact": delivery.notice.contact,
            "channel": delivery.channel,
        }
        self._scene.write(
            "delivery.done", delivery.key, body=body, attempt=delivery.attempts, durable=True
        )

    def _tell_unreached(self) -> None:
        """Journal each contact that no channel has reached with a message, once."""
        by_notice: dict[str, list[Delivery]] = {}
        for delivery in self._known.values():
            by_notice.setdefault(delivery.notice.key, []).append(delivery)
        for deliveries in by_notice.values():
            if all(delivery.missed for delivery in deliveries):
                self._unreach(deliveries[0].notice)

    def _unreach(self, notice: Notice) -> None:
        if notice.key in self._unreached:
            return
        self._unreached.add(notice.key)
        body = {"contact": notice.contact, "alerts": [line.alert for line in notice.lines]}
        self._scene.write("contact.unreached", notice.key, body=body, durable=True)


def _sent(way: Way, notice: Notice, key: str, *, is_copy: bool) -> Receipt:
    """Send; a way that breaks is a failed attempt, never the end of the run."""
    try:
        return way.send(notice, key=key, is_copy=is_copy)
    except Exception as error:  # noqa: BLE001 - a library's bug must not keep others from being told
        return Receipt(Failure.UNKNOWN, f"the way `{way.kind}` broke ({type(error).__name__})")


def _notices(event: Event) -> list[Notice]:
    found = event.body["notices"]
    assert isinstance(found, list)
    return [notice_from_json(notice) for notice in found]
