"""Sentences as runbooks write them: read, refused, or recognised as no condition at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gonogo.codes import CODES
from gonogo.errors import Severity
from gonogo.plan.condition import Join, Window
from gonogo.plan.grammar import Lead, Reading, not_a_condition, read, read_lead
from gonogo.plan.lexer import clean
from gonogo.source import Span

HERE = Path(__file__).parent
AT = Span.of_line(7, 3)


def table(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line.strip() and not line.startswith("# ")]


SENTENCES = table("sentences.tsv")
MISTAKES = table("mistakes.tsv")
NOT_CONDITIONS = table("not_conditions.txt")


def short(value: object) -> object:
    """Drop nulls and false, so that a table row says only what is there."""
    if isinstance(value, dict):
        return {
            key: short(inner)
            for key, inner in value.items()
            if inner is not None and not (key == "consecutive" and inner is False)
        }
    return [short(inner) for inner in value] if isinstance(value, list) else value


def errors(reading: Reading) -> list[str]:
    return [d.code for d in reading.diagnostics if d.severity is Severity.ERROR]


def test_the_tables_are_as_long_as_promised() -> None:
    assert len(SENTENCES) >= 150
    assert len(MISTAKES) >= 30
    assert len(NOT_CONDITIONS) >= 40


@pytest.mark.parametrize("row", SENTENCES, ids=[row[0] for row in SENTENCES])
def test_a_sentence_is_read(row: list[str]) -> None:
    text, said, form = row
    reading = read(text, AT)
    assert reading.condition is not None, reading.diagnostics
    assert not reading.smells
    assert errors(reading) == []
    assert short(reading.condition.as_json()) == json.loads(form)
    assert reading.condition.say() == said
    again = read(said, AT).condition
    assert again is not None
    assert again.as_json() == reading.condition.as_json()


@pytest.mark.parametrize("row", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_refused_and_never_dropped(row: list[str]) -> None:
    text, code = row
    reading = read(text, AT)
    assert reading.condition is None
    assert reading.smells
    assert [d.code for d in reading.diagnostics] == [code]
    diagnostic = reading.diagnostics[0]
    assert diagnostic.hint
    assert diagnostic.expected
    assert not diagnostic.message.endswith(".")
    assert diagnostic.span.line == AT.line
    assert AT.column <= diagnostic.span.column <= AT.column + len(text)


@pytest.mark.parametrize("row", NOT_CONDITIONS, ids=[row[0] for row in NOT_CONDITIONS])
def test_a_remark_is_no_condition(row: list[str]) -> None:
    reading = read(row[0], AT)
    assert reading.condition is None
    assert reading.diagnostics == ()
    assert not reading.smells


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("error rate > 0.01", "GN113"),
        ("latency > 1 s consistently", "GN117"),
        ("latency is consistently above 1 s", "GN117"),
        ("sustained latency > 1 s", "GN117"),
        ("availability < 99.9% over 1 hour", "GN124"),
        ("availability < 99.9% (rolling 1 hour)", "GN124"),
        ("Over 10 minutes, error rate > 1%", "GN124"),
        ("error rate > 1%, measured at the edge", "GN115"),
        ("Checkout: error rate < 1%", "GN122"),
        ("queue < 1000 very old jobs", "GN115"),
    ],
)
def test_a_remark_is_given_with_the_condition(text: str, code: str) -> None:
    reading = read(text, AT)
    assert reading.condition is not None
    assert [(d.code, d.severity) for d in reading.diagnostics] == [(code, Severity.WARNING)]


@pytest.mark.parametrize(
    "text",
    [
        "We once saw the queue of the old importer in the second data centre at night and on "
        "weekends grow to > 500 items",
        "Increase the pool to > 20 connections",
        "Set max_connections >= 100",
        "x " * 2000 + "< 5",
    ],
)
def test_a_threshold_in_prose_smells(text: str) -> None:
    reading = read(text, AT)
    assert reading.condition is None
    assert reading.smells


def test_every_code_is_listed() -> None:
    used = {code for _, code in MISTAKES}
    used |= {"GN100", "GN113", "GN115", "GN117", "GN120", "GN122", "GN124"}
    listed = {code for code in CODES if code.startswith("GN1")}
    assert used == listed


def test_a_span_points_at_the_predicate_in_the_line() -> None:
    text = "**Page**: P99 > 2 s or error rate > 5 %"
    condition = read(text, AT).condition
    assert condition is not None
    pieces = [
        text[p.span.column - AT.column : p.span.end_column - AT.column]
        for p in condition.predicates
    ]
    assert pieces == ["P99 > 2 s", "error rate > 5 %"]


def test_a_diagnostic_points_at_the_unknown_unit() -> None:
    text = "**Page**: p95 &lt; 500 mz"
    span = read(text, AT).diagnostics[0].span
    assert text[span.column - AT.column : span.end_column - AT.column] == "mz"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("> 95 %", "> 95 %"),
        (">95 %", ">95 %"),
        ("- > 95 %", "> 95 %"),
        ("> Error rate > 5%", "Error rate > 5%"),
        ("- [ ] ⚠️ **Error rate** &lt; 1&nbsp;%", "Error rate < 1 %"),
        ("❌ latency ≥ 2 s – page", "latency >= 2 s - page"),
        ("1. `error_rate` > 1%", "error_rate > 1%"),
        ("rows = 33\u202f584", "rows = 33584"),
        ("“ready”", '"ready"'),
        ('output contains "**bold** — 5 &lt; 6"', 'output contains "**bold** — 5 &lt; 6"'),
        ("output matches /a*_b/", "output matches /a*_b/"),
        ("*p95* < 1 s", "p95 < 1 s"),
        ("items[*].ok", "items[*].ok"),
        ("‚ö†Ô∏è Install Docker", "Install Docker"),
        ("â\x9a\xa0 Install Docker", "Install Docker"),
        ("has_unique_index is true", "has_unique_index is true"),
        ("", ""),
    ],
)
def test_cleaning_keeps_signs_and_drops_dress(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


class TestLead:
    """What a lead-in or a heading says for the list below it."""

    @pytest.mark.parametrize(
        ("text", "lead"),
        [
            (
                "roll back if ANY of these occurs for 10 consecutive minutes:",
                Lead(quantifier=Join.ANY, window=Window(consecutive=True, seconds=600)),
            ),
            ("All of the following must hold:", Lead(quantifier=Join.ALL)),
            ("High error rate", Lead(metric="error rate")),
            ("Elevated checkout latency", Lead(metric="checkout latency")),
            ("Response time", Lead(metric="response time")),
            ("Critical alerts", Lead(severity="critical")),
            (
                "Page if any of these is true for 3 buckets:",
                Lead(Join.ANY, Window(3), None, "page"),
            ),
        ],
    )
    def test_is_read(self, text: str, lead: Lead) -> None:
        assert read_lead(text, AT) == lead

    @pytest.mark.parametrize(
        "text", ["Rollback", "Contacts", "", "Page load tuning notes", "Step 1"]
    )
    def test_says_nothing(self, text: str) -> None:
        assert read_lead(text, AT) is None

    def test_gives_metric_window_and_severity(self) -> None:
        lead = Lead(window=Window(count=2), metric="error rate", severity="page")
        condition = read("> 1 %", AT, lead=lead).condition
        assert condition is not None
        assert condition.say() == "page: error rate > 1 % for 2 buckets"

    def test_never_overrides_what_the_line_says(self) -> None:
        lead = Lead(window=Window(count=2), metric="error rate", severity="page")
        condition = read("warn: p95 of checkout > 1 s for 3 buckets", AT, lead=lead).condition
        assert condition is not None
        assert condition.say() == "warn: checkout p95 > 1 s for 3 buckets"

    def test_joins_predicates_between_commas(self) -> None:
        condition = read("p95 > 1 s, p99 > 2 s", AT, lead=Lead(quantifier=Join.ANY)).condition
        assert condition is not None
        assert condition.join is Join.ANY

    def test_a_cell_without_a_comparison_is_refused(self) -> None:
        reading = read("99.9 %", AT, lead=Lead(metric="uptime"))
        assert [d.code for d in reading.diagnostics] == ["GN104"]

    def test_a_cell_takes_the_name_of_its_row(self) -> None:
        condition = read("3-4 per request", AT, lead=Lead(metric="Query count")).condition
        assert condition is not None
        assert condition.say() == "query count between 3 and 4 per request"


def test_not_a_condition_says_what_was_expected() -> None:
    diagnostic = not_a_condition("hello", AT)
    assert diagnostic.code == "GN100"
    assert "hello" in diagnostic.message
    assert diagnostic.hint


@pytest.mark.parametrize("text", ["failed calls > 12 errors/5min", "calls > 3 per/10s"])
def test_a_number_in_several_minutes_is_no_plain_number(text: str) -> None:
    found = read(text, AT)
    assert found.condition is None
    assert [d.code for d in found.diagnostics] == ["GN114"]
    assert found.smells


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("If lag > 2 s, tell the team; if > 5 s, stop", "GN105"),
        ("if errors > 2 %, page, when > 4 % roll back", "GN105"),
        ("No slow calls (> 3 s)", "GN121"),
        ("No rise of the error rate (> 0.4 % above baseline)", "GN121"),
        ("The pods do not start within 5 minutes", "GN121"),
        ("New pods fail to answer within 40 s", "GN121"),
    ],
)
def test_what_says_two_things_or_the_opposite_is_refused(text: str, code: str) -> None:
    found = read(text, AT)
    assert found.condition is None
    assert [d.code for d in found.diagnostics] == [code]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no more than 3 slow calls", "slow calls <= 3"),
        ("Start time within 5 minutes", "start time <= 5 min"),
        ("if errors > 2 %, page the team", "errors > 2 %"),
        ("burn rate < 1.5 over 6 h", "burn rate < 1.5 for 6 hours"),
        ("CPU > 80 %: scale, or tune the workers", "cpu > 80 %"),
        ("disk > 80 % - clean up and tell the owner", "disk > 80 %"),
    ],
)
def test_wordings_that_are_close_to_refused_ones_are_read(text: str, said: str) -> None:
    found = read(text, AT)
    assert found.condition is not None, found.diagnostics
    assert found.condition.say() == said
