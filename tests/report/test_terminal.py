from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan, a_step

from gonogo.report import collect, render
from gonogo.report.page import Page

LONG = "資料庫的索引在沒有鎖的情況下可以重新整理" * 6


def screen(story: Story, width: int = 80) -> str:
    return render(collect(story.events, place="run/report.html"), "text", width=width)


def test_a_release_that_went_wrong_reads_as_designed():
    lines = screen(stories.rolled_back()).splitlines()
    assert lines[0].startswith("search v2.4.0 → production ")
    assert lines[0].endswith(" run 7f3a, started 14:02:11 by ana")
    assert "no-go    Smoke tests      1 of 3" in lines[3]
    assert lines[4] == "         fail  A regular user may not read the admin API"
    assert lines[5].startswith("               status 200, expected 403  ")
    assert lines[5].endswith(" deploy.md:57")
    assert lines[6] == "         not run  Search finds a known document"
    back = next(line for line in lines if line.startswith("rollback "))
    assert back.startswith("rollback Option 1: previous release ")
    assert back.endswith(" 38 s  (stated 2m)")
    assert lines[-2] == "ROLLED BACK in 1m 02s: detect 4 s, decide 0 s, act 38 s, recover 20 s"
    assert lines[-1] == "evidence run/report.html"


@pytest.mark.parametrize("name", stories.STORIES)
@pytest.mark.parametrize("width", [40, 60, 72, 80, 120])
def test_no_line_is_wider_than_the_page(name: str, width: int):
    for line in screen(stories.STORIES[name][0](), width).splitlines():
        assert cell_len(line) <= width


@pytest.mark.parametrize("title", [LONG, "x" * 300, "wörter " * 40, "⚠️ 🚀 " * 30])
def test_long_and_wide_words_stay_on_80_columns(title: str):
    plan = a_plan(a_phase("smoke", title, a_step("home", title, 50)))
    story = Story(plan, runbook=f"docs/{title}.md", service=title, environment=title)
    story.phase("smoke").do(
        "home", "fail", actual=title, expected=title, why=title, by=title, reason=title
    )
    story.say("question.asked", "x", question=title).gate("smoke", "no-go")
    story.verdict("no-go", 1, why=title)
    text = render(collect(story.events, place=title), "text")
    assert "…" in text
    for line in text.splitlines():
        assert cell_len(line) <= 80


def test_what_passed_is_only_counted():
    text = screen(stories.go())
    assert "3 checks, 1 answer" in text
    assert "Home page answers" not in text


def test_every_step_that_did_not_pass_is_named():
    text = screen(stories.hold_with_waiver())
    for title in (
        "Every materialized view has a unique index",
        "A regular user may not read the admin API",
        "Search finds a known document",
    ):
        assert title in text
    assert "waived by ana" in text
    assert "(expired)" in " ".join(text.split())


def test_an_unfinished_run_says_where_its_journal_ends():
    text = " ".join(screen(stories.unfinished()).split())
    assert "UNFINISHED: there is no verdict; the journal ends with step.started migrate" in text
    assert "GO" not in text.replace("NO-GO", "")


def test_a_changed_journal_is_told_before_its_verdict():
    events = stories.go().events
    events[4] = replace(events[4], who="mallory")
    text = render(collect(events), "text")
    assert "UNPROVEN: event 5 of the journal does not follow" in text
    assert "GO after" not in text


def test_control_sequences_in_texts_are_shown_and_not_sent():
    plan = a_plan(a_phase("smoke", "Smoke\x1b[2J", a_step("home", "Home\x1b]0;x\x07", 50)))
    story = Story(plan, release="v1\x9b31m").phase("smoke")
    story.do("home", "fail", actual="\x1b[31mred\u202e", notes=("a\rb\x00",))
    text = screen(story)
    assert not set(text) & set("\x1b\x9b\x07\x00\r\u202e")
    assert "␛[31mred" in text


@pytest.mark.parametrize(
    ("line", "place"),
    [(57, "deploy.md:57"), (0, "")],
)
def test_a_place_is_the_runbook_and_the_line(line: int, place: str):
    assert Page(runbook="deploy.md").place(line) == place


def test_a_long_path_of_the_runbook_loses_its_beginning():
    place = Page(runbook="a/" * 60 + "deploy.md").place(57)
    assert place.startswith("…")
    assert place.endswith("/deploy.md:57")
