"""The alerts against a naive model that keeps a log of every message and looks things up in it."""

from __future__ import annotations

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gonogo.judge.alerts import Alerts
from gonogo.judge.raising import Raising
from gonogo.plan.notices import URGENCY, Notice, Reason, Severity, State
from gonogo.plan.receivers import Channel, Contact, Receivers, Rung
from gonogo.source import Span

SPAN = Span.of_line(1)
NAMES = ("team", "ana", "bob", "lead")
REPEAT_MS, GROUP_MS = 1_800_000, 30_000
AFTER_MS = (0, 600_000, 1_200_000)
RECEIVERS = Receivers(
    contacts=tuple(Contact(n, (Channel("mail", f"{n}@x.org", SPAN),), SPAN) for n in NAMES),
    ladders={
        Severity.WARN: (Rung(("team",)),),
        Severity.PAGE: (Rung(("ana",)), Rung(("bob",), 600.0), Rung(("lead",), 1200.0)),
    },
    written=True,
)
PAGED = ("ana", "bob", "lead")
RULES = st.sampled_from(["errors", "latency"])
SEVERITIES = st.sampled_from([Severity.WARN, Severity.PAGE, Severity.CRITICAL, Severity.P1])


class Known:
    """What the model knows of one episode of one rule."""

    def __init__(self, name: str, severity: Severity, at: int) -> None:
        self.name = name
        self.severity = severity
        self.at = at  # when it took this severity
        self.acknowledged = False


class AlertsAgainstTheirLog(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.alerts = Alerts("7f3a", "search", RECEIVERS)
        self.log: list[tuple[int, Notice]] = []
        self.open: dict[str, Known] = {}
        self.over: list[str] = []
        self.episodes = {"errors": 0, "latency": 0}
        self.numbers: set[int] = set()

    def lines(self, name: str) -> list[tuple[int, str, Reason]]:
        return [
            (at, notice.contact, line.reason)
            for at, notice in self.log
            for line in notice.lines
            if line.alert == name
        ]

    def step(self) -> None:
        for notice in self.alerts.step(self.now).notices:
            assert notice.number not in self.numbers, "a number names one message for good"
            self.numbers.add(notice.number)
            self.log.append((self.now, notice))

    @rule(seconds=st.sampled_from([1, 10, 31, 300, 601, 1801, 4 * 3600 + 1]))
    def wait(self, seconds: int) -> None:
        """Let time pass as the runner does: a step whenever one is due."""
        end = self.now + seconds * 1000
        while (due := self.alerts.next_ms(self.now)) is not None and due <= end:
            self.now = due
            self.step()
        self.now = end
        self.step()

    @rule(name=RULES, severity=SEVERITIES)
    def fire(self, name: str, severity: Severity) -> None:
        self.alerts.fire(Raising(name, severity, f"{name} bad", self.now), self.now)
        known = self.open.get(name)
        if known is None:
            self.episodes[name] += 1
            self.open[name] = Known(f"{name}/{self.episodes[name]}", severity, self.now)
        elif URGENCY[severity].rank > URGENCY[known.severity].rank:
            known.severity, known.at, known.acknowledged = severity, self.now, False
        self.step()

    @rule(name=RULES)
    def clear(self, name: str) -> None:
        self.alerts.clear(name, "good")
        known = self.open.pop(name, None)
        self.step()
        if known is not None:
            self.over.append(known.name)

    @rule()
    def acknowledge(self) -> None:
        for alert in self.alerts.waiting():
            assert self.alerts.acknowledge(alert.ack, "ana")
            self.open[alert.rule].acknowledged = True
        self.step()

    @rule()
    def be_killed(self) -> None:
        state = json.loads(json.dumps(self.alerts.as_json()))
        self.alerts = Alerts("7f3a", "search", RECEIVERS)
        self.alerts.resume(state)

    @rule()
    def step_too_often(self) -> None:
        self.step()
        before = len(self.log)
        self.step()
        assert len(self.log) == before

    @invariant()
    def nobody_is_told_the_same_twice_within_the_repeat_interval(self) -> None:
        for known in [*self.open.values()]:
            last: dict[str, int] = {}
            for at, contact, reason in self.lines(known.name):
                if reason is Reason.REPEATED:
                    assert at - last[contact] >= REPEAT_MS
                last[contact] = at

    @invariant()
    def each_message_has_its_only_reason_once(self) -> None:
        for name in [*self.over, *(known.name for known in self.open.values())]:
            told = self.lines(name)
            firsts = {contact for _, contact, reason in told if reason is Reason.FIRST}
            assert len(firsts) == sum(reason is Reason.FIRST for _, _, reason in told)
            assert sum(reason is Reason.OVERDUE for _, c, reason in told if c == "ana") <= 1

    @invariant()
    def an_unacknowledged_page_is_never_silent_for_longer(self) -> None:
        for known in self.open.values():
            if not URGENCY[known.severity].repeats or known.acknowledged:
                continue
            heard = [at for at, _, _ in self.lines(known.name) if at >= known.at]
            assert heard, "a page is told at once"
            assert self.now - heard[-1] <= REPEAT_MS
            for contact, after in zip(PAGED, AFTER_MS, strict=True):
                own = [at for at, c, _ in self.lines(known.name) if c == contact and at >= known.at]
                if self.now >= known.at + after:
                    assert own, f"{contact} is told after {after} ms"
                    assert self.now - own[-1] <= REPEAT_MS

    @invariant()
    def an_end_is_told_exactly_to_those_who_were_told(self) -> None:
        for name in self.over:
            told = self.lines(name)
            fired = {contact for _, contact, reason in told if reason is not Reason.RESOLVED}
            ended = [contact for _, contact, reason in told if reason is Reason.RESOLVED]
            assert sorted(ended) == sorted(fired)
            assert not told or told[-1][2] is Reason.RESOLVED
        for known in self.open.values():
            assert all(reason is not Reason.RESOLVED for _, _, reason in self.lines(known.name))

    @invariant()
    def the_state_of_a_line_is_that_of_its_reason(self) -> None:
        for _, notice in self.log[-2:]:
            for line in notice.lines:
                assert (line.state is State.RESOLVED) is (line.reason is Reason.RESOLVED)
                assert bool(line.ack) <= line.urgent


AlertsAgainstTheirLog.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, deadline=None
)
TestAlertsAgainstTheirLog = AlertsAgainstTheirLog.TestCase
