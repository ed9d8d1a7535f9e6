"""Checkpoints of a watch: looked at when they begin, on their beat, and at their end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.figures import BEGIN_MS, World, a_rule, a_watch, minutes
from tests.support.scenes import Stage
from tests.support.together import TogetherClock, TogetherSlots
from tests.support.works import (
    a_manual,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_action,
    an_option,
)

from gonogo.errors import WorkError
from gonogo.plan.kinds import Role
from gonogo.plan.model import Checkpoint, Consequence, Phase, Plan, Step
from gonogo.source import Span
from gonogo.store.journal import SqliteJournal

GOOD: dict[str, Any] = {"ok": True}
BAD: dict[str, Any] = {"ok": False}
DOWN = WorkError("connection refused")


def a_checkpoint(
    begins_s: float, ends_s: float, *steps: Step, every_s: float | None = None
) -> tuple[Checkpoint, tuple[Step, ...]]:
    title = f"{begins_s:g} to {ends_s:g}"
    ids = tuple(step.id for step in steps)
    return Checkpoint(title, title, Span.of_line(9), begins_s, ends_s, ids, every_s), steps


def a_watch_of(*points: tuple[Checkpoint, tuple[Step, ...]], span_s: float | None = None) -> Phase:
    steps = tuple(step for _, steps in points for step in steps)
    found = tuple(point for point, _ in points)
    return a_phase("watch", *steps, role=Role.WATCH, span_s=span_s, checkpoints=found)


class Together(Stage):
    """A stage whose steps wait beside each other."""

    def __init__(self, folder: Path, plan: Plan, **more: Any) -> None:
        super().__init__(folder, plan, in_turn=True, poll_s=1.0, **more)
        self.clock = TogetherClock(longest_s=700_000)
        self.journal = SqliteJournal(folder / "together.db", self.clock)
        self.fresh()

    def go(self, recorded: dict[str, Any] | None = None) -> Any:
        assert isinstance(self.clock, TogetherClock)
        return self.run(slots=TogetherSlots(self.clock, recorded))

    def sleep_until(self, passed_s: float) -> None:
        """Wake up in a new life, so many seconds after the start of the first."""
        self.clock = TogetherClock()
        self.clock._passed = passed_s
        self.journal = SqliteJournal(self.folder / "together.db", self.clock)
        self.fresh()

    def looks(self, item: str) -> list[tuple[int, str]]:
        """Return when each look was due, in seconds since the begin, and what it was."""
        return [
            ((int(str(e.body["due_ms"])) - BEGIN_MS) // 1000, str(e.body.get("status", "missed")))
            for e in self.events()
            if e.item == item and e.kind.startswith("look.")
        ]

    def finding(self, item: str) -> Any:
        return next(e for e in self.events("step.finished") if e.item == item).body


def staged(folder: Path, *points: Any, span_s: float | None = None, **more: Any) -> Together:
    return Together(folder, a_plan(a_watch_of(*points, span_s=span_s)), **more)


def test_it_is_looked_at_when_it_begins_and_at_its_end(tmp_path):
    stage = staged(tmp_path, a_checkpoint(0, 900, a_step("home")))
    assert stage.go()["exit_code"] == 0
    assert stage.looks("home") == [(0, "pass"), (900, "pass")]
    assert stage.finding("home")["notes"] == ["2 of 2 looks pass"]


def test_a_moment_is_looked_at_once(tmp_path):
    stage = staged(tmp_path, a_checkpoint(14_400, 14_400, a_step("home")))
    assert stage.go()["exit_code"] == 0
    assert stage.looks("home") == [(14_400, "pass")]


def test_on_its_beat_it_is_looked_at_in_between(tmp_path):
    stage = staged(tmp_path, a_checkpoint(0, 700, a_step("home"), every_s=300))
    assert stage.go()["exit_code"] == 0
    assert [due for due, _ in stage.looks("home")] == [0, 300, 600, 700]


def test_a_step_may_have_a_beat_of_its_own(tmp_path):
    often = a_step("often", every_s=60)
    stage = staged(tmp_path, a_checkpoint(0, 120, often, a_step("home"), every_s=120))
    assert stage.go()["exit_code"] == 0
    assert [due for due, _ in stage.looks("often")] == [0, 60, 120]
    assert [due for due, _ in stage.looks("home")] == [0, 120]


@pytest.mark.parametrize(
    ("results", "status", "is_asked"),
    [
        ((GOOD, BAD, GOOD), "fail", True),
        ((GOOD, GOOD, BAD), "fail", True),
        ((DOWN, GOOD, GOOD), "pass", False),
        ((GOOD, GOOD, DOWN), "error", True),
        ((GOOD, DOWN, DOWN), "error", True),
    ],
    ids=["bad in the middle", "bad at the end", "not seen at first", "not seen at last", "mostly"],
)
def test_a_bad_look_is_not_wiped_out_by_a_good_one(tmp_path, results, status, is_asked):
    stage = staged(tmp_path, a_checkpoint(0, 120, a_step("home", None, *results), every_s=60))
    stage.clock.at(500, lambda: stage.put("watch?gate", "no-go"))
    result = stage.go()
    assert stage.finding("home")["status"] == status
    asked = [e.item for e in stage.events("question.asked")]
    assert asked == (["watch?gate"] if is_asked else [])
    assert result["exit_code"] == (1 if is_asked else 0)


def test_several_checkpoints_run_beside_each_other(tmp_path):
    stage = staged(
        tmp_path,
        a_checkpoint(0, 900, a_step("app"), every_s=300),
        a_checkpoint(0, 3_600, a_step("database")),
        a_checkpoint(14_400, 14_400, a_step("queue")),
    )
    assert stage.go()["exit_code"] == 0
    taken = [(e.item, e.body["due_ms"]) for e in stage.events("look.taken")]
    assert taken == sorted(taken, key=lambda one: int(str(one[1])))
    assert {item for item, _ in taken} == {"app", "database", "queue"}


def test_the_way_back_is_timed_from_the_look_that_failed(tmp_path):
    home = a_step("home", None, GOOD, GOOD, BAD, critical=True)
    watch = a_watch_of(a_checkpoint(0, 900, home, every_s=300))
    ship = a_phase("ship", an_action("switch"), role=Role.DEPLOY)
    plan = a_plan(ship, watch, rollback=a_rollback(an_option("back", an_action("back"))))
    stage = Together(tmp_path, plan)
    result = stage.go()
    assert result["exit_code"] == 4
    assert result["times"]["detect_s"] < 5  # the good looks of ten minutes before are not in it


def test_a_critical_check_that_fails_ends_the_watch(tmp_path):
    home = a_step("home", None, GOOD, BAD, critical=True)
    stage = staged(
        tmp_path,
        a_checkpoint(0, 900, home, every_s=300),
        a_checkpoint(0, 3_600, a_step("database")),
        a_checkpoint(14_400, 14_400, a_manual("complaints")),
    )
    assert stage.go()["exit_code"] == 1
    assert stage.looks("home") == [(0, "pass"), (300, "fail")]
    assert stage.clock.monotonic() < 400
    assert "stopped: critical: `home it` failed" in stage.finding("database")["why"]
    assert stage.events("question.asked") == []


def test_a_rollback_does_not_wait_for_a_checkpoint_or_an_open_question(tmp_path):
    rule = a_rule("error rate > 10 % for 2 buckets")
    plan = a_watch(rule)
    week, steps = a_checkpoint(0, 600_000, a_step("home"), a_manual("complaints"))
    watch = a_phase(
        "watch", *steps, a_manual("anything"), role=Role.WATCH, span_s=600, checkpoints=(week,)
    )
    world = World({"error rate": minutes(0, 50, 50, 0)})
    plan = type(plan)(
        **{n: getattr(plan, n) for n in plan.__slots__} | {"phases": (plan.phases[0], watch)}
    )
    stage = Together(tmp_path, plan, open_source=world.open)
    stage.answers({"previous?green": "yes"})
    assert stage.go()["exit_code"] == 4
    started = stage.events("rollback.started")[0]
    assert started.at < "2026-03-01T14:04"
    assert "rolls back" in stage.finding("anything")["why"]
    assert stage.finding("complaints")["status"] == "unknown"


def test_figures_and_checkpoints_are_watched_beside_each_other(tmp_path):
    plan = a_watch(a_rule("error rate > 10 %", Consequence.PAGE))
    point, steps = a_checkpoint(0, 200, a_step("home"), every_s=50)
    watch = a_phase("watch", *steps, role=Role.WATCH, span_s=240, checkpoints=(point,))
    world = World({"error rate": minutes(0, 0, 0, 0)})
    plan = type(plan)(
        **{n: getattr(plan, n) for n in plan.__slots__} | {"phases": (plan.phases[0], watch)}
    )
    stage = Together(tmp_path, plan, open_source=world.open)
    assert stage.go()["exit_code"] == 0
    assert [due for due, _ in stage.looks("home")] == [0, 50, 100, 150, 200]
    events = [r["event"] for e in stage.events("bucket.closed") for r in e.body["rules"].values()]  # type: ignore[attr-defined]
    assert events == ["good"] * 4


def test_a_question_is_asked_when_its_checkpoint_begins_and_open_until_its_end(tmp_path):
    stage = staged(tmp_path, a_checkpoint(0, 900, a_manual("complaints")))
    stage.clock.at(5_000, lambda: stage.put("watch?gate", "go", reason="nobody was there"))
    assert stage.go()["exit_code"] == 0
    found = stage.finding("complaints")
    assert found["status"] == "unknown"
    assert found["why"] == "nobody answered within 15 min (until 2026-03-01 14:15:00 UTC)"
    asked = stage.events("question.asked")[0]
    assert asked.body["deadline"] == "2026-03-01T14:15:00.000Z"
    raised = stage.events("alert.raised")[0]
    assert (raised.item, raised.body["severity"]) == ("unanswered/complaints", "page")


def test_an_answer_in_time_counts(tmp_path):
    stage = staged(tmp_path, a_checkpoint(0, 900, a_manual("complaints")))
    stage.clock.at(800, lambda: stage.put("complaints", "yes"))
    assert stage.go()["exit_code"] == 0
    assert stage.events("alert.raised") == []


def test_a_question_at_a_moment_is_open_to_the_end_of_the_watch(tmp_path):
    point = a_checkpoint(600, 600, a_manual("complaints"))
    stage = staged(tmp_path, point, span_s=1_800)
    stage.clock.at(1_700, lambda: stage.put("complaints", "yes"))
    assert stage.go()["exit_code"] == 0
    asked = stage.events("question.asked")[0]
    assert (asked.at[11:19], str(asked.body["deadline"])[11:19]) == ("14:10:00", "14:30:00")


def test_an_action_of_a_checkpoint_is_carried_out_once(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, a_checkpoint(60, 600, an_action("vacuum", log=log), every_s=60))
    assert stage.go()["exit_code"] == 0
    assert log == ["vacuum"]
    assert stage.events("step.started")[0].at.startswith("2026-03-01T14:01:00")


class Dead(BaseException):
    """The process is gone."""


def _killed(stage: Together, at: float) -> dict[str, Any]:
    """Run until a moment, lose every slot that was under way, and return what was recorded."""

    def die() -> None:
        raise Dead

    stage.clock.at(at, die)
    recorded: dict[str, Any] = {}
    with pytest.raises(Dead):
        stage.go(recorded)
    return recorded


def test_looks_that_fall_into_a_gap_are_missed_and_not_made_up(tmp_path):
    plan = a_plan(a_watch_of(a_checkpoint(0, 3_000, a_step("home"), every_s=300)))
    stage = Together(tmp_path, plan)
    recorded = _killed(stage, 700)
    stage.sleep_until(1_650)  # three looks later
    assert stage.go(recorded)["exit_code"] == 0
    assert stage.looks("home") == [
        (0, "pass"), (300, "pass"), (600, "pass"),
        (900, "missed"), (1_200, "missed"), (1_500, "pass"),
        *((due, "pass") for due in range(1_800, 3_001, 300)),
    ]  # fmt: skip
    assert "9 of 11 looks pass, 2 missed" in stage.finding("home")["notes"]


def test_a_watch_that_slept_through_its_looks_proves_nothing(tmp_path):
    plan = a_plan(a_watch_of(a_checkpoint(0, 3_000, a_step("home"), every_s=300)))
    stage = Together(tmp_path, plan)
    recorded = _killed(stage, 400)
    stage.sleep_until(2_900)
    stage.clock.at(3_100, lambda: stage.put("watch?gate", "no-go"))
    assert stage.go(recorded)["exit_code"] == 1
    assert stage.finding("home")["status"] == "unknown"


def test_a_moment_that_fell_into_a_gap_is_looked_at_late(tmp_path):
    plan = a_plan(a_watch_of(a_checkpoint(600, 600, a_step("home")), span_s=3_600))
    stage = Together(tmp_path, plan)
    recorded = _killed(stage, 100)
    stage.sleep_until(2_000)
    assert stage.go(recorded)["exit_code"] == 0
    assert stage.looks("home") == [(600, "pass")]
