from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from tests.demo.acting import bash, get, rows, succeed, to_v2, value

from gonogo.demo.inbox import Inbox, begun, read
from gonogo.demo.workspace import Workspace
from gonogo.services.workplace import birth

LEFT = "SELECT drain_cache_invalidation_queue(100, 20)"


def noted(workspace: Workspace) -> int:
    pid, born = (workspace.folder / "run" / "worker.pid").read_text().split()
    assert birth(int(pid)) == born
    return int(pid)


def test_it_starts_once_outlives_its_starter_and_stops(search: Workspace) -> None:
    pid = noted(search)
    assert os.getsid(pid) == pid
    assert f"runs already (process {pid})" in succeed(search, "bin/worker start")
    assert succeed(search, "bin/worker status") == f"the worker runs (process {pid})"
    succeed(search, "bin/worker restart")
    assert noted(search) != pid
    assert birth(pid) == ""
    assert "stopped" in succeed(search, "bin/worker stop")
    assert succeed(search, "bin/worker stop") == "nothing runs"
    told = bash(search, "bin/worker status")
    assert (told.returncode, told.stderr) == (1, "worker: it does not run\n")
    assert bash(search, "bin/worker dance").returncode == 2


def test_one_that_is_there_and_does_not_beat_is_seen(search: Workspace) -> None:
    pid = noted(search)
    os.kill(pid, signal.SIGSTOP)
    (search.folder / "run" / "worker.beat").write_text("0\n")
    told = bash(search, "bin/worker status")
    os.kill(pid, signal.SIGCONT)
    assert (told.returncode, "has not beaten" in told.stderr) == (1, True)


def test_it_warms_what_is_asked_most_and_forgets_what_changed(search: Workspace) -> None:
    for question in ("disk", "disk", "worker", "log"):
        get(search, f"/api/search?q={question}")
    to_v2(search)
    assert value(search, "SELECT warm_cache_top_queries(2)") == 2
    assert value(search, LEFT) == 0
    assert succeed(search, "bin/cache count v2") == "2"
    rows(search, "UPDATE documents SET title = title || '!' WHERE title = 'How to check the disk'")
    assert value(search, LEFT) == 0
    assert succeed(search, "bin/cache count v2") == "1"
    assert get(search, "/api/search?q=disk").headers["x-cache"] == "miss"


def test_told_to_stop_it_leaves_the_tasks_where_they_are(search: Workspace) -> None:
    to_v2(search)
    search.plant("worker")
    rows(search, "INSERT INTO cache_jobs (task, query) VALUES ('forget', 'disk')")
    assert value(search, "SELECT drain_cache_invalidation_queue(100, 1)") == 1
    search.plant("none")
    assert value(search, LEFT) == 0


def test_what_cannot_be_done_now_is_done_later(search: Workspace) -> None:
    succeed(search, "bin/service stop")
    rows(search, "INSERT INTO cache_jobs (task, query) VALUES ('warm', 'disk')")
    assert value(search, "SELECT drain_cache_invalidation_queue(100, 1)") == 1
    succeed(search, "bin/service start")
    assert value(search, LEFT) == 0


def test_two_workers_take_no_task_twice(search: Workspace) -> None:
    succeed(search, "bin/worker stop")
    succeed(search, "bin/service stop && bin/service start")
    with subprocess.Popen(
        [sys.executable, str(search.folder / "bin" / "worker"), "run"],
        cwd=search.folder,
        env=dict(search.settings),
    ) as other:
        succeed(search, "bin/worker start")
        rows(
            search,
            "INSERT INTO cache_jobs (task, query) SELECT 'warm', 'q' || n"
            " FROM generate_series(1, 60) AS n",
        )
        assert value(search, LEFT) == 0
        other.terminate()
    asked = [line for line in search.access_log.read_text().splitlines() if "search-worker" in line]
    assert len(asked) == 60


def test_it_refreshes_each_view_in_turn_and_notes_what_fails(search: Workspace) -> None:
    to_v2(search)
    quick = search.with_settings(REFRESH_EVERY_S="0.3")
    succeed(quick, "bin/worker restart")
    rows(search, "TRUNCATE mv_refresh_log")
    done = "SELECT count(*), count(DISTINCT view_name), count(error) FROM mv_refresh_log"
    while (seen := rows(search, done)[0])[0] < 6:
        pass
    assert seen[1:] == (3, 0)
    search.plant("refresh")
    while value(search, "SELECT failures FROM refresh_failures") < 3:
        pass
    assert "division by zero" in (search.folder / "logs" / "worker.log").read_text()


def test_it_ends_when_its_folder_is_gone(search: Workspace) -> None:
    pid = noted(search)
    (search.folder / "run").rename(search.folder / "gone")
    while birth(pid):
        pass
    (search.folder / "gone").rename(search.folder / "run")


def post(url: str, body: str) -> int:
    request = urllib.request.Request(url, body.encode(), {"Idempotency-Key": "k1"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


ALERT = (
    '{{"severity": "{0}", "state": "{1}", "alerts": '
    '[{{"severity": "{0}", "state": "{1}", "reason": "first", "text": "error rate 3 %"}}]}}'
)


def test_the_inbox_keeps_every_alert_and_can_be_told_to_fail(bare: Workspace) -> None:
    assert read(bare.alerts) == ()
    with Inbox(bare.folder / "bin" / "inbox", bare.alerts) as inbox:
        assert post(inbox.url, ALERT.format("page", "firing")) == 200
        assert post(inbox.url + "503", ALERT.format("critical", "firing")) == 503
        assert post(inbox.url, ALERT.format("warn", "resolved")) == 200
    kept = read(bare.alerts)
    assert [(note.severity, note.state) for note in kept] == [
        ("page", "firing"),
        ("critical", "firing"),
        ("warn", "resolved"),
    ]
    assert begun(kept) == ("critical", "page")
    assert "error rate 3 %" in kept[0].say()
    with pytest.raises(OSError):  # noqa: PT011 - nobody listens any longer
        post(inbox.url, "{}")
