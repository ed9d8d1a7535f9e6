"""One rule's condition, asked of slice after slice: yes, no, or why it cannot be said.

`Question.truth` is the fast answer that a day of a thousand rules needs; `Question.told` is the
same answer as a sentence, through the evaluation that every other check uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction

from gonogo.judge.buckets import Amount, Bucket, Form, Given, Shape, Share
from gonogo.judge.evaluate import Judged, evaluate
from gonogo.judge.fitted import faithful
from gonogo.judge.lookup import Missing
from gonogo.judge.measures import (
    HOLDS,
    Order,
    given_figure,
    least_samples,
    limits_in,
    misfit,
    order_of,
    percentile,
    scale,
    stat_of,
    unit_of_value,
)
from gonogo.judge.sketch import Sketch, middle, rank_of
from gonogo.plan.condition import Condition, Join, Op, Predicate
from gonogo.plan.units import Quantity

Buckets = Mapping[str, Bucket]
"""The buckets of one slice by the name of their metric."""

Answer = Callable[[Buckets], bool | None]

_OPPOSITE = {
    Op.LT: Op.GE, Op.LE: Op.GT, Op.GT: Op.LE, Op.GE: Op.LT, Op.EQ: Op.NE, Op.NE: Op.EQ,
}  # fmt: skip


class Lack(StrEnum):
    """Why a slice says nothing about a condition."""

    NO_DATA = "no data"  # nothing came at all
    INSUFFICIENT = "insufficient"  # something came: too few samples, or too little was watched


def usable(buckets: Buckets, least_watched_ms: int) -> Buckets:
    """Return the buckets that hold anything and were watched long enough to be judged."""
    return {
        name: bucket
        for name, bucket in buckets.items()
        if bucket.watched_ms >= least_watched_ms and bucket.body.count
    }


def no_data(bucket: Bucket | None) -> bool:
    """Tell whether nothing came at all."""
    return bucket is None or not bucket.body.count


class Question:
    """A condition with the forms of its metrics; the condition must fit them (`misfits`)."""

    __slots__ = ("_opposite", "condition", "forms", "least", "truth")

    def __init__(self, condition: Condition, forms: Mapping[str, Form]) -> None:
        """Prepare the comparisons; `truth` is asked with `usable` buckets."""
        self.condition = condition
        self.forms = forms
        self.least = {
            _key(predicate): least_samples(predicate, forms[predicate.metric or ""])
            for predicate in condition.predicates
        }
        self._opposite = _opposite(condition)
        answers = tuple(
            _answer(predicate, forms[predicate.metric or ""], self.least[_key(predicate)])
            for predicate in condition.predicates
        )
        self.truth: Answer = _together(condition.join, answers)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return the names of the metrics, each once."""
        return tuple(dict.fromkeys(p.metric or "" for p in self.condition.predicates))

    def lack(self, buckets: Buckets) -> Lack:
        """Return what an unknown answer is for: any metric without data decides."""
        return (
            Lack.NO_DATA
            if any(no_data(buckets.get(m)) for m in self.metrics)
            else (Lack.INSUFFICIENT)
        )

    def told(self, buckets: Buckets, least_watched_ms: int, *, breach: bool) -> Judged:
        """Return the answer as a sentence; `breach` turns it into what was expected instead.

        `p99 > 1.2 s` that holds is told as `p99 1.42 s, expected <= 1.2 s`.
        """

        def lookup(predicate: Predicate) -> Quantity | Missing:
            form = self.forms[predicate.metric or ""]
            bucket = buckets.get(predicate.metric or "")
            why = _why(predicate, form, bucket, self.least[_key(predicate)], least_watched_ms)
            if why:
                return Missing(why, looked=False)
            assert bucket is not None
            return shown(predicate, form, bucket)

        return evaluate(self._opposite if breach else self.condition, lookup)


def _key(predicate: Predicate) -> tuple[object, ...]:
    """Return what the least number of samples follows from; the operator does not matter."""
    return predicate.metric, predicate.stat, predicate.value


def misfits(condition: Condition, forms: Mapping[str, Form]) -> tuple[tuple[Predicate, str], ...]:
    """Return the predicates that cannot be asked of these metrics, each with the reason."""
    pairs = ((p, misfit(p, forms.get(p.metric or ""))) for p in condition.predicates)
    return tuple((predicate, why) for predicate, why in pairs if why)


def _together(join: Join, answers: Sequence[Answer]) -> Answer:
    if len(answers) == 1:
        return answers[0]
    decides = join is Join.ANY

    def truth(buckets: Buckets) -> bool | None:
        found: bool | None = not decides
        for answer in answers:
            holds = answer(buckets)
            if holds is decides:
                return decides
            if holds is None:
                found = None
        return found

    return truth


def _answer(predicate: Predicate, form: Form, least: int) -> Answer:
    """Prepare the answer of one predicate; None where the bucket is missing or has too few."""
    name = predicate.metric or ""
    limits = limits_in(predicate)
    if not limits:
        return lambda _buckets: None  # a baseline that was never recorded
    orders = [order_of(predicate, form, limit) for limit in limits]
    enough = _enough(predicate, form, least)
    order = orders[0]
    holds = HOLDS.get(predicate.op)

    if holds is not None and form.shape is not Shape.GIVEN:
        return _counted(name, least, order, holds)

    def simple(buckets: Buckets) -> bool | None:
        bucket = buckets.get(name)
        if bucket is None or not enough(bucket):
            return None
        side = order(bucket)
        return None if side is None or holds is None else holds[side + 1]

    def several(buckets: Buckets) -> bool | None:
        bucket = buckets.get(name)
        if bucket is None or not enough(bucket):
            return None
        sides = [each(bucket) for each in orders]
        if predicate.op is Op.IN:
            return True if 0 in sides else (None if None in sides else False)
        low, high = sides[0], sides[-1]
        if low == -1 or high == 1:
            return False
        return None if low is None or high is None else True

    return several if holds is None else simple


def _counted(name: str, least: int, order: Order, holds: tuple[bool, bool, bool]) -> Answer:
    """Prepare the most frequent question with as few calls as possible."""

    def answer(buckets: Buckets) -> bool | None:
        bucket = buckets.get(name)
        if bucket is None or bucket.body.count < least:
            return None
        side = order(bucket)
        return None if side is None else holds[side + 1]

    return answer


def _enough(predicate: Predicate, form: Form, least: int) -> Callable[[Bucket], bool]:
    if form.shape is not Shape.GIVEN:
        return lambda bucket: bucket.body.count >= least

    def enough(bucket: Bucket) -> bool:
        assert isinstance(bucket.body, Given)
        figure = given_figure(predicate, form, bucket.body)
        return figure is not None and (least == 0 or (figure.samples or 0) >= least)

    return enough


def _why(
    predicate: Predicate, form: Form, bucket: Bucket | None, least: int, least_watched_ms: int
) -> str:
    """Return why a bucket says nothing about a predicate; empty when it does."""
    if bucket is None:
        return "no data"
    if no_data(bucket):
        causes = "; ".join(part for part in (", ".join(bucket.flaws), *bucket.reasons) if part)
        return f"no data ({causes})" if causes else "no data"
    if bucket.watched_ms < least_watched_ms:
        return f"only {bucket.watched_ms * 100 // bucket.width_ms} % of the slice was watched"
    if isinstance(bucket.body, Given):
        figure = given_figure(predicate, form, bucket.body)
        if figure is None:
            return f"the source gave no {predicate.stat or 'figure'}"
        if least and figure.samples is None:
            return f"the source does not say from how many samples, at least {least} are needed"
        count = figure.samples or 0
    else:
        count = bucket.count
    if count < least:
        return f"{count} samples, at least {least} are needed"
    return ""


def _opposite(condition: Condition) -> Condition:
    """Return the condition that holds when this one does not; unchanged when it has no words."""
    if any(p.op not in _OPPOSITE for p in condition.predicates):
        return condition
    turned = tuple(replace(p, op=_OPPOSITE[p.op]) for p in condition.predicates)
    join = Join.ALL if condition.join is Join.ANY else Join.ANY
    return replace(condition, join=join, predicates=turned)


def shown(predicate: Predicate, form: Form, bucket: Bucket) -> Quantity | Missing:
    """Return the value to show, in the unit of the limit, on the true side of every limit."""
    limits = limits_in(predicate)
    if not limits:
        return Missing("no baseline was recorded", looked=False)
    unit = limits[0].unit or unit_of_value(predicate, form)
    mine = unit_of_value(predicate, form)
    factor = Fraction(1) if mine == unit else scale(mine) / scale(unit)
    bounds = [Fraction(limit.number) for limit in limits]
    bounds[1:] = [
        bound if limit.unit == unit else bound * scale(limit.unit) / scale(unit)
        for bound, limit in zip(bounds[1:], limits[1:], strict=True)
    ]
    value = _value(predicate, form, bucket)
    if value is None:
        sides = [order_of(predicate, form, limit)(bucket) for limit in limits]
        if None in sides:
            return Missing("what was kept does not tell on which side of the limit it is")
        value = _estimate(stat_of(predicate, form), bucket, [b / factor for b in bounds], sides)
    return Quantity(faithful(value * factor, bounds), unit)


def figure(predicate: Predicate, form: Form, bucket: Bucket) -> Quantity | Missing:
    """Return a figure that is compared with nothing, rounded to three digits."""
    if isinstance(bucket.body, Given) and given_figure(predicate, form, bucket.body) is None:
        return Missing(f"the source gave no {predicate.stat or 'figure'}")
    value = _value(predicate, form, bucket)
    if value is None:
        value = _estimate(stat_of(predicate, form), bucket, [], [])
    return Quantity(faithful(value, []), form.unit)


def _value(predicate: Predicate, form: Form, bucket: Bucket) -> Fraction | None:
    """Return the exact value; None for a percentile of a histogram."""
    match bucket.body:
        case Share(hits, total):
            return Fraction(100 * hits, total)
        case Amount(amount, _):
            if unit_of_value(predicate, form) == form.unit:
                return Fraction(amount)
            per = unit_of_value(predicate, form).rpartition("/")[2]
            return Fraction(amount) * 1000 * Fraction(scale(per)) / bucket.watched_ms
        case Given() as body:
            given = given_figure(predicate, form, body)
            assert given is not None
            return Fraction(given.value)
        case Sketch() as sketch:
            stat = stat_of(predicate, form)
            if stat == "avg":
                return Fraction(sketch.total) / sketch.count
            end = {"min": sketch.low, "max": sketch.high}.get(stat)
            return None if end is None else Fraction(end)


def _estimate(
    stat: str, bucket: Bucket, limits: Sequence[Fraction], sides: Sequence[int | None]
) -> Fraction:
    """Return a percentile within its bin, moved to the side of each limit where it truly is."""
    sketch, share = bucket.body, percentile(stat)
    assert isinstance(sketch, Sketch)
    assert share is not None
    rank = rank_of(share, sketch.count)
    low, high = (Fraction(end) for end in sketch.bounds(rank))
    index = sketch.bin_at(rank)
    near = Fraction(0) if index is None else Fraction(repr(middle(index)))
    for limit, side in zip(limits, sides, strict=True):
        if side == 0:
            return limit
        if side == 1 and low <= limit:
            low = limit
        elif side == -1 and high >= limit:
            high = limit
    inside = [bound for bound, side in zip(limits, sides, strict=True) if side]
    if low <= near <= high and near not in inside:
        return near
    return (low + high) / 2
