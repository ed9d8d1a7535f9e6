"""The laws of verdicts: no evidence is never a go, and more trouble never makes it better."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.judge.verdict import ORDER, Finding, Status, Verdict, decide, worst

BETTER = [Verdict.GO, Verdict.HOLD, Verdict.NO_GO]
statuses = st.sampled_from(Status)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
maybe = st.none() | texts
numbers = st.floats(allow_nan=False, allow_infinity=False)
data = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
findings = st.builds(
    Finding,
    item=texts,
    title=texts,
    status=statuses,
    effect=st.sampled_from(["check", "action", "manual"]),
    line=st.integers(1, 9_999),
    expected=texts,
    actual=texts,
    why=texts,
    started=texts,
    duration_s=numbers,
    planned_s=st.none() | numbers,
    attempts=st.integers(0, 9),
    by=maybe,
    reason=maybe,
    expires=maybe,
    link=maybe,
    text=texts,
    indicators=st.dictionaries(texts, data, max_size=3),
    sentences=st.lists(texts, max_size=3).map(tuple),
    critical=st.booleans(),
    notes=st.lists(texts, max_size=3).map(tuple),
)
some = st.lists(findings, max_size=6)


def badness(verdict: Verdict) -> int:
    return BETTER.index(verdict)


@given(some, findings)
def test_one_more_breach_never_improves_a_verdict(before, more):
    breach = replace(more, status=Status.FAIL)
    for place in range(len(before) + 1):
        after = [*before[:place], breach, *before[place:]]
        assert decide(after) is Verdict.NO_GO
        assert badness(decide(after)) >= badness(decide(before))


@given(some.filter(bool), st.data())
def test_turning_a_value_into_no_data_never_gives_a_go(before, draw):
    place = draw.draw(st.sampled_from(range(len(before))))
    after = [*before[:place], replace(before[place], status=Status.UNKNOWN), *before[place + 1 :]]
    assert decide(after) is not Verdict.GO
    if before[place].status is not Status.FAIL:  # of a breach, no data leaves a hold
        assert badness(decide(after)) >= badness(decide(before))


@given(some, st.data())
def test_stopping_early_never_gives_a_go(all_of_them, draw):
    """What was not reached counts as unknown, never as absent."""
    reached = draw.draw(st.integers(0, len(all_of_them)))
    rest = [replace(f, status=Status.UNKNOWN) for f in all_of_them[reached:]]
    if rest or not all_of_them:
        assert decide([*all_of_them[:reached], *rest]) is not Verdict.GO


@given(some, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(before, random):
    after = list(before)
    random.shuffle(after)
    assert decide(after) is decide(before)


def test_no_findings_at_all_hold():
    assert decide([]) is Verdict.HOLD
    assert worst([]) is Status.UNKNOWN


@given(some)
def test_a_go_rests_on_at_least_one_finding_and_on_good_ones_only(any_of_them):
    if decide(any_of_them) is Verdict.GO:
        assert any_of_them
        assert {f.status for f in any_of_them} <= {Status.PASS, Status.WAIVED}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("pass", "go"),
        ("waived", "go"),
        ("unknown", "hold"),
        ("error", "hold"),
        ("fail", "no-go"),
    ],
)
def test_what_a_single_finding_says(status, verdict):
    one = Finding("id", "title", Status(status), "check", 1)
    assert decide([one]).value == verdict


@given(st.lists(statuses, min_size=1))
def test_worst_is_the_last_in_the_order(found):
    assert ORDER.index(worst(found)) == max(map(ORDER.index, found))


@given(findings)
def test_a_finding_survives_its_json_form(finding):
    text = json.dumps(finding.as_json(), allow_nan=False)
    assert Finding.from_json(json.loads(text)) == finding


@given(findings)
def test_reading_the_json_form_twice_changes_nothing(finding):
    once = Finding.from_json(json.loads(json.dumps(finding.as_json())))
    assert once.as_json() == finding.as_json()


def test_a_field_that_nobody_knows_is_an_error():
    form = Finding("id", "title", Status.PASS, "check", 1).as_json()
    with pytest.raises(TypeError, match="later"):
        Finding.from_json({**form, "later": 1})
