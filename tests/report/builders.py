"""Builds the events of invented runs, sealed as the journal seals them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gonogo.clock import stamp
from gonogo.judge.verdict import Finding, Status
from gonogo.run.journal import GENESIS, Event

START = datetime(2026, 3, 1, 14, 2, 11, tzinfo=UTC)
RUNBOOK = "\n".join(f"line {number} of the runbook" for number in range(1, 91)) + "\n"


def a_step(name: str, title: str, line: int, effect: str = "check", **more: object) -> dict:
    return {
        "id": name,
        "title": title,
        "line": line,
        "effect": effect,
        "critical": False,
        "claimed": False,
        "owner": None,
        "estimate_s": None,
        **more,
    }


def a_phase(name: str, title: str, *steps: dict, line: int = 1, planned: float | None = None):
    role = {"pre": "preflight", "deploy": "deploy", "smoke": "verify"}.get(name, "verify")
    return {
        "id": name,
        "title": title,
        "role": role,
        "line": line,
        "estimate_s": planned,
        "steps": list(steps),
    }


def an_option(name: str, title: str, *steps: dict, stated: float | None = None, line: int = 70):
    return {
        "id": name,
        "title": title,
        "line": line,
        "stated_s": stated,
        "destructive": False,
        "steps": list(steps),
    }


def a_plan(*phases: dict, options: tuple[dict, ...] = (), proof: tuple[dict, ...] = ()) -> dict:
    back = {"id": "rollback", "line": 68, "options": list(options), "proof": list(proof)}
    return {"phases": list(phases), "rollback": back if options or proof else None}


class Story:
    """A run that is told event by event; `wait` lets time pass before the next one."""

    def __init__(self, plan: dict, run: str = "7f3a", **start: object) -> None:
        self.run = run
        self.now = START
        self.events: list[Event] = []
        self._steps = {s["id"]: s for s in _steps_of(plan)}
        body = {
            "runbook": "deploy.md",
            "text": RUNBOOK,
            "digest": "9b" * 32,
            "plan": plan,
            "mode": "explicit",
            "service": "search",
            "title": "Search: release",
            "release": "v2.4.0",
            "environment": "production",
            "bindings": ["APP_URL", "DATABASE_URL"],
            "folder": "/srv/search",
            "host": "deploy-1",
            "version": "0.1.0",
            **start,
        }
        self.say("run.started", body=body, who="ana")

    def wait(self, seconds: float) -> Story:
        self.now += timedelta(seconds=seconds)
        return self

    def say(
        self, kind: str, item: str = "", /, *, who: str = "gonogo", attempt: int = 0, **more: Any
    ) -> Story:
        body = more.pop("body", None) or more
        before = self.events[-1].hash if self.events else GENESIS
        bare = Event(
            seq=len(self.events) + 1,
            run=self.run,
            epoch=1,
            at=stamp(self.now),
            who=who,
            kind=kind,
            item=item,
            attempt=attempt,
            body=body,
            hash="",
        )
        self.events.append(sealed(bare, before))
        return self

    def _step(self, item: str) -> dict:
        if "~undo" in item:
            title = f"undo: {self._steps[item.split('~')[0]]['title']}"
            return {"title": title, "effect": "action", "line": 44}
        return self._steps.get(item.split("?proof:")[-1], {"title": item})

    def begin(self, item: str, attempt: int = 1) -> Story:
        step = self._step(item)
        return self.say(
            "step.started",
            item,
            attempt=attempt,
            body={
                "title": step["title"],
                "line": step.get("line", 0),
                "effect": step.get("effect", ""),
                "command": f"./do {item}",
            },
        )

    def end(self, item: str, status: str = "pass", took: float = 1.0, **more: Any) -> Story:
        step = self._step(item)
        started = "" if more.get("attempts") == 0 else stamp(self.now)
        self.wait(took)
        finding = Finding(
            item=item,
            title=step["title"],
            status=Status(status),
            effect=step.get("effect", "check"),
            line=step.get("line", 0),
            started=started,
            duration_s=took,
            **{"attempts": 1, **more},
        )
        return self.say("step.finished", item, attempt=finding.attempts, body=finding.as_json())

    def do(self, item: str, status: str = "pass", took: float = 1.0, **more: Any) -> Story:
        return self.begin(item).end(item, status, took, **more)

    def gate(self, phase: str, verdict: str = "go", *reasons: str) -> Story:
        return self.say("gate.decided", phase, verdict=verdict, reasons=list(reasons))

    def phase(self, phase: str, title: str = "", role: str = "") -> Story:
        return self.say("phase.started", phase, title=title, role=role)

    def answer(self, item: str, answer: str, who: str = "ana", **more: object) -> Story:
        return self.say("answer.given", item, who=who, answer=answer, **more)

    def verdict(self, verdict: str, exit_code: int, **more: object) -> Story:
        return self.say("verdict.given", verdict=verdict, exit_code=exit_code, **more)


def sealed(event: Event, before: str) -> Event:
    values = {name: getattr(event, name) for name in Event.__slots__}
    return Event(**{**values, "hash": event.sealed(before)})


def resealed(events: list[Event]) -> list[Event]:
    """Number and seal events anew, as if they had been journaled like this."""
    done: list[Event] = []
    for seq, event in enumerate(events, start=1):
        values = {name: getattr(event, name) for name in Event.__slots__}
        bare = Event(**{**values, "seq": seq})
        done.append(sealed(bare, done[-1].hash if done else GENESIS))
    return done


def _steps_of(plan: dict) -> list[dict]:
    steps = [s for phase in plan["phases"] for s in phase["steps"]]
    back = plan["rollback"]
    if back:
        steps += [s for option in back["options"] for s in option["steps"]]
        steps += back["proof"]
    return steps
