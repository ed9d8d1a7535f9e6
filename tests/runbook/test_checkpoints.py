"""Times in the headings of a watch, what belongs to which watch, and what a baseline records."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader

from gonogo.errors import Severity
from gonogo.judge.firing import mistakes_of_watch
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Plan
from gonogo.runbook.checkpoints import counts_from_first, time_of

H = 3_600.0
FRONT = """\
---
gonogo: 1
metrics:
  response time: {log: a.jsonl, value: duration, unit: ms}
  error rate: {log: a.jsonl, ratio: "status >= 500"}
  processor: {host: cpu}
---
# Search

## Pre-deployment

- [ ] Baseline
{record}

## Deployment

- [ ] Switch

"""


@pytest.mark.parametrize(
    ("title", "stretch"),
    [
        ("First 15 minutes", (0, 900)),
        ("First hour", (0, H)),
        ("First week", (0, 168 * H)),
        ("Application health (First 15 Minutes)", (0, 900)),
        ("Within 2 hours", (0, 2 * H)),
        ("After 4 hours", (4 * H, 4 * H)),
        ("At 4 hours", (4 * H, 4 * H)),
        ("4-hour checkpoint", (4 * H, 4 * H)),
        ("T+15 minutes", (900, 900)),
        ("24 hours", (24 * H, 24 * H)),
        ("User impact (24 hours)", (24 * H, 24 * H)),
        ("Objectives", None),
        ("Checks after the release", None),
        ("Every 5 minutes", None),
        ("Alerts for 5-minute buckets", (0, 300)),
    ],
)
def test_the_time_of_a_heading(title, stretch):
    assert time_of(title) == stretch


@pytest.mark.parametrize(
    ("title", "first"),
    [
        ("First day", True),
        ("The first 24 hours", True),
        ("Watch for a day", False),
        ("First", False),
    ],
)
def test_whether_a_length_counts_from_the_first_watch(title, first):
    assert counts_from_first(title) is first


def read(reader: Reader, text: str, record: str = "  - Owner: ana") -> Plan:
    found = reader(FRONT.replace("{record}", record) + text)
    wrong = [d.message for d in found.diagnostics if d.severity is Severity.ERROR]
    assert found.plan is not None, wrong
    return found.plan


def wrong(reader: Reader, text: str, record: str) -> list[tuple[str, str]]:
    found = reader(FRONT.replace("{record}", record) + text)
    return [(d.code, d.message) for d in found.diagnostics if d.severity is not Severity.NOTE]


def test_steps_belong_to_the_nearest_heading_with_a_time(understood):
    plan = read(
        understood,
        "## Watch for 24 hours\n\n- [ ] At once\n\n### First hour\n\n- Every: 10m\n\n- [ ] One\n\n"
        "#### Security\n\n- [ ] Two\n\n### After 4 hours\n\n- [ ] Three\n  - Deadline: 30m\n",
    )
    watch = plan.phases[-1]
    points = {
        c.title: ([s.rpartition("/")[2] for s in c.steps], c.every_s) for c in watch.checkpoints
    }
    assert points == {"First hour": (["one", "two"], 600.0), "After 4 hours": (["three"], None)}
    assert plan.settings.get("bucket") is None  # the beat of a checkpoint is no bucket
    assert [step.deadline_s for step in watch.steps] == [None, None, None, 1_800.0]


def test_a_checkpoint_behind_the_end_of_the_figures_is_a_warning(understood):
    found = wrong(
        understood, "## Watch for 24 hours\n\n### First week\n\n- [ ] Quiet\n", "  - Owner: a"
    )
    assert [code for code, _ in found] == ["GN381"]


def test_a_moment_has_no_beat(understood):
    text = "## Watch for 24 hours\n\n### After 4 hours\n\n- Every: 5m\n\n- [ ] Quiet\n"
    assert [code for code, _ in wrong(understood, text, "  - Owner: a")] == ["GN382"]


def test_without_a_length_of_its_own_a_watch_lasts_to_its_last_checkpoint(understood):
    text = "## Monitoring\n\n### First hour\n\n- [ ] A\n\n### First day\n\n- [ ] B\n"
    assert read(understood, text).phases[-1].span_s == 24 * H


def test_a_rule_under_the_heading_of_one_of_several_watches_is_its_own(understood):
    plan = read(
        understood,
        "## First hour\n\n### Objectives\n\n- Error rate < 1 %\n\n"
        "## First day\n\n### Objectives\n\n- Error rate < 1 %\n- Error rate < 0.5 %\n\n"
        "## Rollback\n\n### Triggers\n\n"
        "- Error rate > 5 %\n\n### Option 1\n\n- [ ] Back\n",
    )
    hour, day = plan.phases[-2:]
    assert [(rule.phase, rule.condition.text) for rule in plan.rules] == [
        (hour.id, "Error rate < 1 %"),
        (day.id, "Error rate < 1 %"),
        (day.id, "Error rate < 0.5 %"),
        ("", "Error rate > 5 %"),
    ]
    assert (hour.from_first, day.from_first, day.span_s) == (True, True, 24 * H)
    said = [m.detail for m in plan.meanings if m.what == "watch"]
    assert said == ["lasts 1 h, from its begin", "lasts another 23 h: 1 d from the first watch on"]


def test_with_a_single_watch_every_rule_is_for_all(understood):
    plan = read(understood, "## First hour\n\n### Objectives\n\n- Error rate < 1 %\n")
    assert [rule.phase for rule in plan.rules] == [""]


def test_a_step_that_records_figures_measures_them(understood):
    record = "  - Record: response time p95, p99 and error rate\n  - For: 10m"
    step = read(understood, "", record).phases[0].steps[0]
    assert step.effect is Effect.CHECK
    assert step.baseline is not None
    assert step.baseline.for_s == 600
    assert step.baseline.figures == (
        ("response time p95", "response time", "p95"),
        ("response time p99", "response time", "p99"),
        ("error rate", "error rate", None),
    )


def test_what_a_person_records_stays_a_question(understood):
    step = read(understood, "", "  - Record: support tickets").phases[0].steps[0]
    assert (step.effect, step.baseline) == (Effect.MANUAL, None)


def test_a_figure_that_is_not_bound_cannot_be_measured(understood):
    found = wrong(understood, "", "  - Record: error rate, support tickets")
    assert [code for code, _ in found] == ["GN383"]
    assert "`support tickets`" in found[0][1]


@pytest.mark.parametrize(
    ("record", "codes"),
    [("  - Record: error rate", []), ("  - Record: response time p95", ["GN380"])],
    ids=["recorded", "another one"],
)
def test_a_rule_needs_the_baseline_it_speaks_of(understood, record, codes):
    text = "## Watch for an hour\n\n### Objectives\n\n- Error rate at most 1.5x baseline\n"
    assert [code for code, _ in wrong(understood, text, record)] == codes


def test_the_unnamed_figure_is_the_only_distribution_in_its_unit(understood):
    """The load of the processor has samples too, but no seconds."""
    plan = read(understood, "## Watch for an hour\n\n### Alerts\n\n- **Page**: p99 > 2s\n")
    assert plan.rules[0].condition.predicates[0].metric == "response time"


def test_buckets_of_milliseconds_are_a_mistake_and_not_overlooked(understood):
    text = "## Watch for an hour in 500ms buckets\n\n### Alerts\n\n- **Page**: error rate > 2 %\n"
    codes = [d.code for d in mistakes_of_watch(read(understood, text))]
    assert codes == ["GN354"]


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("{clear: 3, blind after: 20m}", {"clear": "3", "blind after": "1200"}),
        ("{clear: soon}", None),
        ("{clear: 0}", None),
        ("{blind after: a while}", None),
    ],
)
def test_how_rules_resolve_and_when_silence_pages_can_be_set(understood, said, settings):
    found = understood(
        f"---\ngonogo: 1\ndefaults: {said}\n---\n# A\n\n## Deployment\n\n- [ ] Switch\n"
    )
    if settings is None:
        assert found.plan is None
        assert [d.code for d in found.diagnostics] == ["GN302"]
    else:
        assert found.plan is not None
        assert found.plan.settings == settings


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        pytest.param("in 1-minute buckets", "in 5-minute buckets", ["GN384"], id="two-widths"),
        pytest.param("in 5-minute buckets", "in 5-minute buckets", [], id="the-same"),
        pytest.param("in 5-minute buckets", "", [], id="said-once"),
        pytest.param("", "in 1-minute buckets", [], id="said-later"),
    ],
)
def test_all_watches_of_a_release_have_buckets_of_one_width(understood, first, second, codes):
    text = f"## First hour {first}\n\n- [ ] A\n\n## First day {second}\n\n- [ ] B\n"
    found = [code for code, _ in wrong(understood, text, "  - Owner: a")]
    assert [code for code in found if code != "GN385"] == codes  # nothing is measured in them
