"""How runs end: codes, what is said where, what is left behind; and looking at it afterwards."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.cli.conftest import ODD, Ended
from tests.cli.running import Done, all_at_once, gonogo

CODES = {"go": 0, "rolled back": 4, "no-go": 1, "parked": 3}


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_the_exit_code_says_how_it_ended(ended: dict[str, Ended], name: str, code: int) -> None:
    assert ended[name].done.code == code, ended[name].done.both


def test_evidence_is_data_and_progress_is_not(ended: dict[str, Ended]) -> None:
    done = ended["go"].done
    assert re.match(r"web v2 +run [0-9a-f]{6}, started [0-9:]{8} by ana\n", done.out)
    assert "GO after" in done.out
    assert done.out.endswith("evidence .gonogo/runs/" + ended["go"].run + "/report.html\n")
    assert "phase    Deployment" in done.err
    assert "phase    Deployment" not in done.out


def test_evidence_as_json_is_all_of_standard_output(ended: dict[str, Ended]) -> None:
    found = json.loads(ended["rolled back"].done.out)
    assert found["outcome"] == "rolled back"
    assert (ended["rolled back"].folder / "state").read_text() == "old\n"


@pytest.mark.parametrize("name", CODES)
def test_no_line_is_wider_than_the_terminal(ended: dict[str, Ended], name: str) -> None:
    done = ended[name].done
    told = "" if name == "rolled back" else done.both
    assert [
        line for line in told.splitlines() if len(line) > 80 and "gonogo answer" not in line
    ] == []


def test_an_ascii_terminal_without_home_gets_plain_marks(ended: dict[str, Ended]) -> None:
    done = ended["no-go"].done
    assert done.both.isascii()
    assert "Gr??e > enough" in done.out
    assert "\x1b" not in done.both


def test_commands_run_beside_the_runbook_and_runs_are_kept_where_it_is_said(
    ended: dict[str, Ended],
) -> None:
    folder = ended["no-go"].folder
    assert (folder / ODD / "here").exists()
    assert {path.name for path in folder.iterdir()} == {ODD, "runs here"}
    assert "evidence runs here/runs/" in ended["no-go"].done.out
    listed = gonogo("status", cwd=folder, env={"GONOGO_HOME": "runs here"})
    assert " no-go " in listed.out


@pytest.mark.parametrize("name", ["go", "no-go", "parked"])
def test_every_form_of_the_report_is_written(ended: dict[str, Ended], name: str) -> None:
    folder = ended[name].home / "runs" / ended[name].run
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!")
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert found["run"] == ended[name].run
    assert ET.parse(folder / "junit.xml").getroot().tag == "testsuites"
    assert (folder / "report.md").stat().st_size > 100
    assert (folder / "report.txt").stat().st_size > 100
    assert [file.name for file in folder.iterdir() if file.name.endswith(".draft")] == []


def test_a_report_that_cannot_be_written_changes_no_verdict(ended: dict[str, Ended]) -> None:
    spoiled = ended["rolled back"]
    assert "warning: the reports could not all be written: report.html: " in spoiled.done.err
    assert f"gonogo report {spoiled.run}" in spoiled.done.err
    assert json.loads(spoiled.done.out)["exit_code"] == 4
    assert (spoiled.home / "runs" / spoiled.run / "report.md").exists()


def test_a_parked_run_says_how_to_go_on(ended: dict[str, Ended]) -> None:
    parked = ended["parked"]
    assert "2 questions wait for a person:\n  The status page says so\n" in parked.done.err
    answers = re.findall(r"^    (gonogo answer .*)$", parked.done.err, flags=re.MULTILINE)
    assert len(answers) == 2
    assert all(line.endswith(" yes") for line in answers)
    assert f"then: gonogo resume {parked.run}" in parked.done.err


@pytest.fixture(scope="module")
def looked(ended: dict[str, Ended]) -> dict[str, Done]:
    """What the looking commands say of the run that ended in go."""
    run = ended["go"].run
    forms = ("text", "md", "html", "json", "junit")
    return all_at_once(
        {
            "status": ("status",),
            "status as json": ("status", "--json"),
            "one": ("status", run[:4]),
            "one as json": ("status", run, "--json"),
            "verify": ("report", "--verify"),
            "verify as json": ("report", "--verify", "--json"),
            "answer": ("answer", "--run", run),
            "answer as json": ("answer", "--run", run, "--json"),
            "resume": ("resume", run),
            "abort": ("abort", run),
            "nothing open": ("resume",),
            "unknown": ("report", "zzz"),
            "unwritable": ("report", "--output", "no/such/folder/report.html"),
            "output": ("report", "--format", "html", "--output", "out.html"),
            **{f"report {form}": ("report", run, "--format", form) for form in forms},
        },
        ended["go"].folder,
    )


def test_status_lists_the_runs(ended: dict[str, Ended], looked: dict[str, Done]) -> None:
    head, row = looked["status"].out.splitlines()
    assert re.match(r"run +state +what +started \(UTC\) +by$", head)
    assert re.match(rf"{ended['go'].run}  go +web v2 +20\d\d-\d\d-\d\d \d\d:\d\d  ana$", row)
    (found,) = json.loads(looked["status as json"].out)
    assert (found["run"], found["state"], found["exit_code"]) == (ended["go"].run, "go", 0)


def test_one_run_is_found_by_the_beginning_of_its_id(looked: dict[str, Done]) -> None:
    assert looked["one"].out == looked["report text"].out
    assert json.loads(looked["one as json"].out) == json.loads(looked["report json"].out)
    assert (looked["unknown"].code, looked["unknown"].out) == (2, "")
    assert "no run begins with `zzz`\nhint: latest runs: " in looked["unknown"].err


def test_every_form_of_the_report_is_shown(looked: dict[str, Done]) -> None:
    for name, begins in {
        "text": "web v2",
        "md": "#",
        "html": "<!",
        "json": "{",
        "junit": "<?xml",
    }.items():
        done = looked[f"report {name}"]
        assert (done.code, done.err) == (0, ""), name
        assert done.out.startswith(begins), name


def test_a_report_goes_to_a_file_or_says_why_not(
    ended: dict[str, Ended], looked: dict[str, Done]
) -> None:
    assert looked["output"] == Done(0, "", "wrote out.html\n")
    assert (ended["go"].folder / "out.html").read_text().startswith("<!")
    assert looked["unwritable"].code == 2
    assert "cannot be written: No such file or directory" in looked["unwritable"].err


def test_an_untouched_chain_is_whole(looked: dict[str, Done]) -> None:
    assert looked["verify"].code == 0
    assert "events, chain whole" in looked["verify"].out
    found = json.loads(looked["verify as json"].out)
    assert (found["whole"], found["broken_at"]) == (True, None)


def test_a_changed_event_is_found(ended: dict[str, Ended], tmp_path: Path) -> None:
    home = tmp_path / ".gonogo"
    shutil.copytree(ended["go"].home, home)
    with sqlite3.connect(home / "journal.db") as journal:
        journal.execute("UPDATE gonogo_event SET who = 'somebody else' WHERE seq = 4")
    journal.close()
    done = gonogo("report", "--verify", cwd=tmp_path)
    assert (done.code, done.err) == (1, "")
    assert "event 4 was changed or is missing" in done.out


@pytest.mark.parametrize("name", ["resume", "abort"])
def test_what_has_ended_is_not_carried_on(
    ended: dict[str, Ended], looked: dict[str, Done], name: str
) -> None:
    run = ended["go"].run
    done = looked[name]
    assert (done.code, done.out) == (2, "")
    assert f"run `{run}` has ended\nhint: `gonogo report {run}` shows its evidence" in done.err
    assert "no run is open" in looked["nothing open"].err


def test_an_ended_run_asks_nothing(ended: dict[str, Ended], looked: dict[str, Done]) -> None:
    assert looked["answer"] == Done(0, f"run {ended['go'].run} asks nothing\n", "")
    assert json.loads(looked["answer as json"].out) == []


def test_where_nothing_was_run_it_is_said(tmp_path: Path) -> None:
    said = all_at_once(
        {
            "status": ("status",),
            "json": ("status", "--json"),
            "report": ("report",),
            "resume": ("resume", "--home", "elsewhere"),
        },
        tmp_path,
    )
    assert said["status"] == Done(0, "no run was made here yet\n", "")
    assert json.loads(said["json"].out) == []
    for name in ("report", "resume"):
        assert (said[name].code, said[name].out) == (3, "")
        assert "there is no journal at" in said[name].err
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_run_has_a_report(ended: dict[str, Ended]) -> None:
    done = gonogo("report", cwd=ended["parked"].folder)
    assert done.code == 0
    assert "UNFINISHED: there is no verdict" in done.out


def test_a_journal_of_a_newer_version_is_left_alone(
    ended: dict[str, Ended], tmp_path: Path
) -> None:
    home = tmp_path / ".gonogo"
    shutil.copytree(ended["parked"].home, home)
    with sqlite3.connect(home / "journal.db") as journal:
        journal.execute("PRAGMA user_version = 99")
    journal.close()
    (tmp_path / "deploy.md").write_text((ended["go"].folder / "deploy.md").read_text())
    commands = {name: (name,) for name in ("status", "resume", "answer", "report", "abort")}
    said = all_at_once({**commands, "run": ("run", "deploy.md", "--yes")}, tmp_path)
    for name, done in said.items():
        assert (done.code, done.out) == (3, ""), name
        assert "has version 99" in done.err, name
        assert "hint: use the newer gonogo" in done.err, name
    assert not (tmp_path / "state").exists()


def test_a_journal_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / ".gonogo").mkdir()
    (tmp_path / ".gonogo" / "journal.db").write_text("not a journal " * 100)
    (tmp_path / "file").write_text("a file where a folder is expected")
    said = all_at_once({"garbage": ("status",), "file": ("status", "--home", "file")}, tmp_path)
    assert (said["garbage"].code, said["file"].code) == (3, 0)
    assert "is not a journal or is damaged" in said["garbage"].err
    assert said["file"].out == "no run was made here yet\n"
