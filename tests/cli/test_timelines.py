"""`gonogo test` and `gonogo rehearse`: what they print, what they end with, on 80 columns."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gonogo.cli import main
from gonogo.cli.load import load
from gonogo.judge.firing import LONGER, course_of, form_of
from gonogo.run import watching

EXAMPLES = Path(__file__).parents[2] / "examples" / "timelines"
TIMELINES = sorted(path.name for path in EXAMPLES.glob("*.yaml"))
Said = Callable[..., tuple[int, str, str]]

# For each fault of the search service: what is told when, and whether it is rolled back.
FAULTS = {
    "p95: 400 700x1 400x2, p99: 800 900x1 800x2": (["warn 14:15"], None),
    "error rate: 0.4 1.5x1 0.4": ([], "14:15"),
    "error rate: 0.4 3x1 0.4": (["page 14:15"], "14:15"),
    "error rate: 0.4 8 0.4": (["critical 14:10"], None),
    "error rate: 0.4 8x1 0.4": (["critical 14:10", "page 14:15"], "14:15"),
    "p99: 800 1300x1 800": (["page 14:15"], "14:15"),
    "p99: 800 2100 800": (["critical 14:10"], None),
    "cache hit rate: 62 15x1 62": ([], "14:15"),
    "cache hit rate: 62 25x1 62": ([], None),
    "refresh failures: 0 2 0": ([], None),
    "refresh failures: 0 3 0": ([], "14:10"),
    "error rate: 0.4 1.5 0.4 1.5 0.4": ([], None),
    "error rate: 0.4 1.0x1 0.4, p99: 800 1200x1 800, cache hit rate: 62 20x1 62": ([], None),
    "error rate: 0.4 2.0 0.4": ([], None),
    "error rate: 0.4 1.5 _ 0.4": (["warn 14:15"], None),
    "error rate: 0.4 1.5 _ 1.5": (["warn 14:15"], "14:20"),
}


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """Run a command in a folder that holds the examples; return code, output and messages."""
    for path in EXAMPLES.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("test", "rehearse"):
        known = main.COMMANDS.get(name)
        monkeypatch.setitem(
            main.COMMANDS, name, known or main.Command(f"gonogo.cli.{name}", "words", "example")
        )

    def run(*words: str) -> tuple[int, str, str]:
        code = main.run(words)
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run


def as_json(said: Said, *words: str) -> Any:
    code, out, err = said(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_what_is_rehearsed_is_the_watch_that_a_run_would_have() -> None:
    plan = load(str(EXAMPLES / "watch.md"))
    phase = next(phase for phase in plan.phases if watching.is_watched(plan, phase))
    course = course_of(plan)
    assert course.planned == watching.planned(plan, phase)
    assert (course.width_ms, LONGER) == (watching.width_ms(plan), watching.LONGER)
    assert course.rules == plan.rules
    sources = watching.sources_of(plan)
    assert course.forms == {name: form_of(source) for name, source in sources.items()}


# gonogo test


def test_the_examples_of_the_repository_hold(said: Said) -> None:
    code, out, _ = said("test", "watch.md", "--timeline", *TIMELINES)
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


# gonogo rehearse


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_and_rolled_back_as_it_must(said: Said, fault: str) -> None:
    alerts, rollback = FAULTS[fault]
    common = (
        'start: "14:00"\nsamples: 5000\n'
        "metrics: {p95: 400 ms, p99: 800 ms, error rate: 0.4 %, cache hit rate: 62 %,"
        " refresh failures: 0}\n"
    )
    # no series is longer than the fault: the last value lasts to the end of the watch
    case = f"cases: [{{name: fault, metrics: {{{fault}}}, expect: [{{fired: []}}]}}]\n"
    Path("fault.yaml").write_text(common + case, encoding="utf-8")
    (story,) = as_json(said, "rehearse", "watch.md", "--timeline", "fault.yaml")["stories"]
    told = [
        f"{a['severity']} {_clock(a['at_ms'])}" for a in story["alerts"] if a["rule"] != "rollback"
    ]
    assert told == alerts
    assert (story["rollback"] and _clock(story["rollback"]["at_ms"])) == rollback
    assert story["buckets"] == (288 if rollback is None else _buckets(rollback))


def _clock(at_ms: int) -> str:
    minutes = at_ms // 60_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _buckets(clock: str) -> int:
    hours, minutes = clock.split(":")
    return ((int(hours) - 14) * 60 + int(minutes)) // 5


def test_without_a_timeline_every_rule_and_metric_has_its_story(said: Said) -> None:
    found = as_json(said, "rehearse", "watch.md")
    stories = {story["name"]: story for story in found["stories"]}
    rules = {story["rule"] for story in found["stories"] if story["rule"]}
    assert (found["planned"], len(rules)) == (288, 11)
    assert stories["all good"]["verdict"] == "go"
    for name in ("response time", "error rate", "cache hit rate", "refresh failures"):
        assert stories[f"{name} is silent"]["verdict"] == "hold"
    for rule in rules:
        fired = {move["rule"] for move in stories[rule]["moves"] if move["after"] == "firing"}
        assert rule in fired


@pytest.mark.parametrize("words", [("rehearse", "watch.md"),
                                   ("rehearse", "watch.md", "--timeline", "faults.yaml"),
                                   ("test", "watch.md", "--timeline", "faults.yaml")],
                         ids=["scripted", "timeline", "test"])  # fmt: skip
def test_everything_fits_80_columns(said: Said, words: tuple[str, ...]) -> None:
    code, out, _ = said(*words)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80


def test_a_rollback_is_shown_with_its_time_and_the_delay(said: Said) -> None:
    _, out, _ = said("rehearse", "watch.md")
    story = out.split("\nrollback/error-rate-1-for-2-consecutive-5-minute-buckets\n")[1]
    assert "rollback  at 00:20, 10 min after the fault\n" in story.split("\n\n")[0]


def test_a_rollback_that_a_person_decides_says_so(said: Said) -> None:
    text = Path("watch.md").read_text(encoding="utf-8")
    Path("ask.md").write_text(
        text.replace("gonogo: 1\n", "gonogo: 1\nrollback: ask\n"), encoding="utf-8"
    )
    assert "; a person is asked first" in said("rehearse", "ask.md")[1]
    assert as_json(said, "rehearse", "ask.md")["rollback"] == "ask"


def test_a_rule_that_no_value_breaks_has_no_story_and_says_so(said: Said) -> None:
    text = Path("watch.md").read_text(encoding="utf-8")
    Path("never.md").write_text(text.replace("failures > 2", "failures < 0"), encoding="utf-8")
    _, out, _ = said("rehearse", "never.md")
    assert "no scripted fault: rollback/refresh-failures-0\n" in out
