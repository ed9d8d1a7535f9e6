"""How the service behaved before the release: figures over one stretch of time, and what is bad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import reduce

from gonogo.judge.buckets import Amount, Body, Bucket, Form, Given, Shape, merged
from gonogo.judge.fitted import faithful
from gonogo.judge.lookup import Missing
from gonogo.judge.measures import given_figure, least_samples
from gonogo.judge.questions import Buckets, figure
from gonogo.judge.rules import Machine
from gonogo.judge.streaks import Event
from gonogo.plan.condition import Op, Predicate, Relative
from gonogo.plan.units import Quantity
from gonogo.source import Span

LEAST_OF_SHARE = 100
"""From how many samples the baseline of a share must be; a percentile states its own number."""


@dataclass(frozen=True, slots=True)
class Known:
    """One figure of the baseline; without a value, `why` says what is lacking."""

    subject: str
    value: Quantity | None
    samples: int
    why: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the form in which it is journaled."""
        value = self.value
        return {
            "subject": self.subject,
            "value": None if value is None else str(value.number),
            "unit": "" if value is None else value.unit,
            "says": "" if value is None else value.say(),
            "samples": self.samples,
            "why": self.why,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Known:
        """Read what `as_json` wrote."""
        number, samples = data["value"], data["samples"]
        assert isinstance(samples, int)
        value = None if number is None else Quantity(Decimal(str(number)), str(data["unit"]))
        return cls(str(data["subject"]), value, samples, str(data["why"]))


def asked(metric: str, stat: str | None) -> Predicate:
    """Return the figure of a metric as it stands in a condition."""
    return Predicate(metric, stat, Op.LE, Relative(Decimal(1)), Span.of_line(1))


def known(predicate: Predicate, form: Form, slices: Sequence[Buckets], lasted_ms: int) -> Known:
    """Return one figure over all slices together; nothing where less than half was watched.

    An amount is that of one bucket, so that later buckets can be compared with it.
    """
    subject = predicate.subject()
    found = [each[predicate.metric or ""] for each in slices if predicate.metric in each]
    if not found:
        return Known(subject, None, 0, "no data")
    whole = _summed(found)
    if not whole.count:
        why = "; ".join(("no data", *whole.reasons))
        return Known(subject, None, 0, why)
    samples = _samples(predicate, form, whole)
    least = _least(predicate, form)
    if samples < least:
        return Known(subject, None, samples, f"{samples} samples, at least {least} are needed")
    if whole.watched_ms * 2 < lasted_ms:
        share = whole.watched_ms * 100 // lasted_ms
        return Known(subject, None, samples, f"only {share} % of the time was watched")
    value = _per_bucket(whole, found[0].width_ms, form) or figure(predicate, form, whole)
    if isinstance(value, Missing):
        return Known(subject, None, samples, value.why)
    return Known(subject, value, samples)


def _summed(buckets: Sequence[Bucket]) -> Bucket:
    bodies: Iterable[Body] = (bucket.body for bucket in buckets)
    first = buckets[0]
    return replace(
        first,
        width_ms=sum(bucket.width_ms for bucket in buckets),
        body=reduce(merged, bodies),
        watched_ms=sum(bucket.watched_ms for bucket in buckets),
        reasons=tuple(dict.fromkeys(why for bucket in buckets for why in bucket.reasons)),
    )


def _samples(predicate: Predicate, form: Form, bucket: Bucket) -> int:
    if isinstance(bucket.body, Given):
        given = given_figure(predicate, form, bucket.body)
        return given.samples or 0 if given is not None else 0
    return bucket.count


def _least(predicate: Predicate, form: Form) -> int:
    if form.least is None and form.shape is Shape.SHARE:
        return LEAST_OF_SHARE
    return least_samples(predicate, form)


def _per_bucket(whole: Bucket, width_ms: int, form: Form) -> Quantity | None:
    if not isinstance(whole.body, Amount) or not whole.watched_ms:
        return None
    each = Fraction(whole.body.amount) * width_ms / whole.watched_ms
    return Quantity(faithful(each, []), form.unit)


def violated(machine: Machine, slices: Iterable[Buckets]) -> dict[str, str]:
    """Return the rules that some slice breaches already, each with what was seen there first."""
    found: dict[str, str] = {}
    for buckets in slices:
        for rule in machine.rules:
            if rule.id not in found and machine.event(rule.id, buckets) is Event.BREACH:
                found[rule.id] = machine.say(rule.id, buckets)
    return found
