"""What the command line does about alerts of a run: who looks after them, and planned windows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.sink import HttpSink
from tests.support.telling import RUN, World

from gonogo.cli import alerts, outcome
from gonogo.cli.home import Home
from gonogo.cli.main import run
from gonogo.clock import SystemClock
from gonogo.notify.webhook import Webhook
from gonogo.run.people import Form

TEXT = """---
gonogo: 1
service: shop
metrics:
  error rate: { log: access.jsonl, ratio: "status >= 500" }
  queue: { command: "cat queue", unit: jobs }
contacts:
  ana: { webhook: $HOOK }
alerts: { page: ana, warn: ana }
---
# Shop: release
## Deployment
- [ ] Somebody shipped it
## Watch for 1 hour
### Alerts
- **Page**: error rate > 5% for 1 bucket
"""
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def world(tmp_path: Path, sink: HttpSink) -> Iterator[World]:
    ways: Any = {("ana", "webhook"): Webhook(sink.url())}
    made = World(tmp_path, ways, SystemClock())
    opening = {"service": "shop", "runbook": "deploy.md", "text": TEXT, "plan": {}}
    made.scene.write("run.started", body=opening)
    yield made
    made.journal.close()


@pytest.fixture
def said(world: World, capsys: pytest.CaptureFixture[str]) -> Said:
    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*words, "--home", str(world.folder)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def raised(world: World, *rules: str) -> None:
    for rule in rules:
        world.raised(rule)
    world.step()


def became_worse(world: World, said: Said) -> None:
    """An alert that bob looks after, and that is critical since."""
    raised(world, "errors")
    said("answer", "alert/errors/1", "seen", "--by", "bob")
    world.step()
    world.raised("errors", "critical")
    world.step()


def asked(world: World) -> None:
    """A real question of the run, which stands in the journal."""
    body = {
        "question": "Somebody looked at errors",
        "form": Form.MANUAL.value,
        "choices": ["yes", "no", "skip"],
        "detail": "",
        "line": 12,
    }
    world.scene.write("question.asked", "deploy/errors", body=body)


def test_answer_and_status_list_alerts_with_the_command_to_type(world: World, said: Said) -> None:
    raised(world, "errors")
    command = f"gonogo answer 'alert/errors/1?ack' seen --run {RUN} --home {world.folder}"
    for words in (("answer", "--run", RUN), ("status", RUN)):
        code, out, _ = said(*words)
        assert code == 0
        assert "an alert waits for an acknowledgement:" in out
        assert "page: who looks after `errors are bad`?" in out
        assert command in out
    assert "alert: who looks after `errors are bad`?" in said("status")[1]
    (row,) = json.loads(said("status", "--json")[1])
    assert [one["item"] for one in row["alerts"]] == ["alert/errors/1?ack"]
    assert (row["waiting"], row["state"]) == ([], "stopped")
    (question,) = json.loads(said("answer", "--json")[1])
    assert (question["form"], question["choices"]) == ("acknowledge", ["seen"])


@pytest.mark.parametrize("name", ["alert/errors/1?ack", "alert/errors/1", "ALERT/Errors/1"])
def test_an_acknowledgement_quiets_the_alert(world: World, said: Said, name: str) -> None:
    raised(world, "errors")
    code, out, _ = said("answer", name, "seen", "--by", "bob")
    assert (code, out) == (0, "who looks after `errors are bad`?: seen, by bob\n")
    assert said("answer")[1] == f"run {RUN} asks nothing\n"
    world.step()
    assert world.alerting.alerts.waiting() == ()
    code, _, err = said("answer", name, "seen", "--by", "cleo")
    assert code == 2
    assert "the alert `alert/errors/1` was acknowledged by bob" in err


def test_what_cannot_be_acknowledged_says_why(world: World, said: Said) -> None:
    raised(world, "errors", "latency")
    world.raised("disk", "warn")
    world.cleared("latency")
    world.step()
    for name, words in {
        "alert/latency/1?ack": "the alert `alert/latency/1` is over",
        "alert/nothing/1?ack": "has no alert `alert/nothing/1?ack`\nhint: open alerts: `alert/",
        "alert/disk/1?ack": "the alert `alert/disk/1` (`warn`) wants no acknowledgement",
    }.items():
        code, _, err = said("answer", name, "seen")
        assert code == 2
        assert words in err


def test_an_alert_that_became_worse_names_its_new_question(world: World, said: Said) -> None:
    became_worse(world, said)
    code, out, _ = said("answer", "alert/errors/1?ack-2", "seen", "--by", "cleo")
    assert (code, "by cleo" in out) == (0, True)


def test_an_old_question_of_a_worse_alert_is_refused(world: World, said: Said) -> None:
    became_worse(world, said)
    code, _, err = said("answer", "alert/errors/1?ack", "seen")
    assert code == 2
    assert "has become worse since\nhint: acknowledge `alert/errors/1?ack-2`" in err


def test_questions_of_the_run_come_before_its_alerts(world: World, said: Said) -> None:
    raised(world, "errors")
    asked(world)
    out = said("answer")[1]
    assert out.index("Somebody looked at errors") < out.index("who looks after")
    assert said("answer", "errors", "yes", "--by", "bob")[1].startswith("Somebody looked at errors")
    assert said("answer", "--all", "yes")[2].startswith("error[GN700]: no manual step waits")
    assert said("answer", "errors are", "seen", "--by", "bob")[1].startswith("who looks after")


def test_a_run_that_is_over_asks_nobody(world: World, said: Said) -> None:
    raised(world, "errors")
    world.scene.write("verdict.given", body={"verdict": "go", "exit_code": 0})
    assert "acknowledgement" not in said("status", RUN)[1]
    code, _, err = said("answer", "alert/errors/1", "seen", "--run", RUN)
    assert (code, "is over" in err) == (2, True)


def test_a_window_is_added_shown_and_ended(world: World, said: Said, sink: HttpSink) -> None:
    code, out, err = said("silence", "--for", "30m", "--reason", "restart", "--by", "bob")
    assert code == 0
    assert out.startswith("silenced until 2")
    assert "by bob: restart, not taken up by the run yet" in out
    assert f"gonogo silence {RUN} --end" in out
    assert f"nobody carries run {RUN} now" in err
    raised(world, "errors")
    assert sink.posts == []
    assert "by bob: restart\n" in said("status", RUN)[1]
    assert ": restart\n" in said("status")[1]
    (window,) = json.loads(said("silence", "--json")[1])
    assert (window["by"], window["only"], window["item"]) == ("bob", None, "silence/1")
    assert said("silence", "--end", "--by", "ana")[1] == f"run {RUN}: nothing is silenced\n"
    world.step()
    assert len(sink.posts) == 1
    code, _, err = said("silence", "--end")
    assert (code, f"nothing is silenced in run {RUN}" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--for", "30m"), "a planned window needs a reason"),
        (("--for", "soon", "--reason", "x"), "`soon` is no time"),
        (("--for", "5", "--reason", "x"), "`5` is no time"),
        (("--for", "2d", "--reason", "x"), "`2d` is too long, expected at most a day"),
        (("--reason", "x"), "how long is it to be silent?"),
        (
            ("--for", "5m", "--reason", "x", "--only", "eror rate"),
            "has no metric `eror rate`\nhint: did you mean `error rate`?",
        ),
        (("--end", "--for", "5m"), "both `--end` and `--for` were given"),
    ],
)
def test_a_window_that_is_none_is_refused(
    world: World, said: Said, words: tuple[str, ...], message: str
) -> None:
    code, _, err = said("silence", *words)
    assert (code, message in err) == (2, True), err
    assert world.journal.answer(RUN, "silence/1") is None


def test_where_nobody_is_told_nothing_is_silenced(tmp_path: Path, said: Said, world: World) -> None:
    text = TEXT.replace("  ana: { webhook: $HOOK }\nalerts: { page: ana, warn: ana }", "  ana:")
    opening = {"service": "shop", "runbook": "deploy.md", "text": text}
    world.journal.append("other", "run.started", body=opening)
    code, _, err = said("silence", "other", "--for", "5m", "--reason", "x")
    assert (code, "run other tells nobody" in err) == (2, True), err


@pytest.mark.parametrize("asks", [True, False])
def test_a_run_that_is_left_open_names_the_alerts_that_wait(
    world: World, said: Said, *, asks: bool
) -> None:
    raised(world, "errors")
    if asks:
        asked(world)
    told = list(outcome.left_open(Home(world.folder), world.journal, RUN))
    assert [line for line in told if "gonogo answer" in line and "alert/errors" in line], told
    assert any("resume" in line for line in told[-1:])
    (alert,) = alerts.waiting(world.journal, RUN)
    assert said("answer", alert.item, "seen", "--run", RUN)[0] == 0
    told = list(outcome.left_open(Home(world.folder), world.journal, RUN))
    assert not [line for line in told if "alert" in line]
