from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.demo.acting import bash

from gonogo.demo.traffic import AGENT, Visitors, path_of
from gonogo.demo.workspace import Workspace


def test_most_questions_are_usual_ones_some_are_new() -> None:
    paths = [path_of(number, ["disk", "deploy key"]) for number in range(1000)]
    assert (paths.count("/"), len(set(paths))) == (100, 103)
    assert "/api/search?q=deploy%20key" in paths


def test_visitors_ask_and_tell_what_they_saw(search: Workspace) -> None:
    with Visitors(search.settings["APP_URL"], search.folder / "queries.txt", 200) as visitors:
        while search.access_log.read_text().count(AGENT) < 20:
            pass
        bash(search, "bin/service stop")
    lines = [json.loads(line) for line in search.access_log.read_text().splitlines()]
    answered = [line for line in lines if line["user_agent"] == AGENT]
    assert len(answered) >= 20
    assert visitors.seen["200"] <= len(answered)
    assert re.fullmatch(
        r"\d+ questions of visitors: 0 answered with an error, \d+ not at all", visitors.say()
    )


def test_they_end_with_the_one_who_sent_them(tmp_path: Path) -> None:
    questions = tmp_path / "queries.txt"
    questions.write_text("disk\n")
    address = "http://127.0.0.1:9"  # nobody listens there
    sent = subprocess.run(
        [sys.executable, "-m", "gonogo.demo.traffic", address, str(questions)],
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert set(json.loads(sent.stdout)) <= {"none"}
