"""What is told to people when something goes wrong, and what can come of telling it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Protocol


class Severity(StrEnum):
    """How bad an alert is, from a thing to plan to a thing to jump at."""

    P3 = "p3"  # to be planned
    WARN = "warn"  # to be read
    P2 = "p2"  # to be mended within a day
    P1 = "p1"  # to be mended within four hours
    PAGE = "page"  # somebody must look now
    CRITICAL = "critical"  # somebody must act now
    P0 = "p0"  # as critical


@dataclass(frozen=True, slots=True)
class Urgency:
    """What a severity asks of people."""

    rank: int  # the larger, the worse
    at_once: bool  # does not wait for others to join its message
    repeats: bool  # told again, and to more people, until somebody has acknowledged it
    mend_within_s: int | None = None  # still firing after that: it pages


_DAY_S = 86_400
URGENCY: Mapping[Severity, Urgency] = {
    Severity.P3: Urgency(0, at_once=False, repeats=False),
    Severity.WARN: Urgency(1, at_once=False, repeats=False),
    Severity.P2: Urgency(2, at_once=False, repeats=False, mend_within_s=_DAY_S),
    Severity.P1: Urgency(3, at_once=True, repeats=False, mend_within_s=4 * 3_600),
    Severity.PAGE: Urgency(4, at_once=True, repeats=True),
    Severity.CRITICAL: Urgency(5, at_once=True, repeats=True),
    Severity.P0: Urgency(6, at_once=True, repeats=True),
}


def worst(severities: tuple[Severity, ...]) -> Severity:
    """Return the worst of some severities; of none the mildest."""
    return max(severities, key=lambda s: URGENCY[s].rank, default=Severity.P3)


class Reason(StrEnum):
    """Why somebody is told now, or why nobody is."""

    FIRST = "first"  # it has just begun
    UPGRADED = "upgraded"  # it has become worse
    ESCALATED = "escalated"  # those who were told have not acknowledged it
    UNREACHED = "unreached"  # those who were told could not be reached
    REPEATED = "repeated"  # nobody has acknowledged it for as long as `repeat` says
    OVERDUE = "overdue"  # it should have been mended by now
    RESOLVED = "resolved"  # it is over
    ENDED = "ended"  # the run is over and nobody looks any longer; the alert was still open
    TEST = "test"  # somebody tries whether messages arrive
    GROUPED = "grouped"  # nobody yet: others may join the message
    TOLD = "told"  # nobody again: it is known
    ACKNOWLEDGED = "acknowledged"  # nobody again: a person has it in hand
    SILENCED = "silenced"  # nobody: a planned window
    UNTOLD = "untold"  # nobody: it ended before anybody was told
    NOBODY = "nobody"  # nobody: the runbook names no receiver for this severity


AGAIN: Mapping[Reason, str] = {
    Reason.UPGRADED: "it has become worse",
    Reason.ESCALATED: "nobody has acknowledged it so far",
    Reason.UNREACHED: "those before you could not be reached",
    Reason.REPEATED: "told again: nobody has acknowledged it so far",
    Reason.OVERDUE: "it should have been mended by now",
    Reason.TEST: "nothing is wrong: a test of this channel; say that you have seen it",
}


class State(StrEnum):
    """Where an alert stands in a message."""

    FIRING = "firing"
    RESOLVED = "resolved"
    ENDED = "ended"  # still open when the run ended
    TEST = "test"


def moment(at_ms: int) -> str:
    """Return a moment as ISO 8601 in UTC, to the second."""
    when = datetime.fromtimestamp(at_ms / 1000, UTC)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One alert in a message; `ack` is the item of its question, where it wants an answer."""

    alert: str
    severity: Severity
    state: State
    reason: Reason
    text: str
    since_ms: int
    urgent: bool = False  # somebody must look now
    ack: str = ""
    seen: str = ""  # what its figures were when they were last known, where nobody looks on
    seen_ms: int | None = None  # when that was

    def say(self) -> str:
        """Return the alert as a sentence with its beginning, and why it is told."""
        word = self.state.value if self.state is not State.FIRING else self.severity.value
        said = f"{word}: {self.text} (since {moment(self.since_ms)})"
        why = AGAIN.get(self.reason)
        if self.reason is Reason.ENDED:
            why = f"the run is over and watches no longer; {self._last_seen()}"
        return f"{said}; {why}" if why else said

    def _last_seen(self) -> str:
        if self.seen_ms is None:
            return "look yourself"
        return f"when last seen, at {moment(self.seen_ms)}: {self.seen}"

    def as_json(self) -> dict[str, object]:
        """Return the form in which a line is journaled."""
        body: dict[str, object] = {
            "alert": self.alert,
            "severity": self.severity.value,
            "state": self.state.value,
            "reason": self.reason.value,
            "text": self.text,
            "since_ms": self.since_ms,
            "urgent": self.urgent,
            "ack": self.ack,
        }
        last = {} if self.seen_ms is None else {"seen": self.seen, "seen_ms": self.seen_ms}
        return body | last


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one contact; `run` and `number` name it for good."""

    run: str
    number: int
    contact: str
    about: str  # what is released: `search v2.4.0 → production`
    at_ms: int
    lines: tuple[Line, ...]

    @property
    def key(self) -> str:
        """Return the name of the message; the same name is the same message."""
        return f"{self.run}/{self.number}"

    @property
    def severity(self) -> Severity:
        """Return the worst severity in it."""
        firing = tuple(line.severity for line in self.lines if line.state is not State.RESOLVED)
        return worst(firing or tuple(line.severity for line in self.lines))

    @property
    def state(self) -> State:
        """Return firing when anything in it is, else the state of its first line."""
        if any(line.state is State.FIRING for line in self.lines):
            return State.FIRING
        return self.lines[0].state if self.lines else State.RESOLVED

    @property
    def urgent(self) -> bool:
        """Say whether somebody must look now."""
        return any(line.urgent for line in self.lines)

    def title(self) -> str:
        """Return one line for a subject or a lock screen."""
        word = self.severity.value if self.state is State.FIRING else self.state.value
        if len(self.lines) == 1:
            return f"[{word}] {self.about}: {self.lines[0].text}"
        return f"[{word}] {self.about}: {len(self.lines)} alerts"

    def text(self) -> str:
        """Return the whole message as plain text."""
        told = [line.say() for line in self.lines]
        asks = [
            f"acknowledge with: gonogo answer '{line.ack}' seen --run {self.run}"
            for line in self.lines
            if line.ack
        ]
        return "\n".join([f"{self.about}, run {self.run}, {moment(self.at_ms)}", "", *told, *asks])

    def as_json(self) -> dict[str, object]:
        """Return the form in which a message is journaled."""
        return {
            "run": self.run,
            "number": self.number,
            "contact": self.contact,
            "about": self.about,
            "at_ms": self.at_ms,
            "lines": [line.as_json() for line in self.lines],
        }


def notice_from_json(data: Mapping[str, object]) -> Notice:
    """Read a message that was journaled."""
    lines, number, at_ms = data["lines"], data["number"], data["at_ms"]
    assert isinstance(lines, list)
    assert isinstance(number, int)
    assert isinstance(at_ms, int)
    return Notice(
        run=str(data["run"]),
        number=number,
        contact=str(data["contact"]),
        about=str(data["about"]),
        at_ms=at_ms,
        lines=tuple(
            Line(
                alert=str(line["alert"]),
                severity=Severity(line["severity"]),
                state=State(line["state"]),
                reason=Reason(line["reason"]),
                text=str(line["text"]),
                since_ms=int(line["since_ms"]),
                urgent=bool(line["urgent"]),
                ack=str(line["ack"]),
                seen=str(line.get("seen", "")),
                seen_ms=line.get("seen_ms"),
            )
            for line in lines
        ),
    )


class Failure(StrEnum):
    """Why a message was not taken."""

    AUTH = "auth"  # the key or password is not accepted
    REFUSED = "refused"  # the service does not want this message
    GONE = "gone"  # there is no such address
    RATE_LIMITED = "rate limited"  # too many messages; later
    UNREACHABLE = "unreachable"  # no such host, no way to it, nobody listens
    TIMEOUT = "timeout"  # no answer in time; it may have arrived
    BROKEN = "broken"  # the service failed by itself
    INTERRUPTED = "interrupted"  # gonogo was killed while it sent; it may have arrived
    UNKNOWN = "unknown"  # the library does not say


FOR_GOOD = frozenset({Failure.AUTH, Failure.REFUSED, Failure.GONE})
"""Failures that trying again does not mend: the next contact is told at once."""
_BY_STATUS: Mapping[int, Failure] = {
    401: Failure.AUTH,
    403: Failure.AUTH,
    404: Failure.GONE,
    407: Failure.UNREACHABLE,  # it is a proxy that refuses
    408: Failure.TIMEOUT,
    410: Failure.GONE,
    425: Failure.RATE_LIMITED,
    429: Failure.RATE_LIMITED,
}
MAY_HAVE_ARRIVED = frozenset({Failure.TIMEOUT, Failure.INTERRUPTED, Failure.UNKNOWN})


def failure_of_status(status: int) -> Failure:
    """Return why an HTTP service did not take a message, from the status of its answer."""
    return _BY_STATUS.get(status) or (Failure.BROKEN if status >= 500 else Failure.REFUSED)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one attempt; without a failure the service has taken the message."""

    failure: Failure | None = None
    message: str = ""  # in our words, without secrets
    id: str = ""  # what the service calls it, where it says
    retry_after_s: float | None = None  # as the service asked


class Way(Protocol):
    """One way to tell somebody: a kind of channel with its address."""

    kind: ClassVar[str]
    knows_copies: ClassVar[bool]  # a second copy with the same key is recognised by the service

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        """Send once and say what came of it; never raises for what the world does.

        `key` is the same whenever the same message is sent again; with `is_copy` it may have
        arrived before, and a reader is told so where the service cannot tell.
        """
        ...


class Beat(Protocol):
    """Something outside that notices when it no longer hears of a run."""

    def beat(self, body: Mapping[str, object]) -> Receipt:
        """Say once that the run is carried; never raises for what the world does."""
        ...


COPY = "This message may reach you a second time: it is not known whether the first one arrived."
