"""`Record:` before the deploy: what is measured, what is known of it, and what rules make of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.figures import World, a_metric, a_rule, a_watch, minutes, watched
from tests.support.scenes import Stage
from tests.support.works import a_phase, a_step

from gonogo.plan.kinds import Role
from gonogo.plan.model import Baseline, Consequence, Plan, Rule
from gonogo.run.baseline import recorded

SUBJECT = "error rate"


def a_plan_of(
    *rules: Rule, for_s: float | None = None, figure: str = SUBJECT, **more: object
) -> Plan:
    """Return a release that records its baseline, deploys, and is watched."""
    plan = a_watch(*rules, **more)
    step = a_step("v1", block=None, expect=(), baseline=Baseline(((figure, figure, None),), for_s))
    before = a_phase("before", step, role=Role.PREFLIGHT)
    values = {name: getattr(plan, name) for name in plan.__slots__}
    return Plan(**{**values, "phases": (before, *plan.phases)})


def staged(folder: Path, plan: Plan, *levels: int | None, after: int | None = 0) -> Stage:
    return watched(folder, plan, World({"error rate": minutes(*levels, after=after)}))


def finding(stage: Stage) -> dict[str, object]:
    return dict(next(e for e in stage.events("step.finished") if e.item == "v1").body)


def judged(stage: Stage, rule: Rule) -> object:
    return next(e for e in stage.events("rule.judged") if e.item == rule.id).body["status"]


def test_the_figures_are_measured_for_one_bucket_and_kept_with_their_samples(tmp_path):
    stage = staged(tmp_path, a_plan_of(a_rule("error rate > 50 %")), 2)
    assert stage.run()["exit_code"] == 0
    event = stage.events("baseline.recorded")[0].body
    assert event["figures"] == [
        {"subject": SUBJECT, "value": "2", "unit": "%", "says": "2 %", "samples": 6_000, "why": ""}
    ]
    assert finding(stage)["status"] == "pass"
    assert finding(stage)["actual"] == "error rate 2 % (6000 samples)"
    assert finding(stage)["indicators"] == {SUBJECT: "2 %"}


def test_they_are_measured_for_as_long_as_the_step_says(tmp_path):
    stage = staged(tmp_path, a_plan_of(a_rule("error rate > 50 %"), for_s=180), 1, 2, 3)
    assert stage.run()["exit_code"] == 0
    known = recorded(stage.scene)[SUBJECT]
    assert (str(known.value.number), known.samples) == ("2", 18_000)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("later", "status"), [(5, "pass"), (6, "fail")], ids=["1.5 times", "more than that"]
)
def test_a_rule_compares_with_what_was_recorded(tmp_path, later, status):
    rule = a_rule("error rate <= 1.25x baseline", Consequence.OBJECTIVE)
    stage = staged(tmp_path, a_plan_of(rule), 4, after=later)
    stage.answers({"watch?gate": "keep"})
    stage.run()
    assert judged(stage, rule) == status
    opening = stage.events("watch.started")[0].body
    assert opening["rules"][0]["baseline"] == "4 %"  # type: ignore[index]
    seen = stage.events("bucket.closed")[0].body["rules"][rule.id]  # type: ignore[index]
    assert seen["limit"] == 5.0


def test_a_line_about_several_figures_shows_what_each_was_before(tmp_path):
    hits = "cache hit rate"
    joined = a_rule("error rate > 50 % or cache hit rate < 1 % for 2 buckets")
    half = a_rule("error rate > 60 % or misses > 90 %")
    metrics = (a_metric(), a_metric(hits), a_metric("misses"))
    plan = a_plan_of(joined, half, a_rule("error rate > 70 %"), metrics=metrics)
    figures = tuple((name, name, None) for name in (SUBJECT, hits))
    step = a_step("v1", block=None, expect=(), baseline=Baseline(figures, None))
    before = a_phase("before", step, role=Role.PREFLIGHT)
    plan = replace(plan, phases=(before, *plan.phases[1:]))
    levels = {SUBJECT: minutes(after=4), hits: minutes(after=30), "misses": minutes(after=1)}
    stage = watched(tmp_path, plan, World(levels))
    assert stage.run()["exit_code"] == 0
    rules = stage.events("watch.started")[0].body["rules"]
    assert [rule["baseline"] for rule in rules] == [  # type: ignore[index]
        "error rate 4 %, cache hit rate 30 %",
        "error rate 4 %",
        "4 %",
    ]


def test_without_a_baseline_nothing_is_known(tmp_path):
    rule = a_rule("error rate <= 1.25x baseline", Consequence.OBJECTIVE)
    stage = staged(tmp_path, a_watch(rule), 0)
    stage.answers({"watch?gate": "no-go", "previous?green": "yes"})
    assert stage.run()["exit_code"] != 0
    assert judged(stage, rule) == "unknown"


def test_no_data_before_the_release_is_no_baseline(tmp_path):
    rule = a_rule("error rate <= 1.25x baseline", Consequence.OBJECTIVE)
    stage = staged(tmp_path, a_plan_of(rule), None, None)
    stage.answers({"before?gate": "go", "watch?gate": "no-go", "previous?green": "yes"})
    assert stage.run()["exit_code"] != 0
    assert finding(stage)["status"] == "unknown"
    assert "error rate: no data" in str(finding(stage)["why"])
    assert judged(stage, rule) == "unknown"


def test_too_few_samples_are_no_baseline(tmp_path):
    plan = a_plan_of(a_rule("error rate > 50 %"))
    values = {name: getattr(plan, name) for name in plan.__slots__}
    metric = a_metric(**{"minimum samples": 10_000})
    stage = staged(tmp_path, Plan(**{**values, "metrics": (metric,)}), 1)
    stage.answers({"before?gate": "no-go"})
    stage.run()
    assert finding(stage)["status"] == "unknown"
    assert "6000 samples, at least 10000 are needed" in str(finding(stage)["why"])


def test_what_is_bad_already_is_noted(tmp_path):
    rules = (a_rule("error rate > 10 %", Consequence.PAGE), a_rule("error rate > 50 %"))
    stage = staged(tmp_path, a_plan_of(*rules), 20, after=0)
    assert stage.run()["exit_code"] == 0
    assert stage.events("baseline.recorded")[0].body["violated"] == {
        rules[0].id: "error rate 20 %, expected <= 10 %"
    }
    assert finding(stage)["notes"] == [
        "already before the release: error rate 20 %, expected <= 10 %"
    ]


def test_an_abort_ends_the_measuring(tmp_path):
    stage = staged(tmp_path, a_plan_of(a_rule("error rate > 50 %"), for_s=3_000), 1)
    stage.clock.at(100, stage.abort)
    stage.run()
    assert finding(stage)["status"] == "unknown"
    assert stage.events("baseline.recorded") == []


def test_what_was_recorded_is_not_measured_again(tmp_path):
    stage = staged(tmp_path, a_plan_of(a_rule("error rate > 50 %")), 2)
    slots: dict[str, object] = {}
    stage.run(slots)
    del slots["v1"]  # the event stands, its slot was not recorded
    stage.fresh()
    stage.run(slots)
    assert len(stage.events("baseline.recorded")) == 1
    assert len([e for e in stage.events("step.finished") if e.item == "v1"]) == 1
