from __future__ import annotations

import json

import pytest
from tests.demo.acting import get, rows, succeed, to_v2, value

from gonogo.demo.workspace import Workspace

only_v2 = pytest.mark.parametrize("kept_up", ["v2"], indirect=True)


def test_routes_answer_as_each_reader_may(app: Workspace, release: str) -> None:
    home = get(app, "/")
    assert (home.status, release in home.text, "deploy%20key" in home.text) == (200, True, True)
    health = get(app, "/api/health")
    assert health.data == {
        "status": "ok",
        "version": release,
        "checks": {"database": "ok", "cache": "ok"},
    }
    assert get(app, "/api/health", method="HEAD").text == ""
    assert get(app, "/nowhere").status == 404
    assert get(app, "/api/health", method="POST").status == 405
    assert get(app, "/api/search?q=").status == 400
    assert get(app, "/api/search?q=" + "a" * 101).status == 400
    for path in ("/api/admin/performance", "/api/admin/audit-log"):
        assert get(app, path).status == 401
        assert get(app, path, "a token that nobody has").status == 401
        refused = get(app, path, "REGULAR_USER_TOKEN")
        assert (refused.status, refused.data) == (403, {"error": "forbidden"})
        assert get(app, path, "ADMIN_TOKEN").status == 200
    tried = rows(app, "SELECT who, status FROM audit_log ORDER BY id")
    assert tried == [("ben", 403), ("ana", 200), ("ben", 403), ("ana", 200)]
    entries = get(app, "/api/admin/audit-log", "ADMIN_TOKEN").data["entries"]
    assert [entry["who"] for entry in entries] == ["ana", "ana", "ben", "ana", "ben"]


def test_a_search_is_kept_per_release_and_logged(app: Workspace, release: str) -> None:
    before = get(app, "/api/admin/performance", "ADMIN_TOKEN").data
    first, second = (get(app, "/api/search?q=Rolling%20%20back") for _ in range(2))
    assert (first.status, first.headers["x-cache"], first.data["count"]) == (200, "miss", 10)
    assert (second.headers["x-cache"], second.data) == ("hit", first.data)
    assert all("Rolling back" in found["title"] for found in first.data["results"])
    assert get(app, "/api/search?q=100%25").data["count"] == 0
    assert succeed(app, f"bin/cache count {release}") == "2"
    lines = [json.loads(line) for line in app.access_log.read_text().splitlines()]
    searches = [line for line in lines if line["path"] == "/api/search"]
    assert [line["cache"] for line in searches] == ["miss", "hit", "miss"]
    assert all(line["duration_ms"] > 0 and line["version"] == release for line in searches)
    after = get(app, "/api/admin/performance", "ADMIN_TOKEN").data
    counted = [after[key] - before[key] for key in ("lookups", "hits", "errors")]
    assert counted == [3, 1, 0]


def test_without_its_tables_the_service_is_unhealthy_and_says_so(app: Workspace) -> None:
    rows(app, "ALTER TABLE documents RENAME TO gone")
    health = get(app, "/api/health")
    assert (health.status, health.data["checks"]["database"]) == (503, "failed")
    assert get(app, "/api/search?q=disk").status == 500
    rows(app, "ALTER TABLE gone RENAME TO documents")
    assert get(app, "/api/health").status == 200


def test_broken_connections_are_replaced(app: Workspace) -> None:
    assert get(app, "/").status == 200
    rows(
        app,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert get(app, "/").status == 200


def test_v2_suggests_terms_and_v1_does_not(app: Workspace, release: str) -> None:
    if release == "v1":
        assert get(app, "/api/suggest?q=ba").status == 404
        return
    terms = get(app, "/api/suggest?q=ba").data["terms"]
    assert {"term": "backup", "documents": 20} in terms
    succeed(app, "psql \"$DATABASE_URL\" -c 'REFRESH MATERIALIZED VIEW CONCURRENTLY popular_terms'")
    assert get(app, "/api/suggest?q=ba").data["terms"] == terms


@only_v2
def test_v2_answers_an_admin_thirty_times_a_minute_and_notes_what_it_refuses(
    app: Workspace,
) -> None:
    token = succeed(app, "bin/token mia admin")
    succeed(app, "bin/service restart")  # tokens are read at the start
    told = succeed(app, f"ADMIN_TOKEN={token} bin/knock 35")
    assert told == "answered 30, refused 5"
    assert get(app, "/api/admin/performance", token).headers["retry-after"] == "60"
    assert get(app, "/api/admin/performance", "ADMIN_TOKEN").status == 200
    noted = rows(app, "SELECT who, status, count(*) FROM audit_log GROUP BY 1, 2 ORDER BY 1, 2")
    assert noted == [("ana", 200, 1), ("mia", 200, 30), ("mia", 429, 6)]


@only_v2
def test_each_fault_shows_and_goes_while_v2_runs(app: Workspace) -> None:
    admin = "/api/admin/performance"
    app.plant("admin-open")
    assert get(app, admin, "REGULAR_USER_TOKEN").status == 200
    assert get(app, admin).status == 401
    app.plant("errors")
    assert [get(app, "/api/search?q=disk").status for _ in range(20)].count(500) == 2
    app.plant("slow")
    get(app, "/api/search?q=disk")
    assert json.loads(app.access_log.read_text().splitlines()[-1])["duration_ms"] >= 900
    app.plant("none")
    assert get(app, admin, "REGULAR_USER_TOKEN").status == 403
    assert [get(app, "/api/search?q=disk").status for _ in range(20)].count(500) == 0


def test_v1_keeps_working_on_the_schema_of_v2(search: Workspace) -> None:
    succeed(search, "bin/migrate up --for v2")
    assert get(search, "/api/search?q=disk").data["count"] == 10
    rows(search, "INSERT INTO documents (topic, title, body) VALUES ('x', 'A zebra', 'striped')")
    found = "SELECT count(*) FROM documents WHERE search_vector @@ to_tsquery('zebra')"
    assert value(search, found) == 1


def test_what_was_asked_is_added_up_per_release_in_slots_of_five_minutes(search: Workspace) -> None:
    for question in ("disk", "disk", "worker"):
        get(search, f"/api/search?q={question}")
    get(search, "/a/path/that/is/not/there")
    to_v2(search)
    search.plant("errors")
    for _ in range(10):
        get(search, "/api/search?q=disk")
    succeed(search, "bin/service stop")  # what is still in the books is written then
    asked = rows(search, "SELECT release, query, lookups, hits FROM query_cache ORDER BY 1, 2")
    assert asked == [("v1", "disk", 2, 1), ("v1", "worker", 1, 0), ("v2", "disk", 9, 8)]
    assert rows(search, "SELECT hits, lookups FROM cache_counters") == [(9, 12)]
    figures = rows(
        search,
        "SELECT release, path, sum(requests), sum(errors), bool_and(slowest_ms <= total_ms),"
        " bool_and(extract(epoch FROM slot)::bigint % 300 = 0) FROM request_figures"
        " WHERE path IN ('/api/search', 'other') GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert figures == [
        ("v1", "/api/search", 3, 0, True, True),
        ("v1", "other", 1, 0, True, True),
        ("v2", "/api/search", 10, 1, True, True),
    ]


def test_a_view_that_cannot_be_refreshed_leaves_a_row_and_harms_no_other(search: Workspace) -> None:
    def failures() -> int:
        refreshed.append(rows(search, "SELECT * FROM refresh_views()"))
        return value(search, "SELECT failures FROM refresh_failures")

    refreshed: list[list[tuple]] = []
    succeed(search, "bin/migrate up --for v2")
    assert (failures(), refreshed[-1]) == (0, [("popular_terms", None), ("topic_counts", None)])
    rows(search, "ALTER TABLE documents RENAME COLUMN title TO gone")
    assert [failures(), failures(), failures()] == [1, 2, 3]
    (name, problem), good = refreshed[-1]
    assert (name, good) == ("popular_terms", ("topic_counts", None))
    assert "title" in problem
    noted = (
        "SELECT view_name, error IS NULL, count(*) FROM mv_refresh_log GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert rows(search, noted) == [
        ("popular_terms", False, 3),
        ("popular_terms", True, 1),
        ("topic_counts", True, 4),
    ]
    rows(search, "ALTER TABLE documents RENAME COLUMN gone TO title")
    assert failures() == 0
    rows(search, "ALTER TABLE documents RENAME COLUMN title TO gone")
    assert failures() == 1
    succeed(search, "bin/migrate down 1")  # a view that is gone fails no more
    assert value(search, "SELECT failures FROM refresh_failures") == 0
