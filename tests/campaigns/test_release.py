"""Releases of the campaigns service: what must come of each fault that its ticket speaks of."""

from __future__ import annotations

import pytest
from tests.campaigns.acting import Released, ask, gonogo, queue, release, rows

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


def test_the_second_migration_fails_and_exactly_the_first_is_taken_back(
    campaigns: Workspace,
) -> None:
    schema = look(campaigns).schema
    campaigns.script("bin/fault", "second-fails")
    told = release(campaigns)
    assert_back(campaigns, told, schema)
    assert told.failed() == [MIGRATE]
    assert rows(campaigns, "SELECT count(*) FROM tasks") == [(1200,)]


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


@nightly
def test_a_job_that_fails_is_an_alert_and_no_reason_to_go_back(campaigns: Workspace) -> None:
    def fail() -> None:
        campaigns.script("bin/fault", "jobs-retry")
        ask(campaigns, "/campaigns", "POST", {"name": "of a customer", "tasks": 1})

    told = release(campaigns, week_s=40, during=fail)
    assert "Warn: Failed jobs > 0 for 1 bucket" in told.fired("warn")
    assert told.fired("rollback") == []
    assert told.code == 0, told.text
    assert queue(campaigns).zcard("retry") == 1


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
    assert "fail  The log holds no error of a WebSocket" in told.text
    assert told.code != 0


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
    told = release(campaigns)
    assert told.code == 0, told.text
    after = look(campaigns)
    assert (after.release, after.worker, after.migrations) == ("v2", "v2", "0001 0002 0003")
    assert (after.cached, after.left_over) == (3, 0)
    window = told.evidence["phases"][1]["steps"][0]
    assert "window" in window["title"]
