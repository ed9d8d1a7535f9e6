"""A watch that is over, as findings: what each rule asked, whether it held, and what is not known.

Whoever stops a watch early, or in an open streak, or while it was blind, gets no go.
"""

from __future__ import annotations

from gonogo.judge.moves import clock_time
from gonogo.judge.rules import Machine
from gonogo.judge.streaks import State, Streak
from gonogo.judge.verdict import Finding, Status, Verdict, decide
from gonogo.plan.model import TELLS, Consequence, Rule

MUST_HOLD = frozenset({Consequence.OBJECTIVE})
DECIDES = frozenset({Consequence.OBJECTIVE, Consequence.ROLLBACK})
"""Rules that make a watch bad by themselves; a page or critical alert leaves it to a person."""


def open_streaks(machine: Machine) -> tuple[str, ...]:
    """Return the written rules with a streak under way; a watch goes on until there are none."""
    return tuple(rule.id for rule in machine.rules if machine.streaks[rule.id].open)


def findings(machine: Machine, *, complete: bool) -> list[Finding]:
    """Return one finding for each rule that decides anything, in the written order.

    `complete` says that the watch lasted as long as planned. Rules that only warn are told when
    they fire and decide nothing.
    """
    streaks = machine.streaks
    found = [
        _finding(machine, rule, streaks[rule.id])
        for rule in machine.rules
        if rule.consequence not in TELLS
    ]
    if not complete:
        found.append(
            Finding(
                item="watch",
                title="the watch lasts as long as planned",
                status=Status.UNKNOWN,
                effect="check",
                line=machine.rules[0].span.line if machine.rules else 1,
                expected="the planned end",
                why="the watch was stopped before its end",
            )
        )
    return found


def verdict(machine: Machine, *, complete: bool) -> Verdict:
    """Return the verdict of the whole watch; without any rule it is hold."""
    return decide(findings(machine, complete=complete))


def _finding(machine: Machine, rule: Rule, streak: Streak) -> Finding:
    status, why = _status(rule, streak)
    pattern = streak.pattern
    holds = "holds" if rule.consequence in MUST_HOLD else "does not hold"
    judged = f"{streak.breached} of {streak.known} judged buckets were bad"
    notes = [f"{streak.silent} buckets said nothing"] if streak.silent else []
    if streak.since_ms is not None and streak.state is not State.INACTIVE:
        since = clock_time(streak.since_ms, machine.terms.width_ms, machine.last_ms or 0)
        notes.append(f"{streak.state.value} since {since}")
    return Finding(
        item=rule.id,
        title=rule.condition.text,
        status=status,
        effect="check",
        line=rule.span.line,
        expected=f"{rule.condition.say()} {holds}",
        actual=judged,
        why=why,
        indicators={
            "fired": streak.fired,
            "bad": streak.breached,
            "judged": streak.known,
            "silent": streak.silent,
            "need": pattern.need,
            "of": pattern.of,
        },
        notes=tuple(notes),
    )


def _status(rule: Rule, streak: Streak) -> tuple[Status, str]:
    """Say what is known about a rule: bad once is bad, and silence is never good."""
    if streak.fired:
        if rule.consequence in DECIDES:
            return Status.FAIL, f"it was bad for {streak.pattern.say()}"
        return Status.UNKNOWN, "the alert fired: a person decides"
    if not streak.known:
        return Status.UNKNOWN, "no bucket could be judged"
    if streak.open:
        return Status.UNKNOWN, "the watch ended in an open streak"
    if streak.in_doubt:
        return Status.UNKNOWN, f"{streak.silent} buckets said nothing and may hide a breach"
    return Status.PASS, ""
