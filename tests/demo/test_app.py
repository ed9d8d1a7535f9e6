from __future__ import annotations

import json

import pytest
from tests.demo.acting import get, rows, succeed, value

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
