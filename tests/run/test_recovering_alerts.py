"""After going back the alerts go on: resolved by good figures, fired anew, or left open."""

from __future__ import annotations

import re
from pathlib import Path

from tests.run.test_recovering import GOAL, TRIGGER, green_for, staged
from tests.run.test_watching import in_short_lives
from tests.support.figures import World, a_metric, a_rule, a_watch, healed_by, minutes, watched
from tests.support.scenes import Stage
from tests.support.works import an_action, an_option

from gonogo.plan.model import Consequence
from gonogo.plan.notices import Severity, State, notice_from_json
from gonogo.plan.receivers import Channel, Contact, Receivers, Rung
from gonogo.run.alerting import Alerting
from gonogo.source import Span

CALL = a_rule("error rate > 20 % for 2 buckets", Consequence.PAGE)
ALARM = a_rule("error rate > 40 %", Consequence.CRITICAL)
HITS = a_rule("cache hit rate < 20 %", Consequence.WARN)


def called(folder: Path, log: list[str], *, hits: int | None = 0, **more: object) -> Stage:
    """Return a release with alerts of every kind, whose way back `back` makes errors good."""
    options = tuple(an_option(name, an_action(name, log=log)) for name in ("back", "restore"))
    metrics = (a_metric(), a_metric("cache hit rate"))
    rules = (TRIGGER, GOAL, CALL, ALARM, HITS)
    plan = a_watch(*rules, log=log, options=options, metrics=metrics, **more)
    levels = {"error rate": healed_by(log, "back", 50), "cache hit rate": minutes(after=hits)}
    return watched(folder, plan, World(levels))


def moves_back(stage: Stage) -> list[tuple[str, str, str]]:
    """Return the moves after going back: rule, where it stands, why."""
    return [
        (e.item.partition("@")[0], str(e.body["after"]), str(e.body["reason"]))
        for e in stage.events("rule.moved")
        if "way" in e.body
    ]


def test_alerts_are_resolved_by_the_good_figures_after_going_back(tmp_path):
    stage = called(tmp_path, [])
    assert stage.run()["exit_code"] == 4
    why = "; the objectives are green after the rollback"
    assert moves_back(stage) == [
        (ALARM.id, "resolved", "error rate 0 % (good for 1 bucket)"),
        (CALL.id, "resolved", f"error rate 0 % (good for 1 bucket){why}"),
    ]
    kinds = stage.kinds()
    assert max(n for n, kind in enumerate(kinds) if kind == "rule.moved") < kinds.index(
        "rollback.finished"
    )


def test_alerts_of_a_way_that_did_not_help_are_resolved_by_the_next(tmp_path):
    log: list[str] = []
    stage = called(tmp_path, log)
    level = healed_by(log, "restore", 50)
    levels = {"error rate": level, "cache hit rate": minutes(after=0)}
    stage = watched(tmp_path / "next", stage.plan, World(levels))
    assert stage.run()["exit_code"] == 4
    back = [e for e in stage.events("rule.moved") if "way" in e.body]
    assert [(e.body["rule"], e.body["way"]) for e in back] == [
        (ALARM.id, "restore"),
        (CALL.id, "restore"),
    ]


def test_an_alert_fires_anew_where_the_figures_turn_bad_again(tmp_path):
    log: list[str] = []
    plan = called(tmp_path, log, recovery=green_for(2)).plan
    levels = {
        "error rate": minutes(50, 50, 50, 0, 50, after=0),
        "cache hit rate": minutes(after=50),
    }
    stage = watched(tmp_path / "anew", plan, World(levels))
    assert stage.run()["exit_code"] == 4
    alarm = [after for rule, after, _ in moves_back(stage) if rule == ALARM.id]
    assert alarm == ["resolved", "firing", "resolved"]


def test_what_a_person_says_is_well_resolves_only_what_is_seen_good(tmp_path):
    log: list[str] = []
    plan = called(tmp_path, log, recovery=green_for(2, within_s=120)).plan
    levels = {
        "error rate": minutes(50, 50, 50, after=None),
        "cache hit rate": minutes(0, 0, after=50),
    }
    stage = watched(tmp_path / "asked", plan, World(levels))
    stage.answers({"back?green": "yes"})
    assert stage.run()["exit_code"] == 4
    assert moves_back(stage) == [
        (HITS.id, "resolved", "cache hit rate 50 % (good for 1 bucket)"),
        ("no-data/error rate", "firing", "no data since 14:03"),
        ("blind/error rate", "pending", "no data since 14:03"),
    ]


class Told:
    """Who is told what while a release goes on, its clock led."""

    def __init__(self, stage: Stage) -> None:
        ladders = {
            severity: (Rung(("ana",)),)
            for severity in (Severity.WARN, Severity.PAGE, Severity.CRITICAL)
        }
        contacts = (Contact("ana", (Channel("webhook", "$X", Span.of_line(1)),), Span.of_line(1)),)
        self.stage = stage
        self.receivers = Receivers(contacts=contacts, ladders=ladders, written=True, group_s=0)
        self.stage.clock.on_wait(self.step)

    def step(self) -> bool:
        """Decide once, each time as a process that was born again."""
        Alerting(self.stage.scene, self.receivers, "shop").step()
        return False

    def ended(self) -> list[str]:
        """Return the lines that end an alert, as they are read."""
        self.step()
        notices = [
            notice_from_json(each)
            for event in self.stage.events("alert.decided")
            for each in event.body["notices"]
        ]
        lines = [line for notice in notices for line in notice.lines]
        over = (State.RESOLVED, State.ENDED)
        return [line.say() for line in lines if line.state in over]


def without_since(lines: list[str]) -> list[str]:
    return [re.sub(r" \(since [^)]*\)", "", line) for line in lines]


def test_people_are_told_that_it_is_good_again_and_what_is_not_known(tmp_path):
    stage = called(tmp_path, [])
    told = Told(stage)
    assert stage.run()["exit_code"] == 4
    assert without_since(told.ended()) == [
        "resolved: error rate 0 % (good for 1 bucket)",
        "resolved: error rate 0 % (good for 1 bucket); the objectives are green after the rollback",
        "resolved: rolled back, the old state is proved: Back",
        "ended: cache hit rate 0 %, expected >= 20 % (1 of 1 bucket: 14:00); "
        "the run is over and watches no longer; when last seen, at 2026-03-01T14:04:10Z: "
        "cache hit rate 0 %, expected >= 20 %",
    ]


def test_people_read_the_rule_as_it_is_written_and_not_its_id(tmp_path):
    stage = called(tmp_path, [])
    told = Told(stage)
    stage.run()
    told.step()
    lines = [
        line["text"]
        for event in stage.events("alert.decided")
        for notice in event.body["notices"]
        for line in notice["lines"]
        if line["alert"] == "rollback/1"
    ]
    assert lines[0] == (
        "rolling back: Watch: error rate > 10 % for 2 buckets: "
        "error rate 50 %, expected <= 10 % (2 of 2 buckets: 14:00, 14:01)"
    )


def test_what_was_told_of_a_way_that_failed_is_over_when_another_has_worked(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "restore", log=log)
    told = Told(stage)
    assert stage.run()["exit_code"] == 4
    worked = "rolled back, the old state is proved: Restore"
    assert [line for line in without_since(told.ended()) if "way back" in line] == [
        f"resolved: another way back has worked: {worked}"
    ]


def test_killed_after_every_slot_each_alert_is_resolved_once(tmp_path):
    calm = called(tmp_path / "calm", [])
    calm.run()
    stage = called(tmp_path / "cut", [])
    told = Told(stage)
    assert in_short_lives(stage, most=81)[0]["exit_code"] == 4
    assert moves_back(stage) == moves_back(calm)
    ended = [line.partition(":")[0] for line in told.ended()]
    assert ended == ["resolved", "resolved", "resolved", "ended"]
