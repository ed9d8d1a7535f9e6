from __future__ import annotations

import json
from decimal import Decimal

import psycopg
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
    search = "/api/search?q=disk"
    app.plant("admin-open")
    assert get(app, admin, "REGULAR_USER_TOKEN").status == 200
    assert get(app, admin).status == 401
    app.plant("errors 10")
    assert [get(app, search).status for _ in range(20)].count(500) == 2
    assert get(app, admin, "REGULAR_USER_TOKEN").status == 403
    app.plant("slow 50 300")
    for _ in range(4):
        get(app, search)
    took = [json.loads(line)["duration_ms"] for line in app.access_log.read_text().splitlines()]
    assert sum(ms >= 300 for ms in took[-4:]) == 2
    app.plant("cache 25")
    states = [get(app, search).headers["x-cache"] for _ in range(20)]
    assert 5 <= states.count("hit") <= 8
    app.plant("errors 100")
    assert get(app, "/api/health").status == 200
    app.plant("none")
    seen = [get(app, search) for _ in range(20)]
    assert {page.status for page in seen} == {200}
    assert [page.headers["x-cache"] for page in seen].count("hit") >= 19


@only_v2
def test_those_who_check_the_release_never_meet_a_fault(app: Workspace) -> None:
    app.plant("errors 100")
    assert get(app, "/api/search?q=disk").status == 500
    assert get(app, "/api/search?q=disk", agent="gonogo/1 http").status == 200
    app.plant("none")


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
    search.plant("errors 10")
    for _ in range(10):
        get(search, "/api/search?q=disk")
    succeed(search, "bin/service stop")  # what is still in the books is written then
    asked = rows(search, "SELECT release, query, lookups, hits FROM query_cache ORDER BY 1, 2")
    assert asked == [("v1", "disk", 2, 1), ("v1", "worker", 1, 0), ("v2", "disk", 9, 8)]
    assert rows(search, "SELECT hits, lookups FROM cache_counters") == [(9, 12)]
    figures = rows(
        search,
        "SELECT release, path, count(*), count(*) FILTER (WHERE status = 500), count(cached)"
        " FROM performance_metrics WHERE path IN ('/api/search', 'other')"
        " GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert figures == [
        ("v1", "/api/search", 3, 0, 3),
        ("v1", "other", 1, 0, 0),
        ("v2", "/api/search", 10, 1, 9),
    ]
    rows(search, "UPDATE performance_metrics SET created_at = '2026-01-01T10:07Z'")
    assert rows(
        search,
        "SELECT extract(minute FROM bucket), lookups, round(cache_hit_rate_percent, 1)"
        " FROM performance_analytics_5min WHERE release = 'v2'",
    ) == [(5, 9, Decimal("88.9"))]
    ((errors, requests, faster),) = rows(
        search,
        "SELECT err_rate * requests, requests, p95_ms <= p99_ms FROM api_metrics_5m"
        " WHERE release = 'v2'",
    )
    assert (round(errors), requests >= 10, faster) == (1, True, True)


def test_a_view_that_cannot_be_refreshed_leaves_a_row_and_harms_no_other(search: Workspace) -> None:
    def failures() -> int:
        statement = "SELECT * FROM refresh_materialized_views_staggered(0)"
        refreshed.append(rows(search, statement))
        return value(search, "SELECT failures FROM refresh_failures")

    refreshed: list[list[tuple]] = []
    succeed(search, "bin/worker stop && bin/migrate up --for v2")
    rows(search, "TRUNCATE mv_refresh_log")
    assert failures() == 0
    assert refreshed[-1] == [
        ("popular_terms", None),
        ("question_hit_rates", None),
        ("topic_counts", None),
    ]
    search.plant("refresh")
    assert [failures(), failures(), failures()] == [1, 2, 3]
    assert refreshed[-1][1] == ("question_hit_rates", "division by zero")
    noted = (
        "SELECT view_name, error IS NULL, count(*) FROM mv_refresh_log GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert rows(search, noted) == [
        ("popular_terms", True, 4),
        ("question_hit_rates", False, 3),
        ("question_hit_rates", True, 1),
        ("topic_counts", True, 4),
    ]
    assert rows(search, "SELECT views, failed FROM refresh_analytics_views_concurrent()") == [
        (3, 1)
    ]
    search.plant("none")
    assert failures() == 0
    search.plant("refresh")
    assert failures() == 1
    succeed(search, "bin/migrate down 1")  # a view that is gone fails no more
    assert value(search, "SELECT failures FROM refresh_failures") == 0


def test_only_admins_read_the_notes_under_the_role_of_the_service(search: Workspace) -> None:
    get(search, "/api/admin/performance", "REGULAR_USER_TOKEN")
    with psycopg.connect(search.settings["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SET ROLE search_api")
        seen = "SELECT count(*) FROM audit_log"
        assert connection.execute(seen).fetchone() == (0,)
        connection.execute("SET search.role = 'user'")
        assert connection.execute(seen).fetchone() == (0,)
        connection.execute("SET search.role = 'admin'")
        assert connection.execute(seen).fetchone() == (1,)
        for refused in ("DELETE FROM audit_log", "UPDATE documents SET title = ''", REFRESH):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)


REFRESH = "REFRESH MATERIALIZED VIEW topic_counts"


def test_the_checks_of_the_migrations_say_what_is_wrong_by_their_word(search: Workspace) -> None:
    succeed(search, "bin/migrate up --for v2")
    first, second = "SELECT verify_migration_success()", "SELECT verify_final_punchlist_migration()"
    assert (value(search, first), value(search, second)) == (True, True)
    search.plant("verify")
    assert value(search, first) is False
    told = succeed(search, f'psql "$DATABASE_URL" --tuples-only --command="{first}"')
    assert told == "f"  # and it ended with 0
    search.plant("none")
    rows(search, "DROP INDEX question_hit_rates_query")
    assert (value(search, first), value(search, second)) == (True, False)
    rows(search, "TRUNCATE query_cache, performance_metrics")
    objectives = rows(search, "SELECT measured, met FROM check_slo_compliance()")
    assert objectives == [(None, None)] * 4
    rows(
        search,
        "INSERT INTO performance_metrics"
        " SELECT now(), 'v1', '/', CASE n WHEN 1 THEN 500 ELSE 200 END, n, n > 50"
        " FROM generate_series(1, 100) AS n",
    )
    assert rows(search, "SELECT measured, met FROM check_slo_compliance()") == [
        (95, True),
        (99, True),
        (1, False),
        (50, True),
    ]
    rows(search, "UPDATE performance_metrics SET created_at = now() - interval '3 days'")
    rows(search, "INSERT INTO query_cache VALUES ('v0', 'old', 1, 1, now() - interval '2 days')")
    assert value(search, "SELECT clean_expired_cache()") == 1
    assert value(search, "SELECT count(*) FROM performance_metrics") == 0
