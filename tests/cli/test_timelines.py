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
from gonogo.judge.course import (
    LONGER,
    course_of,
    form_of,
    is_watched,
    planned,
    sources_of,
    width_ms,
)
from gonogo.run import watching

EXAMPLES = Path(__file__).parents[2] / "examples" / "timelines"
TIMELINES = {"watch.md": ["faults.yaml", "silence.yaml"], "watches.md": ["watches.yaml"]}
GOLDENS = Path(__file__).parent / "goldens"
HOUR = 3_600_000
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
    phase = next(phase for phase in plan.phases if is_watched(plan, phase))
    course = course_of(plan)
    assert course.planned == planned(plan, phase)
    assert course.width_ms == width_ms(plan)
    assert len(watching.slot_names(plan, phase)) == 1 + course.planned + LONGER
    assert course.rules == plan.rules
    sources = sources_of(plan)
    assert course.forms == {name: form_of(source) for name, source in sources.items()}


# gonogo test


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


SCREENS = {
    "scripted": ("rehearse", "watch.md"),
    "timeline": ("rehearse", "watch.md", "--timeline", "faults.yaml"),
    "test": ("test", "watch.md", "--timeline", "faults.yaml"),
    "watches-scripted": ("rehearse", "watches.md"),
    "watches-timeline": ("rehearse", "watches.md", "--timeline", "watches.yaml"),
    "watches-test": ("test", "watches.md", "--timeline", "watches.yaml"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_is_that_of_its_golden_and_fits_80_columns(
    said: Said, name: str, request: pytest.FixtureRequest
) -> None:
    code, out, _ = said(*SCREENS[name])
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    golden = GOLDENS / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(out, encoding="utf-8")
    assert out == golden.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(SCREENS)


def test_a_rollback_is_shown_with_its_time_and_the_delay(said: Said) -> None:
    _, out, _ = said("rehearse", "watch.md")
    story = out.split("\nrollback/error-rate-1-for-2-consecutive-5-minute-buckets\n")[1]
    shown = " ".join(story.split("\n\n")[0].split())
    assert "rollback at 00:20, 10 min after the fault; then the figures are good again" in shown


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


# Several watches, and the way back


def test_each_watch_is_shown_with_its_times_and_its_checkpoints(said: Said) -> None:
    found = as_json(said, "rehearse", "watches.md", "--timeline", "watches.yaml")
    spans = {
        one["title"]: (_clock(one["first_bucket_ms"]), one["ends_ms"] // HOUR)
        for one in found["watches"]
    }
    assert spans == {
        "First hour in 5-minute buckets": ("09:00", 10),
        "First day": ("10:05", 24 + 9),
        "First week": ("33:05", 7 * 24 + 9),
    }
    points = {c["title"]: (c["begins_s"], c["ends_s"], c["every_s"], len(c["steps"]))
              for one in found["watches"] for c in one["checkpoints"]}  # fmt: skip
    assert points == {
        "First 15 minutes": (0, 900, 300, 1),
        "After 4 hours": (14400, 14400, None, 1),
    }


def test_a_trigger_in_the_first_watch_ends_the_rehearsal_there(said: Said) -> None:
    found = as_json(said, "rehearse", "watches.md", "--timeline", "watches.yaml")
    story = next(one for one in found["stories"] if one["name"].startswith("errors in the first"))
    assert [one["title"] for one in story["watches"]] == ["First hour in 5-minute buckets"]
    assert story["not_reached"] == ["First day", "First week"]
    assert _clock(story["rollback"]["at_ms"]) == "09:15"
    back = story["recovery"]
    assert (back["outcome"], _clock(back["at_ms"])) == ("green", "09:35")
    row = [(_clock(one["closed_ms"]), one["look"], one["green"]) for one in back["buckets"]]
    assert row == [("09:25", "green", 1), ("09:30", "green", 2), ("09:35", "green", 3)]


def test_a_rule_of_a_later_watch_is_judged_in_it_alone(said: Said) -> None:
    found = as_json(said, "rehearse", "watches.md")
    story = next(one for one in found["stories"] if str(one["rule"]).startswith("objective/resp"))
    assert [(one["verdict"], one["moves"]) for one in story["watches"]] == [
        ("go", 0), ("no-go", 2), ("go", 0),
    ]  # fmt: skip


def test_a_recovery_that_takes_longer_than_allowed_says_so(said: Said) -> None:
    text = Path("watches.md").read_text(encoding="utf-8")
    Path("hasty.md").write_text(text.replace("rto: 40m", "rto: 25m"), encoding="utf-8")
    _, out, _ = said("rehearse", "hasty.md", "--timeline", "watches.yaml")
    assert "30 min 10 s after the first bad bucket began; too long: at most 25 min (line 7)" in (
        " ".join(out.split())
    )
    assert "too long" not in said("rehearse", "watches.md", "--timeline", "watches.yaml")[1]


def test_a_runbook_without_a_way_back_says_so(said: Said) -> None:
    text = Path("watches.md").read_text(encoding="utf-8")
    Path("none.md").write_text(text.split("### Option 1")[0], encoding="utf-8")
    _, out, _ = said("rehearse", "none.md", "--timeline", "watches.yaml")
    assert "rollback  at 09:15; the runbook has no way back\n" in out
    assert "recovered" not in out.replace("recovered:", "")
    code, out, _ = said("test", "none.md", "--timeline", "watches.yaml")
    assert code == 1
    assert "the runbook has no way back; expected at 09:35" in out


def test_where_no_option_is_written_the_undo_of_the_steps_is_the_way_back(said: Said) -> None:
    text = Path("watches.md").read_text(encoding="utf-8").split("### Option 1")[0]
    step = (
        "1. Switch\n\n   ```bash\n   ./switch v2\n   ```\n\n"
        "   - Undo:\n\n     ```bash\n     ./switch v1\n     ```\n"
    )
    text = text.replace("- [ ] The new version serves all traffic\n", step)
    Path("undo.md").write_text(text, encoding="utf-8")
    _, out, _ = said("rehearse", "undo.md", "--timeline", "watches.yaml")
    assert "way back  what the steps undo, then 3 green buckets in a row within 6\n" in out
    assert "recovered at 09:35" in out


def test_what_is_expected_of_the_way_back_is_told_where_it_differs(said: Said) -> None:
    text = Path("watches.yaml").read_text(encoding="utf-8")
    Path("wrong.yaml").write_text(text.replace("09:35", "09:30"), encoding="utf-8")
    code, out, _ = said("test", "watches.md", "--timeline", "wrong.yaml")
    assert code == 1
    assert "  FAIL  end: no-go; recovered at 09:30 " in out
    assert "        recovered at 09:35; expected at 09:30\n" in out
    (timeline,) = json.loads(said("test", "watches.md", "--timeline", "wrong.yaml", "--json")[1])[
        "timelines"
    ]
    told = {case["name"][:6]: case["recovery"] for case in timeline["cases"]}
    assert told["nothin"] is None
    assert told["errors"]["outcome"] == "green"
    assert told["the ol"]["outcome"] == "never"


# What the page shows.

PAGE = (EXAMPLES.parents[1] / "docs" / "rehearsal.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [part.split("```", 1)[0] for part in PAGE.split(f"```{language}\n")[1:]]


@pytest.mark.parametrize("block", blocks("text"), ids=["several-watches", "after-a-trigger"])
def test_the_screens_of_the_page_are_real(block: str) -> None:
    assert any(block in path.read_text(encoding="utf-8") for path in GOLDENS.iterdir())


def test_the_timeline_of_the_page_comes_out_as_it_says(said: Said) -> None:
    (example,) = blocks("yaml")
    Path("page.yaml").write_text("samples: 500\n" + example, encoding="utf-8")
    code, out, _ = said("test", "watch.md", "--timeline", "page.yaml")
    assert (code, "2 expectations, all met\n" in out) == (0, True), out
