from __future__ import annotations

import io
import subprocess
import sys
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


@pytest.mark.parametrize("name", stories.STORIES)
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
