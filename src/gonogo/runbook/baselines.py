"""`Record:` before the deploy: figures to measure, so that rules can speak of a baseline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from gonogo.plan import grammar
from gonogo.plan.condition import Predicate, Relative
from gonogo.plan.kinds import Role
from gonogo.plan.model import Baseline, Rule, Step
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.notebook import Notebook
from gonogo.source import Span

Find = Callable[[Predicate], str | None]
"""From what a figure is called to the metric that it means; None when none is bound."""

_PARTS = re.compile(r",|;|\band\b")


def baseline_of(
    role: Role, remarks: Sequence[Remark], for_s: float | None, find: Find, book: Notebook
) -> Baseline | None:
    """Return what a step without a block measures before the deploy.

    None when it records no figure that is bound: then a person does it.
    """
    if role is not Role.PREFLIGHT:
        return None
    figures: dict[str, tuple[str, str, str | None]] = {}
    strangers: list[tuple[str, Span]] = []
    for remark in of_name(remarks, Name.RECORD):
        for name in _PARTS.split(remark.text):
            text = name.strip().strip("`.")
            if not text:
                continue
            asked = _figure(text)
            metric = find(asked) if asked is not None else None
            if asked is not None and asked.metric is None and figures:  # `… p95, p99`: of the same
                metric = next(reversed(figures.values()))[1]
            if asked is None or metric is None:
                strangers.append((text, remark.value.place()))
                continue
            stat = None if asked.stat in metric.split() else asked.stat  # a metric named `p99`
            said = Predicate(metric, stat, asked.op, asked.value, asked.span)
            figures.setdefault(said.subject(), (said.subject(), metric, stat))
    if not figures:
        return None
    for text, span in strangers:
        book.strict(
            "GN383",
            f"`{text}` is no figure that is bound: it cannot be measured here",
            span,
            hint="bind it under `metrics:`, or record it in a step of its own with a block",
        )
    return Baseline(tuple(figures.values()), for_s)


def _figure(text: str) -> Predicate | None:
    condition = grammar.read(f"{text} <= 1x baseline", Span.of_line(1)).condition
    return None if condition is None else condition.predicates[0]


def report(rules: Iterable[Rule], steps: Iterable[Step], book: Notebook) -> None:
    """Note each rule that speaks of a baseline which no step records: it would stay unknown."""
    recorded = {
        figure[0] for step in steps if step.baseline is not None for figure in step.baseline.figures
    }
    for rule in rules:
        for predicate in rule.condition.predicates:
            subject = predicate.subject()
            if isinstance(predicate.value, Relative) and subject not in recorded:
                book.strict(
                    "GN380",
                    f"no step records the baseline of `{subject or 'value'}`",
                    predicate.span,
                    label="never known",
                    hint="under the pre-deployment heading: `- [ ] Baseline` with"
                    f" `- Record: {subject or 'response time p95'}`",
                )
