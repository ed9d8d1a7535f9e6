"""What a person at a terminal is asked, and what becomes of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli import books
from tests.cli.running import gonogo
from tests.cli.terminal import Terminal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deploy.md").write_text(books.questions(at_once=False))
    (tmp_path / "assisted.md").write_text(books.ASSISTED)
    (tmp_path / "destroys.md").write_text(books.DESTROYS)
    (tmp_path / "old-files").mkdir()
    return tmp_path


def test_a_start_that_is_not_confirmed_begins_nothing(folder: Path) -> None:
    with Terminal("run", "deploy.md", "--release", "v2", cwd=folder) as terminal:
        terminal.expect("web v2: 3 steps. start? [y/N]")
        terminal.type("")
        assert terminal.end() == 2
        assert "error[GN700]: not started" in terminal.seen
    with Terminal("run", "deploy.md", cwd=folder) as terminal:
        terminal.expect("start? [y/N]")
        terminal.press_ctrl_c()
        assert terminal.end() == 2
        assert "stopped; nothing was begun" in terminal.seen
    assert not (folder / ".gonogo").exists()


def test_questions_are_asked_and_the_answers_stand_in_the_evidence(folder: Path) -> None:
    with Terminal("run", "deploy.md", "--yes", "--by", "ana", cwd=folder) as terminal:
        asked = terminal.expect("; a note may follow")
        assert "? The status page says so" in asked
        assert "line 9" in asked
        assert "[y] yes, [n] no, [s] skip, [y!] yes to all that follow" in asked
        terminal.type("perhaps")
        terminal.expect("`perhaps` is no answer here")
        terminal.type("s")
        terminal.expect("why? (it stands in the evidence with your name)")
        terminal.type("")
        terminal.expect("without a reason it does not count")
        terminal.type("y! posted at noon")
        terminal.expect("yes: Support knows about it")
        assert terminal.end() == 0
        assert "GO after" in terminal.seen
        assert "evidence .gonogo/runs/" in terminal.seen
        assert terminal.raw.rfind("\x1b[?25l") < terminal.raw.rfind("\x1b[?25h")  # cursor is back
    report = gonogo("report", "--json", cwd=folder).out
    assert report.count('"posted at noon"') >= 2


def test_a_plain_terminal_is_asked_too(folder: Path) -> None:
    env = {"TERM": "dumb", "NO_COLOR": "1"}
    with Terminal("run", "deploy.md", "--yes", cwd=folder, env=env) as terminal:
        terminal.expect("; a note may follow")
        answered = gonogo("answer", "status page", "yes", "--by", "bo", cwd=folder)
        assert answered.code == 0, answered.both
        assert "nobody carries" not in answered.err
        terminal.expect("(answered elsewhere)")
        terminal.expect("? Support knows about it")
        terminal.press_ctrl_d()
        assert terminal.end() == 3  # nobody answers here any more: parked
        assert "\x1b" not in terminal.raw
        assert "a question waits for a person:" in terminal.seen


def test_a_person_says_yes_to_every_block_of_an_assisted_runbook(folder: Path) -> None:
    with Terminal("run", "assisted.md", "--yes", "--by", "ana", cwd=folder) as terminal:
        block = terminal.expect("; a note may follow")
        assert "| echo new > state" in block
        assert "[r] run, [b] by hand, [s] skip, [n] no" in block
        terminal.type("r")
        terminal.expect("? Tell support")
        terminal.expect("; a note may follow")
        terminal.type("y by phone")
        terminal.expect("echo clean >> state")
        terminal.expect("; a note may follow")
        terminal.press_ctrl_c()
        terminal.expect("interrupted; what now?")
        terminal.type("a too late in the day")
        assert terminal.end() == 1  # it says nowhere how to go back
        assert "aborted by ana: too late in the day" in " ".join(terminal.seen.split())
    assert (folder / "state").read_text() == "new\n"


def test_a_refused_block_is_shown_with_the_reason(folder: Path) -> None:
    (folder / "back.md").write_text(books.REFUSED)
    with Terminal("run", "back.md", "--yes", "--by", "ana", cwd=folder) as terminal:
        shown = terminal.expect("; a note may follow")
        why = "| not run by gonogo: `tail` never ends by itself here"
        assert why in shown
        assert '| curl -H "Authorization: Bearer $ADMIN_TOKEN" \\' in shown
        assert "| tail -f app.log" in shown
        (run,) = (folder / ".gonogo" / "runs").iterdir()
        for words in (("status", run.name), ("answer",)):
            said = gonogo(*words, cwd=folder).out
            assert why in said
            assert "| tail -f app.log" in said
        terminal.type("y")
        assert terminal.end() == 0
    report = gonogo("report", "--format", "md", cwd=folder).out
    assert "- not run by gonogo: " in report
    assert "\ntail -f app.log\n" in report


def test_what_cannot_be_undone_is_typed_out(folder: Path) -> None:
    with Terminal("run", "destroys.md", "--yes", cwd=folder) as terminal:
        terminal.expect("type the name exactly to confirm, or `no`")
        terminal.type("yes")
        terminal.expect("`yes` is no answer here")
        assert (folder / "old-files").exists()
        terminal.press_ctrl_c()
        terminal.expect("interrupted; what now?")
        terminal.type("c")
        terminal.expect("type the name exactly to confirm, or `no`")
        terminal.type("old-files")
        assert terminal.end() == 0
    assert not (folder / "old-files").exists()
