"""Who was told what, when, by which way, and how it went; and when nobody was told, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from gonogo.report import reading, words
from gonogo.run.journal import Event

WAITING = "waiting"
DELIVERING = ("due", "trying", "tried", "late", "done")
ALERTING = (
    *("decided", "raised", "acknowledged", "repeated", "escalated", "resolved"),
    *("cleared", "silenced", "unsilenced"),
)
"""The last words of the kinds of events that tell of messages and of alerts."""
ALERTS = (*(f"alert.{word}" for word in ALERTING), "contact.unreached")
"""The kinds of events from which notes are made."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one contact by one channel."""

    ALSO: ClassVar[tuple[str, ...]] = ("word",)

    key: str
    at: str = ""  # when it was due
    contact: str = ""
    channel: str = ""
    severity: str = ""
    reason: str = ""  # why somebody was told now: first, repeated, escalated, resolved …
    text: str = ""
    attempts: int = 0
    outcome: str = ""
    finished: str = ""
    why: str = ""  # of the last failure
    late: bool = False

    @property
    def word(self) -> str:
        """Return how it went in the word that a reader sees."""
        return self.outcome or WAITING

    def say(self) -> str:
        """Return who was told by which way and how it went, in one sentence."""
        whom = f"to {self.contact}" if self.contact else "to nobody named"
        by = f" by {self.channel}" if self.channel else ""
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        late = ", late" if self.late else ""
        why = f" ({self.why})" if self.why and self.outcome != "sent" else ""
        return f"{self.severity or 'alert'} {whom}{by}: {self.word}{tries}{late}{why}"


@dataclass(frozen=True, slots=True)
class AlertNote:
    """Something that was decided or said about an alert."""

    at: str
    alert: str
    what: str  # raised, acknowledged, silenced, nobody, unreached …
    severity: str = ""
    text: str = ""
    who: str = ""
    contacts: tuple[str, ...] = ()

    def say(self) -> str:
        """Return it in one sentence."""
        by = f" by {self.who}" if self.who else ""
        to = f", told: {', '.join(self.contacts)}" if self.contacts else ""
        name = f"{self.severity} {self.alert}".strip()
        return f"{name or 'alert'}: {self.what}{by}{to}"


@dataclass(slots=True)
class Told:
    """All alerts of a run as far as they are known."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    notes: list[AlertNote] = field(default_factory=list)
    newest: int = 0  # how many notes the last event brought

    def deliver(self, event: Event) -> Delivery:
        """Learn about one message; return all that is known of it."""
        body, key = event.body, event.item
        known = self.deliveries.get(key) or Delivery(key, at=event.at)
        known = _addressed(known, body)
        failure = _why(body)
        match event.kind:
            case "delivery.due":
                known = replace(known, at=words.at_ms(body.get("due_ms")) or event.at)
            case "delivery.trying":
                known = replace(known, attempts=event.attempt or known.attempts + 1)
            case "delivery.tried":
                attempts = max(event.attempt, known.attempts, 1)
                known = replace(known, attempts=attempts, why=failure)
            case "delivery.late":
                known = replace(known, late=True, why=failure or known.why)
            case _:
                known = replace(
                    known,
                    attempts=reading.whole(body, "attempts") or max(event.attempt, known.attempts),
                    outcome=reading.text(body, "outcome") or "done",
                    finished=event.at,
                    why=failure or known.why,
                )
        self.deliveries[key] = known
        return known

    def note(self, event: Event) -> None:
        """Learn what was decided or said about alerts."""
        body = event.body
        if event.kind == "alert.decided":
            found = [_decided(event.at, each) for each in reading.listed(body, "decisions")]
        else:
            what = event.kind.rpartition(".")[2]
            who = event.who if event.who != "gonogo" else reading.text(body, "who")
            found = [
                AlertNote(
                    at=event.at,
                    alert=reading.text(body, "only") or event.item,
                    what=what,
                    severity=reading.text(body, "severity"),
                    text=reading.text(body, "text")
                    or _silent(body)
                    or ", ".join(reading.texts(body, "alerts")),
                    who=who,
                    contacts=_contacts(body),
                )
            ]
        self.notes += found
        self.newest = len(found)


_QUIET = frozenset({"grouped", "told"})
_BY_DELIVERY = frozenset(
    {"first", "upgraded", "escalated", "repeated", "overdue", "resolved", "ended", "test"}
)


def worth_telling(note: AlertNote) -> bool:
    """Say whether a reader learns from this note what no delivery says."""
    return note.what not in _QUIET and not (note.what in _BY_DELIVERY and note.contacts)


def _decided(at: str, body: Mapping[str, object]) -> AlertNote:
    return AlertNote(
        at=at,
        alert=reading.text(body, "alert"),
        what=reading.text(body, "reason"),
        who=reading.text(body, "who"),
        contacts=reading.texts(body, "contacts"),
    )


def _silent(body: reading.Body) -> str:
    """Return why nobody is told, and until when."""
    until = words.at_ms(body.get("until_ms"))
    reason = reading.text(body, "reason")
    return f"{reason} (until {words.time_of_day(until)})" if until and reason else reason


def _contacts(body: reading.Body) -> tuple[str, ...]:
    one = reading.text(body, "contact") or reading.text(body, "receiver")
    return (one,) if one else reading.texts(body, "contacts")


def _addressed(known: Delivery, body: reading.Body) -> Delivery:
    """Fill in what a body says about a message, where it says it."""
    lines = reading.listed(reading.inner(body, "notice"), "lines")
    first = lines[0] if lines else {}
    told = "; ".join(text for text in (reading.text(line, "text") for line in lines) if text)
    contact = reading.text(body, "contact") or reading.text(body, "receiver")
    severity = reading.text(body, "severity") or reading.text(first, "severity")
    return replace(
        known,
        contact=contact or known.contact,
        channel=reading.text(body, "channel") or known.channel,
        severity=severity or known.severity,
        reason=reading.text(body, "reason") or reading.text(first, "reason") or known.reason,
        text=reading.text(body, "text") or told or known.text,
    )


def _why(body: reading.Body) -> str:
    failure, why = reading.text(body, "failure"), reading.text(body, "why")
    return f"{failure}: {why}" if failure and why else failure or why
