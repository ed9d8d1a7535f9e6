"""A condition on closed buckets: whether it holds, compared exactly, and the value to show.

A condition is prepared once and then asked of each slice; it answers yes, no, or cannot be said.
Nothing is rounded on the way: a share is compared by multiplying out, a percentile by counting the
samples above the limit. The value that is shown is rounded only as far as it tells the same story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction

from gonogo.judge.buckets import Amount, Bucket, Figure, Form, Given, Shape, Share
from gonogo.judge.sketch import EXACT, Sketch
from gonogo.plan.condition import Condition, Op, Predicate, Relative
from gonogo.plan.units import Dimension, Quantity, comparable

# which of below, equal, above make an operator hold
HOLDS: Mapping[Op, tuple[bool, bool, bool]] = {
    Op.LT: (True, False, False),
    Op.LE: (True, True, False),
    Op.GT: (False, False, True),
    Op.GE: (False, True, True),
    Op.EQ: (False, True, False),
    Op.NE: (True, False, True),
}
_DIGITS = Context(prec=50)


def scale(unit: str) -> Fraction:
    """Return one of a unit in seconds, bytes, things per second, or plainly one."""
    thing, slash, per = unit.rpartition("/")
    rate = slash and Quantity(Decimal(1), unit).dimension is Dimension.RATE
    if rate and thing not in {"Kbit", "Mbit", "Gbit", "Tbit"}:
        whole = Quantity(Decimal(1), thing)
        size = Fraction(whole.si) if whole.dimension is Dimension.SIZE else Fraction(1)
        return size / Fraction(Quantity(Decimal(1), per).si)
    return Fraction(1) if unit == "%" else Fraction(Quantity(Decimal(1), unit).si)


def decimal_of(number: Fraction) -> Decimal:
    """Return a fraction as a decimal: exact, or to 50 digits where it never ends.

    No measured value has so many digits, so that comparing with the rounded one is still exact.
    """
    return _DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))


def in_unit(limit: Quantity, unit: str) -> Decimal:
    """Return a limit as a number of another unit: 1.2 s is 1200 in ms."""
    if limit.unit == unit:
        return limit.number.normalize(EXACT)
    return decimal_of(Fraction(limit.number) * scale(limit.unit) / scale(unit)).normalize(EXACT)


def percentile(stat: str) -> Decimal | None:
    """Return the share that a percentile speaks of: p99.9 is 0.999; None for another word."""
    if stat == "median":
        return Decimal("0.5")
    digits = stat[1:].replace(".", "", 1)
    if not (stat.startswith("p") and digits.isdecimal() and digits.isascii()):
        return None
    share = Decimal(stat[1:]).scaleb(-2)
    return share if 0 < share <= 1 else None


def least_samples(predicate: Predicate, form: Form) -> int:
    """Return how many samples a comparison needs at least.

    A percentile pQ needs 1/(1-Q): 100 for p99, 20 for p95. A share compared with L % needs more
    than 100/L, or 100/(100-L) for a limit near 100: more than 1,000 for 0.1 %. Anything else
    needs one. `Form.least` replaces this.
    """
    if form.least is not None:
        return form.least
    share = percentile(stat_of(predicate, form))
    if share is not None and share < 1:
        top, bottom = (1 / (1 - Fraction(share))).as_integer_ratio()
        return -(-top // bottom)
    if form.shape is Shape.SAMPLES or form.unit != "%":
        return 1
    needs = [1]
    for limit in limits_in(predicate):
        rare = min(Fraction(limit.number), 100 - Fraction(limit.number))
        if rare > 0:
            needs.append(int(100 / rare) + 1)
    return max(needs)


def limits_in(predicate: Predicate) -> tuple[Quantity, ...]:
    """Return the numbers that a predicate compares with; empty when it compares with none."""
    match predicate.value:
        case Quantity():
            return (predicate.value,)
        case tuple():
            return predicate.value
        case _:
            return ()


def limits_of(
    conditions: Iterable[Condition], forms: Mapping[str, Form]
) -> dict[str, set[Decimal]]:
    """Return for each metric the limits to count exactly, in the metric's own unit."""
    found: dict[str, set[Decimal]] = {}
    for condition in conditions:
        for predicate in condition.predicates:
            form = forms.get(predicate.metric or "")
            if form is None or form.shape is not Shape.SAMPLES:
                continue
            kept = found.setdefault(predicate.metric or "", set())
            for limit in limits_in(predicate):
                if comparable(Quantity(Decimal(0), form.unit), limit):
                    kept.add(in_unit(limit, form.unit))
    return found


def with_baseline(condition: Condition, baseline: Mapping[str, Quantity]) -> Condition:
    """Return the condition with `1.2x baseline` worked out; what was not recorded stays."""
    return replace(
        condition, predicates=tuple(_worked_out(p, baseline) for p in condition.predicates)
    )


def _worked_out(predicate: Predicate, baseline: Mapping[str, Quantity]) -> Predicate:
    if not isinstance(predicate.value, Relative):
        return predicate
    base = baseline.get(predicate.subject())
    if base is None:
        return predicate
    number = EXACT.multiply(base.number, predicate.value.factor)
    return replace(predicate, value=Quantity(number, base.unit))


def misfit(predicate: Predicate, form: Form | None) -> str:
    """Return why a predicate cannot be asked of a metric's buckets; empty when it can."""
    name = predicate.subject() or "value"
    if form is None:
        return f"no metric is bound to `{name}`"
    if predicate.quantifier is not None:
        return f"`{predicate.say()}` speaks of rows, and a bucket has none"
    if isinstance(predicate.value, Relative):
        return ""  # unknown until a baseline is recorded
    limits = limits_in(predicate)
    if not limits or (predicate.op not in HOLDS and predicate.op not in {Op.BETWEEN, Op.IN}):
        return f"`{predicate.say()}` is no comparison with a number"
    seen = unit_of_value(predicate, form)
    for limit in limits:
        if not comparable(Quantity(Decimal(0), seen), limit):
            return f"`{name}` is in {_unit_word(seen)}, compared with {limit.say()}"
    if form.shape in {Shape.SHARE, Shape.AMOUNT} and predicate.stat is not None:
        what = "a share" if form.shape is Shape.SHARE else "an amount"
        return f"`{name}`: there is no {predicate.stat} of {what}"
    if form.shape is Shape.SAMPLES and stat_of(predicate, form) not in {"avg", "min", "max"}:
        return "" if percentile(stat_of(predicate, form)) else f"`{name}` is no known statistic"
    return ""


def _unit_word(unit: str) -> str:
    return f"`{unit}`" if unit else "a bare number"


def unit_of_value(predicate: Predicate, form: Form) -> str:
    """Return the unit that a metric has in this comparison: an amount may be asked as a rate."""
    limits = limits_in(predicate)
    if form.shape is Shape.AMOUNT and limits and limits[0].dimension is Dimension.RATE:
        asked, _, per = limits[0].unit.rpartition("/")
        thing = (form.unit or asked) if asked else ""  # `> 10/min`: of whatever is counted
        return f"{thing}/{per}"
    return form.unit


def stat_of(predicate: Predicate, form: Form) -> str:
    """Return the statistic that is compared; empty for the metric itself."""
    return predicate.stat or (form.stat if form.shape in {Shape.SAMPLES, Shape.GIVEN} else "")


def given_figure(predicate: Predicate, form: Form, body: Given) -> Figure | None:
    """Return the figure that is compared; where no statistic is said, the one of the source."""
    if predicate.stat is None and "" not in body.figures:
        return body.figures.get(form.stat)
    return body.figures.get(predicate.stat or "")


def _sign(left: Decimal, right: Decimal) -> int:
    return (left > right) - (left < right)


Order = Callable[[Bucket], int | None]


def order_of(predicate: Predicate, form: Form, limit: Quantity) -> Order:
    """Prepare the comparison of a bucket with one limit: -1 below, 0 equal, 1 above."""
    match form.shape:
        case Shape.SHARE:
            return _share_order(limit)
        case Shape.AMOUNT:
            return _amount_order(form, limit)
        case Shape.GIVEN:
            return _given_order(predicate, form, in_unit(limit, form.unit))
        case Shape.SAMPLES:
            return _samples_order(stat_of(predicate, form), in_unit(limit, form.unit))


def _share_order(limit: Quantity) -> Order:
    top, bottom = Fraction(limit.number).as_integer_ratio()
    bottom *= 100

    def order(bucket: Bucket) -> int:
        body = bucket.body
        assert isinstance(body, Share)
        left, right = body.hits * bottom, top * body.total
        return (left > right) - (left < right)

    return order


def _amount_order(form: Form, limit: Quantity) -> Order:
    if limit.dimension is not Dimension.RATE:
        bound = in_unit(limit, form.unit)

        def order(bucket: Bucket) -> int:
            body = bucket.body
            assert isinstance(body, Amount)
            return _sign(body.amount, bound)

        return order
    top, bottom = _per_ms(form, limit).as_integer_ratio()

    def rate(bucket: Bucket) -> int:
        body = bucket.body
        assert isinstance(body, Amount)
        left, right = Fraction(body.amount) * bottom, top * bucket.watched_ms
        return (left > right) - (left < right)

    return rate


def _per_ms(form: Form, limit: Quantity) -> Fraction:
    """Return a rate as an amount, in the metric's unit, per millisecond."""
    things = scale(form.unit) if Quantity(Decimal(1), form.unit).dimension is Dimension.SIZE else 1
    return Fraction(limit.number) * scale(limit.unit) / things / 1000


def _given_order(predicate: Predicate, form: Form, bound: Decimal) -> Order:
    def order(bucket: Bucket) -> int | None:
        body = bucket.body
        assert isinstance(body, Given)
        figure = given_figure(predicate, form, body)
        return None if figure is None else _sign(figure.value, bound)

    return order


def _samples_order(stat: str, bound: Decimal) -> Order:
    share = percentile(stat)
    if share is not None:
        top, bottom = share.as_integer_ratio()
        text = str(bound)  # a text is found faster than a decimal

        def ranked(bucket: Bucket) -> int | None:
            body = bucket.body
            assert isinstance(body, Sketch)
            count = body.count
            rank = -(-top * count // bottom) or 1
            kept = body.over.get(text)
            return body.order_at(rank, bound) if kept is None else kept.order(count, rank)

        return ranked

    def order(bucket: Bucket) -> int | None:
        body = bucket.body
        assert isinstance(body, Sketch)
        if stat == "avg":
            return _sign(body.total, EXACT.multiply(bound, Decimal(body.count)))
        value = body.low if stat == "min" else body.high
        return None if value is None else _sign(value, bound)

    return order
