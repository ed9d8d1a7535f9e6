"""`gonogo test`: which expectations of a timeline are met, and what is wrong with a timeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.rehearsals import EXAMPLES, Said, as_json

TIMELINES = {"watch.md": ["faults.yaml", "silence.yaml"], "watches.md": ["watches.yaml"]}


def test_every_example_is_tried() -> None:
    names = {path.name for path in EXAMPLES.iterdir()}
    assert names == {*TIMELINES, *(name for names in TIMELINES.values() for name in names)}


@pytest.mark.parametrize("runbook", TIMELINES)
def test_the_examples_of_the_repository_hold(said: Said, runbook: str) -> None:
    code, out, _ = said("test", runbook, "--timeline", *TIMELINES[runbook])
    assert code == 0
    assert "FAIL" not in out
    assert out.endswith(", all met\n")


def test_an_expectation_that_is_not_met_is_shown_with_its_place(said: Said) -> None:
    text = Path("faults.yaml").read_text(encoding="utf-8")
    wrong = text.replace(
        "at: 15m, firing: [objective/error-rate, rollback", "at: 10m, firing: [rollback"
    )
    assert wrong != text
    Path("wrong.yaml").write_text(wrong, encoding="utf-8")
    line = next(n for n, row in enumerate(wrong.splitlines(), 1) if "10m, firing: [rollb" in row)
    code, out, _ = said("test", "watch.md", "--timeline", "wrong.yaml")
    assert code == 1
    assert out.count("FAIL") == 1
    assert f"--> wrong.yaml:{line}\n" in out
    assert "`rollback/error-rate-1-for-2-consecutive-5-minute-buckets` is not firing" in out
    assert "1 of " in out.splitlines()[-1]


def test_json_has_every_expectation(said: Said) -> None:
    found = as_json(said, "test", "watch.md", "--timeline", "faults.yaml")
    (timeline,) = found["timelines"]
    expectations = [one for case in timeline["cases"] for one in case["expectations"]]
    assert found["passed"] == len(expectations) >= 20
    assert found["failed"] == 0
    assert all(one["passed"] and one["line"] > 10 for one in expectations)


def test_rules_without_a_series_are_left_out_and_named(said: Said) -> None:
    text = (
        "metrics: {refresh failures: 0 3}\nexpect: [{fired: [rollback/refresh], verdict: no-go}]\n"
    )
    Path("one.yaml").write_text(text, encoding="utf-8")
    code, out, _ = said("test", "watch.md", "--timeline", "one.yaml")
    assert code == 0
    assert "one.yaml: 1 rule, " in out
    assert "not tested, no series: 7 more" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("metrics: {p99: 1 ~ 2}\nexpect: [{fired: []}]\n", "`~` is no value",
                     id="typo"),
        pytest.param("metrics: {p98: 1}\nexpect: [{fired: []}]\n", "no rule asks for `p98`",
                     id="unknown-figure"),
        pytest.param("metrics: {p99: 1 %}\nexpect: [{fired: []}]\n",
                     "`p99` is in `%`, the runbook has it in `ms`", id="other-unit"),
        pytest.param("metrics: {p99: 1}\nexpect: [{fired: [page/p98]}]\n",
                     "no rule that is played is named `page/p98`", id="unknown-rule"),
        pytest.param("metrics: {p99: 1, p95: 1}\nexpect: [{fired: [objective/]}]\n",
                     "several begin so", id="two-rules"),
        pytest.param("metrics: {p99: 1}\nexpect: [{fired: [rollback/refresh]}]\n",
                     "says nothing of `refresh failures`", id="rule-without-series"),
        pytest.param("interval: 1m\nmetrics: {p99: 1}\nexpect: [{fired: []}]\n",
                     "write `interval: 5min`", id="other-buckets"),
        pytest.param("rules: {page: {a: p99 > 1 s}}\nmetrics: {p99: 1}\nexpect: [{fired: []}]\n",
                     "has rules of its own", id="own-rules"),
        pytest.param("- 1\n", "must be a mapping", id="no-timeline"),
        pytest.param("metrics: {p99: 1}\nexpect: [{recovered: soon}]\n",
                     "`soon` is no moment at which a service can be well", id="no-moment"),
        pytest.param('start: "14:00"\nmetrics: {p99: 1}\nexpect: [{recovered: 14:32}]\n',
                     "`14:30` or `14:35`", id="within-a-bucket"),
        pytest.param("metrics: {p99: 1}\nexpect: [{recovered: 30m, at: 5m}]\n",
                     "do not go together", id="two-moments"),
        pytest.param("expect: [{fired: []}]\n", "no figure stands in the timeline", id="empty"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_timeline_ends_with_2_and_its_place(
    said: Said, text: str, words: str
) -> None:
    Path("wrong.yaml").write_text(text, encoding="utf-8")
    code, out, err = said("test", "watch.md", "--timeline", "wrong.yaml")
    assert (code, out) == (2, "")
    assert words in err
    assert "wrong.yaml:" in err


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_timeline_that_cannot_be_read_ends_with_2(said: Said, name: str) -> None:
    code, out, err = said("test", "watch.md", "--timeline", name)
    assert (code, out) == (2, "")
    assert f"`{name}`" in err


def test_latin_1_is_refused(said: Said) -> None:
    Path("t.yaml").write_bytes(b"metrics: {p99: 1}  # caf\xe9\n")
    assert said("test", "watch.md", "--timeline", "t.yaml")[0] == 2


@pytest.mark.parametrize("command", ["test", "rehearse"])
@pytest.mark.parametrize(
    ("cut", "words"),
    [("## Watch", "is a watch"), ("p95 < 500ms |", "nothing"), ("# Search", "no rule")],
    ids=["no-watch", "misfit", "no-rules"],
)
def test_a_runbook_without_a_watch_ends_with_2(
    said: Said, command: str, cut: str, words: str
) -> None:
    text = Path("watch.md").read_text(encoding="utf-8")
    before, _, after = text.partition(cut)
    if cut == "## Watch":  # the triggers stay, and nobody would judge them
        text = before + "## Rollback" + after.partition("## Rollback")[2]
    elif cut == "# Search":
        text = before + "# Search\n\n## Deployment\n\n- [ ] Switch\n"
    else:
        text = text.replace("p95 < 500ms |", "p95 < 5 % |")
        words = "compared with 5 %"
    Path("other.md").write_text(text, encoding="utf-8")
    code, out, err = said(command, "other.md", "--timeline", "faults.yaml")
    assert (code, out) == (2, "")
    assert words in err
