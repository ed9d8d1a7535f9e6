"""A calendar that runs faster: what it divides, and what it leaves alone."""

from __future__ import annotations

from fractions import Fraction

import pytest
from tests.support.works import a_manual, a_phase, a_plan

from gonogo.plan.hastened import hastened, read_calendar, say
from gonogo.plan.kinds import Role
from gonogo.plan.model import Checkpoint
from gonogo.source import Span


@pytest.mark.parametrize(
    ("text", "times"),
    [("1/720", 720), (" 1 / 60 ", 60), ("1/1", 1), ("720", None), ("2/3", None), ("1/0", None),
     ("1/0.5", None), ("", None), ("1/-3", None)],
)  # fmt: skip
def test_how_a_calendar_is_written(text, times):
    assert read_calendar(text) == times


def test_lengths_of_the_calendar_are_divided_and_nothing_else():
    step = a_manual("ask", deadline_s=7_200.0, every_s=3_600.0, timeout_s=30.0)
    point = Checkpoint("c", "First day", Span.of_line(1), 0.0, 86_400.0, ("ask",), 3_600.0)
    watch = a_phase("watch", step, role=Role.WATCH, span_s=604_800.0, checkpoints=(point,))
    plan = a_plan(watch, settings={"bucket": "300"})
    fast = hastened(plan, 720)
    phase = fast.phases[0]
    assert phase.span_s == 840.0
    assert (phase.checkpoints[0].ends_s, phase.checkpoints[0].every_s) == (120.0, 5.0)
    assert (phase.steps[0].deadline_s, phase.steps[0].every_s) == (10.0, 5.0)
    assert phase.steps[0].timeout_s == 30.0
    assert fast.settings == {"bucket": "300", "calendar": "1/720"}
    assert phase.checkpoints[0].begins_s == Fraction(0)


def test_the_real_calendar_changes_nothing():
    plan = a_plan(a_phase("watch", role=Role.WATCH, span_s=3_600.0))
    assert hastened(plan, 1) is plan


def test_it_is_said_what_runs_faster_and_what_does_not():
    assert "720 times faster" in say(720)
    assert "buckets" in say(720)
