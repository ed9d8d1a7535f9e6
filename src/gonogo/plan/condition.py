"""A condition, understood: `p99 > 1.2s for 2 consecutive 5-minute buckets` as typed values.

The text is parsed once, at load (`gonogo.plan.grammar`), judged by `gonogo.judge.evaluate`, and
printed back in one canonical wording by `Condition.say`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gonogo.plan.grammar_recorded import says_itself
from gonogo.plan.units import Dimension, Quantity, plain
from gonogo.plan.words import is_plain_name
from gonogo.source import Span


class Op(StrEnum):
    """How a value is compared; strict and non-strict stay as written."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "="
    NE = "!="
    BETWEEN = "between"  # both ends belong to it
    IN = "in"  # one of a few numbers: `status in 301/302`
    CONTAINS = "contains"  # text holds text
    LACKS = "does not contain"  # there is a text and it does not hold this
    MATCHES = "matches"  # text fits a regular expression
    DIFFERS = "does not match"  # there is a text and it does not fit
    EXISTS = "exists"  # there is a value at all
    ABSENT = "is absent"  # it was looked for and is not there


class Quantifier(StrEnum):
    """Over which rows of a result a predicate speaks."""

    EVERY = "every row"  # holds in each row; no rows at all is unknown
    ANY = "any row"  # holds in at least one row


class Join(StrEnum):
    """How the predicates of a condition combine."""

    ANY = "any"  # A or B
    ALL = "all"  # A and B


@dataclass(frozen=True, slots=True)
class Null:
    """The SQL and JSON null as something that can be written in a condition."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A factor on a recorded baseline: `1.2x baseline`, `110 % of baseline`."""

    factor: Decimal


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an earlier step of the run kept under a name: `recorded previous release`."""

    name: str  # in small letters, one space between two words


@dataclass(frozen=True, slots=True)
class Version:
    """A version, compared part by part and never as a number: 2.20 comes after 2.9."""

    text: str


Value = Quantity | str | bool | Null | Relative | Recorded | Version | tuple[Quantity, ...]


def _quoted(text: str, mark: str = '"') -> str:
    """Quote a text so that the lexer reads back exactly the same text."""
    if mark == "/":
        return "/" + text.replace("/", "\\/") + "/"
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def _say_named(value: Relative | Recorded | Version) -> str:
    match value:
        case Relative():
            return f"{plain(value.factor)}x baseline"
        case Recorded():
            return f"recorded {value.name if says_itself(value.name) else _quoted(value.name)}"
        case Version():
            return f"v{value.text}"


def say_value(value: Value | None, op: Op = Op.EQ) -> str:
    """Return the canonical wording of a value; `op` decides about `and` between two ends."""
    match value:
        case Quantity():
            return value.say()
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value, "/" if op in {Op.MATCHES, Op.DIFFERS} else '"')
        case Relative() | Recorded() | Version():
            return _say_named(value)
        case tuple() if op is Op.BETWEEN:
            low, high = value[0], value[-1]
            counted = low.dimension is Dimension.COUNT and low.unit == high.unit
            return f"{plain(low.number) if counted else low.say()} and {high.say()}"
        case tuple():
            return "/".join(q.say() for q in value)
        case _:
            return "null"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One comparison: metric, statistic, operator, value."""

    metric: str | None  # lower-case words, `body.checks.database`; None in a bare `p99 > 1.2s`
    stat: str | None  # p50, p99.9, avg, median, max, min …; None when not said
    op: Op
    value: Value
    span: Span
    quantifier: Quantifier | None = None

    def subject(self) -> str:
        """Return what is compared, in canonical words: `response time p95`; may be empty."""
        name = self.metric or ""
        if name and not is_plain_name(name):
            name = _quoted(name)
        return " ".join(part for part in (name, self.stat) if part)

    def expected(self) -> str:
        """Return what is asked of it, in canonical words: `<= 1.2 s`, `contains "ready"`."""
        if self.op in {Op.EXISTS, Op.ABSENT}:
            return self.op.value
        said = say_value(self.value, self.op)
        if isinstance(self.value, Version) and (self.metric or "").endswith("version"):
            said = self.value.text
        return f"{self.op.value} {said}"

    def say(self) -> str:
        """Return the predicate in its canonical wording."""
        rows = f"in {self.quantifier.value}" if self.quantifier else ""
        return " ".join(part for part in (self.subject(), self.expected(), rows) if part)

    def as_json(self) -> dict[str, object]:
        """Return the JSON form; `value_si` is set for times (seconds) and sizes (bytes) only."""
        value, unit, si = _json_value(self.value)
        return {
            "metric": self.metric,
            "stat": self.stat,
            "op": self.op.value,
            "value": value,
            "unit": unit,
            "value_si": si,
            "quantifier": self.quantifier.value if self.quantifier else None,
        }


def json_number(number: Decimal) -> int | float | str:
    """Return a JSON number that loses nothing; as text where no JSON number can hold it."""
    if number.is_finite() and abs(number.adjusted()) < 60:
        if number == number.to_integral_value():
            return int(number)
        short = float(number)
        if Decimal(repr(short)) == number:
            return short
    return str(number)


def _json_value(value: Value) -> tuple[object, str | None, object]:
    match value:
        case Quantity():
            known = value.dimension in {Dimension.TIME, Dimension.SIZE}
            si = json_number(value.si) if known else None
            return json_number(value.number), value.unit or None, si
        case tuple():
            parts = [_json_value(q) for q in value]
            sis = [part[2] for part in parts]
            return [part[0] for part in parts], parts[0][1], None if None in sis else sis
        case Relative():
            return json_number(value.factor), "x baseline", None
        case Recorded():
            return value.name, "recorded", None
        case Version():
            return value.text, "version", None
        case Null():
            return None, None, None
        case _:
            return value, None, None


_SPANS = (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def _say_time(seconds: Decimal) -> tuple[str, str]:
    """Return number and unit word, in the largest unit that divides the time exactly."""
    for word, length in _SPANS:
        if seconds and seconds % length == 0:
            return plain((seconds / length).to_integral_value()), word
    return plain(seconds), "second"


def say_time(seconds: Decimal) -> str:
    """Return a time in words: `4 hours`, `90 seconds`."""
    number, word = _say_time(seconds)
    return f"{number} {word}{'' if number == '1' else 's'}"


@dataclass(frozen=True, slots=True)
class Window:
    """For how long a condition must hold.

    `for 2 consecutive 5-minute buckets`: count 2, consecutive, bucket_s 300.
    `for 2 of 3 buckets`: count 2, of 3. `for 5 minutes`: seconds 300, no count.
    `consecutive` says that the author wrote the word; `for 2 buckets` without `of` is judged alike.
    """

    count: int | None = None
    of: int | None = None
    consecutive: bool = False
    bucket_s: Decimal | None = None
    seconds: Decimal | None = None

    def say(self) -> str:
        """Return the canonical wording, from `for` on."""
        row = "consecutive " if self.consecutive else ""
        if self.count is None:
            number, word = _say_time(self.seconds or Decimal(0))
            return f"for {number} {row}{word}{'' if number == '1' else 's'}"
        of = f" of {self.of}" if self.of is not None else ""
        size = ""
        if self.bucket_s is not None:
            number, word = _say_time(self.bucket_s)
            size = f"{number}-{word} "
        plural = "" if (self.of or self.count) == 1 else "s"
        return f"for {self.count}{of} {row}{size}bucket{plural}"

    def as_json(self) -> dict[str, object]:
        """Return the JSON form; times in seconds."""
        return {
            "count": self.count,
            "of": self.of,
            "consecutive": self.consecutive,
            "bucket_s": None if self.bucket_s is None else json_number(self.bucket_s),
            "seconds": None if self.seconds is None else json_number(self.seconds),
        }


@dataclass(frozen=True, slots=True)
class Condition:
    """A whole condition: predicates joined by one word, a window over all of them, a severity."""

    join: Join
    predicates: tuple[Predicate, ...]
    window: Window | None
    severity: str | None  # warn, page, critical, info, p0 … p4, sev1 …, high, medium, low, red …
    text: str  # as the author wrote it, cleaned of Markdown
    span: Span
    within_s: Decimal | None = None  # to be mended in this time: `P1 (4 h): …`

    def say(self) -> str:
        """Return the canonical wording; reading it again gives an equal condition."""
        word = " or " if self.join is Join.ANY else " and "
        said = word.join(predicate.say() for predicate in self.predicates)
        if self.window is not None:
            said = f"{said} {self.window.say()}"
        return f"{self.severity}{self._clock()}: {said}" if self.severity else said

    def _clock(self) -> str:
        if self.within_s is None:
            return ""
        return f" ({say_time(self.within_s)})"

    def as_json(self) -> dict[str, object]:
        """Return the one JSON form of a condition; what was not said is null."""
        return {
            "join": self.join.value,
            "predicates": [predicate.as_json() for predicate in self.predicates],
            "for": None if self.window is None else self.window.as_json(),
            "severity": self.severity,
            "within_s": None if self.within_s is None else json_number(self.within_s),
        }
