"""A world whose figures are written down minute by minute, and the sources that read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.clock import START
from tests.support.scenes import Stage
from tests.support.works import Scripted, a_phase, a_plan, a_rollback, a_step, an_action, an_option

from gonogo.errors import WorkError
from gonogo.plan.grammar import read
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Metric, Phase, Plan, Rule
from gonogo.plan.samples import Batch, Reader, Sample, to_ms
from gonogo.plan.sources import Source
from gonogo.source import Span

BEGIN_MS = to_ms(START)
Level = Callable[[int], int | None]
"""The share of errors in a minute since the start, in percent; None where nothing comes."""


def minutes(*levels: int | None, after: int | None = 0) -> Level:
    """Return a level for each minute, and one for all that follow."""
    return lambda minute: levels[minute] if 0 <= minute < len(levels) else after


@dataclass
class World:
    """Figures by metric; each second has 100 requests. A log keeps them, nobody else does."""

    levels: dict[str, Level]
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    refused: Mapping[str, str] = field(default_factory=dict)  # metric -> why it is not opened
    fed: list[tuple[str, int]] = field(default_factory=list)

    def open(self, source: Source, position: object) -> Reader:
        self.opened.append(source.name)
        if source.name in self.refused:
            raise WorkError(self.refused[source.name])
        return Script(self, source, position)


class Script:
    """Reads the world as a log is read: everything since its position, each second once."""

    def __init__(self, world: World, source: Source, position: object) -> None:
        self.world, self.name = world, source.name
        self.read_ms = position["read_ms"] if isinstance(position, dict) else None

    def read(self, now: datetime) -> Batch:
        now_ms = to_ms(now)
        since = self.read_ms
        self.read_ms = now_ms
        found = []
        if since is not None:
            for second in range(-(-since // 1000), -(-now_ms // 1000)):
                level = self.world.levels[self.name]((second * 1000 - BEGIN_MS) // 60_000)
                if level is not None:
                    found.append(Sample(second * 1000, hits=level, total=100))
                    self.world.fed.append((self.name, second))
        return Batch(found, {"read_ms": now_ms}, since_ms=since)

    def close(self) -> None:
        self.world.closed.append(self.name)


def a_rule(text: str, consequence: Consequence = Consequence.ROLLBACK) -> Rule:
    span = Span.of_line(30)
    condition = read(text, span).condition
    assert condition is not None, text
    return Rule(f"{consequence.value}/{text}", condition, consequence, span)


def a_metric(name: str = "error rate", **fields: object) -> Metric:
    said = {"log": "access.jsonl", "ratio": "status >= 500", **fields}
    return Metric(name, {k: v for k, v in said.items() if v is not None}, Span.of_line(5))


def a_watch(*rules: Rule, last_s: float | None = 240, **more: Any) -> Plan:
    """Return a release that deploys, is watched in minutes, and has a way back of one step."""
    log: list[str] = more.pop("log", [])
    options = more.pop("options", None) or (an_option("previous", an_action("back", log=log)),)
    phases: tuple[Phase, ...] = (
        a_phase("deploy", an_action("ship", log=log), role=Role.DEPLOY),
        a_phase("watch", role=Role.WATCH, span_s=last_s),
        *more.pop("behind", ()),
    )
    proof = [a_step("old", Scripted("old", log=log))]
    values: dict[str, Any] = {
        "rules": rules,
        "metrics": (a_metric(),),
        "settings": {"bucket": "60"},
        "rollback": a_rollback(*options, proof=proof),
    }
    return a_plan(*phases, **{**values, **more})


def watched(folder: Path, plan: Plan, world: World, **more: Any) -> Stage:
    return Stage(folder, plan, in_turn=True, open_source=world.open, **more)


def healed_by(
    log: list[str], action: str, bad: int, good: int = 0, *, from_minute: int = 0
) -> Level:
    """Return a level that is bad from a minute on until an action was carried out."""
    return lambda minute: bad if minute >= from_minute and action not in log else good
