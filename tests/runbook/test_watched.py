"""Metrics are bound when the runbook is read, and lint says what the rules of a watch can do."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.runbook.conftest import Reader

from gonogo.errors import Diagnostic, Severity
from gonogo.judge.firing import mistakes_of_watch

FRONT = """\
---
gonogo: 1
targets: {db: "${DB}"}
metrics:
  response time: {log: a.jsonl, value: duration, unit: ms}
  error rate: {log: a.jsonl, ratio: "status >= 500"}
  probe: {http: "https://example.org/", every: 10s}
  failing probes: {http: "https://example.org/", value: failures, every: 10s}
  backlog: {sql: db, query: "SELECT count(*) FROM jobs", unit: jobs}
  slow queries: {sql: db, query: "SELECT p95 FROM timings", stat: p95, unit: ms}
---
# Search

## Deployment
- [ ] Switch

"""
WATCH = FRONT + "## Watch for {length} in 5-minute buckets\n\n"
HEADINGS = {
    "objective": "### Objectives",
    "warn": "### Alerts\n- **Warn**:",
    "page": "### Alerts\n- **Page**:",
    "rollback": "## Rollback\n### Triggers\n-",
}


def a_watch(*rules: str, length: str = "24 hours") -> str:
    text = WATCH.replace("{length}", length)
    for rule in rules:
        kind, _, said = rule.partition(": ")
        if kind == "objective":
            text += f"### Objectives\n\n| Metric | Target |\n|---|---|\n| {said} |\n\n"
        else:
            text += f"{HEADINGS[kind]} {said}\n\n"
    return text


def found(reader: Reader, text: str) -> tuple[Diagnostic, ...]:
    """Return what is said about metrics and rules, by whichever of the two says it."""
    understood = reader(text)
    more = mistakes_of_watch(understood.plan) if understood.plan else ()
    return tuple(d for d in (*understood.diagnostics, *more) if "GN346" <= d.code <= "GN369")


def codes(diagnostics: Iterable[Diagnostic], *, notes: bool = False) -> list[str]:
    return [d.code for d in diagnostics if notes or d.severity is not Severity.NOTE]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("{unit: ms}", "GN360"),
        ("{log: a, sql: db, value: x, unit: ms}", "GN361"),
        ("{log: a, valeu: x, ratio: 'status >= 500'}", "GN362"),
        ("{log: a, value: x, unit: ms, every: often}", "GN363"),
        ("{log: a}", "GN364"),
        ("{log: a, value: x, count: true, unit: ms}", "GN365"),
        ("{sql: database, query: 'SELECT 1', unit: ms}", "GN366"),
        ("{log: a, ratio: 'status >>> 500'}", "GN367"),
        ("{log: a, value: x, unit: m²}", "GN369"),
    ],
    ids=lambda value: value if value.startswith("GN") else "",
)
def test_a_mistake_in_a_metric_is_found_with_its_place(
    understood: Reader, entry: str, code: str
) -> None:
    read = understood(FRONT.replace("  probe:", f"  wrong: {entry}\n  probe:"))
    (diagnostic,) = [d for d in read.diagnostics if d.severity is Severity.ERROR]
    assert read.plan is None
    assert (diagnostic.code, diagnostic.span.line) == (code, 7)
    assert "`wrong`" in diagnostic.message


def test_one_column_that_counts_is_shown_how_it_is_named(understood: Reader) -> None:
    """`delta` alone means a share of two columns, which is of no use to who counts jobs."""
    entry = '{sql: db, query: "SELECT done FROM counters", delta: true, unit: jobs}'
    read = understood(FRONT.replace("  probe:", f"  wrong: {entry}\n  probe:"))
    (diagnostic,) = [d for d in read.diagnostics if d.severity is Severity.ERROR]
    assert diagnostic.code == "GN369"
    assert "value: COLUMN" in diagnostic.hint


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        pytest.param(["objective: Error rate | < 1%", "page: error rate > 0.5%"],
                     Severity.WARNING, id="pages-too-early"),
        pytest.param(["objective: Error rate | < 1%", "rollback: error rate > 0.5%"],
                     Severity.WARNING, id="rolls-back-too-early"),
        pytest.param(["objective: Error rate | < 1%", "warn: error rate > 0.5%"],
                     Severity.NOTE, id="warns-early"),
        pytest.param(["objective: Response time | p95 < 1s",
                      "page: response time p95 > 900 ms"], Severity.WARNING, id="other-unit"),
        pytest.param(["objective: Response time | p95 < 500ms",
                      "warn: response time p95 > 600ms"], None, id="warns-late"),
        pytest.param(["objective: Error rate | < 1%", "page: error rate > 1%"], None, id="equal"),
        pytest.param(["objective: Response time | p95 < 500ms",
                      "page: response time p99 > 400ms"], None, id="other-figure"),
        pytest.param(["objective: Backlog | >= 30 jobs", "rollback: backlog < 20 jobs"],
                     None, id="falls-later"),
        pytest.param(["objective: Backlog | >= 30 jobs", "rollback: backlog < 40 jobs"],
                     Severity.WARNING, id="falls-too-early"),
        pytest.param(["objective: Backlog | >= 30 jobs", "page: backlog > 200 jobs"],
                     None, id="other-side"),
        pytest.param(["objective: Backlog | >= 30 jobs", "rollback: backlog > 20 jobs"],
                     Severity.WARNING, id="sign-turned-round"),
        pytest.param(["objective: Backlog | >= 30 jobs", "warn: backlog > 30 jobs"],
                     Severity.WARNING, id="sign-turned-round-at-the-limit"),
        pytest.param(["objective: Error rate | < 1%", "rollback: error rate < 5%"],
                     Severity.WARNING, id="rolls-back-what-is-good"),
        pytest.param(["objective: Error rate | < 1%",
                      "rollback: error rate < 5% and response time p95 > 2 s"],
                     None, id="only-together-with-another"),
    ],
)  # fmt: skip
def test_an_alert_that_comes_before_its_objective_is_missed(
    understood: Reader, rules: list[str], severity: Severity | None
) -> None:
    said = [d.severity for d in found(understood, a_watch(*rules)) if d.code == "GN346"]
    assert said == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("page: error rate > 100%", ["GN348"], id="above-everything"),
        pytest.param("page: response time p95 < 0 ms", ["GN348"], id="below-everything"),
        pytest.param("page: error rate >= 0%", ["GN349"], id="always"),
        pytest.param("page: error rate > 2% for 2 buckets", [], id="two-buckets"),
        pytest.param("page: error rate > 2% for 40 buckets", ["GN348"], id="longer-than-the-watch"),
        pytest.param("page: error rate > 2% for 20 buckets", ["GN348"], id="only-in-overtime"),
        pytest.param("page: error rate > 2% for 2 of 40 buckets", [], id="two-of-many"),
        pytest.param("page: probe p99 > 1 s", ["GN350"], id="30-requests-and-p99"),
        pytest.param("page: probe p95 > 1 s", [], id="30-requests-and-p95"),
        pytest.param("page: failing probes > 1%", ["GN350"], id="30-requests-and-1-percent"),
        pytest.param("page: failing probes > 5%", [], id="30-requests-and-5-percent"),
        pytest.param("page: slow queries p95 > 1 s", ["GN350"], id="no-number-of-samples"),
        pytest.param("page: backlog > 100 jobs", [], id="gauge"),
        pytest.param("page: response time p99.9 > 1 s", [], id="a-log-may-hold-enough"),
        pytest.param("page: response time p95 > 5 %", ["GN347"], id="other-dimension"),
        pytest.param("page: error rate p95 > 5 %", ["GN347"], id="statistic-of-a-share"),
        pytest.param("page: error rate > 5 % for 2 consecutive 1-minute buckets", ["GN347"],
                     id="other-buckets"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_do_its_work_is_told(
    understood: Reader, rule: str, expected: list[str]
) -> None:
    assert codes(found(understood, a_watch(rule, length="1 hour"))) == expected


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        pytest.param("error rate > 5 % for 2 consecutive 10-minute buckets",
                     "write `for 2 consecutive 5-minute buckets` (`for 4 consecutive 5-minute"
                     " buckets` lasts as long), or let the watch have buckets of 10 minutes",
                     id="longer-buckets"),
        pytest.param("error rate > 5 % for 2 consecutive 1-minute buckets",
                     "write `for 2 consecutive 5-minute buckets`, or let the watch have buckets of"
                     " 1 minute",
                     id="shorter-buckets"),
        pytest.param("error rate > 5", "write its unit: `5 %`", id="bare-number"),
        pytest.param("response time p95 > 5 %",
                     "compare it in its own unit, `ms`, or bind another metric", id="other-unit"),
        pytest.param("error rate p95 > 5 %", "write `error rate > 5 %`, or bind another metric",
                     id="statistic-of-a-share"),
        pytest.param("backlog > 100 jobs in every row", "write `backlog > 100 jobs`", id="rows"),
    ],
)  # fmt: skip
def test_the_hint_fits_the_cause(understood: Reader, rule: str, hint: str) -> None:
    (misfit,) = [d for d in found(understood, a_watch(f"page: {rule}")) if d.code == "GN347"]
    assert misfit.hint == hint


def test_a_rule_that_cannot_be_judged_refuses_the_run(understood: Reader) -> None:
    (first, *_) = found(understood, a_watch("page: error rate p95 > 5 %"))
    assert (first.code, first.severity) == ("GN347", Severity.ERROR)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(["rollback: error rate > 1%"], ["GN353"], id="empty-watch"),
        pytest.param(["rollback: error rate > 1%", "page: error rate > 2%"], ["GN353"],
                     id="alerts-under-the-rollback"),
        pytest.param(["page: error rate > 2%", "rollback: error rate > 2%"], [], id="watch"),
    ],
)  # fmt: skip
def test_rules_that_nobody_judges_are_told_once(
    understood: Reader, rules: list[str], expected: list[str]
) -> None:
    assert codes(found(understood, a_watch(*rules))) == expected


def test_a_limit_in_the_sign_off_is_asked_where_nothing_is_watched(understood: Reader) -> None:
    text = f"{FRONT}## Sign-off\n- [ ] Error rate < 1%\n"
    assert codes(found(understood, text)) == []


def test_more_breaches_than_buckets_are_refused_by_the_language(understood: Reader) -> None:
    read = understood(a_watch("page: error rate > 2% for 5 of 3 buckets"))
    assert "GN106" in {d.code for d in read.diagnostics if d.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("rollback: error rate > 1% for 2 consecutive 5-minute buckets",
         "fires at the close of the 2nd bad bucket: 5 min to 15 min after the fault"),
        ("page: error rate > 1%",
         "fires at the close of the 1st bad bucket: at most 10 min after the fault"),
        ("page: error rate > 1% for 3 of 5 buckets",
         "fires at the close of the 3rd bad bucket within 5: 10 min to 20 min after the fault"),
        ("objective: Error rate | < 1%",
         "is missed at the close of the 1st bad bucket: at most 10 min after the fault"),
    ],
)  # fmt: skip
def test_lint_says_when_a_rule_fires(understood: Reader, rule: str, message: str) -> None:
    said = [d.message for d in found(understood, a_watch(rule)) if d.code == "GN351"]
    assert said == [message]


def test_lint_says_how_often_a_good_release_is_rolled_back(understood: Reader) -> None:
    text = a_watch("page: error rate > 1%", "rollback: error rate > 1% for 2 buckets")
    said = [d.message for d in found(understood, text) if d.code == "GN352"]
    # 288 buckets: 287 pairs, less those that overlap
    assert said == [
        "of good releases 2.8 % are rolled back by chance if 1 % of their buckets breach,"
        " 0.029 % if 0.1 % do"
    ]


def test_rules_that_people_answer_are_not_looked_at(understood: Reader) -> None:
    text = a_watch("page: error rate > 1%").replace("gonogo: 1\n", "")
    read = understood(text.replace("error rate: {log", "something: {log"))
    assert read.plan is not None
    assert mistakes_of_watch(read.plan) == ()


@pytest.mark.parametrize(
    ("width", "expected"),
    [("2.5s", ["GN354"]), ("1.5s", ["GN354"]), ("1s", []), ("10-second", [])],
)
def test_buckets_are_whole_seconds(understood: Reader, width: str, expected: list[str]) -> None:
    text = a_watch("page: error rate > 2% for 2 buckets").replace("5-minute", width)
    assert codes(found(understood, text)) == expected


IDLE = """---
gonogo: 1
metrics:
  error rate: {log: a.jsonl, ratio: "status >= 500"}
---
# Search

## Deployment

- [ ] Switch

## Watch for 30 minutes

"""


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("- [ ] Everything looks fine\n", ["GN385"]),
        ("### After 30 minutes\n\n- [ ] Everything looks fine\n", []),
        ("### Objectives\n\n- error rate < 1%\n", []),
    ],
    ids=["nothing lasts", "a checkpoint", "a figure"],
)
def test_a_watch_in_which_nothing_lasts_is_warned_of(
    really_understood: Reader, below: str, expected: list[str]
) -> None:
    found = really_understood(IDLE + below)
    warned = [d for d in found.diagnostics if d.code == "GN385"]
    assert [d.code for d in warned] == expected
    assert all(d.severity is Severity.WARNING and d.span.line == 12 for d in warned)
    lasts = [m for m in found.meanings if m.what == "watch" and m.detail.startswith("lasts")]
    assert bool(lasts) is not bool(expected)
