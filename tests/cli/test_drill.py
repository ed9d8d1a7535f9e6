"""`gonogo drill` as a user types it: the certificate, the gate that asks for it, the refusals."""

from __future__ import annotations

import dataclasses
import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.running import Done, gonogo

from gonogo import outcomes
from gonogo.cli import standing
from gonogo.clock import SystemClock, moment, stamp
from gonogo.store.journal import SqliteJournal

BOOK = """\
---
gonogo: 1
service: web
targets: { app: "${APP}" }
environments:
  production: { APP: live, WHERE: live }
  rehearsal: { APP: stage, WHERE: stage }
  mirror: { APP: live, WHERE: mirror }
---
# Web: release

## Pre-deployment

- [ ] ⚠️ The way back was rehearsed

  ```yaml
  check: drill
  ```

  - Expect: valid is true

## Deployment

1. Switch

   ```bash
   echo new > "$WHERE"
   ```

## Sign-off

- [ ] ⚠️ Approved

## Rollback

### Option 1: switch back (about 1 minute)

1. Switch back

   ```bash
   echo old > "$WHERE"
   ```

### Check that the old state is back

- [ ] The old one is there

  ```bash
  cat "$WHERE"
  ```

  - Expect: output = "old"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deploy.md").write_text(BOOK)
    return tmp_path


def drill(folder: Path, *more: str) -> Done:
    return gonogo("drill", "deploy.md", "--yes", "--by", "ana", *more, cwd=folder)


def release(folder: Path) -> Done:
    return gonogo("run", "deploy.md", "--env", "production", "--yes", cwd=folder)


def test_a_release_asks_for_a_drill_until_there_is_one(folder: Path) -> None:
    before = release(folder)
    assert before.code == 3  # nobody knows: a person would have to decide
    assert "The way back was rehearsed" in before.out
    assert not (folder / "live").exists()
    gonogo("abort", "--by", "ana", "--reason", "first the drill", cwd=folder)

    rehearsed = drill(folder, "--env", "rehearsal")
    assert rehearsed.code == 0, rehearsed.err
    assert "drill passed: the way back took" in rehearsed.err
    assert "stated 1m" in rehearsed.err
    assert (folder / "stage").read_text() == "old\n"

    after = release(folder)
    assert after.code == 3  # the sign-off waits for a person; the gate before the deploy is open
    assert (folder / "live").read_text() == "new\n"


def test_the_certificate_says_who_where_and_how_long(folder: Path) -> None:
    drill(folder, "--env", "rehearsal")
    (found,) = outcomes.all_in(folder / ".gonogo" / "runs")
    assert (found.drill, found.passed, found.who, found.environment) == (
        True, True, "ana", "rehearsal",
    )  # fmt: skip
    assert found.verdict == "rolled back"
    assert set(found.times) == {"detect_s", "decide_s", "act_s", "recover_s"}
    assert found.rollback
    assert 29 < (moment(found.expires) - moment(found.ended)).days < 31


def test_how_long_it_counts_can_be_said(folder: Path) -> None:
    assert drill(folder, "--env", "rehearsal", "--valid", "never").code == 2
    drill(folder, "--env", "rehearsal", "--valid", "2d")
    (found,) = outcomes.all_in(folder / ".gonogo" / "runs")
    assert (moment(found.expires) - moment(found.ended)).days == 2


def test_with_a_clock_that_was_set_back_no_time_is_certain(folder: Path) -> None:
    drill(folder, "--env", "rehearsal")
    (known,) = outcomes.all_in(folder / ".gonogo" / "runs")
    with closing(SqliteJournal(folder / ".gonogo" / "journal.db", SystemClock())) as journal:
        events = list(journal.events(known.run))
    later = stamp(moment(events[2].at) + timedelta(hours=1))
    events[2] = dataclasses.replace(events[2], at=later)
    place = folder / ".gonogo" / "runs" / known.run
    outcomes.write(place, dataclasses.replace(known, passed=False))
    assert standing.closed(place, events) == []
    found = outcomes.read(place)
    assert found is not None
    assert not found.passed
    assert "the clock was set back" in found.why


def test_a_way_back_that_does_not_lead_back_fails_the_drill(folder: Path) -> None:
    (folder / "deploy.md").write_text(BOOK.replace("echo old >", "echo other >"))
    done = drill(folder, "--env", "rehearsal")
    assert done.code == 1
    assert "drill failed: " in done.err
    assert release(folder).code == 1


def test_another_way_back_is_not_the_one_that_was_rehearsed(folder: Path) -> None:
    drill(folder, "--env", "rehearsal")
    (folder / "deploy.md").write_text(
        BOOK.replace("### Option 1: switch back", "### Option 1: back")
    )
    done = gonogo("run", "deploy.md", "--env", "production", "--yes", "--json", cwd=folder)
    assert done.code == 1
    assert "the rollback section was changed since" in json.dumps(json.loads(done.out))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ((), "a drill needs a rehearsal environment"),
        (("--env", "production"), "`production` is no place for a drill"),
        (("--env", "mirror"), "`mirror` and `production` have the same `APP`"),
        (("--env", "nowhere"), "there is no environment `nowhere`"),
    ],
)
def test_it_never_runs_where_people_are(folder: Path, more: tuple[str, ...], why: str) -> None:
    done = drill(folder, *more)
    assert done.code == 2
    assert why in done.err
    assert not (folder / "live").exists()


@pytest.mark.parametrize(
    ("target", "production", "rehearsal", "why"),
    [
        ("${APP}", "{}", "{}", "have the same `APP`"),  # both take it from outside
        ("${APP}", "{ APP: '${A}' }", "{ APP: '${A}' }", "have the same `APP`"),
        ("http://app.internal", "{}", "{}", "have the same address of `app`"),
        ("http://${H}:${P}", "{ H: a, P: '1' }", "{ H: a, P: '1' }", "have the same `H` and `P`"),
    ],
)
def test_what_both_take_from_outside_is_shared(
    folder: Path, target: str, production: str, rehearsal: str, why: str
) -> None:
    text = BOOK.replace("${APP}", target)
    text = text.replace("{ APP: live, WHERE: live }", production)
    (folder / "deploy.md").write_text(text.replace("{ APP: stage, WHERE: stage }", rehearsal))
    done = drill(folder, "--env", "rehearsal")
    assert done.code == 2
    assert why in done.err


def test_one_part_of_an_address_may_be_the_same(folder: Path) -> None:
    text = BOOK.replace("${APP}", "http://${APP}:${PORT}").replace("WHERE:", "PORT: '1', WHERE:")
    (folder / "deploy.md").write_text(text)
    assert drill(folder, "--env", "rehearsal").code == 0


@pytest.mark.parametrize("name", ["prd", "prod-eu", "production_2", "LIVE"])
def test_names_of_what_people_use_have_many_spellings(folder: Path, name: str) -> None:
    (folder / "deploy.md").write_text(BOOK.replace("  production:", f"  {name}:"))
    assert f"`{name}` is no place for a drill" in drill(folder, "--env", name).err


@pytest.mark.parametrize("name", ["preprod", "non-prod", "prod-copy", "staging", "live-mirror"])
def test_copies_of_it_are_places_for_a_drill(folder: Path, name: str) -> None:
    (folder / "deploy.md").write_text(BOOK.replace("  rehearsal:", f"  {name}:"))
    assert "no place for a drill" not in drill(folder, "--env", name).err


def test_a_runbook_without_a_way_back_is_refused(folder: Path) -> None:
    (folder / "deploy.md").write_text(BOOK.partition("## Rollback")[0])
    done = drill(folder, "--env", "rehearsal")
    assert done.code == 2
    assert "has no way back to rehearse" in done.err
