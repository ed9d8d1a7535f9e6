"""Objectives, alerts and triggers: lines and table rows that state a bound become rules."""

from __future__ import annotations

import dataclasses
import json
import re

from gonogo.errors import Severity
from gonogo.plan.condition import Condition, Predicate
from gonogo.plan.grammar import Lead
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Metric, Rule
from gonogo.runbook import phrases
from gonogo.runbook.canonical import condition_json
from gonogo.runbook.drafts import Draft, Origin, RuleDraft, short_title
from gonogo.runbook.identity import Register, slug
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.roles import CONSEQUENCES, Topic

_SEVERITIES: dict[str, Consequence] = {
    "info": Consequence.WARN,
    "warn": Consequence.WARN,
    "page": Consequence.PAGE,
    "critical": Consequence.CRITICAL,
    "p0": Consequence.CRITICAL,
    "p1": Consequence.PAGE,
    "p2": Consequence.WARN,
    "p3": Consequence.WARN,
    "p4": Consequence.WARN,
}
_NEGATIVE = frozenset(
    {Consequence.WARN, Consequence.PAGE, Consequence.CRITICAL, Consequence.ROLLBACK}
)
_COMPARES = re.compile(r"[<>≤≥]\s*\S")
_ROLLS_BACK = re.compile(
    r"(?:→|->|=>|—|–|:|;|,|\bthen\b)\s*(?:immediate(?:ly)? |automatic(?:ally)? )?roll(?:s|"
    r"ing)?[\s-]?back\b",
    re.IGNORECASE,
)


def _of_heading(heading: str) -> Lead | None:
    """Return what a heading gives to its rules: never its time, which is that of the watch."""
    lead = phrases.read_lead(heading)
    return None if lead is None else dataclasses.replace(lead, window=None)


def _named(condition: Condition) -> str:
    """Return the text of a condition, with the name that a heading gave it in front."""
    metric = condition.predicates[0].metric
    if metric is None or metric in condition.text.casefold().replace("_", " "):
        return condition.text
    return f"{metric} {condition.text}"


class Rules:
    """Reads rule drafts, binds their metrics, and keeps what a person must answer instead."""

    def __init__(self, book: Notebook, metrics: tuple[Metric, ...]) -> None:
        """Bind against the metrics of the front matter."""
        self.book = book
        self.metrics = {metric.name: metric for metric in metrics}
        self.rules: list[Rule] = []
        self._register = Register()
        self._texts: set[tuple[str, Consequence]] = set()

    def add(self, draft: RuleDraft) -> Draft | None:
        """Read one line; return a question to a person when no figure can answer it."""
        lead = phrases.join_leads(_of_heading(draft.path[-1]), phrases.read_lead(draft.lead))
        said = phrases.read(draft.words, lead)
        if said.condition is None:
            return self._not_read(draft, said)
        if not draft.certain and not phrases.has_bound(said.condition):
            self.book.mean(draft.span, "text", short_title(draft.words.text))
            return None
        self.book.extend(d for d in said.diagnostics if d.severity is not Severity.ERROR)
        if not draft.certain and draft.role is not Role.WATCH and draft.role is not Role.SIGNOFF:
            return self._outside(draft)
        consequence = self._consequence(draft, said.condition)
        condition, bound = self._bind(said.condition)
        self._keep(draft, condition, consequence, _named(said.condition))
        return None if bound else self._question(draft, consequence)

    def add_box(self, draft: RuleDraft) -> None:
        """Make a box whose words state a bound a rule too; the box itself stays a question."""
        said = phrases.read(draft.words)
        if said.condition is None:
            if said.failed and draft.certain:
                for diagnostic in said.diagnostics or (phrases.not_a_condition(draft.words),):
                    self.book.lenient(diagnostic)
            return
        if not phrases.has_bound(said.condition):
            return
        known = all(p.metric is not None and self.find(p.metric) for p in said.condition.predicates)
        if not known and not (draft.certain and self.book.explicit):
            return
        condition, _ = self._bind(said.condition)
        self._keep(draft, condition, Consequence.OBJECTIVE, _named(said.condition))

    def _not_read(self, draft: RuleDraft, said: phrases.Said) -> Draft | None:
        """Report a bound that was not understood; ask a person about words without a number."""
        if said.failed or (draft.certain and _COMPARES.search(draft.words.text)):
            if said.diagnostics:
                for diagnostic in said.diagnostics:
                    self.book.lenient(diagnostic)
            else:
                self.book.lenient(phrases.not_a_condition(draft.words))
            return self._question(draft, self._default(draft)) if not self.book.explicit else None
        if not draft.certain:
            self.book.mean(draft.span, "text", short_title(draft.words.text))
            return None
        self.book.extend(said.diagnostics)
        self.book.note(
            "GN332",
            f"`{short_title(draft.words.text)}` has no figure: a person answers it",
            draft.span,
        )
        return self._question(draft, self._default(draft))

    def _outside(self, draft: RuleDraft) -> Draft | None:
        """Report a bound in a phase where nothing is watched."""
        self.book.strict(
            "GN330",
            f"the bound `{short_title(draft.words.text)}` is not judged: it stands under no block",
            draft.span,
            hint="write `- Expect: …` under the block that shows it, or move it to a watch section",
        )
        return None if self.book.explicit else self._question(draft, Consequence.OBJECTIVE)

    def _default(self, draft: RuleDraft) -> Consequence:
        return draft.consequence or CONSEQUENCES.get(draft.topic, Consequence.OBJECTIVE)

    def _consequence(self, draft: RuleDraft, condition: Condition) -> Consequence:
        """Settle what a rule is for: its column, its severity word, else its section."""
        if draft.consequence is not None:
            return draft.consequence
        by_topic = CONSEQUENCES.get(draft.topic)
        if by_topic is Consequence.ROLLBACK or _ROLLS_BACK.search(draft.words.text):
            return Consequence.ROLLBACK
        if condition.severity is not None:
            return _SEVERITIES.get(condition.severity, Consequence.PAGE)
        return by_topic or Consequence.OBJECTIVE

    def _bind(self, condition: Condition) -> tuple[Condition, bool]:
        """Give every predicate its metric; unbound names are mistakes in an explicit runbook."""
        predicates = tuple(self._metric_of(p) for p in condition.predicates)
        bound = dataclasses.replace(condition, predicates=predicates)
        names = {p.metric for p in predicates}
        return bound, all(name is not None and name in self.metrics for name in names)

    def _metric_of(self, predicate: Predicate) -> Predicate:
        name = predicate.metric
        if name is None:
            return self._unnamed(predicate)
        found = self.find(name)
        if found is not None:
            return dataclasses.replace(predicate, metric=found)
        self.book.strict(
            "GN340",
            f"no metric is named `{name}`",
            predicate.span,
            label="not bound in the front matter",
            hint=self._hint(name),
        )
        return predicate

    def _hint(self, name: str) -> str:
        if not self.book.explicit:
            return "a person is asked; add `gonogo: 1` and bind it under `metrics:` to measure it"
        near = self.book.nearest(name, self.metrics)
        return "bind it under `metrics:`" + (f", or did you mean `{near}`?" if near else "")

    def _unnamed(self, predicate: Predicate) -> Predicate:
        """Find the metric of `p99 > 1.2s`: the only one that has a distribution."""
        spread = [name for name, metric in self.metrics.items() if "value" in metric.fields]
        if predicate.stat is not None and len(spread) == 1:
            return dataclasses.replace(predicate, metric=spread[0])
        what = f"`{predicate.stat}` of what" if predicate.stat else "what is compared"
        self.book.strict(
            "GN341",
            f"{what} is not said",
            predicate.span,
            label="no metric is named here",
            hint="write for example `response time p95 < 500ms`"
            + (f"; bound are {', '.join(f'`{n}`' for n in spread)}" if len(spread) > 1 else ""),
        )
        return predicate

    def find(self, name: str) -> str | None:
        """Return the bound metric that a name means, in any letter case and number."""
        wanted = " ".join(name.casefold().replace("_", " ").split())
        for form in (wanted, wanted.removesuffix("s"), wanted + "s", wanted.replace("-", " ")):
            if form in self.metrics:
                return form
        return None

    def _keep(
        self, draft: RuleDraft, condition: Condition, consequence: Consequence, name: str
    ) -> None:
        key = (json.dumps(condition_json(condition)), consequence)
        if key in self._texts:
            self.book.note("GN333", "this rule stands here for a second time", draft.span)
            return
        self._texts.add(key)
        rule_id, _ = self._register.claim(f"{consequence.value}/{slug(name)}", draft.span.line)
        defaulted = condition.window is None and consequence is not Consequence.OBJECTIVE
        defaulted = defaulted or (condition.window is None and draft.role is Role.WATCH)
        self.rules.append(Rule(rule_id, condition, consequence, draft.span, defaulted))
        says = "must not hold" if consequence in _NEGATIVE else "must hold"
        window = ", for one full bucket (no window is written)" if defaulted else ""
        self.book.mean(draft.span, "rule", f"{consequence.value}: {says}{window}")
        if defaulted:
            self.book.note(
                "GN334",
                "no window is written: the rule speaks of one full bucket",
                draft.span,
                hint="write for example `for 2 consecutive 5-minute buckets`",
            )

    def _question(self, draft: RuleDraft, consequence: Consequence) -> Draft:
        """Return the step in which a person answers what no figure says."""
        text = " ".join(draft.words.text.split())
        must = "Must not be" if consequence in _NEGATIVE else "Must be"
        self.book.mean(draft.span, "manual step", f"a person answers: {must.lower()}")
        return Draft(
            title=text,
            words=draft.words,
            span=draft.span,
            path=draft.path,
            origin=Origin.ITEM,
            role=draft.role,
            topic=Topic.STEPS,
            section=draft.path,
            must_not_be=consequence in _NEGATIVE,
            notes=[f"{must}: {text} ({consequence.value})"],
        )
