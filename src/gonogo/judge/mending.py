"""What an author can do about a rule that cannot be judged: one hint for each cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from gonogo.judge.buckets import Form, Shape
from gonogo.judge.measures import limits_in, misfit, unit_of_value
from gonogo.judge.rules import Misfit
from gonogo.plan.condition import Predicate, Window, say_time
from gonogo.plan.model import Rule
from gonogo.plan.units import Quantity, comparable


def hint_for(found: Misfit, rule: Rule, forms: Mapping[str, Form], width_ms: int) -> str:
    """Return what to write instead of a rule that does not fit its metric or its watch."""
    for predicate in rule.condition.predicates:
        form = forms.get(predicate.metric or "")
        if misfit(predicate, form) == found.message and predicate.span == found.span:
            return _of_predicate(predicate, form)
    window = rule.condition.window
    if window is not None and window.bucket_s is not None:
        return _of_window(window, Decimal(width_ms) / 1000)
    return "write another window"


def _of_window(window: Window, width_s: Decimal) -> str:
    """Say how the window is written in the buckets of the watch, and how the watch is changed."""
    said = window.bucket_s or width_s
    mine = replace(window, bucket_s=width_s)
    own = f"write `{mine.say()}`"
    count = said / width_s * (window.count or 1)
    if window.of is None and count == int(count) and count != window.count:
        own += f" (`{replace(mine, count=int(count)).say()}` lasts as long)"
    return f"{own}, or let the watch have buckets of {say_time(said)}"


def _of_predicate(predicate: Predicate, form: Form | None) -> str:
    name = predicate.metric or "it"
    if form is None:
        return f"bind `{name}` under `metrics:`"
    if predicate.quantifier is not None:
        return f"write `{replace(predicate, quantifier=None).say()}`"
    limits = limits_in(predicate)
    if not limits:
        return "write a comparison with a number, such as `> 5`"
    mine = unit_of_value(predicate, form)
    odd = next((one for one in limits if not comparable(Quantity(Decimal(0), mine), one)), None)
    if odd is not None:
        return _of_unit(name, odd, mine)
    if form.shape in {Shape.SHARE, Shape.AMOUNT} and predicate.stat is not None:
        return f"write `{replace(predicate, stat=None).say()}`, or bind another metric"
    return "write a statistic such as `p95`, `avg` or `max`"


def _of_unit(name: str, limit: Quantity, mine: str) -> str:
    if not limit.unit:
        return f"write its unit: `{Quantity(limit.number, mine).say()}`"
    if not mine:
        return f"state `unit: {limit.unit}` for `{name}`, or write `{limit.number:f}`"
    return f"compare it in its own unit, `{mine}`, or bind another metric"
