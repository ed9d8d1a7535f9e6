"""People and a parked run: answers from elsewhere, answers from a file, waivers, aborts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli import books
from tests.cli.conftest import Ended
from tests.cli.running import Done, all_at_once, gonogo, id_of


@pytest.fixture(scope="module")
def refused(ended: dict[str, Ended]) -> dict[str, Done]:
    """Answers that do not fit, given to the same parked run: it must still wait afterwards."""
    return all_at_once(
        {
            "list": ("answer",),
            "json": ("answer", "--json"),
            "wrong word": ("answer", "status page", "maybe"),
            "no word": ("answer", "status page"),
            "no such step": ("answer", "nowhere", "yes"),
            "several": ("answer", "s", "yes"),
            "skip": ("answer", "status page", "skip"),
            "all wrong": ("answer", "--all", "go"),
            "both": ("answer", "status page", "yes", "--all", "yes"),
            "past": ("answer", "status page", "yes", "--expires", "2020-01-31"),
            "no date": ("answer", "status page", "yes", "--expires", "tomorrow"),
            "second start": ("run", "deploy.md", "--yes"),
            "status": ("status",),
            "status as json": ("status", "--json"),
        },
        ended["parked"].folder,
    )


def test_open_questions_are_listed(refused: dict[str, Done]) -> None:
    out = refused["list"].out
    assert out.count("? ") == 2
    assert "? The status page says so" in out
    assert "answers: `yes`, `no`, `skip`" in out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    found = json.loads(refused["json"].out)
    assert [item["form"] for item in found] == ["manual", "manual"]
    assert f"  id: {found[0]['item']}\n" in out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wrong word", "`maybe` is no answer to"),
        ("no word", "no answer was given\nhint: answers: `yes`, `no`, `skip`"),
        ("no such step", "no open question fits `nowhere`\nhint: open: "),
        ("several", "several open questions fit `s`"),
        ("skip", "`skip` needs a reason"),
        ("all wrong", "`go` is no answer to"),
        ("both", "both `--all` and a step"),
        ("past", "`2020-01-31` has passed"),
        ("no date", "`tomorrow` is no date"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    refused: dict[str, Done], name: str, words: str
) -> None:
    assert (refused[name].code, refused[name].out) == (2, "")
    assert words in refused[name].err


def test_a_second_run_waits_for_the_parked_one(
    ended: dict[str, Ended], refused: dict[str, Done]
) -> None:
    run = ended["parked"].run
    done = refused["second start"]
    assert (done.code, done.out) == (2, "")
    assert f"run `{run}` of web is still open" in done.err
    assert f"hint: `gonogo resume {run}` goes on, `gonogo abort {run}` goes back" in done.err


def test_status_shows_what_a_run_waits_for(refused: dict[str, Done]) -> None:
    assert " parked " in refused["status"].out
    assert "asks: The status page says so" in refused["status"].out
    assert [line for line in refused["status"].out.splitlines() if len(line) > 80] == []
    (found,) = json.loads(refused["status as json"].out)
    assert (found["state"], len(found["waiting"])) == ("parked", 2)


def test_a_run_is_answered_and_goes_on(ended: dict[str, Ended], parked: Path) -> None:
    first = gonogo("answer", "status page", "YES", "--by", "bo", "--note", "posted", cwd=parked)
    assert first == Done(
        0,
        "The status page says so: yes, by bo\n",
        f"nobody carries run {id_of(parked / '.gonogo')} now: "
        f"`gonogo resume {id_of(parked / '.gonogo')}` goes on\n",
    )
    again = gonogo("answer", "status page", "no", cwd=parked)
    assert again.code == 2  # the first answer counts, so it is no open question any more
    rest = gonogo("answer", "--all", "yes", "--by", "cy", "--json", cwd=parked)
    assert [answer["by"] for answer in json.loads(rest.out)] == ["cy"]
    done = gonogo("resume", "--json", cwd=parked)
    assert done.code == 0, done.both
    found = json.dumps(json.loads(done.out))
    assert '"bo"' in found
    assert '"posted"' in found
    assert (ended["parked"].folder / "state").exists()  # it knows where it was started


def test_a_parked_run_is_aborted(parked: Path) -> None:
    done = gonogo("abort", "--by", "ana", "--reason", "customers report errors", cwd=parked)
    assert done.code == 1, done.both  # nothing was changed, so there was nothing to take back
    assert "aborted by ana: customers report errors" in " ".join(done.out.split())
    assert "not run  Deployment" in done.out


WRONG_ANSWERS = """\
Nowhere: yes
Switch: yes
The status page says so: perhaps
Support knows about it: skip
support knows about it: {answer: yes, why: so}
"pre-deployment/support-knows-about-it": [yes]
Pre-deployment?gate: {answer: go, reason: ok, expires: 2020-01-31}
deployment/switch?typed1: data
"""
WHY_WRONG = (
    "`Nowhere` names no step of the runbook",
    "`Switch` is carried out by gonogo and asks nobody",
    "`perhaps` is no answer here, expected yes, no, skip",
    "`Support knows about it`: `skip` needs a `reason`",
    "`why` is none of answer, reason",
    "expected an answer, or a mapping with `answer`",
    "`2020-01-31` has passed",
    "what cannot be undone is confirmed by a person, never by a file",
)
FILES = {
    "missing": (None, "answers `missing.yml` cannot be read: No such file or directory"),
    "broken": ("a: [\n", "are no YAML, line 2"),
    "twice": ("Support knows about it: yes\nsupport knows about it: no\n", "is answered twice"),
    "wrong": (WRONG_ANSWERS, WHY_WRONG[0]),
    "deep": ("[" * 100_000, "nested too deep"),
    "deep in blocks": ("- " * 5_000 + "a", "nested too deep"),
    "an odd escape": ('a: "\\UFFFFFFFF"', "an escape or a number is odd"),
    "no character": ('a: "\\U00110000"', "an escape or a number is odd"),
    "a version without end": ("%YAML 1." + "1" * 5_000 + "\n---\na: b", "a number is odd"),
    "beyond the calendar": (
        "Support knows about it: {answer: yes, expires: '9999-12-31T23:59:59-23:59'}",
        "`9999-12-31T23:59:59-23:59` is no date",
    ),
}


def test_an_answers_file_is_checked_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(books.questions())
    for name, (text, _) in FILES.items():
        if text is not None:
            (tmp_path / f"{name}.yml").write_text(text)
    commands = {name: ("run", "deploy.md", "--yes", "--answers", f"{name}.yml") for name in FILES}
    said = all_at_once(commands, tmp_path)
    for name, done in said.items():
        assert (done.code, done.out) == (2, ""), name
        assert FILES[name][1] in done.err, name
    assert [why for why in WHY_WRONG if why not in said["wrong"].err] == []
    assert not (tmp_path / ".gonogo").exists()


def test_a_run_takes_its_answers_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(books.questions())
    (tmp_path / "answers.yml").write_text(
        "The status page says so: {answer: yes, note: posted, by: bo}\n"
        "pre-deployment/support-knows-about-it: no\n"
    )
    words = ("run", "deploy.md", "--yes", "--by", "ana", "--answers", "answers.yml")
    done = gonogo(*words, cwd=tmp_path)
    assert done.code == 1, done.both
    assert "answered no" in done.out
    assert "yes by bo" in done.err
    assert not (tmp_path / "state").exists()


WAIVERS = {
    "unknown": ("--waive", "Nowhere=x"),
    "no reason": ("--waive", "Disk has room"),
    "past": ("--waive", "Disk has room=ok", "--expires", "2020-01-31"),
    "no such moment": ("--waive", "Disk has room=ok", "--expires", "9999-12-31T23:59:59-23:59"),
    "no waiver": ("--expires", "2099-01-31"),
    "no environment": ("--env", "staging"),
    "nobody": (),
}
"""What is wrong with a start; `nobody` lacks only `--yes`."""


def test_what_a_run_is_given_is_checked_before_it(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(books.go())
    yes = {name: () if name == "nobody" else ("--yes",) for name in WAIVERS}
    commands = {name: ("run", "deploy.md", *yes[name], *WAIVERS[name]) for name in WAIVERS}
    said = all_at_once(commands, tmp_path)
    for name, words in {
        "unknown": "there is no step `Nowhere` to waive",
        "no reason": "the waiver of `Disk has room` has no reason",
        "past": "`2020-01-31` has passed",
        "no such moment": "`9999-12-31T23:59:59-23:59` is no date; expected an ISO date",
        "no waiver": "`--expires` says until when waivers hold, and there is none",
        "no environment": "there is no environment `staging`\nhint: known: none is written",
        "nobody": "nobody is at the terminal to confirm the start\nhint: give --yes",
    }.items():
        assert (said[name].code, said[name].out) == (2, ""), name
        assert words in said[name].err, name
    assert not (tmp_path / ".gonogo").exists()


def test_a_waiver_stands_in_the_evidence(ended: dict[str, Ended]) -> None:
    done = ended["go"].done
    assert "waived" in done.out
    assert "resized at noon" in done.out
    assert "2099-01-31" in done.out


def test_a_waiver_without_an_expiry_ends_with_its_run(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(books.go().replace("test -d .", "test -d nowhere"))
    words = ("run", "deploy.md", "--yes", "--by", "ana", "--waive", "Disk has room=known")
    done = gonogo(*words, cwd=tmp_path)
    assert done.code == 0, done.both
    assert "waived by ana: known, until the end of this run" in " ".join(done.out.split())
    for form in ("md", "html", "json"):
        said = gonogo("report", "--format", form, cwd=tmp_path)
        assert "the end of this run" in said.out, form


def test_an_assisted_runbook_is_never_run_without_a_person(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(books.ASSISTED)
    done = gonogo("run", "deploy.md", "--yes", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "has no `gonogo: 1`, and nobody is at the terminal to say yes to each block" in done.err
    assert list(tmp_path.iterdir()) == [tmp_path / "deploy.md"]
