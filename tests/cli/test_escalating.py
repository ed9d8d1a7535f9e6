"""A run that nobody attends does not park before the ladder of an urgent alert has been gone up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.running import Done, finish, gonogo, heard, start
from tests.support.sink import HttpSink

BOOK = """\
---
gonogo: 1
service: web
rollback: ask
contacts:
  ana: {{ webhook: $ANA }}
  bob: {{ webhook: $BOB }}
alerts: {{ page: "ana, then bob after {after}" }}
---
# Web: release

## Deployment

1. Switch to the new version

   ```bash
   echo new > state
   ```

2. Warm it up

   ```bash
   false
   ```

## Rollback

1. Switch back

   ```bash
   echo old > state
   ```
"""
RUN = ("run", "deploy.md", "--yes", "--home", "home")
ASKED = "alert/rollback/asked/1?ack"


@pytest.fixture
def env(sink: HttpSink) -> dict[str, str]:
    return {"ANA": sink.url("/ana"), "BOB": sink.url("/bob")}


def write(folder: Path, after: str) -> None:
    (folder / "deploy.md").write_text(BOOK.format(after=after), encoding="utf-8")


def answer(folder: Path, *words: str) -> Done:
    return gonogo("answer", *words, "--by", "ana", "--home", "home", cwd=folder)


@pytest.mark.timeout(60)
def test_the_next_contact_is_told_before_the_run_parks(tmp_path, sink, env):
    write(tmp_path, "2s")
    done = gonogo(*RUN, cwd=tmp_path, env=env)
    assert done.code == 3, done.both
    assert [post.json["alerts"][0]["reason"] for post in sink.of("/bob")] == ["escalated"]
    assert done.err.count("nobody has answered so far: bob is told at ") == 1
    assert "a question waits for a person" in done.both
    assert (tmp_path / "state").read_text() == "new\n"


@pytest.mark.timeout(60)
def test_it_parks_as_soon_as_somebody_has_acknowledged(tmp_path, sink, env):
    write(tmp_path, "1h")
    child = start(*RUN, cwd=tmp_path, env=env)
    heard(child, "nobody has answered so far: bob is told at ")
    assert answer(tmp_path, ASKED, "seen").code == 0
    assert finish(child).code == 3
    assert sink.of("/bob") == []


@pytest.mark.timeout(60)
def test_an_answer_that_comes_meanwhile_is_taken_at_once(tmp_path, sink, env):
    write(tmp_path, "1h")
    child = start(*RUN, cwd=tmp_path, env=env)
    heard(child, "nobody has answered so far: bob is told at ")
    assert answer(tmp_path, "rollback?decide", "yes").code == 0
    done = finish(child)
    assert done.code == 4, done.both
    assert (tmp_path / "state").read_text() == "old\n"
    assert sink.of("/bob") == []
