"""Objectives, alerts and triggers: lines and table rows that state a bound become rules."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from gonogo.errors import Severity
from gonogo.plan.condition import Condition, Join, Op, Predicate, say_time
from gonogo.plan.grammar import Lead
from gonogo.plan.grammar_severity import clock_of
from gonogo.plan.kinds import Role
from gonogo.plan.model import ALERTS, Consequence, Limit, Metric, Rule
from gonogo.plan.samples import Yields
from gonogo.plan.units import Dimension, Quantity, comparable
from gonogo.runbook import orders, phrases, polarity
from gonogo.runbook.canonical import condition_json
from gonogo.runbook.drafts import Draft, Origin, RuleDraft, short_title
from gonogo.runbook.identity import Register, slug
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.roles import CONSEQUENCES, Topic, denies
from gonogo.runbook.words import Words

if TYPE_CHECKING:
    from gonogo.plan.sources import Source

_NEGATIVE = frozenset(Consequence) - {Consequence.OBJECTIVE}
_RECOVERY_TIMES = frozenset(
    {"rto", "recovery time", "recovery time objective", "time to recovery", "time to recover"}
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


_OUTSIDE_HINT = "write `- Expect: …` under the block that shows it, or move it to a watch section"
_DRILL_HINT = "a block `check: drill` asks for it: `- Expect: valid is true`, `- Expect: age < 30d`"


class Rules:
    """Reads rule drafts, binds their metrics, and keeps what a person must answer instead."""

    def __init__(
        self, book: Notebook, metrics: tuple[Metric, ...], targets: Sequence[str] = ()
    ) -> None:
        """Bind against the metrics of the front matter; `targets` are the names of its places."""
        self.targets = targets
        self.book = book
        self.metrics = {metric.name: metric for metric in metrics}
        self.rules: list[Rule] = []
        self.watch = ""  # the only watch that the rules belong to which are read now
        self._register = Register()
        self._texts: set[tuple[str, str, Consequence]] = set()
        self._clocks: dict[Consequence, float] = {}
        self.limits: list[Limit] = []  # of the time that going back may take

    def add(self, draft: RuleDraft) -> Draft | None:
        """Read one line; return a question to a person when no figure can answer it."""
        if self._sets_clock(draft):
            return None
        lead = phrases.join_leads(_of_heading(draft.path[-1]), phrases.read_lead(draft.lead))
        levels = orders.by_level(draft.words)
        if levels:
            return self._add_levels(draft, lead, levels)
        return self._add_one(draft, lead)

    def _add_levels(self, draft: RuleDraft, lead: Lead | None, levels: list[Words]) -> Draft | None:
        """Read a line with a limit for each level as a rule for each; one question for all."""
        last = phrases.read(levels[-1], lead).condition
        window = None if last is None or last.window is None else Lead(window=last.window)
        lead = phrases.join_leads(lead, window)
        asked = [self._add_one(dataclasses.replace(draft, words=one), lead) for one in levels]
        first = next((one for one in asked if one is not None), None)
        if first is not None:
            first.title, first.words = " ".join(draft.words.text.split()), draft.words
        return first

    def _add_one(self, draft: RuleDraft, lead: Lead | None) -> Draft | None:
        """Read one line with one condition."""
        said = phrases.read(draft.words, lead)
        zero = orders.none_of(draft.words) if draft.certain and not self.book.explicit else None
        if said.condition is None and zero is not None:
            said = phrases.read(zero, lead)
        if said.condition is None:
            return self._not_read(draft, said)
        if not draft.certain and not phrases.has_bound(said.condition):
            self.book.mean(draft.span, "text", short_title(draft.words.text))
            return None
        if not draft.certain and draft.role is not Role.WATCH and draft.role is not Role.SIGNOFF:
            return self._outside(draft)
        remarks = said.diagnostics
        if not self.book.explicit and polarity.ends_calmly(draft.words.text):
            draft = dataclasses.replace(draft, consequence=Consequence.OBJECTIVE)
            remarks = tuple(d for d in remarks if d.code != "GN115")
        self.book.extend(d for d in remarks if d.severity is not Severity.ERROR)
        if self._limits_recovery(draft, said.condition):
            return None
        consequence = self._consequence(draft, said.condition)
        condition, bound = self._bind(said.condition)
        if consequence in _NEGATIVE and orders.any_of_list(condition, lead):
            condition = dataclasses.replace(condition, join=Join.ANY)
            told = "commas between limits that must not be passed mean `or`"
            self.book.note("GN389", told, draft.span, hint="write `and` if all must be passed")
        self._keep(draft, condition, consequence, _named(said.condition))
        return None if bound else self._question(draft, consequence)

    def _limits_recovery(self, draft: RuleDraft, condition: Condition) -> bool:
        """Take `RTO < 15 minutes` as a bound on the way back, unless that is a metric's name."""
        one = condition.predicates[0]
        name = (one.metric or "").replace("-", " ")
        if len(condition.predicates) > 1 or name not in _RECOVERY_TIMES or self.find(name):
            return False
        if one.op not in (Op.LT, Op.LE) or not isinstance(one.value, Quantity):
            return False
        if one.value.dimension is not Dimension.TIME:
            return False
        limit = Limit(float(one.value.si), strict=one.op is Op.LT, span=one.span)
        self.limits.append(limit)
        self.book.mean(draft.span, "recovery time", f"going back may take {one.expected()}")
        return True

    def _sets_clock(self, draft: RuleDraft) -> bool:
        """Take a line that says by when alerts of a severity are mended: `P1: fix within 4 h`."""
        found = clock_of(draft.words.text)
        if found is None:
            return False
        severity = orders.SEVERITIES.get(found[0], Consequence.PAGE)
        self._clocks[severity] = float(found[1])
        self.rules = [self._timed(rule) for rule in self.rules]
        told = f"alerts `{severity.value}` page when they are open for {say_time(found[1])}"
        self.book.mean(draft.span, "clock", told)
        return True

    def _timed(self, rule: Rule) -> Rule:
        """Give a rule the clock of its severity, where it has none of its own."""
        clock = self._clocks.get(rule.consequence)
        same = clock is None or rule.within_s is not None
        return rule if same else dataclasses.replace(rule, within_s=clock)

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
        if self._limits_recovery(draft, said.condition):
            return
        known = all(p.metric is not None and self.find(p.metric) for p in said.condition.predicates)
        if not known and not (draft.certain and self.book.explicit):
            return
        condition, _ = self._bind(said.condition)
        self._keep(draft, condition, Consequence.OBJECTIVE, _named(said.condition))

    def _not_read(self, draft: RuleDraft, said: phrases.Said) -> Draft | None:
        """Report a bound that was not understood; ask a person about words without a number."""
        if said.failed or (draft.certain and orders.compares(draft.words.text)):
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
        if phrases.states_level(draft.words.text, self.metrics):
            hint = "write `<`, `>`, `at least` or `at most` in front of the number"
            said_so = f"`{short_title(draft.words.text)}` has no comparison"
            self.book.strict("GN104", said_so, draft.span, hint=hint)
            return self._question(draft, self._default(draft)) if not self.book.explicit else None
        short = short_title(draft.words.text)
        lacks = "states no bound" if any(c.isdigit() for c in short) else "has no figure"
        self.book.note("GN332", f"`{short}` {lacks}: a person answers it", draft.span)
        return self._question(draft, self._default(draft))

    def _outside(self, draft: RuleDraft) -> Draft | None:
        """Report a bound in a phase where nothing is watched."""
        self.book.strict(
            "GN330",
            f"the bound `{short_title(draft.words.text)}` is not judged: it stands under no block",
            draft.span,
            hint=_DRILL_HINT if "drill" in draft.words.text.lower() else _OUTSIDE_HINT,
        )
        asked = not self.book.explicit and not any(map(denies, (draft.lead, draft.path[-1])))
        return self._question(draft, Consequence.OBJECTIVE) if asked else None

    def _default(self, draft: RuleDraft) -> Consequence:
        return draft.consequence or CONSEQUENCES.get(draft.topic, Consequence.OBJECTIVE)

    def _consequence(self, draft: RuleDraft, condition: Condition) -> Consequence:
        """Settle what a rule is for: its column, its severity word, else its section."""
        if draft.consequence is not None:
            return draft.consequence
        by_topic = CONSEQUENCES.get(draft.topic)
        if by_topic is Consequence.ROLLBACK or orders.rolls_back(draft.words.text):
            return Consequence.ROLLBACK
        if condition.severity is not None:
            return orders.SEVERITIES.get(condition.severity, Consequence.PAGE)
        return orders.ordered(draft) or by_topic or Consequence.OBJECTIVE

    def _bind(self, condition: Condition) -> tuple[Condition, bool]:
        """Give every predicate its metric; unbound names are mistakes in an explicit runbook."""
        predicates = tuple(self._metric_of(p) for p in condition.predicates)
        bound = dataclasses.replace(condition, predicates=predicates)
        names = {p.metric for p in predicates}
        return bound, all(name is not None and name in self.metrics for name in names)

    def _metric_of(self, predicate: Predicate) -> Predicate:
        meant = self._by_whole_name(predicate)
        if meant is None and predicate.metric is None:
            return self._unnamed(predicate)
        if meant is None:
            found = self.find(predicate.metric or "")
            meant = None if found is None else dataclasses.replace(predicate, metric=found)
        if meant is not None:
            return self._given(meant)
        self.book.strict(
            "GN340",
            f"no metric is named `{predicate.metric}`",
            predicate.span,
            label="not bound in the front matter",
            hint=self._hint(predicate.metric or ""),
        )
        return predicate

    def _by_whole_name(self, predicate: Predicate) -> Predicate | None:
        """Find a metric whose name has the statistic in it, such as `p99` or `p95 latency`."""
        name, stat = predicate.metric, predicate.stat
        if stat is None:
            return None
        said = (stat,) if name is None else (f"{stat} {name}", f"{name} {stat}")
        found = next((metric for each in said if (metric := self.find(each))), None)
        if found is None:
            return None
        from gonogo.plan.sources import HttpSource, LogSource  # only where a metric is bound

        source = self._source(found)
        worked_out = getattr(source, "stat_given", "")
        spread = isinstance(source, LogSource | HttpSource) and source.yields is Yields.SAMPLES
        keeps = spread or not stat.startswith("p") or worked_out not in ("", stat)
        return dataclasses.replace(predicate, metric=found, stat=stat if keeps else None)

    def _given(self, predicate: Predicate) -> Predicate:
        """Refuse a statistic that a source, which works out its figures itself, does not give."""
        source = self._source(predicate.metric or "")
        if source is None or source.yields is not Yields.GIVEN or predicate.stat is None:
            return predicate
        if predicate.stat != source.stat_given:
            gives = source.stat_given or "a figure without a statistic"
            self.book.strict(
                "GN347",
                f"there is no {predicate.stat} of `{predicate.metric}`: its source gives {gives}"
                " and no samples",
                predicate.span,
                hint=f"bind a metric of its own, with `stat: {predicate.stat}`",
            )
        return predicate

    def _in_full(self, condition: Condition) -> str:
        """Return a condition in canonical words, with the statistic that nobody had to say."""
        predicates = []
        for predicate in condition.predicates:
            source = self._source(predicate.metric) if predicate.metric in self.metrics else None
            gauge = source is not None and source.yields is Yields.SAMPLES
            stat = "avg" if gauge and predicate.stat is None else predicate.stat
            predicates.append(dataclasses.replace(predicate, stat=stat))
        return dataclasses.replace(condition, predicates=tuple(predicates), severity=None).say()

    def _source(self, name: str) -> Source | None:
        from gonogo.plan.sources_read import read_metric  # only where a metric is bound

        return read_metric(self.metrics[name], self.targets)[0]

    def _hint(self, name: str) -> str:
        if not self.book.explicit:
            return "a person is asked; add `gonogo: 1` and bind it under `metrics:` to measure it"
        near = self.book.nearest(name, self.metrics)
        return "bind it under `metrics:`" + (f", or did you mean `{near}`?" if near else "")

    def _unnamed(self, predicate: Predicate) -> Predicate:
        """Find the metric of `p99 > 1.2s`: the only one that has this figure in its unit."""
        spread = [name for name in self.metrics if self._is_spread(name, predicate)]
        if predicate.stat is not None and len(spread) == 1:
            return dataclasses.replace(predicate, metric=spread[0])
        thing = self.find(orders.counted_thing(predicate))
        if thing is not None:
            return self._given(dataclasses.replace(predicate, metric=thing))
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

    def _is_spread(self, name: str, predicate: Predicate) -> bool:
        source = self._source(name)
        if source is None:
            return "value" in self.metrics[name].fields
        given = source.yields is Yields.GIVEN and source.stat_given == predicate.stat
        if not given and source.yields is not Yields.SAMPLES:
            return False
        limits = [q for q in (predicate.value,) if isinstance(q, Quantity)]
        return all(comparable(Quantity(Decimal(0), source.unit), limit) for limit in limits)

    def metric_meant(self, predicate: Predicate) -> str | None:
        """Return the bound metric that a figure means; `p95` alone: the only one that has it."""
        whole = self._by_whole_name(predicate)
        if whole is not None:
            return whole.metric
        if predicate.metric is not None:
            return self.find(predicate.metric)
        spread = [name for name in self.metrics if self._is_spread(name, predicate)]
        return spread[0] if predicate.stat is not None and len(spread) == 1 else None

    def find(self, name: str) -> str | None:
        """Return the bound metric that a name means, in any letter case and number."""
        wanted = " ".join(name.casefold().replace("_", " ").split())
        turned = " ".join([wanted.split(" ")[-1], *wanted.split(" ")[:-1]])  # `disk free`
        forms = (wanted, wanted.removesuffix("s"), wanted + "s", wanted.replace("-", " "))
        for form in (*forms, *([turned] if turned.startswith(("free ", "available ")) else [])):
            if form in self.metrics:
                return form
        return None

    def _keep(
        self, draft: RuleDraft, condition: Condition, consequence: Consequence, name: str
    ) -> None:
        key = (self.watch, json.dumps(condition_json(condition)), consequence)
        if key in self._texts:
            self.book.note("GN333", "this rule stands here for a second time", draft.span)
            return
        self._texts.add(key)
        rule_id, _ = self._register.claim(f"{consequence.value}/{slug(name)}", draft.span.line)
        defaulted = condition.window is None and consequence is not Consequence.OBJECTIVE
        defaulted = defaulted or (condition.window is None and draft.role is Role.WATCH)
        within = condition.within_s if condition.within_s is not None else draft.within_s
        clock = None if within is None or consequence not in ALERTS else float(within)
        rule = Rule(rule_id, condition, consequence, draft.span, defaulted, self.watch, clock)
        self.rules.append(self._timed(rule))
        says = f"{consequence.value}{' if' if consequence in _NEGATIVE else ':'}"
        says += f" {self._in_full(condition)}"
        says += ", in every bucket of it" if orders.lasts(condition) else ""
        says += ", for one full bucket (no window is written)" if defaulted else ""
        says += f", mended within {say_time(Decimal(str(clock)))}" if clock is not None else ""
        self.book.mean(draft.span, "rule", says)
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
        back = draft.role is Role.ROLLBACK  # what must hold there proves that it is over
        must = "Must not be" if consequence in _NEGATIVE else "Must be"
        return Draft(
            title=text,
            words=draft.words,
            span=draft.span,
            path=draft.path,
            origin=Origin.ITEM,
            role=draft.role,
            topic=Topic.PROOF if back and consequence not in _NEGATIVE else Topic.STEPS,
            section=draft.path,
            must_not_be=consequence in _NEGATIVE,
            notes=[f"{must}: {text} ({consequence.value})"],
        )
