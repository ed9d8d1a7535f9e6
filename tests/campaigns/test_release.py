"""Releases of the campaigns service: what must come of each fault that its ticket speaks of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.campaigns.acting import Released, ask, gonogo, queue, release, rows
from tests.support.browsers import driven

from gonogo.clock import SystemClock
from gonogo.demo.campaigns_story import look
from gonogo.demo.workspace import Workspace

CREATED = "A test campaign is created, and whoever listens is told"
MIGRATE = "Migrate the schema, once (about 5 seconds)"
nightly = pytest.mark.nightly


def assert_back(place: Workspace, told: Released, schema: tuple[str, ...]) -> None:
    """v1 runs on its own schema again, nothing of v2 is left, and no backup was needed for it."""
    after = look(place)
    assert told.code == 4, told.text
    assert (after.release, after.worker) == ("v1", "v1")
    assert after.migrations == "0001"
    assert after.schema == schema
    assert (after.cached, after.left_over) == (0, 0)
    assert told.evidence["rollback"]["option"] == "rollback/previous-release-and-its-schema"


def assert_kept(place: Workspace, reason: str) -> None:
    """A person says that v2 stays, which makes no success of it."""
    told = gonogo(place, "answer", "sign-off?gate", "keep", "--by", "ana", "--reason", reason)
    assert told.returncode == 0, told.stderr
    resumed = gonogo(place, "resume", "--by", "demo")
    assert resumed.returncode == 1, resumed.stdout + resumed.stderr
    after = look(place)
    assert (after.release, after.migrations) == ("v2", "0001 0002 0003")


def test_the_second_migration_fails_and_exactly_the_first_is_taken_back(
    campaigns: Workspace,
) -> None:
    schema = look(campaigns).schema
    campaigns.script("bin/fault", "second-fails")
    told = release(campaigns)
    assert_back(campaigns, told, schema)
    assert told.failed() == [MIGRATE]
    assert rows(campaigns, "SELECT count(*) FROM tasks") == [(1200,)]


def test_a_number_that_nobody_could_say_afterwards_is_asked_before(campaigns: Workspace) -> None:
    (campaigns.folder / "support" / "requests-before").unlink()
    told = release(campaigns)
    assert told.code == 3, told.text  # nothing of it runs before a person decides
    asked = "How many requests for support there were in the week before"
    assert told.status(asked) == "unknown"
    after = look(campaigns)
    assert (after.release, after.migrations) == ("v1", "0001")


def test_code_that_is_fetched_from_outside_is_found_before_the_release(bare: Workspace) -> None:
    runbook = bare.folder / "deploy.md"
    text = runbook.read_text(encoding="utf-8")
    runbook.write_text(text.replace("bin/fetch v2", "git pull origin main"), encoding="utf-8")
    told = gonogo(bare, "lint", "deploy.md")
    assert told.returncode == 2
    assert "GN551" in told.stdout + told.stderr


@nightly
@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        (["create-broken"], CREATED),
        (["silent"], CREATED),
        (["cache-empty", "campaign_eta"], "All three are in the cache"),
        (
            ["page-load", "5.2"],
            "Visit the page of the campaigns, which keeps when they will be done",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_after_both_migrations_a_step_fails_and_both_are_taken_back(
    campaigns: Workspace, fault: list[str], failing: str
) -> None:
    schema = look(campaigns).schema
    campaigns.script("bin/fault", *fault)
    told = release(campaigns)
    assert_back(campaigns, told, schema)
    assert failing in told.failed()


@nightly
@pytest.mark.parametrize(
    ("fault", "trigger"),
    [
        (["page-load", "5.2"], "Page load max > 5s for 2 of 3 buckets"),
        (["agents-offline"], "Agents offline > 0 for 1 bucket"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_trigger_fires_in_the_watch_and_v1_is_back(
    campaigns: Workspace, fault: list[str], trigger: str
) -> None:
    schema = look(campaigns).schema
    told = release(
        campaigns,
        watch="Watch for 1 week in 3-second buckets",
        week_s=60,
        during=lambda: campaigns.script("bin/fault", *fault) and None,
    )
    assert_back(campaigns, told, schema)
    assert told.fired("rollback") == [trigger]


@nightly
def test_a_page_that_takes_4_9_seconds_is_no_reason_to_go_back(campaigns: Workspace) -> None:
    told = release(
        campaigns,
        watch="Watch for 1 week in 5-second buckets",
        week_s=20,
        during=lambda: campaigns.script("bin/fault", "page-load", "4.9") and None,
    )
    assert told.fired("rollback") == []
    assert told.code == 0, told.text
    assert ask(campaigns, "/up")[1]["version"] == "v2"


LOADED = """\
## Warm the caches and verify them

- [ ] ⚠️ A reader waits less than 5 s in 2 of 3 loads

  ```yaml
  check: browser
  url: "{{app}}/campaigns"
  loads: 3
  timeout: 1m
  ```

  - Expect: load < 5s
"""


@nightly
@driven
@pytest.mark.parametrize(("seconds", "code"), [("5.2", 4), ("4.7", 0)])
def test_a_real_browser_tells_a_page_that_is_too_slow(
    campaigns: Workspace, seconds: str, code: int
) -> None:
    """What the service takes; a browser on a busy machine adds a tenth of a second or two."""
    runbook = campaigns.folder / "deploy.md"
    text = runbook.read_text(encoding="utf-8")
    heading = "## Warm the caches and verify them\n"
    assert heading in text
    runbook.write_text(text.replace(heading, LOADED), encoding="utf-8")
    schema = look(campaigns).schema
    campaigns.script("bin/fault", "page-load", seconds)
    told = release(campaigns, watch="Watch for 1 week in 5-second buckets", week_s=20)
    assert told.code == code, told.text
    if code == 4:
        assert_back(campaigns, told, schema)
        assert told.failed() == ["A reader waits less than 5 s in 2 of 3 loads"]


@nightly
@pytest.mark.parametrize("kept", ["retry", "dead"])
def test_a_job_that_fails_is_an_alert_and_no_reason_to_go_back(
    campaigns: Workspace, kept: str
) -> None:
    queue(campaigns).set("stat:failed", 7)  # what failed before the release does not count

    def fail() -> None:
        campaigns.script("bin/fault", f"jobs-{kept}")
        ask(campaigns, "/campaigns", "POST", {"name": "of a customer", "tasks": 1})

    told = release(campaigns, week_s=40, during=fail)
    assert "Warn: Failed jobs > 0 for 1 bucket" in told.fired("warn")
    assert told.fired("rollback") == []
    assert told.code == 0, told.text
    assert queue(campaigns).zcard(kept) == 1


@nightly
@pytest.mark.parametrize(
    "trigger", ["Rows are lost or damaged", "A security vulnerability is discovered"]
)
def test_a_person_says_what_no_figure_shows_and_v1_is_back(
    campaigns: Workspace, trigger: str
) -> None:
    schema = look(campaigns).schema

    def say() -> None:
        told = gonogo(campaigns, "answer", trigger, "no", "--by", "ana", "--note", "seen")
        assert told.returncode == 0, told.stderr

    told = release(campaigns, week_s=60, without=trigger, during=say)
    assert_back(campaigns, told, schema)


@nightly
def test_an_error_of_a_socket_in_the_log_spoils_the_end(campaigns: Workspace) -> None:
    def fail() -> None:
        campaigns.script("bin/fault", "socket-errors")
        told = gonogo(campaigns, "kinds", "websocket")
        assert told.returncode == 0
        url = campaigns.settings["APP_URL"]
        (campaigns.folder / "listen.md").write_text(LISTEN.replace("URL", url), encoding="utf-8")
        assert gonogo(campaigns, "run", "listen.md", "--yes", "--home", "other").returncode != 0

    told = release(campaigns, week_s=40, during=fail)
    criterion = "The log holds no error of a WebSocket"
    assert told.status(criterion) == "fail"
    assert told.evidence["rollback"]["started"] == ""  # what goes back is written as a trigger
    assert told.code == 3, told.text
    assert_kept(campaigns, "the log of a load balancer's own look")


LISTEN = """\
---
gonogo: 1
service: listener
---
# Listen

## Smoke tests

- [ ] Somebody may listen

  ```yaml
  check: websocket
  url: URL/cable
  ```
"""


@nightly
def test_without_the_answers_at_the_end_the_verdict_waits(campaigns: Workspace) -> None:
    """Three days for the answer, which pass in seconds here; then it is a person's to decide."""
    question = "Nobody reported a critical bug"
    told = release(campaigns, without=question)
    assert told.code == 3, told.text
    assert told.status(question) == "unknown"
    words = ("go", "--by", "ana", "--reason", "support was away; asked by telephone")
    answered = gonogo(campaigns, "answer", "sign-off?gate", *words)
    assert answered.returncode == 0, answered.stderr
    resumed = gonogo(campaigns, "resume", "--by", "demo")
    assert resumed.returncode == 0, resumed.stderr


@nightly
def test_everything_is_well_and_v2_stays(campaigns: Workspace) -> None:
    """Also outside of the wished-for window, which the evidence says."""
    other_day = (SystemClock().now() + timedelta(days=3)).strftime("%a")
    runbook = campaigns.folder / "deploy.md"
    text = runbook.read_text(encoding="utf-8")
    assert "release window: Tue-Thu 02:00" in text
    runbook.write_text(text.replace("Tue-Thu 02:00", f"{other_day} 02:00"), encoding="utf-8")
    told = release(campaigns)
    assert told.code == 0, told.text
    after = look(campaigns)
    assert (after.release, after.worker, after.migrations) == ("v2", "v2", "0001 0002 0003")
    assert (after.cached, after.left_over) == (3, 0)
    window = told.finding("outside of the window, which is only a wish")
    assert window["expected"] == f"{other_day} 02:00-05:00 Europe/London (if possible)"
    assert "outside of" in window["actual"]
    assert "the runbook lets it begin" in window["actual"]
