from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import START, Story, a_phase, a_plan, a_step
from tests.report.screens import shown

from gonogo.report import collect, render
from gonogo.report.live import Live


def piped(story: Story, width: int = 80) -> list[str]:
    stream = io.StringIO()
    live = Live(stream, width=width, interactive=False)
    live.update(story.events)
    live.close()
    return stream.getvalue().splitlines()


def drawn(story: Story, *, close: bool = True) -> list[str]:
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=True, plan_summary=stories.the_plan())
    for event in story.events:
        live.update([event])
        live.tick(story.now)
    if close:
        live.close()
    return shown(stream)


@pytest.mark.parametrize("name", stories.STORIES)
def test_a_pipe_gets_every_finished_step_once(name: str):
    story = stories.STORIES[name][0]()
    lines = piped(story)
    finished = [e for e in story.events if e.kind == "step.finished"]
    words = ("pass", "fail", "error", "unknown", "waived", "skipped", "not")
    told = [line for line in lines if line.strip().split(" ")[0] in words]
    assert len([line for line in told if line.startswith("         ")]) >= len(finished)
    assert all(cell_len(line) <= 80 for line in lines)
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("name", ["go", "rolled-back", "second-way", "hold-with-waiver"])
def test_phases_and_the_end_are_worded_as_in_the_report(name: str):
    story = stories.STORIES[name][0]()
    report = render(collect(story.events), "text").splitlines()
    phases = [line for line in report if line.startswith(("go ", "no-go ", "hold "))]
    assert phases
    for lines in (piped(story), drawn(story)):
        assert [line for line in lines if line in phases] == phases
        assert report[-1] in lines


@pytest.mark.parametrize("name", [name for name in stories.STORIES if "watch" not in name])
def test_a_terminal_keeps_each_finished_line_once(name: str):
    story = stories.STORIES[name][0]()
    lines = [line for line in drawn(story) if line]
    assert len(set(lines)) == len(lines)
    assert all(cell_len(line) <= 80 for line in lines)


def test_a_running_step_shows_its_time_and_its_last_output():
    story = stories.unfinished()
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=True)
    live.update(story.events)
    live.output("migrate", "one\ntwo\n\x1b[31mthree\nfour\n")
    live.tick(story.now + timedelta(seconds=75))
    text = "\n".join(shown(stream))
    assert "runs  Apply the migration" in text
    assert "1m 15s (planned 1m)" in text
    assert "│ ␛[31mthree" in text
    assert "│ four" in text
    assert "one" not in text.split("Apply the migration")[1].split("\n")[1]
    assert "not run  Smoke tests" in text


def test_an_open_question_is_shown_where_it_waits():
    text = "\n".join(drawn(stories.hold_with_waiver(), close=False)[:-1])
    assert "asks" not in text  # the run has ended in hold
    story = stories.hold_with_waiver()
    story.events.pop()
    assert "asks  `Smoke tests` cannot be decided" in "\n".join(drawn(story, close=False))


@pytest.mark.parametrize("interactive", [True, False])
def test_nothing_is_written_during_a_pause_and_nothing_is_lost(interactive: bool):
    story = stories.go()
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=interactive)
    live.update(story.events[:5])
    live.pause()
    before = stream.getvalue()
    live.update(story.events[5:])
    live.tick(story.now)
    live.output("home", "x")
    assert stream.getvalue() == before
    live.resume()
    live.close()
    text = "\n".join(shown(stream))
    assert "Pre-deployment" in text
    assert "GO after" in text


def test_closing_shows_what_was_still_running_and_twice_is_harmless():
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=True)
    live.update(stories.unfinished().events)
    live.close()
    live.close()
    live.update(stories.go().events[:1])
    live.tick(START)
    assert "Apply the migration" in "\n".join(shown(stream))


def test_a_phase_of_many_steps_is_shown_around_the_one_that_runs():
    steps = [a_step(f"s{n}", f"Step number {n}", n) for n in range(1, 101)]
    story = Story(a_plan(a_phase("smoke", "Smoke tests", *steps))).phase("smoke")
    for step in steps[:50]:
        story.do(step["id"])
    story.begin("s51")
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=True)
    live.update(story.events)
    lines = live._current()
    assert len(lines) == 23
    assert any("runs  Step number 51" in line for line in lines)
    assert "… 40 steps before" in lines[1]
    assert "… 40 steps behind" in lines[-1]


def test_a_watch_is_redrawn_with_its_rules_and_the_time_to_the_next_slice():
    story = stories.watching()
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=True, plan_summary=stories.the_plan())
    for event in story.events:
        live.update([event])
        live.tick(story.now)
    live.tick(story.now + timedelta(seconds=64))
    lines = [line for line in shown(stream) if line]
    assert lines[-4:] == [
        "  response time p95  300 ms  ▅▅▇▅▅  must be < 500 ms                           -",
        "  response time p95  300 ms  ▆▆▇▆▆  warns at > 450 ms for 2 buckets            -",
        "  error rate         1.4 %   ▁▁▃▂█  rolls back at > 1 %       1 of 2 since 14:20",
        "  slice 14:25 to 14:30 ends in 3m 51s, 5 of 288 closed",
    ]
    assert len([line for line in lines if "rolls back at" in line]) == 1
    assert all(cell_len(line) <= 80 for line in lines)


def test_a_pipe_gets_a_line_per_slice_and_one_per_move():
    lines = piped(stories.watch_rolled_back())
    assert [line for line in lines if line.startswith("slice ")] == [
        "slice    14:00  3 rules good",
        "slice    14:05  2 rules good, 1 bad",
        "slice    14:10  1 rule good, 2 bad",
        "slice    14:15  3 rules good",
        "slice    14:20  1 rule good, 2 bad",
        "slice    14:25  1 rule good, 2 bad",
    ]
    at = lines.index("         pending  error rate > 1% for 2 consecutive buckets [rollback]")
    assert lines[at + 1].strip() == "error rate 1.4 %, expected <= 1 % (1 of 2 buckets: 14:05)"
    assert any("firing  error rate > 1% for 2 consecutive buckets" in line for line in lines)


def test_a_pipe_names_only_what_is_not_quiet():
    lines = piped(stories.watch_blind())
    at = lines.index("slice    14:15  1 rule good, 2 without data")
    assert lines[at + 1 : at + 5] == [
        "               response time p95: no data (permission denied), must be < 500 ms:",
        "               still firing",
        "               response time p95: no data (permission denied), warns at > 450",
        "               ms: 1 of 2",
    ]
    at = lines.index("slice    14:20  0 rules good, 3 without data")
    told = " ".join(" ".join(lines[at : at + 8]).split())
    assert "error rate: no data (permission denied), rolls back at > 1 %" in told


def test_a_watch_of_a_week_is_drawn_from_its_last_slices():
    story = stories.watching()
    live = Live(io.StringIO(), width=80, interactive=True)
    live.update(story.events)
    closed = next(event for event in story.events if event.kind == "bucket.closed")
    start = closed.body["start_ms"] + 10 * 300_000
    for place in range(300):
        body = {**closed.body, "start_ms": start + place * 300_000}
        live.update([replace(closed, body=body)])
    watching = live._fold.watches["watch"]
    assert len(watching.slices) == 305
    assert len(watching.brief().slices) < 100
    assert len([line for line in live._current() if "rolls back" in line]) == 1


def test_a_retry_is_told_in_a_pipe():
    text = "\n".join(piped(stories.go()))
    assert "again  A regular user may not read the admin API" in text
    assert "attempt 1: status 502" in text


def test_a_pipe_does_not_import_rich():
    code = (
        "import io, sys; from gonogo.report.live import Live; "
        "Live(io.StringIO(), interactive=False).close(); "
        "sys.exit('rich' in sys.modules or 'jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd="src", check=False)
    assert done.returncode == 0
