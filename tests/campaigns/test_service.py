"""The campaigns service: pages, caches, queue, pushes, and that each fault does what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.campaigns.acting import ask, cache, queue, rows, until
from tests.support.browsers import driven
from tests.support.kinds import a_context

from gonogo.demo.workspace import Workspace
from gonogo.errors import UsageError
from gonogo.plan.kinds import Datum
from gonogo.plan.units import Quantity
from gonogo.probes.browser import Browser
from gonogo.probes.websocket import WebSocket

NAME = "a test"


def listen(place: Workspace, folder: Path, **more: object) -> dict[str, Datum]:
    """Create a campaign, and see what a subscriber is told."""
    work = WebSocket(
        url="{{app}}/cable",
        channel="CampaignsChannel",
        trigger='POST {{app}}/campaigns\n\n{"name": "a test", "tasks": 25}',
        **more,  # type: ignore[arg-type]
    )
    context = a_context(folder, targets={"app": place.settings["APP_URL"]})
    try:
        return dict(work.perform(context).indicators)
    finally:
        ask(place, "/campaigns?name=a+test", "DELETE")


def test_v1_has_its_pages_and_not_those_of_v2(campaigns: Workspace) -> None:
    assert ask(campaigns, "/up") == (200, {"status": "ok", "version": "v1"})
    assert ask(campaigns, "/agents.json")[1]["online"] == 4
    assert ask(campaigns, "/campaigns.json")[1]["campaigns"][0]["percent"] == 100
    assert ask(campaigns, "/system_health")[0] == 404
    assert cache(campaigns).keys("cache:*") == []
    assert campaigns.script("bin/service", "release") == "v1"
    assert campaigns.works("bin/status")


def test_v1_keeps_working_on_the_schema_of_v2_and_back(campaigns: Workspace) -> None:
    campaigns.script("bin/migrate", "up", "--for", "v2")
    assert ask(campaigns, "/campaigns", "POST", {"name": NAME, "tasks": 3})[0] == 201
    counted = "SELECT tasks_total, tasks_done FROM campaigns WHERE name = 'a test'"
    assert until(lambda: rows(campaigns, counted) == [(3, 3)])
    campaigns.script("bin/migrate", "down", "--for", "v2")
    assert ask(campaigns, "/campaigns?name=a+test", "DELETE")[0] == 200
    assert rows(campaigns, "SELECT version FROM schema_migrations") == [("0001",)]


def test_pages_are_for_people_and_for_programs(v2: Workspace) -> None:
    for path, title in (("/agents", "Agents"), ("/campaigns", "Campaigns")):
        status, page = ask(v2, path)
        assert status == 200
        assert f"<title>{title}</title>" in page
    status, health = ask(v2, "/system_health.json")
    assert (status, health["status"], health["version"]) == (200, "healthy", "v2")
    assert set(health["services"]) == {"database", "cache", "queue", "worker", "agents"}
    assert "healthy" in ask(v2, "/system_health")[1]
    assert ask(v2, "/agents.json")[1]["agents"][0]["tasks_done"] == 300


@pytest.mark.parametrize(
    ("body", "status"),
    [({"name": ""}, 422), ({"tasks": 3}, 400), ({"name": "x", "tasks": 0}, 422), ("x", 400)],
)
def test_a_campaign_that_makes_no_sense_is_refused(
    v2: Workspace, body: object, status: int
) -> None:
    assert ask(v2, "/campaigns", "POST", body)[0] == status


def test_the_three_pages_fill_the_three_keys(v2: Workspace) -> None:
    assert v2.script("bin/cache", "warm") == "3 of 3 pages visited"
    assert sorted(cache(v2).keys("cache:v2:*")) == [
        "cache:v2:agent_metrics",
        "cache:v2:campaign_eta",
        "cache:v2:health_check",
    ]
    assert "missing" not in v2.script("bin/cache", "status", "v2")
    assert v2.script("bin/cache", "clear", "v2") == "3 keys of v2 forgotten"


def test_a_change_is_pushed_to_who_has_subscribed(v2: Workspace, tmp_path: Path) -> None:
    found = listen(v2, tmp_path, contains='"created"')
    assert found["confirmed"] is True
    assert found["protocol"] == "actioncable-v1-json"
    assert found["trigger status"] == 201
    message = found["message"]
    assert isinstance(message, dict)
    assert (message["event"], message["name"]) == ("created", NAME)
    assert listen(v2, tmp_path, contains='"progress"')["messages"] >= 1  # by the worker


def test_another_channel_is_rejected_and_a_wrong_path_refused(
    v2: Workspace, tmp_path: Path
) -> None:
    context = a_context(tmp_path, targets={"app": v2.settings["APP_URL"]})
    found = WebSocket(url="{{app}}/cable", channel="Other").perform(context).indicators
    assert (found["connected"], found["confirmed"]) == (True, False)
    found = WebSocket(url="{{app}}/other").perform(context).indicators
    assert (found["connected"], found["status"]) == (False, 404)


def test_the_queue_has_the_keys_of_sidekiq(v2: Workspace) -> None:
    kept = queue(v2)
    done = int(kept.get("stat:processed") or 0)
    assert ask(v2, "/campaigns", "POST", {"name": NAME, "tasks": 25})[0] == 201
    # 25 tasks, ten at a time: the job comes back twice
    assert until(lambda: int(kept.get("stat:processed") or 0) == done + 3)
    assert ask(v2, "/campaigns?name=a+test", "DELETE")[0] == 200
    assert kept.smembers("queues") == {"default"}
    beats = [kept.hgetall(name) for name in kept.smembers("processes")]
    tags = [json.loads(beat["info"])["tag"] for beat in beats if beat]
    assert tags == ["campaigns v2"]


@pytest.mark.parametrize(("fault", "place"), [("jobs-retry", "retry"), ("jobs-dead", "dead")])
def test_a_job_that_fails_is_kept_with_its_reason(v2: Workspace, fault: str, place: str) -> None:
    v2.script("bin/fault", fault)
    failed = int(queue(v2).get("stat:failed") or 0)
    ask(v2, "/campaigns", "POST", {"name": NAME, "tasks": 1})
    assert until(lambda: queue(v2).zcard(place) == 1)
    ask(v2, "/campaigns?name=a+test", "DELETE")
    job = json.loads(queue(v2).zrange(place, 0, 0)[0])
    assert (job["class"], job["error_class"], job["retry_count"]) == (
        "CampaignJob",
        "RuntimeError",
        0,
    )
    assert until(lambda: int(queue(v2).get("stat:failed") or 0) == failed + 1)


def test_with_the_fault_no_change_is_pushed(v2: Workspace, tmp_path: Path) -> None:
    v2.script("bin/fault", "silent")
    found = listen(v2, tmp_path, within_s=1.0)
    assert (found["confirmed"], found["trigger status"], found["messages"]) == (True, 201, 0)


def test_with_the_fault_no_socket_is_accepted_and_the_log_says_so(
    v2: Workspace, tmp_path: Path
) -> None:
    v2.script("bin/fault", "socket-errors")
    found = listen(v2, tmp_path)
    assert (found["connected"], found["status"]) == (False, 503)
    log = (v2.folder / "logs" / "app.jsonl").read_text(encoding="utf-8")
    last = json.loads(log.splitlines()[-1])
    assert (last["component"], last["level"]) == ("cable", "error")
    assert "WebSocket" in last["message"]


def test_with_the_fault_nothing_can_be_created(v2: Workspace, tmp_path: Path) -> None:
    v2.script("bin/fault", "create-broken")
    assert ask(v2, "/campaigns", "POST", {"name": NAME})[0] == 500
    found = listen(v2, tmp_path, within_s=0.2)
    assert (found["trigger status"], found["messages"]) == (500, 0)


def test_with_the_fault_agents_go_offline(v2: Workspace) -> None:
    v2.script("bin/fault", "agents-offline")
    assert until(lambda: ask(v2, "/agents.json")[1]["online"] == 0)
    status, health = ask(v2, "/system_health.json")
    assert (status, health["services"]["agents"]) == (503, "unhealthy")
    v2.script("bin/fault", "none")
    assert until(lambda: ask(v2, "/agents.json")[1]["online"] == 4)


@pytest.mark.parametrize("key", ["agent_metrics", "campaign_eta", "health_check"])
def test_with_the_fault_a_key_is_missing_after_the_visit(v2: Workspace, key: str) -> None:
    v2.script("bin/fault", "cache-empty", key)
    assert v2.script("bin/cache", "warm") == "3 of 3 pages visited"
    assert len(cache(v2).keys("cache:v2:*")) == 2
    assert not cache(v2).exists(f"cache:v2:{key}")


def test_rows_are_lost_and_stay_lost(v2: Workspace) -> None:
    counted = "SELECT count(*) FROM tasks WHERE state = 'done'"
    before = rows(v2, counted)[0][0]
    v2.script("bin/fault", "rows-lost")
    assert rows(v2, counted) == [(before - 40,)]


def test_a_slow_statement_leaves_a_row(v2: Workspace) -> None:
    rows(v2, "ALTER TABLE campaigns RENAME TO campaigns_behind")
    rows(
        v2,
        "CREATE VIEW campaigns AS SELECT * FROM campaigns_behind WHERE pg_sleep(0.1) IS NOT NULL",
    )
    try:
        assert ask(v2, "/campaigns")[0] == 200
        found = rows(v2, "SELECT release, took_ms > 250 FROM slow_queries ORDER BY id DESC LIMIT 1")
        assert found == [("v2", True)]
    finally:
        rows(v2, "DROP VIEW campaigns")
        rows(v2, "ALTER TABLE campaigns_behind RENAME TO campaigns")


def test_a_bundle_is_the_same_each_time_and_one_that_was_changed_is_refused(
    bare: Workspace,
) -> None:
    said = bare.script("bin/bundle", "v2")
    assert bare.script("bin/bundle", "v2") == said
    bundle = bare.folder / "bundles" / "campaigns-v2.tar"
    bundle.write_bytes(bundle.read_bytes().replace(b"percent", b"precent"))
    with pytest.raises(UsageError, match="has sha256"):
        bare.script("bin/fetch", "v2")
    assert not (bare.folder / "releases" / "v2").exists()
    assert list((bare.folder / "releases").iterdir()) == []


def test_without_a_bundle_there_is_nothing_to_fetch(bare: Workspace) -> None:
    with pytest.raises(UsageError, match="No such file"):
        bare.script("bin/fetch", "v2")


def test_the_second_migration_of_the_variant_fails_and_one_is_taken_back(
    campaigns: Workspace,
) -> None:
    campaigns.script("bin/fault", "second-fails")
    with pytest.raises(UsageError, match="duplicate key"):
        campaigns.script("bin/migrate", "up", "--for", "v2")
    assert rows(campaigns, "SELECT count(*) FROM schema_migrations") == [(2,)]
    told = campaigns.script("bin/migrate", "down", "--for", "v2")
    assert "1 taken back" in told
    assert rows(campaigns, "SELECT version FROM schema_migrations") == [("0001",)]
    campaigns.script("bin/fault", "none")
    assert "2 applied" in campaigns.script("bin/migrate", "up", "--for", "v2")


def test_only_the_recorded_process_is_ended(campaigns: Workspace) -> None:
    pid = int((campaigns.folder / "run" / "service.pid").read_text().split()[0])
    (campaigns.folder / "run" / "service.pid").write_text(f"{pid} 1\n")  # another birth
    assert campaigns.script("bin/service", "stop") == "service: nothing runs"
    assert ask(campaigns, "/up")[0] == 200
    birth = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    (campaigns.folder / "run" / "service.pid").write_text(f"{pid} {birth}\n")
    assert "stopped" in campaigns.script("bin/service", "stop")


@pytest.mark.nightly
@driven
@pytest.mark.parametrize(("seconds", "slow"), [("5.2", True), ("4.9", False)])
def test_a_browser_tells_5_2_seconds_from_4_9(
    v2: Workspace, tmp_path: Path, seconds: str, slow: bool
) -> None:
    v2.script("bin/fault", "page-load", seconds)
    context = a_context(tmp_path, targets={"app": v2.settings["APP_URL"]}, timeout_s=60)
    found = Browser(url="{{app}}/campaigns", loads=3).perform(context).indicators
    load = found["load"]
    assert isinstance(load, Quantity)
    assert (load.number > 5) is slow
    assert (found["title"], found["console errors"]) == ("Campaigns", 0)
