"""Who is told of an alert, by which ways and in which order; what a runbook may say of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gonogo.plan.kinds import Variable
from gonogo.plan.notices import Severity
from gonogo.source import Span

CHANNELS: Mapping[str, str] = {
    "slack": "an incoming webhook of Slack, or of what speaks like it (Mattermost, Rocket.Chat)",
    "page": "a routing key of PagerDuty, or `https://KEY@host/path` of what speaks like it",
    "webhook": "any address that takes JSON by POST",
    "mail": "an e-mail address; the server is `smtp` under `alerts`",
    "apprise": "any address that the library Apprise knows: Teams, Telegram, ntfy, SMS, …",
}
HIDDEN_CHANNELS = frozenset({"slack", "page", "webhook", "apprise"})
"""Whoever knows these addresses can send in our name: they are secrets."""
OFF = ("off", "none")
"""What the variable of a channel is bound to where the channel is not to be used."""

_SHORTEST_KEY, _LONG_KEY = 8, 20
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w{0,100})\}|\$([A-Za-z_]\w{0,100})")
_FALLBACK: Mapping[Severity, tuple[Severity, ...]] = {
    Severity.P0: (Severity.CRITICAL, Severity.PAGE),
    Severity.CRITICAL: (Severity.PAGE,),
    Severity.PAGE: (Severity.CRITICAL,),
    Severity.P1: (Severity.PAGE, Severity.CRITICAL),
    Severity.P2: (Severity.WARN,),
    Severity.WARN: (),
    Severity.P3: (Severity.WARN,),
}
"""Whose receivers are told where a severity names none of its own; never milder for worse."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to one contact; the address still holds its variables."""

    kind: str
    address: str
    span: Span


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who can be told: a person, a team, a room."""

    name: str
    channels: tuple[Channel, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Rung:
    """Who is told when nobody has acknowledged for so long, counted from the first message."""

    contacts: tuple[str, ...]
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Silence:
    """A planned window in which nobody is told; a named person answers for it."""

    who: str
    reason: str
    from_ms: int
    until_ms: int
    only: str = ""  # words of the rules that it is about; all when empty
    name: str = ""  # of a window that was added during the run: `silence/1`

    def covers(self, rule: str, text: str, at_ms: int) -> bool:
        """Say whether an alert is silenced at this moment."""
        words = self.only.casefold()
        named = not words or words in rule.casefold() or words in text.casefold()
        return named and self.from_ms <= at_ms < self.until_ms


@dataclass(frozen=True, slots=True)
class Receivers:
    """Everything that the front matter says about telling people."""

    contacts: tuple[Contact, ...] = ()
    ladders: Mapping[Severity, tuple[Rung, ...]] = field(default_factory=dict)
    repeat_s: float = 1_800.0
    group_s: float = 30.0
    within_s: float = 3_600.0  # a message that was not taken for so long goes to the next contact
    smtp: str = ""  # `smtp://user:password@host:587`, still with its variables
    sender: str = ""
    heartbeat: str = ""  # the address that hears of the run as long as it is carried
    heartbeat_s: float = 300.0
    silences: tuple[Silence, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)  # of smtp, sender, heartbeat
    written: bool = False  # the front matter has `alerts:`

    def ladder(self, severity: Severity) -> tuple[Rung, ...]:
        """Return who is told of a severity, in order; empty when nobody is.

        Where `alerts:` names no severity, everybody who can be told is told of everything.
        """
        if not self.ladders:
            names = tuple(c.name for c in self.contacts if c.channels)
            return (Rung(names),) if names else ()
        for one in (severity, *_FALLBACK[severity]):
            if one in self.ladders:
                return self.ladders[one]
        return ()

    def contact(self, name: str) -> Contact | None:
        """Return the contact of this name."""
        return next((one for one in self.contacts if one.name == name), None)

    def variables(self) -> tuple[Variable, ...]:
        """Return the names that must be bound before anybody can be told."""
        return tuple(Variable(name, span) for _, text, span in self._texts() for name in _in(text))

    def hidden(self) -> frozenset[str]:
        """Return the names whose values are secrets, however they look."""
        return frozenset(
            name for kind, text, _ in self._texts() if kind in HIDDEN_CHANNELS for name in _in(text)
        ) | frozenset([*_in(self.smtp), *_in(self.heartbeat)])

    def _texts(self) -> Iterator[tuple[str, str, Span]]:
        for contact in self.contacts:
            for channel in contact.channels:
                yield channel.kind, channel.address, channel.span
        more = (("smtp", self.smtp), ("from", self.sender), ("heartbeat", self.heartbeat))
        for name, text in more:
            if text:
                yield name, text, self.spans[name]


def _in(text: str) -> Iterator[str]:
    for match in _REFERENCE.finditer(text):
        yield match[1] or match[2]


def is_reference(text: str) -> bool:
    """Say whether an address is one variable and nothing else."""
    return _REFERENCE.fullmatch(text) is not None


def secret_parts(value: str) -> tuple[str, ...]:
    """Return what must never be shown of an address that was bound: itself and its keys."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return (value,)
    if not parts.scheme or not parts.netloc:
        return (value,)
    keys = [parts.username or "", parts.password or "", parts.query, *parts.path.split("/")]
    return (value, *(key for key in keys if _is_key(key)))


def _is_key(text: str) -> bool:
    """Tell a key from a word of a path: long, or letters and digits together."""
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) >= _LONG_KEY or (mixed and len(text) >= _SHORTEST_KEY)
