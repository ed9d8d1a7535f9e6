"""A plan as JSON: for `gonogo plan --json`, for golden files and for the digest of a run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, cast

from gonogo.plan.condition import (
    Condition,
    Null,
    Predicate,
    Recorded,
    Relative,
    Window,
    say_value,
)
from gonogo.plan.kinds import Work
from gonogo.plan.model import Block, Expectation, Option, Phase, Plan, Recovery, Rule, Step
from gonogo.plan.units import Quantity, plain
from gonogo.runbook.fields import body_field
from gonogo.source import Span

Json = dict[str, object]


def plan_json(plan: Plan, *, places: bool = True) -> Json:
    """Return a plan as JSON values: what its author said, in values, never in bytes.

    `places` adds line numbers. Without them the result does not change when a formatter changes
    bullets, blank lines, numbers of items or the alignment of tables. Times are in seconds.
    """
    said = _Writer(places=places)
    back = plan.rollback
    return {
        "title": plan.title,
        "service": plan.service,
        "mode": plan.mode.value,
        "settings": dict(sorted(plan.settings.items())),
        "targets": {target.name: target.text for target in plan.targets},
        "metrics": {metric.name: value_json(metric.fields) for metric in plan.metrics},
        "environments": {
            name: dict(sorted(bound.items())) for name, bound in sorted(plan.environments.items())
        },
        "env": dict(sorted(plan.env.items())),
        "variables": sorted(variable.name for variable in plan.variables),
        "phases": [said.phase(phase) for phase in plan.phases],
        "rollback": None
        if back is None
        else {
            "id": back.id,
            **said.line(back.span),
            "automatic": back.automatic,
            "stated_s": back.stated_s,
            "options": [said.option(option) for option in back.options],
            "proof": [said.step(step) for step in back.proof],
        },
        "rules": [said.rule(rule) for rule in plan.rules],
        **_recovery(plan.recovery),
    }


def digest(plan: Plan) -> str:
    """Return the SHA-256 of what a plan says; places, remarks and layout do not count."""
    return _digest(plan_json(plan, places=False))


def rollback_digest(plan: Plan) -> str:
    """Return the SHA-256 of the way back alone; empty when none is written."""
    back = plan_json(plan, places=False)["rollback"]
    return "" if back is None else _digest(back)


def _digest(said: object) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _recovery(recovery: Recovery) -> Json:
    """Return when going back is over; nothing when all of it has its default value."""
    if recovery == Recovery():
        return {}
    limits = [{"at_most_s": one.seconds, "strict": one.strict} for one in recovery.limits]
    said: Json = {"green": recovery.green, "within_s": recovery.within_s, "limits": limits}
    return {"recovery": said}


class _Writer:
    """Writes the parts of a plan, with line numbers or without."""

    def __init__(self, *, places: bool) -> None:
        self.places = places

    def line(self, span: Span) -> Json:
        return {"line": span.line} if self.places else {}

    def phase(self, phase: Phase) -> Json:
        return {
            "id": phase.id,
            **self.line(phase.span),
            "title": phase.title,
            "role": phase.role.value,
            "estimate_s": phase.estimate_s,
            "span_s": phase.span_s,
            "needs": list(phase.needs),
            **({} if phase.calendar is None else {"calendar": value_json(phase.calendar)}),
            **({"from_first": True} if phase.from_first else {}),
            **self.checkpoints(phase),
            "steps": [self.step(step) for step in phase.steps],
        }

    def checkpoints(self, phase: Phase) -> Json:
        """Return the checkpoints of a watch; nothing where there are none."""
        found = [
            {
                "id": one.id,
                **self.line(one.span),
                "title": one.title,
                "begins_s": one.begins_s,
                "ends_s": one.ends_s,
                "every_s": one.every_s,
                "steps": list(one.steps),
            }
            for one in phase.checkpoints
        ]
        return {"checkpoints": found} if found else {}

    def option(self, option: Option) -> Json:
        return {
            "id": option.id,
            **self.line(option.span),
            "title": option.title,
            "stated_s": option.stated_s,
            "destructive": option.destructive,
            **({"loses": option.loses} if option.loses else {}),
            **self.open_when(option),
            "steps": [self.step(step) for step in option.steps],
        }

    def open_when(self, option: Option) -> Json:
        """Return the conditions of a way back; nothing when it is always open."""
        steps = [self.step(step) for step in option.conditions]
        after = [{"step": one.step, "begun": one.begun} for one in option.after]
        return {"only_if": [*after, *steps]} if steps or after else {}

    def rule(self, rule: Rule) -> Json:
        return {
            "id": rule.id,
            **self.line(rule.span),
            "consequence": rule.consequence.value,
            "condition": condition_json(rule.condition),
            "defaulted": rule.defaulted,
            **({} if rule.within_s is None else {"within_s": rule.within_s}),
            **({"phase": rule.phase} if rule.phase else {}),
        }

    def step(self, step: Step) -> Json:
        """Return a step; what has its default value is left out, so that goldens are readable."""
        found: Json = {
            "id": step.id,
            **self.line(step.span),
            "title": step.title,
            "path": list(step.path),
            "effect": step.effect.value,
            "block": self.block(step.block) if step.block is not None else None,
            "expect": [self.expectation(one) for one in step.expect],
            "timeout_s": step.timeout_s,
        }
        more: Json = {
            "critical": step.critical,
            "claimed": step.claimed,
            "optional": step.optional,
            "parallel": step.parallel,
            "background": step.background,
            "needs": list(step.needs),
            "retry": None if step.retry is None else dataclasses.asdict(step.retry),
            "unless": None
            if step.unless is None
            else {
                "block": self.block(step.unless.block),
                "expect": [self.expectation(one) for one in step.unless.expect],
            },
            "undo": [self.block(block) for block in step.undo],
            "interrupted": step.interrupted.value if step.interrupted.value != "ask" else None,
            "destroys": [{"statement": d.statement, "target": d.target} for d in step.destroys],
            "owner": step.owner,
            "estimate_s": step.estimate_s,
            "records": list(step.records),
            "keeps": {kept.name: kept.indicator for kept in step.keeps},
            "deadline_s": step.deadline_s,
            "every_s": step.every_s,
            "baseline": None if step.baseline is None else dataclasses.asdict(step.baseline),
            "notes": list(step.notes),
        }
        return {**found, **{key: value for key, value in more.items() if value}}

    def block(self, block: Block) -> Json:
        return {"kind": block.kind, **self.line(block.span), "says": work_json(block.work)}

    def expectation(self, expectation: Expectation) -> Json:
        found = condition_json(expectation.condition)
        return {**found, "default": True} if expectation.default else found


def work_json(work: Work) -> Json:
    """Return the fields of a block that differ from their defaults: what its author said."""
    found: Json = {}
    body = None if work.languages else body_field(type(work))  # the fields say the same
    for field in dataclasses.fields(cast(Any, work)):
        if field.name == body:
            continue
        value = getattr(work, field.name)
        if field.default is not dataclasses.MISSING and value == field.default:
            continue
        found[field.name] = value_json(_trimmed(value) if isinstance(value, str) else value)
    return found


def _trimmed(text: str) -> str:
    """Return a text without blanks at line ends and empty lines around it."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def condition_json(condition: Condition) -> Json:
    """Return a condition as values; its wording does not count."""
    return {
        "join": condition.join.value,
        "predicates": [_predicate(predicate) for predicate in condition.predicates],
        "for": _window(condition.window),
        "severity": condition.severity,
    }


def _predicate(predicate: Predicate) -> Json:
    return {
        "metric": predicate.metric,
        "stat": predicate.stat,
        "op": predicate.op.value,
        "value": value_json(predicate.value),
        "rows": predicate.quantifier.value if predicate.quantifier is not None else None,
    }


def _window(window: Window | None) -> Json | None:
    if window is None:
        return None
    return {
        field.name: value_json(getattr(window, field.name)) for field in dataclasses.fields(window)
    }


def value_json(value: object) -> object:
    """Return any value of a plan as JSON; numbers keep their digits."""
    if value is None or isinstance(value, bool | int | str | float):
        return value
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    if dataclasses.is_dataclass(value):
        return {f.name: value_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return str(value)


def _mapping(value: Mapping[object, object]) -> object:
    return {str(key): value_json(item) for key, item in sorted(value.items(), key=_by_key)}


def _items(value: Iterable[object]) -> object:
    return [value_json(item) for item in value]


_WRITERS: dict[type, Callable[[Any], object]] = {
    Quantity: Quantity.say,
    Decimal: plain,
    Null: lambda _: None,
    Relative: lambda value: f"{plain(value.factor)}x baseline",
    Recorded: say_value,
    Enum: lambda value: value_json(value.value),
    Mapping: _mapping,
    tuple: _items,
    list: _items,
    set: lambda value: sorted(map(str, value)),
    frozenset: lambda value: sorted(map(str, value)),
    PurePath: PurePath.as_posix,
    date: date.isoformat,
    time: time.isoformat,
}


def _by_key(item: tuple[object, object]) -> str:
    return str(item[0])
