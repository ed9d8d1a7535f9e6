"""A rollback is over when the figures are green: at once, never, unknown, and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.run.test_watching import Cut, in_short_lives
from tests.support.figures import (
    BEGIN_MS,
    Level,
    World,
    a_metric,
    a_rule,
    a_watch,
    healed_by,
    minutes,
    watched,
)
from tests.support.scenes import Stage
from tests.support.works import an_action, an_option

from gonogo.judge import green
from gonogo.plan.counters import Growth, WentBackError
from gonogo.plan.model import Consequence, Recovery, Target
from gonogo.plan.samples import Batch, Sample, to_ms
from gonogo.run import recovering
from gonogo.run.durable import MemorySlots, Result
from gonogo.run.sampling import NOT_RUNNING
from gonogo.source import Span

TRIGGER = a_rule("error rate > 10 % for 2 buckets")
GOAL = a_rule("error rate < 2 %", Consequence.OBJECTIVE)
WARNING = a_rule("error rate > 0 %", Consequence.WARN)


def staged(folder: Path, healing: str, *, good: int = 0, log: list[str], **more: object) -> Stage:
    """Return a release that is bad from its first minute until `healing` was carried out."""
    options = tuple(an_option(name, an_action(name, log=log)) for name in ("back", "restore"))
    plan = a_watch(TRIGGER, GOAL, WARNING, log=log, options=options, **more)
    world = World({"error rate": healed_by(log, healing, 50, good)})
    return watched(folder, plan, world)


def minutes_seen(stage: Stage) -> list[tuple[str, int]]:
    found = [e.body for e in stage.events("recovery.seen")]
    return [(str(b["way"]), (int(str(b["start_ms"])) - BEGIN_MS) // 60_000) for b in found]


def test_green_in_the_first_whole_bucket_ends_the_rollback(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    result = stage.run()
    assert result["exit_code"] == 4
    assert log == ["ship", "back", "old"]
    assert minutes_seen(stage) == [("back", 3)]  # in minute 2 the old state came back
    assert stage.events("recovery.seen")[0].body["says"] == "all objectives green"


def test_the_time_back_has_four_parts(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    slow = an_action("back", lambda _context: (stage.clock.wait(35), {"ok": True})[1], log=log)
    stage.plan = a_watch(TRIGGER, GOAL, log=log, options=(an_option("previous", slow),))
    stage.fresh()
    times = stage.run()["times"]
    # bad since 14:00:00, known at 14:02:10, gone back at 14:02:45, minute 3 judged at 14:04:10
    assert times == {"detect_s": 130.0, "decide_s": 0.0, "act_s": 35.0, "recover_s": 85.0}


def test_time_to_decide_is_that_of_the_person(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    rollback = stage.plan.rollback
    assert rollback is not None
    asking = type(rollback)("rollback", rollback.span, rollback.options, rollback.proof, False)
    stage.plan = a_watch(TRIGGER, GOAL, log=log, rollback=asking)
    stage.fresh()
    stage.clock.at(160, lambda: stage.put("rollback?decide", "yes"))
    times = stage.run()["times"]
    assert times["decide_s"] == pytest.approx(30.0, abs=0.2)


def test_bad_to_the_end_takes_the_next_way_back(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "restore", log=log)
    assert stage.run()["exit_code"] == 4
    assert log == ["ship", "back", "old", "restore", "old"]
    ends = [(e.item, e.body["status"], e.body["why"]) for e in stage.events("option.finished")]
    assert [each[:2] for each in ends] == [("back", "fail"), ("restore", "pass")]
    assert "objectives green again: error rate 50 %" in str(ends[0][2])
    first = [minute for way, minute in minutes_seen(stage) if way == "back"]
    assert len(first) == green.PATIENCE


def test_bad_after_every_way_back_is_no_rollback(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "nothing", log=log)
    result = stage.run()
    assert result["exit_code"] == 1
    assert "rollback failed" in str(result["why"])


def test_an_objective_that_is_still_missed_is_not_green(tmp_path):
    """The trigger is at 10 %, the objective at 2 %: 5 % is between."""
    log: list[str] = []
    stage = staged(tmp_path, "back", good=5, log=log)
    assert stage.run()["exit_code"] == 1
    assert stage.events("option.finished")[0].body["status"] == "fail"


@pytest.mark.parametrize(("answer", "code"), [("yes", 4), ("no", 1)])
def test_without_figures_a_person_says_whether_it_is_well(tmp_path, answer, code):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    world = World({"error rate": lambda minute: 50 if "back" not in log and minute < 3 else None})
    stage.more["open_source"] = world.open
    stage.fresh()
    stage.answers({"back?green": answer, "restore?green": answer})
    assert stage.run()["exit_code"] == code
    asked = stage.events("question.asked")[0]
    assert asked.item == "back?green"
    assert "unknown" in str(asked.body["detail"])
    assert log.count("restore") == (0 if answer == "yes" else 1)


def test_a_wish_to_abort_does_not_stop_it(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    stage.clock.at(150, stage.abort)
    assert stage.run()["exit_code"] == 4
    assert minutes_seen(stage) == [("back", 3)]


def test_a_release_that_failed_before_its_watch_is_proved_by_its_steps_alone(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    deploy = stage.plan.phases[0]
    broken = type(deploy)(
        deploy.id,
        deploy.title,
        deploy.role,
        deploy.span,
        (*deploy.steps, an_action("warm", {"ok": False}, log=log)),
    )
    values = {name: getattr(stage.plan, name) for name in stage.plan.__slots__}
    stage.plan = type(stage.plan)(**{**values, "phases": (broken, *stage.plan.phases[1:])})
    stage.fresh()
    assert stage.run()["exit_code"] == 4
    assert stage.events("recovery.started") == []


def test_warnings_do_not_hold_it_up():
    plan = a_watch(TRIGGER, GOAL, WARNING)
    assert recovering.must_be_green(plan) == (TRIGGER, GOAL)


def test_cut_off_after_every_slot_it_comes_to_the_same(tmp_path):
    def told(stage: Stage) -> list[tuple[str, str, object]]:
        kinds = ("recovery.seen", "option.finished", "rollback.finished", "rule.moved")
        return [(e.kind, e.item, e.body) for e in stage.events() if e.kind in kinds]

    calm_log: list[str] = []
    calm = staged(tmp_path / "calm", "restore", log=calm_log)
    code = calm.run()["exit_code"]
    log: list[str] = []
    stage = staged(tmp_path / "cut", "restore", log=log)
    result, _ = in_short_lives(stage, most=81)
    assert result["exit_code"] == code == 4
    assert told(stage) == told(calm)
    assert log == calm_log


def green_for(number: int, within_s: float | None = None) -> Recovery:
    return Recovery(green=number, within_s=within_s)


def asked_green(folder: Path, log: list[str], level: Level, recovery: Recovery) -> Stage:
    """Return a release whose trigger fires in minute 1, and whose way back is gone in minute 2."""
    options = tuple(an_option(name, an_action(name, log=log)) for name in ("back", "restore"))
    plan = a_watch(TRIGGER, GOAL, log=log, options=options, recovery=recovery)
    return watched(folder, plan, World({"error rate": level}))


def row(stage: Stage, way: str = "back") -> list[tuple[object, object]]:
    seen = [e.body for e in stage.events("recovery.seen") if e.body["way"] == way]
    return [(body["look"], body["count"]) for body in seen]


def test_so_many_green_buckets_in_a_row_end_it(tmp_path):
    log: list[str] = []
    level = minutes(50, 50, 50, after=0)
    stage = asked_green(tmp_path, log, level, green_for(3))
    assert stage.run()["exit_code"] == 4
    assert row(stage) == [("green", 1), ("green", 2), ("green", 3)]
    assert stage.events("recovery.seen")[-1].body["says"] == "all objectives green (3 of 3)"
    assert stage.events("recovery.seen")[-1].body["need"] == 3


def test_a_bad_bucket_begins_the_row_anew(tmp_path):
    log: list[str] = []
    level = minutes(50, 50, 50, 0, 50, after=0)
    stage = asked_green(tmp_path, log, level, green_for(2))
    assert stage.run()["exit_code"] == 4
    assert row(stage) == [("green", 1), ("bad", 0), ("green", 1), ("green", 2)]


def test_a_bucket_without_data_breaks_the_row_neither_way(tmp_path):
    log: list[str] = []
    level = minutes(50, 50, 50, 0, None, after=0)
    stage = asked_green(tmp_path, log, level, green_for(2))
    assert stage.run()["exit_code"] == 4
    assert row(stage) == [("green", 1), ("unknown", 1), ("green", 2)]


def test_too_few_green_buckets_in_the_time_are_asked_of_a_person(tmp_path):
    log: list[str] = []
    level = minutes(50, 50, 50, 0, after=None)
    stage = asked_green(tmp_path, log, level, green_for(2, within_s=180))
    stage.answers({"back?green": "yes"})
    assert stage.run()["exit_code"] == 4
    assert row(stage) == [("green", 1), ("unknown", 1), ("unknown", 1)]


@pytest.mark.parametrize(
    ("recovery", "buckets"),
    [
        pytest.param(Recovery(), 6, id="as always"),
        pytest.param(Recovery(green=4), 9, id="room for a longer row"),
        pytest.param(Recovery(green=2, within_s=180), 3, id="as long as it is said"),
        pytest.param(Recovery(green=1, within_s=61), 2, id="a begun bucket counts"),
        pytest.param(Recovery(green=3, within_s=60), 3, id="never less than the row"),
    ],
)
def test_how_long_the_figures_have(recovery, buckets):
    assert green.patience(recovery, 60_000) == buckets


def test_figures_that_stay_bad_have_only_the_time_that_is_said(tmp_path):
    log: list[str] = []
    stage = asked_green(tmp_path, log, minutes(after=50), green_for(1, within_s=120))
    assert stage.run()["exit_code"] == 1
    assert row(stage) == [("bad", 0), ("bad", 0)]


class CutAfter(MemorySlots):
    """A life that ends when one slot is recorded."""

    def __init__(self, last: str, recorded: dict[str, object]) -> None:
        super().__init__(recorded)  # type: ignore[arg-type]
        self.last = last

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        found = await super().run(name, work)
        if name == self.last:
            raise Cut(name)
        return found


class Counter:
    """A counter of errors that each minute adds to, and that may be reset or be old and large."""

    def __init__(self, per_minute: Level, *, old: int = 0) -> None:
        self.per_minute, self.old = per_minute, old
        self.reset_ms = 0

    def value(self, now_ms: int) -> int:
        grown = 0
        for minute in range(60):
            begin = BEGIN_MS + minute * 60_000
            share = min(max(now_ms - max(begin, self.reset_ms), 0), 60_000)
            if begin + 60_000 > self.reset_ms:
                grown += (self.per_minute(minute) or 0) * min(share, 60_000) // 60_000
        return grown + (0 if self.reset_ms else self.old)


class CounterReader:
    """Reads the growth of the counter, as a real source does."""

    def __init__(self, counter: Counter, position: object) -> None:
        self.counter, self.growth = counter, Growth(position)

    def read(self, now: datetime) -> Batch:
        at_ms = to_ms(now)
        try:
            grown = self.growth.step({"errors": self.counter.value(at_ms)})
        except WentBackError as error:
            return Batch(position=self.growth.as_json(), blind=str(error))
        samples = [] if grown is None else [Sample(at_ms, value=grown["errors"])]
        return Batch(samples, self.growth.as_json())

    def close(self) -> None:
        pass


def counted(folder: Path, counter: Counter, log: list[str]) -> Stage:
    """Return a release that is rolled back when more than 100 errors come in a minute."""
    fields = {"sql": "db", "query": "SELECT n", "value": "n", "delta": True}
    metric = a_metric("errors", log=None, ratio=None, **fields)
    database = Target("db", "x", Span.of_line(1))
    rules = (a_rule("errors > 100 for 2 buckets"), a_rule("errors < 50", Consequence.OBJECTIVE))
    plan = a_watch(*rules, log=log, metrics=(metric,), targets=(database,))
    opener = lambda _source, position: CounterReader(counter, position)  # noqa: E731
    return Stage(folder, plan, in_turn=True, open_source=opener)


def test_what_a_counter_holds_from_before_the_way_back_is_not_counted(tmp_path):
    """10,000 errors stand in it, and more come until the first whole bucket begins."""
    log: list[str] = []
    counter = Counter(lambda minute: 5_000 if minute < 3 else 5, old=10_000)
    stage = counted(tmp_path, counter, log)
    assert stage.run()["exit_code"] == 4
    assert row(stage, "previous") == [("unknown", 0), ("green", 1)]
    assert "counted since before this bucket" in str(stage.events("recovery.seen")[0].body["says"])


def test_a_counter_that_begins_anew_makes_no_bucket_green_or_red(tmp_path):
    log: list[str] = []
    counter = Counter(lambda minute: 5_000 if minute < 3 else 5, old=10_000)
    stage = counted(tmp_path, counter, log)

    def restart() -> None:
        counter.reset_ms = to_ms(stage.clock.now())

    stage.clock.at(215, restart)  # in the first whole bucket after the way back
    assert stage.run()["exit_code"] == 4
    looks = [look for look, _ in row(stage, "previous")]
    assert looks[-1] == "green"
    assert "bad" not in looks


def test_what_a_counter_grew_by_while_nobody_ran_is_not_one_bad_bucket(tmp_path):
    """40 errors a minute are good; four minutes of them at once would be a breach."""
    log: list[str] = []
    counter = Counter(lambda minute: 5_000 if minute < 3 else 40)
    stage = counted(tmp_path, counter, log)
    stage.plan = replace(stage.plan, recovery=green_for(3))
    recorded: dict[str, object] = {}
    stage.fresh()
    with pytest.raises(Cut):
        stage.run(slots=CutAfter("previous?green1", recorded))
    stage.clock.wait(240)  # nobody runs for four minutes
    stage.fresh()
    result = stage.run(slots=MemorySlots(recorded))
    assert result["exit_code"] == 4
    seen = [e.body for e in stage.events("recovery.seen")]
    assert all(body["look"] != "bad" for body in seen), [body["says"] for body in seen]
    assert any(NOT_RUNNING in str(body["says"]) for body in seen)
