"""A watch inside a release, over figures that are written down and a clock that is led."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.clock import START
from tests.support.figures import (
    BEGIN_MS,
    World,
    a_metric,
    a_rule,
    a_watch,
    healed_by,
    minutes,
    watched,
)
from tests.support.scenes import RUN, Stage
from tests.support.works import a_manual, a_phase

from gonogo.clock import moment
from gonogo.judge.buckets import Bucket, Grid
from gonogo.judge.course import LONGER, grid_of, is_watched, planned, sources_of
from gonogo.judge.firing import refusals
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Metric, Plan
from gonogo.run import watching
from gonogo.run.durable import MemorySlots
from gonogo.source import Span

TRIGGER = "error rate > 10 % for 2 buckets"


def staged(folder: Path, *levels: int | None, plan: Plan | None = None) -> Stage:
    world = World({"error rate": minutes(*levels)})
    return watched(folder, plan or a_watch(a_rule(TRIGGER)), world)


def slices(stage: Stage) -> list[int]:
    """Return which minutes were closed, in the order of the journal."""
    found = [e.body["start_ms"] for e in stage.events("bucket.closed")]
    return [(int(str(at)) - BEGIN_MS) // 60_000 for at in found]


def seen(stage: Stage, rule: str = f"rollback/{TRIGGER}") -> list[str]:
    return [str(e.body["rules"][rule]["event"]) for e in stage.events("bucket.closed")]  # type: ignore[index]


def gate(stage: Stage, phase: str = "watch") -> dict[str, object]:
    return dict(next(e for e in stage.events("gate.decided") if e.item == phase).body)


def test_good_figures_to_the_planned_end_are_a_go(tmp_path):
    stage = staged(tmp_path, 0, 1, 9, 10)
    assert stage.run()["exit_code"] == 0
    assert slices(stage) == [0, 1, 2, 3]
    assert gate(stage)["verdict"] == "go"
    ended = stage.events("watch.ended")[0].body
    assert ended == {"why": "planned end", "complete": True}


def test_the_trigger_fires_when_its_second_bad_bucket_is_closed_and_not_before(tmp_path):
    log: list[str] = []
    world = World({"error rate": healed_by(log, "back", 50, from_minute=1)})
    stage = watched(tmp_path, a_watch(a_rule(TRIGGER), log=log), world)
    assert stage.run()["exit_code"] == 4
    assert slices(stage) == [0, 1, 2]
    moves = [(e.body["after"], e.at) for e in stage.events("rule.moved")]
    assert [after for after, _ in moves] == ["pending", "firing"]
    assert moment(moves[1][1]) >= START.replace(minute=3, second=10)  # its end, and the grace
    assert "2 of 2 buckets: 14:01, 14:02" in str(stage.events("watch.ended")[0].body["why"])
    assert log == ["ship", "back", "old"]
    assert gate(stage)["verdict"] == "no-go"
    assert gate(stage)["trigger"]["slices"] == [BEGIN_MS + 60_000, BEGIN_MS + 120_000]  # type: ignore[index]


def test_one_bad_bucket_never_rolls_back(tmp_path):
    stage = staged(tmp_path, 0, 99, 0, 99, plan=a_watch(a_rule(TRIGGER), last_s=300))
    assert stage.run()["exit_code"] == 0
    assert stage.events("rollback.started") == []
    assert seen(stage) == ["good", "breach", "good", "breach", "good"]


def test_of_two_triggers_in_one_bucket_the_first_written_rolls_back_once(tmp_path):
    log: list[str] = []
    rules = (a_rule("error rate > 40 %"), a_rule("error rate > 20 %"))
    world = World({"error rate": healed_by(log, "back", 50)})
    stage = watched(tmp_path, a_watch(*rules, log=log), world)
    assert stage.run()["exit_code"] == 4
    assert gate(stage)["trigger"]["rule"] == rules[0].id  # type: ignore[index]
    assert log.count("back") == 1
    assert len(stage.events("rollback.started")) == 1


@pytest.mark.parametrize("consequence", [Consequence.PAGE, Consequence.CRITICAL])
@pytest.mark.parametrize(("answer", "code"), [("go", 0), ("no-go", 4)])
def test_an_alert_leaves_the_decision_to_a_person(tmp_path, consequence, answer, code):
    plan = a_watch(a_rule("error rate > 10 %", consequence))
    stage = staged(tmp_path, 0, 50, 0, 0, plan=plan)
    stage.answers({"watch?gate": answer})
    assert stage.run()["exit_code"] == code
    asked = stage.events("question.asked")[0].body
    assert "the alert fired: a person decides" in str(asked["detail"])


def test_a_warning_decides_nothing(tmp_path):
    plan = a_watch(a_rule("error rate > 10 %", Consequence.WARN), a_rule(TRIGGER))
    stage = staged(tmp_path, 0, 50, 0, 0, plan=plan)
    assert stage.run()["exit_code"] == 0
    fired = [
        e.body["consequence"] for e in stage.events("rule.moved") if e.body["after"] == "firing"
    ]
    assert fired == ["warn"]
    assert [e.item for e in stage.events("rule.judged")] == [f"rollback/{TRIGGER}"]


@pytest.mark.parametrize(
    ("answer", "verdict", "code"), [("keep", "no-go", 1), ("no-go", "no-go", 4), ("go", "go", 0)]
)
def test_a_missed_objective_asks_a_person_and_rolls_nothing_back(tmp_path, answer, verdict, code):
    plan = a_watch(a_rule("error rate < 10 %", Consequence.OBJECTIVE))
    stage = staged(tmp_path, 0, 10, 0, 0, plan=plan)
    stage.answers({"watch?gate": answer, "previous?green": "yes"})
    result = stage.run()
    assert result["exit_code"] == code
    assert slices(stage) == [0, 1, 2, 3]  # an objective does not cut the watch short
    asked = stage.events("question.asked")[0].body
    assert asked["choices"] == ["go", "keep", "no-go"]
    assert str(asked["question"]).endswith(": 1 not met; go on?")
    assert (gate(stage)["verdict"], gate(stage)["by"]) == (verdict, "ana")
    assert bool(stage.events("rollback.started")) is (code == 4)
    if answer == "keep":
        assert str(result["why"]).endswith("; ana keeps the release")


def test_a_trigger_beside_a_missed_objective_goes_back_without_asking(tmp_path):
    rules = (
        a_rule("error rate < 10 %", Consequence.OBJECTIVE),
        a_rule("error rate > 40 % for 2 buckets"),
    )
    stage = staged(tmp_path, 0, 50, 50, plan=a_watch(*rules))
    stage.answers({"previous?green": "yes"})
    assert stage.run()["exit_code"] == 4
    assert "watch?gate" not in [e.item for e in stage.events("question.asked")]


@pytest.mark.parametrize(
    "levels",
    [(None, None, None, None), (0, None, None, 0), (0, 0, 0, None)],
    ids=["never", "for long enough to hide a breach", "an end that may be the first bad one"],
)
def test_without_data_there_is_no_go_but_a_question(tmp_path, levels):
    stage = staged(tmp_path, *levels)
    stage.clock.at(600, lambda: stage.abort("nobody knows"))
    assert stage.run()["exit_code"] != 0
    assert [e.item for e in stage.events("question.asked")][:1] == ["watch?gate"]


def test_a_single_gap_does_not_spoil_a_rule_that_needs_two(tmp_path):
    stage = staged(tmp_path, 0, None, 0, 0)
    assert stage.run()["exit_code"] == 0
    moved = [(e.body["rule"], e.body["after"]) for e in stage.events("rule.moved")]
    assert ("no-data/error rate", "firing") in moved
    assert ("no-data/error rate", "resolved") in moved


@pytest.mark.parametrize(
    ("after", "last", "code"), [(0, 5, 0), (50, 5, 4)], ids=["it breaks", "it fires"]
)
def test_a_watch_does_not_end_in_an_open_streak(tmp_path, after, last, code):
    world = World({"error rate": minutes(0, 0, 0, 50, after=after)})
    stage = watched(tmp_path, a_watch(a_rule(TRIGGER)), world)
    stage.answers({"previous?green": "yes"})
    stage.clock.at(2_000, stage.abort)
    result = stage.run()
    assert len(slices(stage)) == last
    assert gate(stage)["verdict"] == ("go" if code == 0 else "no-go")
    assert (result["exit_code"] == 0) == (code == 0)


def test_a_streak_that_neither_breaks_nor_fires_ends_with_a_question(tmp_path):
    rule = a_rule("error rate > 10 % for 3 buckets")
    world = World({"error rate": minutes(0, 0, 0, 50, after=None)})
    stage = watched(tmp_path, a_watch(rule), world)
    stage.answers({"watch?gate": "go"})
    assert stage.run()["exit_code"] == 0
    assert len(slices(stage)) == 4 + LONGER
    assert "open streak" in str(stage.events("question.asked")[0].body["detail"])


def test_an_abort_ends_the_watch_and_goes_back(tmp_path):
    log: list[str] = []
    world = World({"error rate": minutes()})
    stage = watched(tmp_path, a_watch(a_rule(TRIGGER), log=log, last_s=3_000), world)
    stage.clock.at(100, lambda: stage.abort("wrong version"))
    assert stage.run()["exit_code"] == 4
    assert slices(stage) == [0]
    assert stage.events("watch.ended")[0].body == {"why": "stopped", "complete": False}
    assert log == ["ship", "back", "old"]
    assert gate(stage)["aborted_by"] == "ana"


def test_a_watch_without_a_length_lasts_as_long_as_its_longest_rule():
    rules = (
        a_rule("error rate > 1 % for 3 of 5 buckets"),
        a_rule("error rate > 2 % for 7 minutes"),
    )
    plan = a_watch(*rules, last_s=None)
    assert planned(plan, plan.phases[1]) == 7
    assert planned(a_watch(rules[0], last_s=None), plan.phases[1]) == 5
    assert planned(a_watch(a_rule("error rate > 1 %"), last_s=None), plan.phases[1]) == 1


def test_people_are_asked_beside_the_figures(tmp_path):
    plan = a_watch(a_rule(TRIGGER))
    watch = a_phase("watch", a_manual("dashboard"), role=Role.WATCH, span_s=120)
    stage = staged(tmp_path, plan=a_watch(a_rule(TRIGGER)))
    stage = watched(
        tmp_path / "again",
        type(plan)(**{**_fields(plan), "phases": (plan.phases[0], watch)}),
        World({"error rate": minutes()}),
    )
    stage.answers({"dashboard": "yes"})
    assert stage.run()["exit_code"] == 0
    assert slices(stage) == [0, 1]


def _fields(plan: Plan) -> dict[str, object]:
    return {name: getattr(plan, name) for name in plan.__slots__}


def test_what_a_chart_needs_stands_in_the_bucket(tmp_path):
    stage = staged(tmp_path, 0, 5, None, 0)
    stage.run()
    rows = [e.body["rules"][f"rollback/{TRIGGER}"] for e in stage.events("bucket.closed")]  # type: ignore[index]
    assert [(row.get("value"), row["unit"], row["limit"]) for row in rows] == [
        (0.0, "%", 10.0),
        (5.0, "%", 10.0),
        (None, "%", 10.0),
        (0.0, "%", 10.0),
    ]


def test_every_second_is_in_one_bucket(tmp_path):
    stage = staged(tmp_path, 0, 0, 0, 0)
    recorded: dict[str, object] = {}
    stage.run(recorded)
    counts = [
        Bucket.from_json(each["buckets"]["error rate"]).count
        for name, slot in recorded.items()
        if "?slice" in name
        for each in slot["slices"]  # type: ignore[index]
    ]
    assert counts == [6_000] * 4


class Cut(BaseException):
    """The process is gone."""


class ShortLived(MemorySlots):
    """Slots of a process that dies when a number of them was recorded."""

    left = 1

    async def run(self, name, work):
        if name not in self.recorded:
            if self.left <= 0:
                raise Cut
            self.left -= 1
        return await super().run(name, work)


def in_short_lives(stage: Stage, most: int = 60) -> tuple[dict[str, object], int]:
    """Run to the end in lives that end slot by slot; return the result and how many it took."""
    recorded: dict[str, object] = {}
    for lives in range(1, most):
        stage.fresh()
        try:
            return stage.run(slots=ShortLived(recorded)), lives
        except Cut:
            continue
    raise AssertionError("the run does not get on")


def told(stage: Stage) -> list[tuple[str, str, object]]:
    """Return what the journal says of the watch, in order, but not when it was written."""
    kinds = ("rule.moved", "bucket.closed", "rule.judged", "watch.ended", "gate.decided")
    return [(e.kind, e.item, e.body) for e in stage.events() if e.kind in kinds]


@pytest.mark.parametrize("last", [0, 50], ids=["to its end", "to a rollback"])
def test_cut_off_after_every_slot_it_comes_to_the_same(tmp_path, last):
    levels = (0, 20, 0, None, 20, last, last)
    plan = a_watch(a_rule(TRIGGER), last_s=420)
    calm = watched(tmp_path / "calm", plan, World({"error rate": minutes(*levels)}))
    calm.answers({"watch?gate": "go"})
    calm_result = calm.run()
    stage = watched(tmp_path / "cut", plan, World({"error rate": minutes(*levels)}))
    stage.answers({"watch?gate": "go"})
    result, lives = in_short_lives(stage)
    assert lives > 8
    assert result["exit_code"] == calm_result["exit_code"]
    assert told(stage) == told(calm)


def test_replayed_from_all_slots_nothing_is_said_twice(tmp_path):
    stage = staged(tmp_path, 0, 20, 0, 0)
    recorded: dict[str, object] = {}
    stage.run(recorded)
    before = stage.events()
    stage.fresh()
    stage.run(recorded)
    assert stage.events() == before
    assert stage.journal.events(RUN)


@pytest.mark.parametrize(
    ("rule", "metric", "said"),
    [
        ("error rate p99 > 2 s", a_metric(), "`error rate p99` is in `%`, compared with 2 s"),
        ("error rate > 1 % for 2 consecutive 5-minute buckets", a_metric(), "buckets of 300 s"),
        ("error rate > 1 %", a_metric(ratio=None), "`log` needs"),
    ],
    ids=["no such statistic", "another width", "a source that cannot be read"],
)
def test_what_cannot_be_judged_is_a_mistake_before_the_run_and_unknown_in_it(
    tmp_path, rule, metric, said
):
    plan = a_watch(a_rule(rule), metrics=(metric,))
    found = refusals(plan)
    assert len(found) == 1, found
    assert said in found[0].message
    stage = watched(tmp_path, plan, World({}))
    stage.answers({"watch?gate": "no-go"})
    assert stage.run()["exit_code"] == 4
    assert found[0].message in str(stage.events("question.asked")[0].body["detail"])


def test_a_rule_without_a_metric_is_not_judged_by_figures(tmp_path):
    """In assisted mode its words are a question to a person."""
    plan = a_watch(a_rule(TRIGGER), a_rule("queue length < 5", Consequence.OBJECTIVE))
    assert refusals(plan) == ()
    stage = staged(tmp_path, 0, 0, 0, 0, plan=plan)
    assert stage.run()["exit_code"] == 0
    assert [e.item for e in stage.events("rule.judged")] == [f"rollback/{TRIGGER}"]


def test_without_any_metric_nothing_is_watched():
    plan = a_watch(a_rule(TRIGGER), metrics=())
    assert not is_watched(plan, plan.phases[1])
    assert watching.slot_names(plan, plan.phases[1]) == []


@pytest.mark.parametrize(
    ("bucket", "timeout", "grace"),
    [("300", "8s", 10), ("300", "30s", 30), ("5", "2s", 2), ("5", None, 6)],
    ids=["long", "long, slow page", "short, page", "short, log"],
)
def test_the_grace_is_long_enough_for_the_slowest_answer(bucket, timeout, grace):
    fields = {"http": "https://shop.example/", "timeout": timeout, "value": "failures"}
    metric = Metric("page", fields, Span.of_line(5)) if timeout else a_metric()
    plan = a_watch(metrics=(metric,), settings={"bucket": bucket})
    assert len(sources_of(plan)) == 1
    assert grid_of(plan) == Grid(int(bucket), grace)


def test_a_death_in_the_first_bucket_loses_no_line_of_a_log(tmp_path):
    """Where the log ended when the watch began is on record before the first bucket is."""
    stage = staged(tmp_path, 0, 0, 0, 0)
    recorded: dict[str, object] = {}
    slots = ShortLived(recorded)
    slots.left = 3  # the deployment, its gate, and the beginning of the watch
    with pytest.raises(Cut):
        stage.run(slots=slots)
    assert "watch?watch" in recorded
    assert "watch?slice0" not in recorded
    stage.clock.wait(45)
    stage.fresh()
    stage.run(recorded)
    first = recorded["watch?slice0"]["slices"][0]["buckets"]["error rate"]  # type: ignore[index]
    assert Bucket.from_json(first).count == 6_000
    assert Bucket.from_json(first).coverage == 1.0
