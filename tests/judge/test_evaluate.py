"""Conditions against values: pass, fail or unknown, exact, with the values in the sentence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.judge.evaluate import Judged, Truth, both, either, evaluate, evaluate_observation
from gonogo.judge.fitted import fitted
from gonogo.judge.lookup import Datum, Missing
from gonogo.plan.condition import Condition
from gonogo.plan.grammar import read
from gonogo.plan.kinds import Printed
from gonogo.plan.units import Quantity, comparable, compare, parse_quantity
from gonogo.source import Span

PASS, FAIL, UNKNOWN = Truth.PASS, Truth.FAIL, Truth.UNKNOWN


def condition(text: str) -> Condition:
    found = read(text, Span.of_line(1, 1)).condition
    assert found is not None, text
    return found


def judge(
    text: str,
    rows: Sequence[Mapping[str, Datum]] | None = None,
    baseline: Mapping[str, Quantity] | None = None,
    **values: Datum,
) -> Judged:
    return evaluate_observation(condition(text), values, rows, baseline)


def seconds(number: str) -> Quantity:
    return Quantity(Decimal(number), "s")


@pytest.mark.parametrize(
    ("text", "values", "truth", "sentence"),
    [
        ("status = 403", {"status": 200}, FAIL, "status 200, expected 403"),
        ("status = 403", {"status": 403}, PASS, "status 403"),
        ("p99 <= 1.2s", {"p99": seconds("1.42")}, FAIL, "p99 1.42 s, expected <= 1.2 s"),
        ("p99 <= 1200ms", {"p99": seconds("1.2")}, PASS, "p99 1200 ms"),
        ("rows > 0", {"rows": 0}, FAIL, "rows 0, expected > 0"),
        ("error rate < 1%", {"Error_Rate": Quantity(Decimal(1), "%")}, FAIL,
         "error rate 1 %, expected < 1 %"),
        ("percent = 100", {"percent": Decimal("99.997")}, FAIL, "percent 99.997, expected 100"),
        ("percent = 100", {"percent": Decimal("100.00")}, PASS, "percent 100.00"),
        ("value = 0.3", {"value": 0.1 + 0.2}, FAIL, "value 0.30000000000000004, expected 0.3"),
        ("value = 0.1", {"value": 0.1}, PASS, "value 0.1"),
        ('state = "ok"', {"state": "degraded"}, FAIL, 'state "degraded", expected "ok"'),
        ('state != "ok"', {"state": "degraded"}, PASS, 'state "degraded"'),
        ("enabled is true", {"enabled": False}, FAIL, "enabled false, expected true"),
        ("email is null", {"email": None}, PASS, "email null"),
        ("email is not null", {"email": None}, FAIL, "email null, expected != null"),
        ("token exists", {}, FAIL, "token absent, expected exists"),
        ("token is absent", {}, PASS, "token absent"),
        ("body.token is absent", {"body": {"user": 1}}, PASS, "body.token absent"),
        ("body.token exists", {"body": "<html>"}, FAIL, "body.token absent, expected exists"),
        ("body.error is absent", {"body": "<html>"}, UNKNOWN,
         "body.error unknown: nothing is named `body.error`: it is looked for in what has no "
         "parts, expected is absent"),
        ("token is absent", {"token": "x"}, FAIL, 'token "x", expected is absent'),
        ('output contains "ready"', {"output": "not yet"}, FAIL,
         'output "not yet", expected contains "ready"'),
        ('output does not contain "panic"', {"output": "fine"}, PASS, 'output "fine"'),
        (r"output matches /v\d+/", {"output": "app v12"}, PASS, 'output "app v12"'),
        (r"output does not match /v\d+/", {"output": "app v12"}, FAIL,
         r'output "app v12", expected does not match /v\d+/'),
        ("status in 301/302", {"status": 302}, PASS, "status 302"),
        ("status in 301/302", {"status": 303}, FAIL, "status 303, expected in 301/302"),
        ("queries between 3 and 4", {"queries": 4}, PASS, "queries 4"),
        ("queries between 3 and 4", {"queries": Decimal("4.0001")}, FAIL,
         "queries 4.0001, expected between 3 and 4"),
        ("docker version >= 2.20", {"docker version": "2.9.1"}, FAIL,
         'docker version "2.9.1", expected >= 2.20'),
        ("docker version >= 2.20", {"docker version": "v2.20.0"}, PASS, 'docker version "v2.20.0"'),
        ("open jobs < 5 jobs", {"open jobs": 4}, PASS, "open jobs 4"),
        ("tags contains red", {"tags": ["red", "blue"]}, None, ""),
    ],
)  # fmt: skip
def test_a_value_is_judged(
    text: str, values: dict[str, Datum], truth: Truth | None, sentence: str
) -> None:
    if truth is None:  # bare prose is no condition; quoted it is
        judged = evaluate_observation(condition('tags contains "red"'), values)
        assert judged.truth is PASS
        return
    judged = evaluate_observation(condition(text), values)
    assert judged.truth is truth
    assert judged.sentence == sentence


@pytest.mark.parametrize(
    ("text", "seen", "said"),
    [
        ("age < 24h", "259217.637 s", "age 72 h, expected < 24 h"),
        ("age < 24h", "108000 s", "age 30 h, expected < 24 h"),
        ("age < 24h", "86400.01 s", "age 24.000003 h, expected < 24 h"),
        ("age < 24h", "41.3 s", "age 41.3 s"),
        ("age < 24h", "150 s", "age 2.5 min"),
        ("age < 5 min", "259217.637 s", "age 3 d, expected < 5 min"),
        ("age < 500 ms", "0.0731 s", "age 73.1 ms"),
        ("age < 500 ms", "1.4237 s", "age 1423.7 ms, expected < 500 ms"),
        ("age < 86400 s", "259217.637 s", "age 259217.637 s, expected < 86400 s"),
        ("age between 1h and 2h", "7200.36 s", "age 2.0001 h, expected between 1 h and 2 h"),
        ("size >= 1 GiB", "123456789 B", "size 118 MiB, expected >= 1 GiB"),
        ("size >= 1 GiB", "1610612736 B", "size 1.5 GiB"),
        ("size < 2 MB", "5368709120 B", "size 5.37 GB, expected < 2 MB"),
        ("size > 1 KB", "0 B", "size 0 KB, expected > 1 KB"),
    ],
)
def test_a_time_or_a_size_is_said_in_the_unit_of_its_bound(text: str, seen: str, said: str) -> None:
    found = parse_quantity(seen)
    assert found is not None
    name = text.split()[0]
    assert evaluate_observation(condition(text), {name: found}).sentence == said


@given(
    st.sampled_from(["s", "ms", "min", "h", "d", "B", "KB", "GiB"]),
    st.sampled_from(["s", "ms", "h", "w", "B", "MB", "MiB"]),
    st.decimals(0, 10**15, places=3),
    st.decimals(0, 10**6, places=2),
)
def test_a_figure_in_another_unit_stays_on_its_side_of_the_bound(
    mine: str, other: str, number: Decimal, bound: Decimal
) -> None:
    seen, limit = Quantity(number, mine), Quantity(bound, other)
    shown = fitted(seen, [limit])
    if comparable(seen, limit):
        assert compare(shown, limit) == compare(seen, limit)
    else:
        assert shown == seen


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("p99 < 2s", {}, "nothing is named `p99`"),
        ("rows > 0", {"rows": None}, "the value is null"),
        ("rows > 0", {"rows": float("nan")}, "the value is no finite number"),
        ("rows < 5", {"rows": float("-inf")}, "the value is no finite number"),
        ("rows >= 0", {"rows": Decimal("NaN")}, "the value is no finite number"),
        ("rows is not null", {"rows": float("nan")}, "the value is no finite number"),
        ('output = "x"', {"output": " "}, "the value is empty"),
        ('output does not contain "x"', {"output": ""}, "the value is empty"),
        ("rows > 0", {"rows": "5"}, '"5" is a text, not a number'),
        ("rows > 0", {"rows": True}, "true is true or false, not a number"),
        ('state = "1"', {"state": 1}, "1 is a number, not a text"),
        ("enabled is true", {"enabled": 1}, "1 is a number, not true or false"),
        ("age < 5 min", {"age": 3}, "3 has no unit, compared with 5 min"),
        ("error rate < 1%", {"error rate": 0.005}, "0.005 has no unit, compared with 1 %"),
        ("latency < 500", {"latency": seconds("0.2")},
         "0.2 s is compared with 500, which has no unit"),
        ("latency < 5 MB", {"latency": seconds("0.2")}, "0.2 s cannot be compared with 5 MB"),
        ("docker version >= 2.20", {"docker version": 2.2}, "2.2 is a number, not a version text"),
        ("latency < 1.2x baseline", {"latency": 5}, "no baseline of `latency` was recorded"),
        ("body.items[3].ok is true", {"body": {"items": [1]}},
         "`body.items[3].ok`: the list has 1 entries"),
        ("body.items.ok is true", {"body": {"items": 5}},
         "nothing is named `body.items.ok`: it is looked for in what has no parts"),
        ("> 5", {"a": 1, "b": 2}, "the comparison names nothing, and there are 2 values"),
    ],
)  # fmt: skip
def test_no_evidence_is_unknown_with_its_reason(
    text: str, values: dict[str, Datum], why: str
) -> None:
    judged = evaluate_observation(condition(text), values)
    assert judged.truth is UNKNOWN
    assert judged.parts[0].why == why
    assert why in judged.sentence


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('body.checks.database = "ok"', {"body": {"checks": {"Database": "ok"}}}),
        ("header content-type contains json", {"Header": {"Content-Type": "application/json"}}),
        ("body.items[1].name = beta", {"body": {"items": [{"name": "a"}, {"name": "beta"}]}}),
        ("has_unique_index is true", {"Has Unique-Index": True}),
        ('a.b.c = "x"', {"a": {"b": {"c": "wrong"}}, "a.b": {"c": "x"}}),
        ("response time p95 < 2", {"response_time_p95": 1}),
        ("response time p95 < 2", {"P95 response time": 1}),
        ("p95 < 2", {"p95": 1}),
        ("> 5", {"value": 6, "other": 1}),
        ("matrix[1][0] = 3", {"matrix": [[1], [3]]}),
    ],
)
def test_a_name_is_found_in_any_spelling(text: str, values: dict[str, Datum]) -> None:
    assert evaluate_observation(condition(text), values).truth is PASS


ROWS: list[dict[str, Datum]] = [
    {"domain": "a", "percent": Decimal(100)},
    {"domain": "example", "percent": Decimal("99.997")},
]


class TestRows:
    """A result with rows: said over every or any row, or unknown."""

    def test_a_failing_row_is_named(self) -> None:
        judged = judge("percent = 100 in every row", ROWS)
        assert judged.truth is FAIL
        assert judged.sentence == (
            "percent 99.997 in 1 of 2 rows (domain = example), expected 100 in every row"
        )

    def test_every_row_may_hold(self) -> None:
        assert judge("percent > 99 in every row", ROWS).truth is PASS

    def test_any_row_is_enough(self) -> None:
        assert judge("percent = 100 in any row", ROWS).truth is PASS
        assert judge("percent > 100 in any row", ROWS).truth is FAIL

    def test_several_rows_need_a_word(self) -> None:
        judged = judge("percent = 100", ROWS)
        assert judged.truth is UNKNOWN
        assert judged.parts[0].why == "2 rows: say `in every row` or `in any row`"

    def test_one_row_needs_none(self) -> None:
        assert judge("percent = 100", ROWS[:1]).truth is PASS

    @pytest.mark.parametrize(
        "text", ["percent = 100 in every row", "percent = 100 in any row", "percent = 100"]
    )
    def test_no_rows_are_no_evidence(self, text: str) -> None:
        judged = judge(text, [])
        assert judged.truth is UNKNOWN
        assert judged.parts[0].why == "the result has no rows"

    def test_a_null_in_one_row_is_unknown(self) -> None:
        judged = judge("percent = 100 in every row", [ROWS[0], {"domain": "b", "percent": None}])
        assert judged.truth is UNKNOWN
        assert judged.parts[0].why == "the value is null in 1 of 2 rows (domain = b)"

    def test_a_failing_row_weighs_more_than_a_null(self) -> None:
        judged = judge("percent = 100 in every row", [*ROWS, {"domain": "b", "percent": None}])
        assert judged.truth is FAIL

    def test_indicators_come_before_columns(self) -> None:
        assert evaluate_observation(condition("rows = 2"), {"rows": 2}, ROWS).truth is PASS


class TestBaseline:
    """Factors on a recorded value."""

    def test_the_bound_is_shown(self) -> None:
        base = {"latency p95": seconds("0.2")}
        judged = evaluate_observation(
            condition("latency p95 <= 1.2x baseline"), {"latency p95": seconds("0.25")}, None, base
        )
        assert judged.truth is FAIL
        assert judged.sentence == "latency p95 0.25 s, expected <= 1.2x baseline (0.24 s)"

    def test_the_bound_itself_holds(self) -> None:
        base = {"latency": seconds("0.2")}
        assert (
            judge("latency <= 120% of baseline", None, base, latency=seconds("0.24")).truth is PASS
        )


class TestJoins:
    """Any and all, in three values."""

    def test_all_names_only_what_fails(self) -> None:
        judged = judge("a < 1 and b < 1 and c < 1", a=0, b=5, c=None)
        assert judged.truth is FAIL
        assert judged.sentence == "b 5, expected < 1"
        assert [part.truth for part in judged.parts] == [PASS, FAIL, UNKNOWN]

    def test_any_needs_one_pass(self) -> None:
        assert judge("a < 1 or b < 1", a=None, b=0).truth is PASS
        assert judge("a < 1 or b < 1", a=None, b=5).truth is UNKNOWN
        judged = judge("a < 1 or b < 1", a=4, b=5)
        assert judged.truth is FAIL
        assert judged.sentence == "a 4, expected < 1 and b 5, expected < 1"

    @given(st.sampled_from(Truth), st.sampled_from(Truth), st.sampled_from(Truth))
    def test_both_and_either_obey_the_laws_of_logic(self, a: Truth, b: Truth, c: Truth) -> None:
        deny = {PASS: FAIL, FAIL: PASS, UNKNOWN: UNKNOWN}
        for join in (both, either):
            assert join(a, b) is join(b, a)
            assert join(a, join(b, c)) is join(join(a, b), c)
            assert join(a, a) is a
        assert deny[both(a, b)] is either(deny[a], deny[b])
        assert both(a, either(b, c)) is either(both(a, b), both(a, c))

    def test_losing_a_value_never_makes_a_pass_of_a_fail(self) -> None:
        values: dict[str, Datum] = {"a": 5, "b": 5}
        for word, lost in itertools.product(("and", "or"), ("a", "b")):
            asked = condition(f"a < 1 {word} b < 1")
            fewer = {name: datum for name, datum in values.items() if name != lost}
            assert evaluate_observation(asked, fewer).truth is not PASS


def test_a_lookup_can_say_that_it_could_not_look() -> None:
    judged = evaluate(
        condition("token is absent"), lambda _: Missing("the host did not answer", looked=False)
    )
    assert judged.truth is UNKNOWN
    assert "the host did not answer" in judged.sentence


def test_a_lookup_gives_the_value_of_each_predicate() -> None:
    seen = {"a": Quantity(Decimal(1), "%"), "b": Quantity(Decimal(3), "%")}
    judged = evaluate(condition("a < 2 % and b < 2 %"), lambda p: seen[p.metric or ""])
    assert judged.truth is FAIL
    assert judged.parts[1].actual == "3 %"


@given(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
)
def test_decimals_are_never_cut_and_never_crash(number: Decimal, op: str) -> None:
    judged = evaluate_observation(condition(f"value {op} 0.1"), {"value": number})
    if not number.is_finite():
        assert judged.truth is UNKNOWN
    elif op == "=":
        assert (judged.truth is PASS) == (number == Decimal("0.1"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(
        ["a.b[0] = 1", 'a contains "x"', "a is null", "a exists", "a > 1 s", "a matches /x/",
         "a version >= 1.2", "a = true", "a <= 2x baseline", "a = 1 in every row"]
    ),
    st.dictionaries(st.sampled_from(["a", "A", "a b", "a version", "b"]), JSON, max_size=3),
)  # fmt: skip
def test_any_observation_is_judged(text: str, values: dict[str, Datum]) -> None:
    judged = evaluate_observation(condition(text), values, [values])
    assert judged.truth in Truth
    assert judged.sentence


@pytest.mark.parametrize(
    ("text", "printed", "truth"),
    [
        ("output = 0", "0", Truth.PASS),
        ("output = 0", "1", Truth.FAIL),
        ("output = 0", "none", Truth.UNKNOWN),
        ("output = 0", "", Truth.UNKNOWN),
        ("output < 20 ms", "12 ms", Truth.PASS),
        ("output < 20 ms", "12", Truth.UNKNOWN),
        ('output = "0"', "0", Truth.PASS),
        ('output contains "a"', "abc", Truth.PASS),
    ],
)
def test_what_a_program_printed_is_a_number_where_a_number_is_asked(text, printed, truth):
    condition = read(text, Span.of_line(1)).condition
    assert condition is not None
    assert evaluate_observation(condition, {"output": Printed(printed)}).truth is truth
    if truth is Truth.PASS and '"' not in text:  # a text of any other origin stays a text
        assert evaluate_observation(condition, {"output": printed}).truth is Truth.UNKNOWN
