"""Asks a line of a log whether it counts: yes, no, or unknown.

Unknown (None) means that a field is not there or cannot be compared. It is never a yes and never a
no: a missing field must not turn an error into a success.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gonogo.plan.where import NUMBER, Both, Either, Filter, Node, Not, Test, Worth

Line = Mapping[str, object]
Ask = Callable[[Line], bool | None]

_ABSENT = object()


def getter(name: str) -> Callable[[Line], object]:
    """Return a function that finds a field: by its whole name, else step by step at its dots."""
    if "." not in name:
        return lambda line: line.get(name, _ABSENT)
    steps = name.split(".")

    def find(line: Line) -> object:
        found = line.get(name, _ABSENT)
        if found is not _ABSENT:
            return found
        here: object = line
        for step in steps:
            if not isinstance(here, Mapping):
                return _ABSENT
            here = here.get(step, _ABSENT)
        return here

    return find


def is_absent(value: object) -> bool:
    """Tell whether a getter found nothing at all."""
    return value is _ABSENT


def compiled(asked: Filter) -> Ask:
    """Return a filter as a function of a line."""
    return _asker(asked.root)


def _asker(node: Node) -> Ask:
    match node:
        case Test():
            return _asked(node)
        case Not():
            inner = _asker(node.part)
            return lambda line: None if (said := inner(line)) is None else not said
        case Both():
            return _joined(tuple(map(_asker, node.parts)), decisive=False)
        case Either():
            return _joined(tuple(map(_asker, node.parts)), decisive=True)


def _joined(asks: tuple[Ask, ...], *, decisive: bool) -> Ask:
    def ask(line: Line) -> bool | None:
        unknown = False
        for part in asks:
            said = part(line)
            if said is decisive:
                return decisive
            unknown = unknown or said is None
        return None if unknown else not decisive

    return ask


def _asked(test: Test) -> Ask:
    find = getter(test.field)
    if test.op in {"exists", "is absent"}:
        wanted = test.op == "exists"
        return lambda line: (find(line) is not _ABSENT) is wanted
    compare = _COMPARISONS[test.op](test.values)

    def ask(line: Line) -> bool | None:
        value = find(line)
        return None if value is _ABSENT else compare(value)

    return ask


Judged = Callable[[object], bool | None]


def _ordered(how: Callable[[float, float], bool]) -> Callable[[tuple[Worth, ...]], Judged]:
    def build(values: tuple[Worth, ...]) -> Judged:
        limit = values[0]
        assert isinstance(limit, int | float)

        def judge(value: object) -> bool | None:
            number = value if type(value) is int else _number_of(value)
            return None if number is None else how(number, limit)

        return judge

    return build


def _number_of(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return float(value)
    return None


def _same(value: object, wanted: Worth) -> bool | None:
    """Compare as numbers where the filter has a number, else as text; null equals only null."""
    if wanted is None or value is None:
        return wanted is None and value is None
    if isinstance(wanted, bool):
        if isinstance(value, bool):
            return value is wanted
        return str(value).lower() == str(wanted).lower() if isinstance(value, str) else None
    if isinstance(wanted, int | float):
        number = _number_of(value)
        return None if number is None else number == wanted
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    return str(value) == wanted if isinstance(value, str | int | float) else None


def _any_same(values: tuple[Worth, ...]) -> Judged:
    def judge(value: object) -> bool | None:
        answers = [_same(value, wanted) for wanted in values]
        return True if True in answers else None if None in answers else False

    return judge


def _opposite(values: tuple[Worth, ...]) -> Judged:
    same = _any_same(values)
    return lambda value: None if (said := same(value)) is None else not said


def _between(values: tuple[Worth, ...]) -> Judged:
    low, high = values
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)

    def judge(value: object) -> bool | None:
        number = _number_of(value)
        return None if number is None else low <= number <= high

    return judge


def _textual(how: Callable[[str, str], bool]) -> Callable[[tuple[Worth, ...]], Judged]:
    def build(values: tuple[Worth, ...]) -> Judged:
        wanted = str(values[0])
        return lambda value: how(value, wanted) if isinstance(value, str) else None

    return build


_COMPARISONS: dict[str, Callable[[tuple[Worth, ...]], Judged]] = {
    "=": _any_same,
    "in": _any_same,
    "!=": _opposite,
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
    "between": _between,
    "startswith": _textual(str.startswith),
    "endswith": _textual(str.endswith),
    "contains": _textual(str.__contains__),
}
