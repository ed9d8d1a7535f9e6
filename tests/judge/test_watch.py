"""What a whole watch proves: its findings and its verdict, which silence never makes a go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.test_streaks import table
from tests.judge.watching import (
    HERE,
    OBJECTIVE,
    PAGE,
    ROLLBACK,
    RULES,
    VALUES,
    WIDTH,
    a_machine,
    a_rule,
    load,
    play,
)

from gonogo.judge.verdict import Status, Verdict
from gonogo.judge.watch import findings, open_streaks, verdict
from gonogo.plan.model import Consequence

ORDER = [Verdict.GO, Verdict.HOLD, Verdict.NO_GO]


def verdict_of(values: list[object], *, complete: bool = True) -> Verdict:
    machine = a_machine(*RULES)
    play(machine, values)
    return verdict(machine, complete=complete)


@given(VALUES, st.data())
def test_adding_a_breach_never_improves_a_verdict(
    values: list[object], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, max(len(values) - 1, 0)))
    worse = [*values[:at], 3, *values[at + 1 :]]
    assert ORDER.index(verdict_of(worse)) >= ORDER.index(verdict_of(values))


@given(VALUES.filter(bool), st.data())
def test_losing_a_value_never_makes_a_go(values: list[object], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    before, after = verdict_of(values), verdict_of([*values[:at], None, *values[at + 1 :]])
    assert after is not Verdict.GO or before is Verdict.GO


@given(VALUES)
def test_stopping_early_never_gives_a_go(values: list[object]) -> None:
    assert verdict_of(values, complete=False) is not Verdict.GO


@pytest.mark.parametrize(
    ("text", "kind", "values", "status"),
    [
        ("load < 2", OBJECTIVE, [1, 1], Status.PASS),
        ("load < 2", OBJECTIVE, [1, 2, 1], Status.FAIL),
        ("load < 2", OBJECTIVE, [1, None, 1], Status.UNKNOWN),
        ("load < 2 for 2 buckets", OBJECTIVE, [1, None, 1], Status.PASS),
        ("load > 2 for 2 buckets", ROLLBACK, [1, None, None, 1], Status.UNKNOWN),
        ("load > 2 for 2 buckets", ROLLBACK, [1, 3], Status.UNKNOWN),
        ("load > 2 for 2 buckets", ROLLBACK, [1, None], Status.UNKNOWN),
        ("load > 2 for 2 buckets", ROLLBACK, [3, 3, 1], Status.FAIL),
        ("load > 2", PAGE, [3, 1], Status.UNKNOWN),
        ("load > 2", PAGE, [1], Status.PASS),
        ("load > 2", PAGE, [], Status.UNKNOWN),
    ],
)
def test_what_a_watch_proves_about_a_rule(
    text: str, kind: Consequence, values: list[object], status: Status
) -> None:
    machine = a_machine(a_rule(text, kind, "r"))
    play(machine, values)
    [finding] = findings(machine, complete=True)
    assert finding.status is status
    assert bool(finding.why) is (status is not Status.PASS)


def test_an_open_streak_and_silence_are_told_apart() -> None:
    whys = []
    for values in ([1, 3], [1, None], [None], [1, None, None, 1]):
        machine = a_machine(a_rule("load > 2 for 2 buckets", ROLLBACK, "r"))
        play(machine, values)
        whys.append(findings(machine, complete=True)[0].why)
    assert whys == [
        "the watch ended in an open streak", "1 buckets said nothing and may hide a breach",
        "no bucket could be judged", "2 buckets said nothing and may hide a breach",
    ]  # fmt: skip


def test_a_warning_decides_nothing_and_nothing_is_hold() -> None:
    machine = a_machine(a_rule("load > 2", Consequence.WARN, "r"))
    play(machine, [3])
    assert findings(machine, complete=True) == []
    assert verdict(machine, complete=True) is Verdict.HOLD


def test_the_table_of_proof_is_what_the_findings_say() -> None:
    streams: list[list[object]] = [[3, 3, 1], [1, None, None, 1], [1, 3], [], [1, 1]]
    for kind, *cells in table("What a watch proves"):
        found = []
        for values in streams:
            text = "load < 2.5 for 2 buckets" if kind == "objective" else "load > 2 for 2 buckets"
            machine = a_machine(a_rule(text, Consequence(kind), "r"))
            play(machine, values)
            found.append(findings(machine, complete=True)[0].status.value)
        assert found == cells


def test_a_watch_goes_on_while_a_streak_is_open() -> None:
    machine = a_machine(*RULES)
    play(machine, [1, 1, 2.2])
    assert open_streaks(machine) == ("roll", "page")
    machine.step(3 * WIDTH, load(1, 3))
    assert open_streaks(machine) == ("page",)
    machine.step(4 * WIDTH, load(1, 4))
    machine.step(5 * WIDTH, load(1, 5))
    assert open_streaks(machine) == ()


def test_a_finding_says_what_was_seen() -> None:
    machine = a_machine(a_rule("load > 2 for 2 buckets", ROLLBACK, "r"))
    play(machine, [3, None, 3])
    [finding] = findings(machine, complete=True)
    assert (finding.expected, finding.actual, finding.why, finding.notes, finding.line) == (
        "load > 2 for 2 buckets does not hold", "2 of 2 judged buckets were bad",
        "it was bad for 2 consecutive buckets",
        ("1 buckets said nothing", "firing since 00:10"), HERE.line,
    )  # fmt: skip
