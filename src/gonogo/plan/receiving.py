"""Reads `contacts:` and `alerts:` of the front matter: receivers, or every mistake at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches

from gonogo.errors import Diagnostic
from gonogo.errors import Severity as Weight
from gonogo.plan.notices import Severity
from gonogo.plan.receivers import (
    CHANNELS,
    HIDDEN_CHANNELS,
    Channel,
    Contact,
    Receivers,
    Rung,
    Silence,
    is_reference,
)
from gonogo.plan.units import is_time, parse_quantity
from gonogo.source import Span

SETTINGS: Mapping[str, str] = {
    **{severity.value: f"who is told of an alert `{severity.value}`" for severity in Severity},
    "repeat": "told again after so long, until somebody acknowledges",
    "group": "milder alerts wait so long for others to join their message",
    "deliver within": "a message not taken for so long goes to the next contact",
    "smtp": "the mail server: `${SMTP_URL}`",
    "from": "the sender of mails",
    "heartbeat": "an address that hears of the run on a beat: `$HEARTBEAT_URL every 5m`",
    "silence": "planned windows in which nobody is told",
}
_SEVERITIES = frozenset(severity.value for severity in Severity)
_MAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_RUNG = re.compile(r"(?:then\s+)?(?P<who>.+?)(?:\s+after\s+(?P<after>.+))?", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|\+|&)\s+", re.IGNORECASE)
_SILENCE = ("from", "to", "by", "why", "only")
_LONGEST_S = 7 * 86_400.0
_SHORTEST_BEAT_S, _LONGEST_BEAT_S = 10.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of front matter with its place: a text, a list, or names with values."""

    span: Span
    text: str | None = None
    items: tuple[Written, ...] | None = None
    pairs: tuple[tuple[str, Span, Written], ...] | None = None

    def listed(self) -> tuple[Written, ...]:
        """Return its items; a text is a list of what its commas divide."""
        if self.items is not None:
            return self.items
        if self.text is None:
            return ()
        return tuple(Written(self.span, part.strip()) for part in self.text.split(","))


@dataclass(slots=True)
class _Reader:
    found: list[Diagnostic] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    ladders: dict[Severity, tuple[Rung, ...]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)

    def wrong(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.found.append(Diagnostic(code, message, span, hint=hint))

    # --- contacts

    def read_contacts(self, written: Written) -> None:
        if written.pairs is None:
            for item in written.listed():
                self._named(item)
            return
        for name, span, value in written.pairs:
            self._contact(name, span, value)

    def _named(self, item: Written) -> None:
        """Take a contact of whom only the name is written: to be asked, not to be told."""
        if not item.text:
            self.wrong("GN370", "a contact is a name", item.span, _CONTACT_HINT)
        else:
            self._contact(item.text, item.span, Written(item.span, ""))

    def _contact(self, name: str, span: Span, value: Written) -> None:
        if any(contact.name == name for contact in self.contacts):
            self.wrong("GN370", f"the contact `{name}` stands twice", span, "keep one of the two")
            return
        channels: list[Channel] = []
        if value.pairs is not None:
            for kind, at, address in value.pairs:
                channels += self._channel(name, kind, at, address)
        elif value.text and _MAIL.fullmatch(value.text):
            channels.append(Channel("mail", value.text, value.span))
        elif value.items is not None or value.text:
            self.wrong("GN370", f"the contact `{name}` has no channel", value.span, _CONTACT_HINT)
        self.contacts.append(Contact(name, tuple(channels), span))

    def _channel(self, name: str, kind: str, at: Span, address: Written) -> list[Channel]:
        if kind not in CHANNELS:
            self.wrong("GN371", f"no channel is named `{kind}`", at, _near(kind, CHANNELS))
            return []
        text = (address.text or "").strip()
        if not text:
            self.wrong("GN370", f"`{kind}` of `{name}` must be one address", address.span)
            return []
        if kind in HIDDEN_CHANNELS and not is_reference(text):
            self._plain(f"`{kind}` of `{name}`", f"{name}_{kind}", address.span)
            return []
        if kind == "mail" and not is_reference(text) and not _MAIL.fullmatch(text):
            self.wrong("GN370", f"`{text}` is no e-mail address", address.span)
            return []
        return [Channel(kind, text, address.span)]

    def _plain(self, what: str, name: str, span: Span) -> None:
        variable = re.sub(r"\W", "_", name).upper()
        self.wrong(
            "GN372",
            f"the address {what} stands in plain text: whoever reads it can send in your name",
            span,
            f'write `${variable}` (in quotation marks with braces: `"${{{variable}}}"`) and give '
            "it to the run",
        )

    # --- alerts

    def read_alerts(self, written: Written) -> None:
        if written.pairs is None:
            self.wrong("GN370", "`alerts` must be a list of `name: value`", written.span)
            return
        for key, span, value in written.pairs:
            reader = self._setting(" ".join(key.replace("_", " ").casefold().split()))
            if reader is None:
                hint = _near(key, SETTINGS)
                self.wrong("GN375", f"`alerts` has no setting `{key}`", span, hint)
            else:
                reader(value)

    def _setting(self, name: str) -> Callable[[Written], None] | None:
        if name in _SEVERITIES:
            return lambda value: self._ladder(Severity(name), value)
        if name in ("repeat", "group", "deliver within"):
            return lambda value: self._duration(name, value)
        if name in ("smtp", "from"):
            return lambda value: self._text(name, value)
        if name == "heartbeat":
            return self._heartbeat
        return self._silences if name == "silence" else None

    def _ladder(self, severity: Severity, written: Written) -> None:
        rungs: list[Rung] = []
        for item in written.listed():
            rung = self._rung(item, rungs[-1] if rungs else None)
            if rung is not None:
                rungs.append(rung)
        if rungs:
            self.ladders[severity] = tuple(rungs)
        elif not written.listed():
            self.wrong("GN374", f"`{severity.value}` names nobody", written.span, _LADDER_HINT)

    def _rung(self, item: Written, before: Rung | None) -> Rung | None:
        match = _RUNG.fullmatch((item.text or "").strip())
        if match is None:
            self.wrong("GN374", "an escalation names nobody", item.span, _LADDER_HINT)
            return None
        names = tuple(name.strip() for name in _AND.split(match["who"]))
        known = [self._known(name, item.span) for name in names]
        if not all(known):
            return None
        if match["after"] is None:
            if before is None:
                return Rung(names)
            message = f"`{item.text}` does not say after how long"
            self.wrong("GN374", message, item.span, _LADDER_HINT)
            return None
        after = _seconds(match["after"])
        if before is None or after is None or after <= before.after_s:
            self.wrong("GN374", _rung_problem(item.text or "", before, after), item.span, _ORDER)
            return None
        return Rung(names, after)

    def _known(self, name: str, span: Span) -> bool:
        contact = next((one for one in self.contacts if one.name == name), None)
        if contact is None:
            hint = _near(name, [one.name for one in self.contacts]) or "name it under `contacts:`"
            self.wrong("GN373", f"no contact is named `{name}`", span, hint)
        elif not contact.channels:
            self.wrong("GN377", f"`{name}` has no channel and cannot be told", span, _CONTACT_HINT)
        return contact is not None and bool(contact.channels)

    def _duration(self, name: str, written: Written) -> None:
        found = _seconds(written.text or "")
        least = 0.0 if name == "group" else 1.0
        if found is None or not least <= found <= _LONGEST_S:
            message = f"`{name}` is `{written.text}`, expected a duration up to a week"
            self.wrong("GN370", message, written.span, "write for example `30m`")
            return
        self.numbers[name] = found

    def _text(self, name: str, written: Written) -> None:
        text = (written.text or "").strip()
        if name == "smtp" and text and not is_reference(text):
            if re.search(r"://[^/\s]*@", text):
                self._plain("`smtp`", "smtp_url", written.span)
                return
            if not re.match(r"smtps?://[^/\s]+$", text):
                text = ""
        if name == "from" and not is_reference(text) and not _MAIL.fullmatch(text):
            text = ""
        if not text:
            hint = "`smtp://host:587` or `smtps://host`" if name == "smtp" else "an e-mail address"
            self.wrong("GN370", f"`{name}` is `{written.text}`", written.span, f"expected {hint}")
            return
        self.texts[name], self.spans[name] = text, written.span

    def _heartbeat(self, written: Written) -> None:
        """Take an address, which is a secret, and the beat on which it hears of the run."""
        address, _, beat = (written.text or "").strip().partition(" every ")
        seconds = _seconds(beat) if beat else Receivers().heartbeat_s
        if not is_reference(address.strip()):
            if "://" in address:
                self._plain("`heartbeat`", "heartbeat_url", written.span)
            else:
                self.wrong("GN370", f"`heartbeat` is `{written.text}`", written.span, _BEAT_HINT)
        elif seconds is None or not _SHORTEST_BEAT_S <= seconds <= _LONGEST_BEAT_S:
            message = f"`{beat}` is no beat, expected a duration from 10 s to a day"
            self.wrong("GN370", message, written.span, _BEAT_HINT)
        else:
            self.texts["heartbeat"], self.spans["heartbeat"] = address.strip(), written.span
            self.numbers["heartbeat"] = seconds

    # --- silences

    def _silences(self, written: Written) -> None:
        for item in (written,) if written.pairs is not None else written.items or ():
            self._silence(item)
        if written.pairs is None and not written.items:
            self.wrong("GN379", "a planned window names its times", written.span, _SILENCE_HINT)

    def _silence(self, item: Written) -> None:
        given = {name: (value.text or "").strip() for name, _, value in item.pairs or ()}
        for name, span, _ in item.pairs or ():
            if name not in _SILENCE:
                hint = _near(name, _SILENCE)
                self.wrong("GN379", f"a planned window has no `{name}`", span, hint)
        lacking = [name for name in _SILENCE[:4] if not given.get(name)]
        if lacking:
            words = ", ".join(f"`{name}`" for name in lacking)
            self.wrong("GN379", f"a planned window lacks {words}", item.span, _SILENCE_HINT)
            return
        start, end = _instant(given["from"]), _instant(given["to"])
        if start is None or end is None or start >= end:
            message = f"`{given['from']}` to `{given['to']}` is no window of time"
            self.wrong("GN379", message, item.span, _SILENCE_HINT)
            return
        only = given.get("only", "")
        self.silences.append(Silence(given["by"], given["why"], start, end, only))


_CONTACT_HINT = "write `ana: { mail: ana@example.org, slack: $SLACK_WEBHOOK }`"
_LADDER_HINT = "write `[ana, then bob after 10m, then lead after 20m]`"
_BEAT_HINT = "write `heartbeat: $HEARTBEAT_URL every 5m`"
_ORDER = "times are counted from the first message and grow: `[ana, bob after 10m]`"
_SILENCE_HINT = (
    "write `- { from: 2026-03-01T02:00Z, to: 2026-03-01T02:30Z, by: ana, why: restart }`"
)


def read_receivers(
    contacts: Written | None, alerts: Written | None
) -> tuple[Receivers, tuple[Diagnostic, ...]]:
    """Return who is told, as far as it is understood, with every mistake and every default."""
    reader = _Reader()
    if contacts is not None:
        reader.read_contacts(contacts)
    if alerts is not None:
        reader.read_alerts(alerts)
    numbers, plain = reader.numbers, Receivers()
    receivers = Receivers(
        contacts=tuple(reader.contacts),
        ladders=reader.ladders,
        repeat_s=numbers.get("repeat", plain.repeat_s),
        group_s=numbers.get("group", plain.group_s),
        within_s=numbers.get("deliver within", plain.within_s),
        smtp=reader.texts.get("smtp", ""),
        sender=reader.texts.get("from", ""),
        heartbeat=reader.texts.get("heartbeat", ""),
        heartbeat_s=numbers.get("heartbeat", plain.heartbeat_s),
        silences=tuple(reader.silences),
        spans=reader.spans,
        written=alerts is not None,
    )
    if alerts is None and contacts is not None and any(c.channels for c in reader.contacts):
        note = "without `alerts` every contact with a channel is told of every alert at once"
        hint = "say who is told of what: `alerts: { warn: team, page: ana }`"
        reader.found.append(
            Diagnostic("GN378", note, contacts.span, hint=hint, severity=Weight.NOTE)
        )
    return receivers, tuple(reader.found)


def unheard(receivers: Receivers, raised: Iterable[tuple[Severity, Span]]) -> list[Diagnostic]:
    """Return a warning for each rule whose alert nobody would be told of."""
    return [
        Diagnostic(
            "GN376",
            f"nobody is told when this alert `{severity.value}` fires",
            span,
            hint="name contacts with channels under `contacts:`, and who is told under `alerts:`",
            severity=Weight.WARNING,
        )
        for severity, span in raised
        if not receivers.ladder(severity)
    ]


def _near(word: str, names: Iterable[str]) -> str:
    known = list(names)
    close = get_close_matches(word.casefold(), known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return "known: " + ", ".join(f"`{name}`" for name in known[:14]) if known else ""


def _rung_problem(text: str, before: Rung | None, after: float | None) -> str:
    if before is None:
        return f"`{text}` is the first to be told and cannot be told later"
    if after is None:
        return f"`{text}` does not end in a duration"
    return f"`{text}` is not later than the one before"


def _seconds(text: str) -> float | None:
    found = parse_quantity(text.strip())
    if found is None or not is_time(found.unit) or found.si < 0:
        return None
    return float(found.si)


def _instant(text: str) -> int | None:
    """Return a moment in milliseconds; without a zone it is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
