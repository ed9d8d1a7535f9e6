"""One alert of a run from the moment it was raised to its end, and what is decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gonogo.plan.notices import URGENCY, Notice, Reason, Severity


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one alert, and why; nobody is told when `contacts` is empty."""

    alert: str
    reason: Reason
    contacts: tuple[str, ...] = ()
    who: str = ""  # the person who acknowledged, or who answers for the planned window

    def as_json(self) -> dict[str, object]:
        """Return the form in which a decision is journaled."""
        return {
            "alert": self.alert,
            "reason": self.reason.value,
            "contacts": list(self.contacts),
            "who": self.who,
        }


@dataclass(slots=True)
class Alert:
    """One alert from the moment it was raised to its end."""

    id: str
    rule: str
    severity: Severity
    text: str
    since_ms: int
    raised_ms: int
    always: bool = False
    told_ms: int | None = None  # the first message at this severity
    rungs: int = 0  # how many rungs of the ladder know of it
    told: dict[str, int] = field(default_factory=dict)  # contact -> the last message
    acknowledged: str = ""  # by whom
    asks: int = 1  # an acknowledgement does not hold for what becomes worse
    overdue: bool = False
    hurried: bool = False  # those who were told could not be reached
    over: bool = False
    last: Reason | None = None  # the last decision, so that silence is not journaled twice
    changed: bool = True  # something was said about it since the last step
    metrics: str = ""  # names of the figures that it is about
    within_s: float | None = None  # to be mended in this time, where the runbook says so
    once: bool = False  # a fact that is over when it is told: nobody has to acknowledge it
    seen_ms: int | None = None  # when its figures were last known
    seen: str = ""  # what they were, in a sentence

    @property
    def ack(self) -> str:
        """Return the item of the question whose answer acknowledges this alert."""
        return f"alert/{self.id}?ack" + (f"-{self.asks}" if self.asks > 1 else "")

    @property
    def repeats(self) -> bool:
        """Say whether it is told until somebody acknowledges."""
        return not self.once and self.urgent

    @property
    def urgent(self) -> bool:
        """Say whether somebody must look now."""
        return self.overdue or URGENCY[self.severity].repeats

    @property
    def is_done(self) -> bool:
        """Say whether nothing is left to tell about it."""
        return self.over or (self.once and (bool(self.told) or self.last is Reason.NOBODY))

    @property
    def waits(self) -> bool:
        """Say whether a person is asked to acknowledge it now."""
        return self.repeats and bool(self.told) and not self.acknowledged and not self.over

    def mend_by_ms(self) -> int | None:
        """Return when it must be mended, by its line or its severity; None without a clock."""
        own = self.within_s
        within = own if own is not None else URGENCY[self.severity].mend_within_s
        return None if within is None or self.overdue else self.raised_ms + int(within * 1000)


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step decided: the messages to send and why, in order."""

    notices: tuple[Notice, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def anything(self) -> bool:
        """Say whether there is anything to journal."""
        return bool(self.notices or self.decisions)

    def __add__(self, later: Stepped) -> Stepped:
        """Return what two steps decided, one after the other."""
        return Stepped(self.notices + later.notices, self.decisions + later.decisions)


def alert_from_json(data: Mapping[str, object]) -> Alert:
    """Read an alert out of a stored state."""
    last, told = data["last"], data["told"]
    assert isinstance(told, Mapping)
    more = {"severity": Severity(str(data["severity"])), "told": dict(told)}
    return Alert(**{**data, **more, "last": Reason(str(last)) if last else None})  # type: ignore[arg-type]


def waiting_in(state: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the alerts of a stored state that a person is asked to acknowledge."""
    return tuple(alert for alert in open_in(state) if alert.waits)


def open_in(state: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return all open alerts of a stored state."""
    found = state.get("open")
    return tuple(alert_from_json(one) for one in found) if isinstance(found, list) else ()
