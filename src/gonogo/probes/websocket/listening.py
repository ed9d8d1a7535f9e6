"""One act of listening: subscribe, cause the change, wait for what is told, say what was seen."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from decimal import Decimal

from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.foreign import json_in
from gonogo.plan.httptext import Request
from gonogo.plan.kinds import Context, Datum, Effect, Observation
from gonogo.plan.units import Quantity
from gonogo.probes.websocket.wire import Trust, Wire, ask

_SHOWN = 500
_LINES = 20
_CONFIRM_WITHIN_S = 10.0
_TALK = frozenset(("welcome", "ping", "confirm_subscription", "reject_subscription", "disconnect"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What to listen to; names are filled in, secrets inside."""

    url: str
    headers: tuple[tuple[str, str], ...]
    protocol: str
    identifier: str  # ActionCable's; empty for any other server
    send: str
    trigger: Request | None
    contains: str
    within_s: float  # how long a wanted message is waited for; 0: not at all
    insecure: bool
    ca: str


@dataclass(slots=True)
class _Seen:
    """What has come so far."""

    confirmed: bool | None = None
    close_code: int | None = None
    closed: bool = False
    wanted: int = 0
    first_at: float = 0.0  # of the wanted ones
    last: Datum = None  # of them; the others are only counted: nobody says how many will come
    lines: list[str] = field(default_factory=list)


class _Trigger:
    """The request that causes the change, sent in a thread: meanwhile we listen."""

    def __init__(self, request: Request, context: Context, trust: Trust, left_s: float) -> None:
        self.status: int | None = None
        self.problem: WorkError | None = None
        asked = (request, context, trust, left_s)
        self._thread = threading.Thread(target=self._ask, args=asked, daemon=True)
        self._thread.start()

    def _ask(self, request: Request, context: Context, trust: Trust, left_s: float) -> None:
        try:
            self.status = ask(request, context, trust, left_s)
        except WorkError as problem:
            self.problem = problem

    @property
    def is_over(self) -> bool:
        """Say whether an answer is there, or will never be."""
        return not self._thread.is_alive()


class Listening:
    """One connection and what was heard on it; used once."""

    def __init__(self, wish: Wish, context: Context) -> None:
        """Remember what to listen to; nothing is sent yet."""
        self._wish = wish
        self._context = context
        self._clock = SystemClock()
        self._until = self._clock.monotonic() + context.timeout_s
        self._seen = _Seen(confirmed=False if wish.identifier else None)
        self._trust = Trust(wish.insecure, wish.ca)

    def observe(self) -> Observation:
        """Connect, listen, hang up, and return what was seen.

        Raises:
            WorkError: it could not be listened to, or the trigger has no answer.
        """
        wish = self._wish
        with Wire(wish.url, self._context, self._trust) as wire:
            if not wire.connect(wish.headers, wish.protocol, self._left_s()):
                return self._observation(wire, connected=False)
            if wish.identifier:
                command = {"command": "subscribe", "identifier": wish.identifier}
                wire.send(json.dumps(command), self._left_s())
                self._hear_confirmation(wire)
            elif wish.send:
                wire.send(wish.send, self._left_s())
            began = self._clock.monotonic()
            trigger = self._pull()
            if self._is_open and wish.within_s:
                self._hear(wire, trigger)
            self._await_answer(wire, trigger)
            return self._observation(wire, connected=True, began=began, trigger=trigger)

    @property
    def _is_open(self) -> bool:
        return not self._seen.closed and self._seen.confirmed is not False

    def _left_s(self) -> float:
        return self._until - self._clock.monotonic()

    def _hear_confirmation(self, wire: Wire) -> None:
        until = self._clock.monotonic() + min(_CONFIRM_WITHIN_S, self._left_s())
        rejected = False
        while not (self._seen.confirmed or self._seen.closed or rejected):
            left = until - self._clock.monotonic()
            if left <= 0:
                return
            rejected = self._take(wire, left) == "reject_subscription"

    def _pull(self) -> _Trigger | None:
        """Cause the change, when there is somebody who would be told of it."""
        if self._wish.trigger is None or not self._is_open:
            return None
        # told to whoever was subscribed before it; what came until now is not its doing
        self._seen.wanted = 0
        return _Trigger(self._wish.trigger, self._context, self._trust, max(self._left_s(), 0.05))

    def _hear(self, wire: Wire, trigger: _Trigger | None) -> None:
        until = self._clock.monotonic() + min(self._wish.within_s, self._left_s())
        while not self._seen.wanted and not self._seen.closed:
            left = until - self._clock.monotonic()
            if left <= 0 or (trigger is not None and trigger.problem is not None):
                return
            self._take(wire, left)

    def _await_answer(self, wire: Wire, trigger: _Trigger | None) -> None:
        """Wait until the trigger is answered: a change that nobody made proves nothing."""
        while trigger is not None and not trigger.is_over:
            if self._seen.closed:
                wire.refuse_stop()
                self._clock.wait(0.02)
            else:
                self._take(wire, 0.1)
        if trigger is not None and trigger.problem is not None:
            failed = self._context.effect is Effect.ACTION
            message = f"the trigger got no answer: {trigger.problem.message}"
            raise WorkError(message, hint=trigger.problem.hint, failed=failed)

    def _take(self, wire: Wire, wait_s: float) -> str:
        """Take what is there; return the kind of talk that it was, if any."""
        frame = wire.receive(wait_s)
        if frame is None:
            return ""
        if frame.text is None:
            self._seen.closed, self._seen.close_code = True, frame.close_code
            self._note(f"closed with code {frame.close_code}" if frame.close_code else "closed")
            return "closed"
        found = _parsed(frame.text)
        kind = found.get("type") if isinstance(found, dict) else None
        if self._wish.identifier and isinstance(kind, str) and kind in _TALK:
            if kind != "ping":
                self._note(frame.text)
            if isinstance(found, dict) and found.get("identifier") == self._wish.identifier:
                self._seen.confirmed = self._seen.confirmed or kind == "confirm_subscription"
            return kind
        self._note(frame.text)
        if self._is_wanted(frame.text, found):
            message = found.get("message") if self._wish.identifier else found  # type: ignore[union-attr]
            if not self._seen.wanted:
                self._seen.first_at = self._clock.monotonic()
            self._seen.wanted += 1
            self._seen.last = message
        return ""

    def _is_wanted(self, text: str, found: Datum) -> bool:
        if self._wish.identifier and not (
            isinstance(found, dict) and found.get("identifier") == self._wish.identifier
        ):
            return False
        return self._wish.contains in text

    def _note(self, text: str) -> None:
        if len(self._seen.lines) < _LINES:
            shown = text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
            self._seen.lines.append(self._context.redact(shown))

    def _observation(
        self,
        wire: Wire,
        *,
        connected: bool,
        began: float = 0.0,
        trigger: _Trigger | None = None,
    ) -> Observation:
        seen = self._seen
        found: dict[str, Datum] = {
            "connected": connected,
            "status": wire.status,
            "protocol": wire.protocol,
            "messages": seen.wanted,
            "value": seen.wanted,
            "message": seen.last if seen.wanted else None,
        }
        if seen.confirmed is not None:
            found["confirmed"] = seen.confirmed
        if connected:
            found["connect"] = _seconds(wire.connect_s)
        if seen.wanted:
            found["latency"] = _seconds(seen.first_at - began)
        if trigger is not None:
            found["trigger status"] = trigger.status
        if seen.close_code is not None:
            found["close code"] = seen.close_code
        head = f"{self._context.redact(self._wish.url)}: status {wire.status}"
        if trigger is not None:
            head += f", trigger answered {trigger.status}"
        return Observation(found, text="\n".join([head, *seen.lines]))


def _parsed(text: str) -> Datum:
    try:
        found: Datum = json_in(text)
    except ValueError:
        return text
    return found


def _seconds(number: float) -> Quantity:
    return Quantity(Decimal(str(round(number, 6))), "s")
