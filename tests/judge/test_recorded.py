"""What is seen now against what a step kept before: alike is compared, unlike is unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gonogo.judge.evaluate import Truth, evaluate_observation
from gonogo.judge.lookup import Datum
from gonogo.plan.grammar import read
from gonogo.plan.kinds import Printed
from gonogo.plan.units import Quantity
from gonogo.source import Span

PASS, FAIL, UNKNOWN = Truth.PASS, Truth.FAIL, Truth.UNKNOWN
KEPT = "it"


def judged(text: str, now: Datum, kept: Datum) -> tuple[Truth, str]:
    condition = read(text, Span.of_line(1, 1)).condition
    assert condition is not None, text
    found = evaluate_observation(condition, {"value": now}, recorded={KEPT: kept})
    return found.truth, found.sentence


@pytest.mark.parametrize(
    ("op", "now", "kept", "truth"),
    [
        pytest.param("=", "v41", "v41", PASS, id="the same text"),
        pytest.param("=", "v41\n", "v41", PASS, id="blanks around it do not count"),
        pytest.param("=", "v42", "v41", FAIL, id="another text"),
        pytest.param("!=", "v42", "v41", PASS, id="not the same text"),
        pytest.param("=", Printed("1.10"), "1.1", FAIL, id="printed releases are texts"),
        pytest.param("=", Printed("42"), "42", PASS, id="a printed number is the same text"),
        pytest.param(">=", Printed("33584"), "33583", PASS, id="printed numbers have an order"),
        pytest.param(">=", Printed("9"), "10", FAIL, id="and it is not that of texts"),
        pytest.param(">=", 33_583, 33_584, FAIL, id="one row less"),
        pytest.param(">=", 33_584, 33_584, PASS, id="no row less"),
        pytest.param("<", 1, 2, PASS, id="less"),
        pytest.param("=", Decimal("99.97"), "99.97", PASS, id="an exact number, as it is kept"),
        pytest.param("<=", Quantity(Decimal(2), "s"), "2000 ms", PASS, id="units are compared"),
        pytest.param("=", True, True, PASS, id="truth values"),
        pytest.param("=", True, False, FAIL, id="unlike truth values"),
        pytest.param("contains", "release v41 is live", "v41", PASS, id="a text holds it"),
        pytest.param("contains", "release v42 is live", "v41", FAIL, id="a text does not"),
    ],
)
def test_what_is_alike_is_compared(op: str, now: Datum, kept: Datum, truth: Truth) -> None:
    name = "output" if op == "contains" else "value"
    condition = read(f"{name} {op} recorded it", Span.of_line(1, 1)).condition
    assert condition is not None
    found = evaluate_observation(condition, {name: now}, recorded={KEPT: kept})
    assert found.truth is truth, found.sentence


@pytest.mark.parametrize(
    ("op", "now", "kept", "why"),
    [
        pytest.param("=", "41", 41, "is a text, what was recorded is a number", id="text, number"),
        pytest.param("=", 41, "v41", "is a number, what was recorded is a text", id="number, text"),
        pytest.param(">=", "v42", "v41", "only numbers have an order", id="texts in an order"),
        pytest.param(">=", True, 1, "is true or false", id="a truth value and a number"),
        pytest.param("=", None, "v41", "the value is null", id="null now"),
        pytest.param("=", "", "v41", "the value is empty", id="nothing now"),
        pytest.param("=", "v41", "", "is empty", id="nothing was kept"),
        pytest.param("=", 1, float("nan"), "is empty", id="NaN was kept"),
        pytest.param("=", [1], [1], "keep one value of it", id="a list was kept"),
        pytest.param("<", Quantity(Decimal(2), "s"), 3, "has no unit", id="a unit and none"),
    ],
)
def test_what_is_unlike_is_unknown_and_says_why(op: str, now: Datum, kept: Datum, why: str) -> None:
    truth, sentence = judged(f"value {op} recorded it", now, kept)
    assert truth is UNKNOWN
    assert why in sentence


def test_what_nobody_recorded_is_unknown() -> None:
    condition = read("value = recorded previous release", Span.of_line(1, 1)).condition
    assert condition is not None
    found = evaluate_observation(condition, {"value": "v41"})
    assert found.truth is UNKNOWN
    assert "no step of this run recorded `previous release`" in found.sentence


def test_the_kept_value_stands_in_the_sentence() -> None:
    assert judged("value = recorded it", "v42", "v41")[1] == (
        'value "v42", expected = recorded it ("v41")'
    )


@pytest.mark.parametrize("name", ["Documents Before", "documents_before", "documents-before"])
def test_names_are_found_in_any_spelling(name: str) -> None:
    condition = read("value >= recorded documents before", Span.of_line(1, 1)).condition
    assert condition is not None
    assert evaluate_observation(condition, {"value": 2}, recorded={name: 2}).truth is PASS


def test_rows_are_compared_one_by_one() -> None:
    condition = read("count >= recorded it in every row", Span.of_line(1, 1)).condition
    assert condition is not None
    rows: list[dict[str, Datum]] = [{"count": 5}, {"count": 4}]
    found = evaluate_observation(condition, {}, rows, recorded={KEPT: 5})
    assert found.truth is FAIL
    assert "in 1 of 2 rows" in found.sentence
