"""The ways back of the campaigns service: one rehearsed elsewhere, and the backup as the last."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.campaigns.acting import evidence, gonogo, release, rows

from gonogo import outcomes
from gonogo.demo import campaigns_place
from gonogo.demo.campaigns_story import look
from gonogo.demo.workspace import Workspace

pytestmark = pytest.mark.nightly
SHORT = "Watch for 1 week in 2-second buckets"
ADDRESSES = ("APP_URL", "DATABASE_URL", "CACHE_URL", "QUEUE_URL")
REHEARSED = "The way back was rehearsed lately, and it is still the same one"
CHECK = f"""\
## Pre-deployment

- [ ] ⚠️ {REHEARSED}

  ```yaml
  check: drill
  ```

  - Expect: passed is true
  - Expect: age < 30d
  - Expect: same is true
"""


def ask_for_a_drill(place: Workspace) -> None:
    runbook = place.folder / "deploy.md"
    text = runbook.read_text(encoding="utf-8")
    runbook.write_text(text.replace("## Pre-deployment\n", CHECK, 1), encoding="utf-8")


def drill(place: Workspace, live: Workspace) -> subprocess.CompletedProcess[str]:
    """Rehearse beside the live service, whose addresses are set, and keep its record there."""
    campaigns_place.watch(place, SHORT)
    own = {f"REHEARSAL_{name}": place.settings[name] for name in ADDRESSES}
    words = ("deploy.md", "--env", "rehearsal", "--release", "v2", "--answers", "answers.yml")
    home = str(live.folder / ".gonogo")
    return subprocess.run(
        [sys.executable, "-m", "gonogo", "drill", *words, "--yes", "--by", "ana", "--home", home],
        cwd=place.folder,
        env={**live.settings, **own},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.timeout(240)
def test_a_release_that_asks_for_a_drill_starts_after_one(
    campaigns: Workspace, rehearsal: Workspace
) -> None:
    ask_for_a_drill(campaigns)
    ask_for_a_drill(rehearsal)
    live, stage = look(campaigns), look(rehearsal)

    told = drill(rehearsal, campaigns)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "drill passed: the way back took" in told.stderr
    assert look(campaigns) == live  # what people use was not touched
    assert look(rehearsal) == stage  # and where it was rehearsed, it led back
    (kept,) = outcomes.all_in(campaigns.folder / ".gonogo" / "runs")
    assert (kept.drill, kept.passed, kept.environment) == (True, True, "rehearsal")

    released = release(campaigns)
    assert released.code == 0, released.text
    assert released.status(REHEARSED) == "pass"
    assert look(campaigns).release == "v2"
    assert look(rehearsal).release == "v1"


@pytest.mark.timeout(240)
def test_the_backup_is_the_last_way_and_wants_a_name_typed(campaigns: Workspace) -> None:
    """Somebody has made a view on what v2 brought, so its migration cannot be taken back."""
    before = look(campaigns)

    def block() -> None:
        rows(campaigns, "CREATE VIEW busiest AS SELECT max(tasks_done) FROM agent_metrics")
        campaigns.script("bin/fault", "agents-offline")

    told = release(campaigns, week_s=60, during=block)
    assert told.code == 3, told.text
    assert "other objects depend on it" in told.text
    offered = gonogo(campaigns, "answer").stdout
    assert "restore the backup" in offered

    assert say(campaigns, "rollback?choice0", "2").returncode == 0
    asking = gonogo(campaigns, "resume", "--by", "demo")
    assert asking.returncode == 3
    assert "`restore over db` cannot be undone; type `db` to confirm" in asking.stderr
    assert look(campaigns).migrations == "0001 0002 0003"  # nothing was replaced yet
    assert say(campaigns, "restore over", "yes").returncode == 2  # that is not its name
    assert say(campaigns, "restore over", "db").returncode == 0

    back = gonogo(campaigns, "resume", "--by", "demo")
    assert back.returncode == 4, back.stdout
    assert look(campaigns) == before
    assert evidence(campaigns)["rollback"]["option"] == "rollback/restore-the-backup"


def say(place: Workspace, question: str, answer: str) -> subprocess.CompletedProcess[str]:
    words = (question, answer, "--by", "ana", "--reason", "the view is in the way")
    return gonogo(place, "answer", *words)
