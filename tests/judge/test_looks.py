"""Several looks as one finding: a bad one is never wiped out, and silence proves nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.judge.looks import say, together
from gonogo.judge.verdict import ORDER, Status

LOOKS = st.lists(st.sampled_from([*Status, None]), max_size=12)
BAD = st.sampled_from([Status.FAIL, Status.ERROR, Status.UNKNOWN, None])
P, U, E, F = Status.PASS, Status.UNKNOWN, Status.ERROR, Status.FAIL


@pytest.mark.parametrize(
    ("looks", "status"),
    [
        ([], U),
        ([P], P),
        ([F, P], F),
        ([P, F, P, P], F),
        ([E, P], P),
        ([E, E, P], U),
        ([P, E], E),
        ([P, P, P, None], U),
        ([None, P], P),
        ([P, None, None], U),
    ],
)
def test_what_looks_come_to(looks, status):
    assert together(looks) is status


@given(LOOKS, BAD, st.data())
def test_adding_a_bad_look_never_improves_it(looks, bad, data):
    place = data.draw(st.integers(0, len(looks)))
    more = [*looks[:place], bad, *looks[place:]]
    assert ORDER.index(together(more)) >= ORDER.index(together(looks))


@given(LOOKS.filter(bool), BAD, st.data())
def test_turning_a_look_into_a_bad_one_never_improves_it(looks, bad, data):
    place = data.draw(st.integers(0, len(looks) - 1))
    if looks[place] not in (Status.PASS, Status.WAIVED):
        return
    turned = [*looks[:place], bad, *looks[place + 1 :]]
    assert ORDER.index(together(turned)) >= ORDER.index(together(looks))


def test_it_is_said_how_they_went():
    assert say([P, P, F, None]) == "2 of 4 looks pass, 1 fail, 1 missed"
