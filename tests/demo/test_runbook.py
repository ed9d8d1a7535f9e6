from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from urllib.parse import quote

import pytest
from tests.demo.acting import get, rows, succeed, to_v2, value

from gonogo import catalog
from gonogo.demo.bundled import SEARCH
from gonogo.demo.pace import REAL_TIME, SHORT, Pace
from gonogo.demo.performance import RUN
from gonogo.demo.proof import look
from gonogo.demo.workspace import Workspace
from gonogo.errors import Severity
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source

BASELINE = "- [ ] How v1 does now"  # takes its time, and somebody who asks
TEXT = (SEARCH.original() / "deploy.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    found = re.search(
        rf"^#+ {re.escape(heading)}.*?$(.*?)(?=^#+ |\Z)", TEXT, re.DOTALL | re.MULTILINE
    )
    assert found is not None, heading
    return found[1]


def blocks(text: str, language: str = "bash") -> list[str]:
    """The blocks of steps: those of directives are indented deeper."""
    found = re.findall(
        rf"^ {{2,3}}```{language}\n(.*?)^ {{2,3}}```$", text, re.DOTALL | re.MULTILINE
    )
    return [textwrap.dedent(block) for block in found]


def gonogo(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gonogo", *words],
        cwd=workspace.folder,
        env=dict(workspace.settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def rewritten(workspace: Workspace, *without: str) -> None:
    """Leave parts out of the copy of the runbook: each ends where the next of its kind begins."""
    path = workspace.folder / "deploy.md"
    text = path.read_text(encoding="utf-8")
    for begin in (*without, BASELINE):
        sign = begin.split()[0]
        part = rf"(?ms)^{re.escape(begin)}.*?(?=^{re.escape(sign)} )"
        text, times = re.subn(part, "", text)
        assert times == 1, begin
    path.write_text(text, encoding="utf-8")


def test_the_runbook_is_understood_without_a_mistake() -> None:
    plan = assemble(read(Source("deploy.md", TEXT)), catalog.load())
    warned = [d.code for d in plan.diagnostics if d.severity is not Severity.NOTE]
    assert warned in ([], ["GN345"])  # the figures of the exercise: back at 1 %, a page at 2 %
    assert [phase.title for phase in plan.phases] == [
        "Pre-deployment",
        "Deployment",
        "Smoke tests",
        "Load test",
        "Watch for 1 minute in 5-second buckets",
        "Sign-off",
    ]
    assert [(rule.consequence.value, rule.condition.text) for rule in plan.rules] == [
        ("objective", "Response time p95 < 500ms for 2 buckets"),
        ("objective", "Response time p99 < 1s for 2 buckets"),
        ("objective", "Error rate < 1% for 2 buckets"),
        ("objective", "Cache hit rate >= 30% for 2 buckets"),
        ("warn", "Warn: P95 > 600ms for 2 buckets"),
        ("page", "Page: P99 > 1200ms or error rate > 2% for 2 buckets"),
        ("critical", "Critical: P99 > 2000ms or error rate > 5% for 1 bucket"),
        ("rollback", "Error rate > 1% for 2 consecutive buckets"),
        ("rollback", "P99 > 1.2s for 2 consecutive buckets"),
        ("rollback", "Cache hit rate < 20% for 2 consecutive buckets"),
        ("rollback", "View refresh failures max > 2"),
    ]
    assert plan.rollback is not None
    assert [option.destructive for option in plan.rollback.options] == [False, True]
    assert [option.stated_s for option in plan.rollback.options] == [60, 120]
    assert len(plan.rollback.proof) == 7
    assert {v.name for v in plan.variables} == {
        "APP_URL",
        "DATABASE_URL",
        "CACHE_URL",
        "ADMIN_TOKEN",
        "REGULAR_USER_TOKEN",
        "ALERT_URL",
    }


@pytest.mark.parametrize(
    ("pace", "span_s"), [(SHORT, 60), (REAL_TIME, 3600)], ids=["short", "real time"]
)
def test_the_watch_lasts_as_its_heading_says(pace: Pace, span_s: int) -> None:
    text = TEXT.replace(SHORT.heading, pace.heading).replace(SHORT.recovery, pace.recovery)
    plan = assemble(read(Source("deploy.md", text)), catalog.load())
    warned = [d.code for d in plan.diagnostics if d.severity is not Severity.NOTE]
    assert warned in ([], ["GN345"])  # the figures of the exercise: back at 1 %, a page at 2 %
    watch = next(phase for phase in plan.phases if phase.title == pace.heading[3:])
    assert (watch.span_s, plan.settings["bucket"]) == (span_s, str(pace.bucket_s))


def test_half_a_deployment_is_taken_back(search: Workspace) -> None:
    before = look(search)
    rewritten(search)
    search.plant("verify")
    told = gonogo(search, *RUN)
    assert told.returncode == 4, told.stdout + told.stderr
    assert "verified false" in told.stdout
    after = look(search)
    assert (after.release, after.migrations, after.schema) == ("v1 ok", "0001", before.schema)
    assert (after.documents, after.worker) == (401, "runs")  # the one that cannot be found stays
    (record,) = (search.folder / ".gonogo" / "runs").glob("*/migrations.jsonl")
    noted = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert [each["version"] for each in noted if each["event"] == "begin"] == ["0002"]
    assert [each["version"] for each in noted if each["event"] == "undone"] == ["0002"]


def test_the_last_resort_waits_for_a_typed_name_and_restores_the_backup(search: Workspace) -> None:
    for question in (search.folder / "queries.txt").read_text().splitlines():
        get(search, f"/api/search?q={quote(question)}")
    succeed(search, "bin/service restart")  # its books are written then
    before = look(search)
    rewritten(search, "### Option 1")
    search.plant("admin-open")
    told = gonogo(search, *RUN)
    assert told.returncode == 3, told.stdout + told.stderr
    half = look(search)
    assert half.migrations == "0001 0002 0003"  # nothing was restored without the name
    assert half.kept_for_v2 >= 20
    answered = gonogo(search, "answer", "restore over", "db", "--by", "ana")
    assert answered.returncode == 0, gonogo(search, "answer").stdout + answered.stderr
    told = gonogo(search, "resume", "--by", "demo")
    assert told.returncode == 4, told.stdout + told.stderr
    after = look(search)
    assert (after.release, after.migrations, after.schema) == ("v1 ok", "0001", before.schema)
    assert (after.documents, after.kept_for_v2, after.worker) == (400, 0, "runs")
    assert value(search, blocks(section("After the rollback"), "sql")[0]) == ("0001")
    kept = "SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '_before_%'"
    assert value(search, kept) == 1


def test_a_view_without_unique_index_is_seen(search: Workspace) -> None:
    to_v2(search)
    query = blocks(section("Pre-deployment"), "sql")[0]
    assert rows(search, query) == [(True,)]
    rows(search, "DROP INDEX popular_terms_term")
    assert rows(search, query) == [(False,)]
    rows(search, "CREATE UNIQUE INDEX ON popular_terms (term) WHERE documents > 1")
    assert rows(search, query) == [(False,)]  # a part of the rows is not enough


def test_a_table_without_row_level_security_is_seen(search: Workspace) -> None:
    query = blocks(section("Pre-deployment"), "sql")[1]
    assert sorted(rows(search, query)) == [
        ("audit_log", True, 2),
        ("performance_metrics", True, 2),
    ]
    rows(search, "ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY")
    assert ("audit_log", False, 2) in rows(search, query)
