"""Document order, `Needs:` and barriers: properties over random phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.support.works import a_step, an_action

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Step
from gonogo.run.order import blocked, sorted_by_needs, stages, stopper

GOOD = (Status.PASS, Status.WAIVED)


@st.composite
def phases(draw: st.DrawFn) -> list[Step]:
    """A phase whose `Needs:` have no cycle but may point forwards and backwards."""
    size = draw(st.integers(0, 9))
    rank = draw(st.permutations(range(size)))
    steps = []
    for place in range(size):
        lower = [f"s{other}" for other in range(size) if rank[other] < rank[place]]
        needs = draw(st.lists(st.sampled_from(lower), unique=True, max_size=3)) if lower else []
        steps.append(
            a_step(
                f"s{place}",
                needs=tuple(needs),
                parallel=draw(st.booleans()),
                background=draw(st.booleans()),
                critical=draw(st.booleans()),
                effect=draw(st.sampled_from([Effect.CHECK, Effect.ACTION])),
            )
        )
    return steps


def waits(steps: Sequence[Step]) -> dict[str, set[str]]:
    """Return for each of the sorted steps which others have surely ended when it begins."""
    known = {step.id: step for step in steps}
    result: dict[str, set[str]] = {}
    before: set[str] = set()
    for stage in stages(steps):
        for step in stage:
            aside = {need for need in step.needs if need in known and known[need].background}
            result[step.id] = before.union(aside, *(result[need] for need in aside))
        ended = {step.id for step in stage if not step.background}
        before = before.union(ended, *(result[name] for name in ended))
    return result


@given(phases())
def test_every_step_is_there_once(steps):
    assert sorted(s.id for s in sorted_by_needs(steps)) == sorted(s.id for s in steps)


@given(phases())
def test_what_a_step_needs_comes_before_it(steps):
    order = [s.id for s in sorted_by_needs(steps)]
    for step in steps:
        for need in step.needs:
            assert order.index(need) < order.index(step.id)


@given(phases())
def test_without_needs_the_order_is_that_of_the_document(steps):
    bare = [a_step(s.id, parallel=s.parallel) for s in steps]
    assert [s.id for s in sorted_by_needs(bare)] == [s.id for s in bare]


@given(phases())
def test_a_step_waits_for_what_it_needs_and_never_for_what_comes_after(steps):
    in_order = sorted_by_needs(steps)
    waiting = waits(in_order)
    names = [s.id for s in in_order]
    for place, step in enumerate(in_order):
        assert set(step.needs) <= waiting[step.id]
        assert waiting[step.id] <= set(names[:place])


@given(phases())
def test_only_neighbours_marked_parallel_run_side_by_side(steps):
    in_order = sorted_by_needs([replace(s, background=False) for s in steps])
    waiting = waits(in_order)
    for place, step in enumerate(in_order):
        for other in in_order[:place]:
            if other.id not in waiting[step.id]:
                between = in_order[in_order.index(other) : place + 1]
                assert all(s.parallel for s in between)


@given(phases())
def test_only_who_needs_it_waits_for_a_step_in_the_background(steps):
    in_order = sorted_by_needs(steps)
    waiting = waits(in_order)
    awaited = {need for step in steps for need in step.needs}
    for step in in_order:
        if step.background and step.id not in awaited:
            assert not any(step.id in before for before in waiting.values())


@given(phases())
def test_a_step_in_the_background_waits_as_any_other(steps):
    in_order = sorted_by_needs(steps)
    waiting = waits(in_order)
    for place, step in enumerate(in_order):
        written_before = {s.id for s in in_order[:place] if not s.background}
        if not step.parallel:
            assert written_before <= waiting[step.id]


@given(phases())
def test_waiting_is_transitive(steps):
    waiting = waits(sorted_by_needs(steps))
    for name, direct in waiting.items():
        for other in direct:
            assert waiting[other] <= waiting[name]


@given(phases(), st.data())
def test_whether_a_step_runs_depends_only_on_what_it_waited_for(steps, draw):
    """The law of the replay: who ended first must not matter."""
    in_order = sorted_by_needs(steps)
    waiting = waits(in_order)
    findings = {s.id: finding(s, draw.draw(st.sampled_from(Status))) for s in in_order}
    good = {name for name, f in findings.items() if f.status in GOOD}
    before: list[Step] = []
    for stage in stages(in_order):
        stopped_by = stopper(before, findings)
        assert stopped_by is None or all(stopped_by.id in waiting[s.id] for s in stage)
        for step in stage:
            known = good & waiting[step.id]
            assert blocked(step, stopped_by, known) == blocked(step, stopped_by, good - {step.id})
        before += [step for step in stage if not step.background]


def finding(step: Step, status: Status) -> Finding:
    return Finding(step.id, step.title, status, step.effect.value, step.span.line)


def block_of(other: Step, status: Status, step: Step | None = None) -> str | None:
    stopped_by = stopper([other], {other.id: finding(other, status)})
    return blocked(step or a_step("next"), stopped_by, frozenset())


def test_a_critical_step_stops_everything_behind_it():
    critical = a_step("first", critical=True)
    for status in (Status.FAIL, Status.ERROR, Status.UNKNOWN):
        assert block_of(critical, status) == "not run: `first it` (line 10) did not pass"
    for status in GOOD:
        assert block_of(critical, status) is None


def test_so_does_an_action_that_was_not_done():
    assert block_of(an_action("first"), Status.FAIL) is not None


def test_any_other_check_does_not():
    assert block_of(a_step("first"), Status.FAIL) is None


def test_a_need_that_did_not_pass_stops_only_who_needs_it():
    step = a_step("next", needs=("first",))
    assert block_of(a_step("first"), Status.FAIL, step) == (
        "not run: needs `first`, which did not pass"
    )
    assert block_of(a_step("first"), Status.FAIL, a_step("other")) is None
