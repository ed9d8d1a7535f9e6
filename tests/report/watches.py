"""Watches for invented runs: the real machine of rules judges invented slices, event by event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from tests.judge.watching import a_condition
from tests.report.builders import Story, a_phase, a_plan

from gonogo.judge import watch as judged
from gonogo.judge.buckets import Bucket, Figure, Form, Given, Shape, Share
from gonogo.judge.moves import Move
from gonogo.judge.rules import Machine, Terms
from gonogo.judge.streaks import State
from gonogo.plan.model import Consequence, Rule
from gonogo.report.evidence import Evidence
from gonogo.report.watch import Watch
from gonogo.run.noting import counted, seen
from gonogo.source import Span

WIDTH_MS = 300_000
FIRST_MS = 1_772_373_600_000  # 2026-03-01 14:00 UTC, the slice in which the stories begin
FORMS: Mapping[str, Form] = {
    "error rate": Form(Shape.SHARE, "%"),
    "response time": Form(Shape.GIVEN, "ms", stat="p95", least=0),
}
SOURCES = {
    "error rate": "share of status >= 500 in logs/access.jsonl",
    "response time": "duration_ms in logs/access.jsonl",
}


def a_rule(name: str, text: str, consequence: str, line: int) -> Rule:
    return Rule(name, a_condition(text), Consequence(consequence), Span.of_line(line))


RULES = (
    a_rule("fast", "response time p95 < 500ms", "objective", 86),
    a_rule("slow", "response time p95 > 450ms for 2 buckets", "warn", 88),
    a_rule("errors", "error rate > 1% for 2 consecutive buckets", "rollback", 90),
)
Slice = tuple[int | None, int | None]  # errors in 10,000 requests, p95 in ms; None: no data


class Watched:
    """A watch that is told into a story, slice by slice."""

    def __init__(
        self,
        story: Story,
        phase: str = "watch",
        *,
        planned: int = 8,
        rules: Sequence[Rule] = RULES,
        values: bool = True,
        why: Iterable[str] = (),
    ) -> None:
        self.story = story
        self.phase = phase
        self.values = values
        self.why = tuple(why)
        self.next = 0
        self.machine = Machine(rules, FORMS, Terms(WIDTH_MS))
        self.planned = planned
        story.say(
            "watch.started",
            phase,
            started_ms=int(story.now.timestamp() * 1000),
            width_ms=WIDTH_MS,
            planned=planned,
            metrics=SOURCES,
            rules=[
                {
                    "id": rule.id,
                    "text": rule.condition.text,
                    "says": rule.condition.say(),
                    "consequence": rule.consequence.value,
                    "line": rule.span.line,
                }
                for rule in rules
            ],
        )

    def see(self, *slices: Slice, coverage: float = 1.0) -> list[Move]:
        """Let slices pass; return all moves."""
        moves = []
        for errors, slow in slices:
            moves += self._one(errors, slow, coverage)
        return moves

    def miss(self, number: int) -> None:
        """Let time pass in which nobody closes a slice."""
        self.next += number

    def _one(self, errors: int | None, slow: int | None, coverage: float) -> list[Move]:
        start = FIRST_MS + self.next * WIDTH_MS
        self.next += 1
        self.story.wait((start + WIDTH_MS + 5_000) / 1000 - self.story.now.timestamp())
        buckets = _buckets(start, errors, slow, coverage, self.why if coverage else ())
        moves = self.machine.step(start, buckets)
        self._note(start, buckets)
        for move in moves:
            self.story.say("rule.moved", f"{move.rule}@{move.at_ms}", body=move.as_json())
        return moves

    def _note(self, start: int, buckets: Mapping[str, Bucket]) -> None:
        rules = {
            rule.id: {
                **seen(self.machine, rule, buckets),
                **(self._value(rule, buckets) if self.values else {}),
            }
            for rule in self.machine.rules
        }
        metrics = counted(buckets)
        body = {"phase": self.phase, "start_ms": start, "rules": rules, "metrics": metrics}
        self.story.say("bucket.closed", f"{self.phase}@{start}", body=body)

    def _value(self, rule: Rule, buckets: Mapping[str, Bucket]) -> dict[str, object]:
        predicate = rule.condition.predicates[0]
        body = buckets[predicate.metric or ""].body
        if isinstance(body, Share) and body.total:
            return {"value": float(Fraction(100 * body.hits, body.total)), "unit": "%", "limit": 1}
        if isinstance(body, Given) and body.count:
            limit = 500 if rule.consequence is Consequence.OBJECTIVE else 450
            return {"value": float(body.figures["p95"].value), "unit": "ms", "limit": limit}
        return {"unit": "", "limit": None}

    def end(self, *, complete: bool = True, why: str = "planned end") -> Story:
        """End the watch and journal what its rules have come to."""
        self.story.say("watch.ended", self.phase, why=why, complete=complete)
        for finding in judged.findings(self.machine, complete=complete):
            self.story.say("rule.judged", finding.item, body=finding.as_json())
        return self.story

    @property
    def fired(self) -> bool:
        return any(s.state is State.FIRING for s in self.machine.streaks.values())


def _buckets(
    start: int, errors: int | None, slow: int | None, coverage: float, why: tuple[str, ...]
) -> dict[str, Bucket]:
    share = Share(errors or 0, 0 if errors is None else 10_000)
    figures = {} if slow is None else {"p95": Figure(start, Decimal(slow), 10_000)}
    watched = int(WIDTH_MS * coverage)
    found = {
        "error rate": Bucket("error rate", start, WIDTH_MS, share, watched),
        "response time": Bucket("response time", start, WIDTH_MS, Given(figures), watched),
    }
    return {
        name: bucket if bucket.count else replace(bucket, reasons=why, watched_ms=0)
        for name, bucket in found.items()
    }


def a_watch(*slices: tuple[int | None, int | None], **more: object) -> Watched:
    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch", "Watch", "watch")
    watched = Watched(story, **more)  # type: ignore[arg-type]
    watched.see(*slices)
    return watched


def watch_of(evidence: Evidence) -> Watch:
    ((_, watch),) = evidence.watches()
    return watch
