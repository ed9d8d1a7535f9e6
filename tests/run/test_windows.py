"""A phase waits for its window; a person may let it begin, and the run can be killed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.scenes import Stage
from tests.support.works import a_phase, a_plan, an_action

from gonogo.plan.kinds import Role
from gonogo.plan.windows import Calendar, read, read_freeze

HOUR = "Sun 15:00-16:00"  # the clock of the tests starts on a Sunday at 14:00 UTC


def staged(folder: Path, calendar: Calendar, log: list[str], **more: object) -> Stage:
    phase = replace(
        a_phase("ship", an_action("switch", log=log), role=Role.DEPLOY), calendar=calendar, **more
    )
    return Stage(folder, a_plan(phase))


def finding(stage: Stage) -> tuple[str, str]:
    body = next(e.body for e in stage.events("step.finished") if e.item == "ship?window")
    return str(body["status"]), str(body["actual"])


def test_an_open_window_lets_it_begin_at_once(tmp_path: Path) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read("Sun 13:00-15:00"), log)
    assert stage.run()["verdict"] == "go"
    assert finding(stage) == ("pass", "it is Sun 2026-03-01 14:00 UTC")
    assert stage.events("question.asked") == []


def test_a_closed_window_is_waited_for(tmp_path: Path) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read(HOUR), log)
    stage.clock.at(3_000, lambda: log.append("50 minutes"))
    assert stage.run()["verdict"] == "go"
    assert log == ["50 minutes", "switch"]
    status, said = finding(stage)
    assert status == "pass"
    assert said.startswith(
        "it is Sun 2026-03-01 15:00 UTC; waited, since it is Sun 2026-03-01 14:00"
    )
    asked = stage.events("question.asked")[0].body
    assert asked["detail"] == "opens Sun 2026-03-01 15:00 UTC; the run waits for it"
    assert [e.item for e in stage.events("question.closed")] == ["ship?early"]


def test_a_person_lets_it_begin_early_by_name_and_reason(tmp_path: Path) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read(HOUR), log)
    stage.clock.at(5, lambda: stage.put("ship?early", "go", "ben"))
    stage.clock.at(9, lambda: stage.put("ship?early", "go", "ben", reason="outage"))
    assert stage.run()["verdict"] == "go"
    assert [e.body["why"] for e in stage.events("answer.refused")] == ["`go` needs a reason"]
    body = next(e.body for e in stage.events("step.finished") if e.item == "ship?window")
    assert (body["status"], body["by"], body["reason"]) == ("waived", "ben", "outage")
    assert body["expires"] == "the end of this run"
    assert stage.clock.monotonic() < 60


@pytest.mark.parametrize("way", ["no-go", "abort"])
def test_without_a_yes_nothing_is_changed(tmp_path: Path, way: str) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read(HOUR), log)
    if way == "abort":
        stage.clock.at(5, lambda: stage.abort("not today"))
    else:
        stage.clock.at(5, lambda: stage.put("ship?early", "no-go", "ben"))
    result = stage.run()
    assert (result["verdict"], result["exit_code"]) == ("no-go", 1)
    assert log == []
    assert stage.events("rollback.started") == []


def test_if_possible_is_recorded_and_goes_on(tmp_path: Path) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read(f"{HOUR} (if possible)"), log)
    assert stage.run()["verdict"] == "go"
    status, said = finding(stage)
    assert status == "pass"
    assert said.endswith("; the runbook lets it begin")
    for kind in ("step.started", "step.finished"):
        body = next(e.body for e in stage.events(kind) if e.item == "ship?window")
        assert body["title"] == "outside of the window, which is only a wish"


def test_while_it_waits_the_question_says_until_when(tmp_path: Path) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read(HOUR), log)
    assert stage.run()["verdict"] == "go"
    (asked,) = stage.events("question.asked")
    assert str(asked.body["opens"])[11:16] in str(asked.body["question"])
    assert "it waits: opens Sun 2026-03-01 " in str(asked.body["question"])


def test_a_freeze_is_no_wish(tmp_path: Path) -> None:
    log: list[str] = []
    calendar = replace(read(f"{HOUR} (if possible)"), freezes=(read_freeze("2026-03-01: fair"),))
    stage = staged(tmp_path, calendar, log)
    stage.clock.at(5, lambda: stage.put("ship?early", "no-go", "ben"))
    assert stage.run()["verdict"] == "no-go"
    assert finding(stage)[1] == "releases are frozen: 2026-03-01: fair"


def test_a_phase_that_takes_longer_than_is_left_waits_for_the_next_window(tmp_path: Path) -> None:
    log: list[str] = []
    stage = staged(tmp_path, read("Sun 13:00-14:10 or Sun 15:00-16:00"), log, estimate_s=1200)
    assert stage.run()["verdict"] == "go"
    assert finding(stage)[1].startswith("it is Sun 2026-03-01 15:00 UTC; waited, since the window")


def test_killed_while_it_waits_it_asks_only_once(tmp_path: Path) -> None:
    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    log: list[str] = []
    stage = staged(tmp_path, read(HOUR), log)
    stage.clock.at(600, die)
    with pytest.raises(Died):
        stage.run()
    stage.fresh()
    assert stage.run()["verdict"] == "go"
    assert len(stage.events("question.asked")) == 1
    assert log == ["switch"]
