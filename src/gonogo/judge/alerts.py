"""The alerts of a run: who is told what, when, again, and until when; pure, time is an argument.

An alert is raised by a rule that fires (or by a rollback), is told to the first rung of its ladder,
goes up the ladder and is repeated until a person acknowledges it, and ends with one message to
everybody who was told. Alerts that are due in the same step share one message per contact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from gonogo.judge.alert import Alert, Decision, Stepped, alert_from_json
from gonogo.judge.raising import Raising
from gonogo.plan.notices import URGENCY, Line, Notice, Reason, Severity, State
from gonogo.plan.receivers import Receivers, Rung, Silence

_QUIET = frozenset(
    {
        Reason.GROUPED,
        Reason.TOLD,
        Reason.ACKNOWLEDGED,
        Reason.SILENCED,
        Reason.UNTOLD,
        Reason.NOBODY,
    }
)


class Alerts:
    """All alerts of one run and where they stand; its state can be stored after any step."""

    def __init__(self, run: str, about: str, receivers: Receivers) -> None:
        """Begin without any alert; planned windows come from the runbook."""
        self.run = run
        self.about = about
        self.receivers = receivers
        self.open: list[Alert] = []
        self.silences: list[Silence] = list(receivers.silences)
        self._episodes: dict[str, int] = {}
        self._number = 0

    # --- what happens

    def fire(self, raising: Raising, now_ms: int) -> None:
        """Raise an alert, or make the open one of this rule worse; never twice the same."""
        known = next((a for a in self.open if a.rule == raising.rule and not a.over), None)
        if known is None:
            number = self._episodes[raising.rule] = self._episodes.get(raising.rule, 0) + 1
            self.open.append(
                Alert(
                    id=f"{raising.rule}/{number}",
                    rule=raising.rule,
                    severity=raising.severity,
                    text=raising.text,
                    since_ms=raising.since_ms,
                    raised_ms=now_ms,
                    always=raising.always,
                    metrics=raising.metrics,
                    within_s=raising.within_s,
                    once=raising.once,
                )
            )
            return
        known.text = raising.text
        if URGENCY[raising.severity].rank > URGENCY[known.severity].rank:
            known.severity = raising.severity
            known.raised_ms = now_ms
            known.within_s = raising.within_s
            known.overdue = False
            self._ask_anew(known)

    def _ask_anew(self, alert: Alert) -> None:
        alert.asks += bool(alert.acknowledged)
        alert.acknowledged = ""
        alert.told_ms, alert.rungs, alert.hurried, alert.changed = None, 0, False, True

    def clear(self, rule: str, text: str) -> None:
        """End the open alert of a rule; the text says how it ended."""
        for alert in self.open:
            if alert.rule == rule and not alert.over:
                alert.over, alert.text, alert.changed = True, text or alert.text, True

    def saw(self, rule: str, text: str, at_ms: int) -> None:
        """Keep what the figures of a rule were, for those who are told when nobody looks on."""
        for alert in self.open:
            if alert.rule == rule and not alert.over:
                alert.seen, alert.seen_ms = text, at_ms

    def is_untold(self, rule: str) -> bool:
        """Say whether the open alert of a rule is one that nobody was told of so far."""
        return any(a.rule == rule and not a.over and not a.told for a in self.open)

    def acknowledge(self, item: str, who: str) -> bool:
        """Take a person's word that an alert is in hand; False when it is not asked for."""
        for alert in self.open:
            if item == alert.ack and alert.waits:
                alert.acknowledged, alert.changed = who, True
                return True
        return False

    def waiting(self) -> tuple[Alert, ...]:
        """Return the alerts that a person is asked to acknowledge now."""
        return tuple(alert for alert in self.open if alert.waits)

    def unreached(self, alerts: Sequence[str]) -> None:
        """Note that a message about these alerts could not be delivered: the next rung is told."""
        for alert in self.open:
            if alert.id in alerts and not alert.acknowledged and not alert.over:
                alert.hurried = alert.changed = True

    def silence(self, silence: Silence) -> None:
        """Add a planned window."""
        self.silences.append(silence)

    def unsilence(self, name: str, at_ms: int) -> None:
        """End a planned window before its time; what is still open is told then."""
        self.silences = [
            replace(one, until_ms=min(one.until_ms, at_ms)) if one.name == name else one
            for one in self.silences
        ]

    # --- what follows

    def step(self, now_ms: int) -> Stepped:
        """Decide about every alert at this moment; a step too many decides nothing new."""
        lines: dict[str, list[Line]] = {}
        decisions: list[Decision] = []
        flush = self._flushes(now_ms)
        for alert in list(self.open):
            for reason, contacts in self._decide(alert, now_ms, flush=flush):
                if reason not in _QUIET:
                    self._tell(alert, reason, contacts, lines, now_ms)
                elif reason is alert.last and not alert.changed:
                    continue
                alert.last = reason
                who = self._who(alert, reason, now_ms)
                decisions.append(Decision(alert.id, reason, contacts, who))
            alert.changed = False
        self.open = [alert for alert in self.open if not alert.is_done]
        return Stepped(self._notices(lines, now_ms), tuple(decisions))

    def end(self, now_ms: int) -> Stepped:
        """End the run: whoever knows of an open alert is told that nobody looks any longer."""
        stepped = self.step(now_ms)
        lines: dict[str, list[Line]] = {}
        decisions: list[Decision] = []
        for alert in self.open:
            contacts = tuple(alert.told)
            self._tell(alert, Reason.ENDED, contacts, lines, now_ms)
            decisions.append(Decision(alert.id, Reason.ENDED, contacts))
        self.open = []
        return stepped + Stepped(self._notices(lines, now_ms), tuple(decisions))

    def next_ms(self, now_ms: int) -> int | None:
        """Return the next moment at which time alone changes something; None when nothing waits."""
        return min((at for at in self._moments() if at > now_ms), default=None)

    def ahead(self, now_ms: int) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Return who is still to be told of urgent alerts that nobody has acknowledged, and when.

        Soonest first; one in a planned window is left out.
        """
        found = [
            ((alert.told_ms or now_ms) + int(rung.after_s * 1000), rung.contacts)
            for alert in self.open
            if alert.repeats and not (alert.over or alert.acknowledged)
            if not self._silenced(alert, now_ms)
            for rung in self._ladder(alert)[alert.rungs :]
        ]
        return tuple(sorted(found))

    def _flushes(self, now_ms: int) -> bool:
        """Say whether the milder alerts have waited long enough for others to join."""
        wait = int(self.receivers.group_s * 1000)
        return any(
            alert.told_ms is None
            and not alert.over
            and not URGENCY[alert.severity].at_once
            and not self._silenced(alert, now_ms)
            and now_ms >= alert.raised_ms + wait
            for alert in self.open
        )

    def _decide(
        self, alert: Alert, now_ms: int, *, flush: bool
    ) -> Iterator[tuple[Reason, tuple[str, ...]]]:
        if alert.over:
            reason = Reason.RESOLVED if alert.told else Reason.UNTOLD
            yield reason, tuple(alert.told)
            return
        if self._silenced(alert, now_ms):
            yield Reason.SILENCED, ()
            return
        mend_by = alert.mend_by_ms()
        if mend_by is not None and now_ms >= mend_by and alert.told_ms is not None:
            self._ask_anew(alert)
            alert.overdue = True
        ladder = self._ladder(alert)
        if not ladder:
            yield Reason.NOBODY, ()
        elif alert.told_ms is None:
            yield self._begin(alert, ladder, now_ms, flush=flush)
        elif alert.acknowledged:
            yield Reason.ACKNOWLEDGED, ()
        else:
            yield from self._again(alert, ladder, now_ms)

    def _begin(
        self, alert: Alert, ladder: tuple[Rung, ...], now_ms: int, *, flush: bool
    ) -> tuple[Reason, tuple[str, ...]]:
        """Tell it for the first time at this severity; milder alerts wait for others."""
        if not (alert.told or flush or alert.overdue or URGENCY[alert.severity].at_once):
            return Reason.GROUPED, ()
        alert.told_ms, alert.rungs = now_ms, 1
        contacts = tuple(dict.fromkeys([*ladder[0].contacts, *alert.told]))
        if alert.overdue:
            return Reason.OVERDUE, contacts
        return (Reason.UPGRADED if alert.told else Reason.FIRST), contacts

    def _again(
        self, alert: Alert, ladder: tuple[Rung, ...], now_ms: int
    ) -> Iterator[tuple[Reason, tuple[str, ...]]]:
        """Go up the ladder, and tell those again who have heard nothing for too long."""
        assert alert.told_ms is not None
        fresh: set[str] = set()
        while alert.rungs < len(ladder):
            rung = ladder[alert.rungs]
            due = alert.repeats and now_ms >= alert.told_ms + int(rung.after_s * 1000)
            if not due and not alert.hurried:
                break
            reason = Reason.ESCALATED if due else Reason.UNREACHED
            alert.rungs, alert.hurried = alert.rungs + 1, False
            contacts = tuple(c for c in dict.fromkeys(rung.contacts) if c not in fresh)
            fresh |= set(contacts)
            yield reason, contacts
        alert.hurried = False
        repeat = int(self.receivers.repeat_s * 1000)
        again = tuple(
            contact
            for contact, at in alert.told.items()
            if alert.repeats and contact not in fresh and now_ms >= at + repeat
        )
        if again:
            yield Reason.REPEATED, again
        elif not fresh:
            yield Reason.TOLD, ()

    def _tell(
        self,
        alert: Alert,
        reason: Reason,
        contacts: tuple[str, ...],
        lines: dict[str, list[Line]],
        now_ms: int,
    ) -> None:
        state = {Reason.RESOLVED: State.RESOLVED, Reason.ENDED: State.ENDED}.get(
            reason, State.FIRING
        )
        ack = alert.ack if alert.repeats and state is State.FIRING else ""
        line = Line(
            alert=alert.id,
            severity=alert.severity,
            state=state,
            reason=reason,
            text=alert.text,
            since_ms=alert.since_ms,
            urgent=alert.urgent,
            ack=ack,
            seen=alert.seen if state is State.ENDED else "",
            seen_ms=alert.seen_ms if state is State.ENDED else None,
        )
        for contact in contacts:
            lines.setdefault(contact, []).append(line)
            alert.told[contact] = now_ms

    def _notices(self, lines: Mapping[str, list[Line]], now_ms: int) -> tuple[Notice, ...]:
        notices: list[Notice] = []
        for contact, told in lines.items():
            self._number += 1
            notices.append(Notice(self.run, self._number, contact, self.about, now_ms, tuple(told)))
        return tuple(notices)

    def _ladder(self, alert: Alert) -> tuple[Rung, ...]:
        own = self.receivers.ladder(alert.severity)
        return (self.receivers.ladder(Severity.PAGE) or own) if alert.overdue else own

    def _window(self, alert: Alert, now_ms: int) -> Silence | None:
        if alert.always:
            return None
        about = f"{alert.text} {alert.metrics}"
        return next((s for s in self.silences if s.covers(alert.rule, about, now_ms)), None)

    def _silenced(self, alert: Alert, now_ms: int) -> bool:
        return self._window(alert, now_ms) is not None

    def _who(self, alert: Alert, reason: Reason, now_ms: int) -> str:
        if reason is Reason.ACKNOWLEDGED:
            return alert.acknowledged
        window = self._window(alert, now_ms) if reason is Reason.SILENCED else None
        return f"{window.who}: {window.reason}" if window else ""

    def _moments(self) -> Iterator[int]:
        repeat, group = int(self.receivers.repeat_s * 1000), int(self.receivers.group_s * 1000)
        for silence in self.silences if self.open else ():
            yield silence.until_ms
        for alert in self.open:
            mend_by = alert.mend_by_ms()
            if mend_by is not None:
                yield mend_by
            if alert.told_ms is None:
                yield alert.raised_ms + group
            elif alert.repeats and not alert.acknowledged:
                for rung in self._ladder(alert)[alert.rungs : alert.rungs + 1]:
                    yield alert.told_ms + int(rung.after_s * 1000)
                yield from (at + repeat for at in alert.told.values())

    # --- stored

    def as_json(self) -> dict[str, object]:
        """Return the state after the last step; `resume` takes it up."""
        return {
            "version": 1,
            "number": self._number,
            "episodes": dict(self._episodes),
            "open": [asdict(alert) for alert in self.open],
            "silences": [asdict(silence) for silence in self.silences],
        }

    def resume(self, state: Mapping[str, object]) -> None:
        """Go on from a stored state.

        Raises:
            ValueError: it was stored by another version.
        """
        number, episodes = state.get("number"), state.get("episodes")
        alerts, silences = state.get("open"), state.get("silences")
        if state.get("version") != 1 or not isinstance(number, int):
            msg = "the stored state of the alerts belongs to another version"
            raise ValueError(msg)
        assert isinstance(episodes, dict)
        assert isinstance(alerts, list)
        assert isinstance(silences, list)
        self._number, self._episodes = number, dict(episodes)
        self.open = [alert_from_json(alert) for alert in alerts]
        self.silences = [Silence(**silence) for silence in silences]
