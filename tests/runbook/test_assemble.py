"""What each shape on a page becomes: steps, phases, rules, rollback, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runbook.conftest import Reader

from gonogo.errors import RunbookError, Severity
from gonogo.plan.kinds import Catalog, Effect, Role
from gonogo.plan.model import Consequence, Interrupted, Mode, Plan, Retry, Step
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source

EXPLICIT = "---\ngonogo: 1\n---\n\n"
METRICS = (
    "---\ngonogo: 1\nmetrics:\n"
    '  error rate: {log: a.jsonl, ratio: "status >= 500"}\n'
    "  response time: {log: a.jsonl, value: ms, unit: ms}\n---\n\n"
)


def a_plan(understood: Reader, text: str) -> Plan:
    found = understood(text)
    assert found.plan is not None, [(d.code, d.message) for d in found.diagnostics]
    return found.plan


def a_step(understood: Reader, body: str, *, front: str = EXPLICIT) -> Step:
    return next(a_plan(understood, f"{front}## Deployment\n\n{body}").steps())


def codes(understood: Reader, text: str) -> list[str]:
    return [d.code for d in understood(text).diagnostics]


SHELL = "  ```bash\n  ./go\n  ```\n"


# --- modes


def test_gonogo_1_makes_a_runbook_explicit_and_nothing_else_does(understood: Reader) -> None:
    assert a_plan(understood, EXPLICIT + "## Deploy\n- [ ] x\n").mode is Mode.EXPLICIT
    assert a_plan(understood, "## Deploy\n- [ ] x\n").mode is Mode.ASSISTED
    assert a_plan(understood, "---\ntitle: x\n---\n## Deploy\n- [ ] x\n").mode is Mode.ASSISTED


def test_all_mistakes_are_raised_at_once_in_the_order_of_the_file(catalog: Catalog) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] a\n  - Retry: often\n- [ ] b\n  - Timeout: soon\n"
    with pytest.raises(RunbookError) as caught:
        assemble(read(Source("x.md", text)), catalog)
    assert [d.span.line for d in caught.value.diagnostics] == [7, 9]


def test_meanings_are_there_although_there_are_mistakes(understood: Reader) -> None:
    found = understood(EXPLICIT + "## Deploy\n- [ ] a\n  - Retry: often\n")
    assert found.plan is None
    assert {m.what for m in found.meanings} >= {"phase", "manual step"}


def test_what_is_a_mistake_in_an_explicit_runbook_is_a_warning_in_an_assisted_one(
    understood: Reader,
) -> None:
    body = "## Deploy\n- [ ] a\n  - Retry: often\n"
    assert understood(EXPLICIT + body).plan is None
    assert [d.severity for d in understood(body).diagnostics] == [Severity.WARNING]


# --- steps


@pytest.mark.parametrize(
    ("shape", "title"),
    [
        pytest.param("- [ ] Switch it\n" + SHELL, "Switch it", id="box"),
        pytest.param("* [ ] **Switch** it\n" + SHELL, "Switch it", id="box-with-bold-words"),
        pytest.param("1. Switch it\n\n   ```bash\n   ./go\n   ```\n", "Switch it", id="number"),
        pytest.param("- Switch it\n" + SHELL, "Switch it", id="bullet-with-block"),
        pytest.param("### Step 3: Switch it\n```bash\n./go\n```\n", "Switch it", id="step-heading"),
        pytest.param("### 2.1 Switch it\n```bash\n./go\n```\n", "Switch it", id="dotted-heading"),
        pytest.param("**Switch it:**\n\n```bash\n./go\n```\n", "Switch it", id="bold-paragraph"),
        pytest.param("- [ ] Switch it\n\n```bash\n./go\n```\n", "Switch it", id="block-beside-box"),
        pytest.param("```bash\n./go\n```\n", "Deployment", id="block-alone"),
    ],
)
def test_shapes_of_steps_with_a_block(understood: Reader, shape: str, title: str) -> None:
    step = a_step(understood, shape)
    assert step.title == title
    assert step.block is not None
    assert step.block.kind == "shell"
    assert step.effect is Effect.ACTION


@pytest.mark.parametrize(
    ("shape", "claimed", "critical", "optional"),
    [
        pytest.param("- [ ] Ask Ben", False, False, False, id="open"),
        pytest.param("- [x] Ask Ben", True, False, False, id="ticked"),
        pytest.param("✅ Ask Ben", True, False, False, id="emoji"),
        pytest.param("☐ Ask Ben", False, False, False, id="open-emoji"),
        pytest.param("- [ ] ⚠️ Ask Ben", False, True, False, id="warning-sign"),
        pytest.param("- [ ] Ask Ben\n  - Critical: yes", False, True, False, id="directive"),
        pytest.param("- [ ] Ask Ben (optional)", False, False, True, id="optional"),
        pytest.param("- [ ] Ask Ben, if needed", False, False, True, id="if-needed"),
        pytest.param("- [ ] Ask Ben\n  - Optional: yes", False, False, True, id="optional-line"),
    ],
)
def test_marks_of_manual_steps(
    understood: Reader, shape: str, claimed: bool, critical: bool, optional: bool
) -> None:
    step = a_step(understood, shape)
    assert step.effect is Effect.MANUAL
    assert (step.claimed, step.critical, step.optional) == (claimed, critical, optional)


def test_a_box_with_boxes_is_a_group_and_hands_its_marks_down(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] ⚠️ Workers\n  - Owner: ana\n  - [ ] One\n  - [ ] Two\n"
    steps = list(a_plan(understood, text).steps())
    assert [s.title for s in steps] == ["One", "Two"]
    assert all(s.critical and s.owner == "ana" and s.path == ("Deploy", "Workers") for s in steps)


def test_a_box_with_boxes_and_a_block_is_a_step_too(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] Workers\n" + SHELL + "  - [ ] One\n"
    assert [s.title for s in a_plan(understood, text).steps()] == ["Workers", "One"]


def test_the_second_block_of_a_step_needs_the_first(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] Go\n" + SHELL + "\n" + SHELL.replace("go", "on")
    first, second = a_plan(understood, text).steps()
    assert (first.id, second.id) == ("deploy/go", "deploy/go-2")
    assert second.needs == ("deploy/go",)


def test_a_command_in_the_words_of_a_step_is_not_run(understood: Reader) -> None:
    found = understood(EXPLICIT + "## Deploy\n- [ ] Tests pass (`pnpm test`)\n")
    assert found.plan is not None
    assert next(found.plan.steps()).block is None
    assert [d.code for d in found.diagnostics] == ["GN318"]


def test_rows_of_a_checklist_table_are_steps(understood: Reader) -> None:
    text = (
        EXPLICIT + "## Deploy\n\n| # | Item | Owner | Status |\n|-|-|-|-|\n"
        "| 1 | Freeze | ana | ✅ |\n| 2 | Thaw | - | |\n"
    )
    freeze, thaw = a_plan(understood, text).steps()
    assert (freeze.title, freeze.owner, freeze.claimed) == ("Freeze", "ana", True)
    assert (thaw.title, thaw.owner, thaw.claimed) == ("Thaw", None, False)


def test_boxes_inside_blocks_quotations_and_comments_are_no_steps(understood: Reader) -> None:
    text = (
        EXPLICIT + "## Deploy\n- [ ] Real\n\n```markdown\n- [ ] Sample\n```\n\n"
        "> - [ ] Quoted\n\n<!--\n- [ ] Hidden\n-->\n"
    )
    found = understood(text)
    assert found.plan is not None
    assert [s.title for s in found.plan.steps()] == ["Real"]
    assert "GN314" in [d.code for d in found.diagnostics]


# --- directives of a step


def test_the_directives_of_a_step_become_typed_values(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] Go\n" + SHELL + "\n  - Expect: output = 3\n  - Expect: exit code = 0\n"
        "  - Retry: 4 times every 2s\n  - Timeout: 1h 30m\n  - Owner: ana\n"
        "  - Record: output, exit code\n  - Idempotent: yes\n  - **Estimated time**: 2 minutes\n"
        "  - Parallel: yes\n  - Note: ask Ben\n  - Undo: `./back`\n  - Unless: `test -e done`\n",
    )
    assert [e.condition.text for e in step.expect] == ["output = 3", "exit code = 0"]
    assert step.retry == Retry(4, 2.0)
    assert (step.timeout_s, step.estimate_s) == (5400.0, 120.0)
    assert (step.owner, step.records) == ("ana", ("output", "exit code"))
    assert step.interrupted is Interrupted.RERUN
    assert step.parallel
    assert step.notes == ("Note: ask Ben",)
    assert [b.work.describe() for b in step.undo] == ["./back"]
    assert step.unless is not None
    assert step.unless.block.work.describe() == "test -e done"
    assert step.unless.expect[0].default


def test_directives_go_to_the_block_before_them_and_owners_to_all(understood: Reader) -> None:
    text = (
        EXPLICIT + "## Deploy\n- [ ] Go\n  - Owner: ana\n" + SHELL + "\n  - Timeout: 1m\n\n"
        "  ```bash\n  ./on\n  ```\n\n  - Timeout: 2m\n"
    )
    first, second = a_plan(understood, text).steps()
    assert (first.timeout_s, second.timeout_s) == (60.0, 120.0)
    assert (first.owner, second.owner) == ("ana", "ana")


def test_options_at_the_top_of_a_block_say_the_same_as_directives(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] Go\n\n  ```bash\n  #| expect: output = 3\n  #| timeout: 7s\n  #| cwd: app\n"
        "  ./go\n  ```\n",
    )
    assert [e.condition.text for e in step.expect] == ["output = 3"]
    assert step.timeout_s == 7.0
    assert step.block is not None
    assert ("cwd", "app") in step.block.options


def test_a_block_without_an_expectation_gets_the_printed_default(understood: Reader) -> None:
    found = understood(EXPLICIT + "## Deploy\n- [ ] Go\n" + SHELL)
    assert found.plan is not None
    (expectation,) = next(found.plan.steps()).expect
    assert expectation.default
    assert any(m.what == "default" and "exit code = 0" in m.detail for m in found.meanings)


def test_a_name_is_the_identity_whatever_the_headings(understood: Reader) -> None:
    assert a_step(understood, "- [ ] Go\n  - Name: Big Switch\n").id == "big-switch"


def test_an_expectation_in_a_comment_is_never_dropped(understood: Reader) -> None:
    body = "## Smoke tests\n- [ ] Go\n\n  ```bash\n  ./go  # Expected: 403\n  ```\n"
    assert codes(understood, EXPLICIT + body) == ["GN335"]
    step = next(a_plan(understood, body).steps())
    assert step.notes == ("Expected: 403",)
    assert [(e.condition.say(), e.default) for e in step.expect] == [("exit code = 0", True)]


def test_words_that_are_no_condition_do_not_replace_the_default(understood: Reader) -> None:
    body = "## Smoke tests\n- [ ] Go\n\n  ```bash\n  ./go\n  ```\n\n  - Expect: it looks right\n"
    step = next(a_plan(understood, body).steps())
    assert step.notes == ("Expect: it looks right",)
    assert [(e.condition.say(), e.default) for e in step.expect] == [("exit code = 0", True)]


def test_a_kind_without_a_default_leaves_the_prose_to_a_person(understood: Reader) -> None:
    body = "## Smoke tests\n- [ ] Go\n\n  ```sql\n  SELECT 1 -- Expected: one row\n  ```\n"
    step = next(a_plan(understood, body).steps())
    assert step.notes == ("Expected: one row",)
    assert step.expect == ()
    assert codes(understood, body) == ["GN335"]


ASKING = "## Smoke tests\n- [ ] Go\n\n  ```bash\n  true\n  ./ask\n  ```\n"


@pytest.mark.parametrize("front", [EXPLICIT, ""], ids=["explicit", "assisted"])
@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ("", ["GN509"]),
        ("\n  - Expect: exit code = 0\n", ["GN509"]),
        ("\n  - Expect: duration < 5s\n", ["GN509"]),
        ('\n  - Expect: output = "t"\n', []),
        ("\n  - Expect: exit code = 0\n  - Expect: lines > 1\n", []),
        ("\n  - Record: output as answer\n", []),
    ],
)
def test_an_answer_that_is_only_printed_is_worth_a_warning_unless_somebody_judges_it(
    understood: Reader, front: str, more: str, warned: list[str]
) -> None:
    found = understood(front + ASKING + more)
    assert [d.code for d in found.diagnostics] == warned
    if warned:
        assert found.diagnostics[0].span.line == front.count("\n") + 6
        assert found.diagnostics[0].severity is Severity.WARNING


def test_prose_that_a_person_judges_is_enough_for_an_answer_that_is_only_printed(
    understood: Reader,
) -> None:
    assert codes(understood, ASKING.replace("./ask", "./ask  # Expected: t")) == ["GN335"]


@pytest.mark.parametrize("block", ["`./ask`", "\n\n     ```bash\n     ./ask\n     ```"])
def test_an_unless_whose_answer_nobody_judges_is_worth_a_warning(
    understood: Reader, block: str
) -> None:
    text = "## Deploy\n1. Go\n\n   ```bash\n   ./go\n   ```\n\n   - Unless: "
    assert codes(understood, EXPLICIT + text + block + "\n") == ["GN509"]


def test_bounds_in_the_comments_of_a_block_are_never_dropped(understood: Reader) -> None:
    body = "## Load tests\n\n```bash\n./load\n# - P95 < 500ms\n```\n"
    assert codes(understood, EXPLICIT + body) == ["GN335"]


def test_critical_in_front_of_a_bound_is_a_severity_and_not_a_directive(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Alerts\n- **Critical**: error rate > 5% for 1 bucket\n"
    (rule,) = a_plan(understood, text).rules
    assert rule.consequence is Consequence.CRITICAL


# --- phases


def test_a_sub_heading_of_another_role_is_a_phase_of_its_own(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deployment\n### Apply\n- [ ] a\n### Smoke tests\n- [ ] b\n### Clean up\n- [ ] c\n"
    )
    plan = a_plan(understood, text)
    assert [(p.role, p.title) for p in plan.phases] == [
        (Role.DEPLOY, "Deployment"),
        (Role.VERIFY, "Smoke tests"),
        (Role.DEPLOY, "Clean up"),
    ]
    assert [s.id for s in plan.steps()] == [
        "deployment/apply/a",
        "smoke-tests/b",
        "deployment/clean-up/c",
    ]


def test_phase_settles_what_words_cannot(understood: Reader) -> None:
    plan = a_plan(understood, EXPLICIT + "## The big day\n\n- Phase: deploy\n\n- [ ] a\n")
    assert plan.phases[0].role is Role.DEPLOY


def test_reference_sections_are_never_carried_out(understood: Reader) -> None:
    text = (
        "# Release\n## Deploy\n- [ ] a\n## Troubleshooting\n### Deploy again\n```bash\ntail -f x\n```\n"  # noqa: E501
        "- [ ] not asked\n## Quick reference\n1. b\n"
    )
    found = understood(text)
    assert found.plan is not None
    assert [s.title for s in found.plan.steps()] == ["a"]
    assert found.diagnostics == ()


def test_a_strange_heading_with_a_runnable_step_is_a_mistake(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] a\n## Fiddling\n- [ ] b\n" + SHELL
    assert codes(understood, text) == ["GN324"]


def test_a_strange_heading_with_boxes_goes_on_with_the_phase_before_when_assisted(
    understood: Reader,
) -> None:
    plan = a_plan(
        understood, "## Pre-deployment\n- [ ] a\n## Ownership\n- [ ] b\n## Rollout\n- [ ] c\n"
    )
    assert [p.role for p in plan.phases] == [Role.PREFLIGHT, Role.PREFLIGHT, Role.DEPLOY]


def test_a_watch_lasts_as_long_as_its_heading_says(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deploy (10 min)\n- [ ] a\n## Watch for 2 hours in 1-minute buckets\n- [ ] b\n"
    )
    plan = a_plan(understood, text)
    assert plan.phases[0].estimate_s == 600.0
    assert (plan.phases[1].span_s, plan.phases[1].estimate_s) == (7200.0, None)
    assert plan.settings["bucket"] == "60"


# --- rules


@pytest.mark.parametrize(
    ("heading", "line", "consequence"),
    [
        pytest.param("Objectives", "- Error rate < 1%", Consequence.OBJECTIVE, id="objective"),
        pytest.param("Alerts", "- Warn: error rate > 1%", Consequence.WARN, id="warn"),
        pytest.param("Alerts", "- error rate > 1%", Consequence.PAGE, id="alert-without-word"),
        pytest.param("Red flags", "- error rate > 1%", Consequence.PAGE, id="red-flag"),
        pytest.param("Rollback triggers", "- error rate > 1%", Consequence.ROLLBACK, id="trigger"),
        pytest.param(
            "Rollback triggers", "- [ ] Page: error rate > 1%", Consequence.ROLLBACK, id="as-box"
        ),
        pytest.param(
            "Success criteria", "- Error rate < 1%", Consequence.OBJECTIVE, id="criterion"
        ),
        pytest.param("Alerts", "> error rate > 1%", None, id="quotation-is-an-example"),
    ],
)
def test_polarity_comes_from_the_section(
    understood: Reader, heading: str, line: str, consequence: Consequence | None
) -> None:
    text = f"{METRICS}## Deploy\n- [ ] x\n## Monitoring\n### {heading}\n\n{line}\n"
    rules = a_plan(understood, text).rules
    assert [r.consequence for r in rules] == ([consequence] if consequence else [])


def test_a_lead_in_gives_its_window_and_polarity_to_its_list(understood: Reader) -> None:
    text = (
        METRICS + "## Deploy\n- [ ] x\n## Monitoring\n"
        "Roll back if any of these holds for 10 minutes:\n\n- error rate > 5%\n"
    )
    (rule,) = a_plan(understood, text).rules
    assert rule.consequence is Consequence.ROLLBACK
    assert rule.condition.window is not None
    assert rule.condition.window.seconds == 600
    assert not rule.defaulted


def test_a_rule_without_a_window_says_so(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Alerts\n- error rate > 5%\n"
    found = understood(text)
    assert found.plan is not None
    assert found.plan.rules[0].defaulted
    assert [d.code for d in found.diagnostics] == ["GN334"]


def test_a_statistic_alone_means_the_only_metric_with_a_distribution(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Alerts\n- P99 > 2s for 2 buckets\n"
    assert a_plan(understood, text).rules[0].condition.predicates[0].metric == "response time"


def test_an_unbound_metric_is_an_error_with_the_nearest_name_or_a_question(
    understood: Reader,
) -> None:
    body = "## Deploy\n- [ ] x\n## Alerts\n- eror rate > 5% for 2 buckets\n"
    (found,) = understood(METRICS + body).diagnostics
    assert (found.code, found.severity) == ("GN340", Severity.ERROR)
    assert "`error rate`" in found.hint
    plan = a_plan(understood, body)
    assert plan.phases[-1].steps[-1].notes == ("Must not be: eror rate > 5% for 2 buckets (page)",)


@pytest.mark.parametrize("front", [EXPLICIT, ""], ids=["explicit", "assisted"])
@pytest.mark.parametrize("second", ["Watch for 4 hours", "Monitoring for 2 hours"])
def test_a_trigger_without_a_figure_is_asked_in_every_watch(
    understood: Reader, front: str, second: str
) -> None:
    text = (
        "## Deploy\n- [ ] x\n## Watch for 1 hour\n- [ ] y\n"
        f"## Smoke tests\n- [ ] z\n## {second}\n- [ ] w\n"
        "## Rollback\n### Triggers\n- Data loss\n- Data leak\n### Back\n- [ ] v\n"
    )
    found = understood(front + text)
    assert [d for d in found.diagnostics if d.code in ("GN323", "GN338")] == []
    plan = a_plan(understood, front + text)
    asked = [[s.title for s in p.steps if s.notes] for p in plan.phases]
    assert asked == [[], ["Data loss", "Data leak"], [], ["Data loss", "Data leak"]]
    names = [s.id for s in plan.steps()]
    assert len(set(names)) == len(names)
    assert "rollback/triggers/data-loss" in names  # as in a runbook with one watch


def test_a_trigger_without_a_figure_is_asked_of_a_person(understood: Reader) -> None:
    text = (
        METRICS
        + "## Deploy\n- [ ] x\n## Monitoring\n- [ ] y\n## Rollback\n### Triggers\n- Data loss\n"
    )
    plan = a_plan(understood, text)
    assert plan.phases[-1].role is Role.WATCH
    assert plan.phases[-1].steps[-1].notes == ("Must not be: Data loss (rollback)",)
    assert plan.rollback is None


def test_a_sign_off_box_with_a_figure_is_a_rule_and_a_question(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Sign-off\n- [ ] Error rate < 0.1%\n"
    plan = a_plan(understood, text)
    assert [r.consequence for r in plan.rules] == [Consequence.OBJECTIVE]
    assert plan.phases[-1].steps[0].expect[0].condition.text == "Error rate < 0.1%"


# --- rollback


def test_options_of_a_rollback_and_its_proof(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deploy\n- [ ] x\n## Rollback\n### 1. Previous release (2 min)\n```bash\n./back\n```\n"
        "### 2. Empty the disk\n```bash\nrm -rf data\n```\n- No dump: old\n"
        "### Verify\n- [ ] Old page\n"
    )
    back = a_plan(understood, text).rollback
    assert back is not None
    assert [(o.title, o.stated_s, o.destructive) for o in back.options] == [
        ("Previous release (2 min)", 120.0, False),
        ("Empty the disk", None, True),
    ]
    assert [s.title for s in back.proof] == ["Old page"]
    assert back.options[1].steps[0].destroys[0].span.line == 14


def test_a_rollback_without_sub_headings_is_one_option(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] x\n## Rollback\n1. Stop\n2. Back\n"
    back = a_plan(understood, text).rollback
    assert back is not None
    assert [[s.title for s in o.steps] for o in back.options] == [["Stop", "Back"]]


def test_rollback_plan_documented_is_only_a_question(understood: Reader) -> None:
    plan = a_plan(understood, "## Pre-deployment\n### Rollback\n- [ ] Rollback plan documented\n")
    assert plan.rollback is None
    assert plan.phases[0].role is Role.PREFLIGHT


# --- the rest


def test_places_inside_a_block_become_places_in_the_file(understood: Reader) -> None:
    found = understood(
        EXPLICIT + "## Deploy\n1. Go\n\n   ```bash\n   ls\n   tail -f ${LOG}\n   ```\n"
    )
    (diagnostic,) = found.diagnostics
    assert (diagnostic.span.line, diagnostic.span.column) == (10, 4)


def test_a_block_that_cannot_run_safely_is_by_hand_only_when_assisted(understood: Reader) -> None:
    found = understood("## Deploy\n1. Look\n\n   ```bash\n   tail -f x\n   ```\n")
    assert found.plan is not None
    step = next(found.plan.steps())
    assert (step.block, step.effect) == (None, Effect.MANUAL)
    assert step.notes == ("By hand only: `tail -f` never ends", "Block: tail -f x")


def test_variables_are_listed_once_with_their_first_use(understood: Reader) -> None:
    text = (
        "---\ngonogo: 1\ntargets: {app: '${APP_URL}'}\n---\n## Deploy\n1. Go\n\n"
        "   ```bash\n   echo ${A} ${B} ${A}\n   ```\n\n2. Ask\n\n   ```http\n   GET {{app}}/{{B}}\n   ```\n"  # noqa: E501
    )
    found = [(v.name, v.span.line) for v in a_plan(understood, text).variables]
    assert found == [("APP_URL", 3), ("A", 9), ("B", 9)]


def test_a_typed_yaml_block_is_bound_to_its_kind(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] Port\n\n  ```yaml\n  check: port\n  port: 5432\n  wait: 2m\n  tags: [a, b]\n"
        "  expect: open = true\n  ```\n",
    )
    assert step.block is not None
    assert (step.block.work.port, step.block.work.wait_s) == (5432, 120.0)  # type: ignore[attr-defined]
    assert step.block.work.tags == ("a", "b")  # type: ignore[attr-defined]
    assert [e.condition.text for e in step.expect] == ["open = true"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param("port: many", "GN210", id="wrong-type"),
        pytest.param("prot: 1", "GN209", id="unknown-field"),
        pytest.param("wait: soon", "GN210", id="no-duration"),
        pytest.param("port: [", "GN206", id="no-yaml"),
    ],
)
def test_mistakes_in_a_typed_block(understood: Reader, line: str, code: str) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] P\n\n  ```yaml\n  check: port\n  {line}\n  ```\n"
    assert codes(understood, text) == [code]


_SEEDS = Path(__file__).parents[3] / "shared" / "seeds"


@pytest.mark.skipif(not _SEEDS.is_dir(), reason="the source documents are not part of the package")
def test_the_source_documents_give_a_plan(really_understood: Reader) -> None:
    for path in sorted(_SEEDS.glob("*.txt")):
        plan = a_plan(really_understood, path.read_text(encoding="utf-8", errors="replace"))
        assert len(list(plan.every_step())) >= 20


def test_work_grows_with_the_size_of_the_file_and_not_faster(understood: Reader) -> None:
    body = "### Part {n}\n\n1. Go {n}\n\n   ```bash\n   ./go {n}\n   ```\n\n   - Needs: Go {n}x\n"
    text = "## Deploy\n" + "".join(body.replace("{n}", str(n)) for n in range(600))
    found = understood(text)
    assert found.plan is not None
    assert len([d for d in found.diagnostics if d.code == "GN401"]) == 600
    assert (
        sum("did you mean" in d.hint for d in found.diagnostics) <= 60
    )  # the costly part is capped


def test_every_line_of_a_good_runbook_has_a_meaning(really_understood: Reader) -> None:
    for path in sorted((Path(__file__).parents[1] / "runbooks" / "good").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        meant: set[int] = set()
        for meaning in really_understood(text).meanings:
            meant.update(range(meaning.span.line, meaning.span.end_line + 1))
        lines = [n for n, line in enumerate(text.split("\n"), 1) if line.strip() not in ("", "---")]
        assert [n for n in lines if n not in meant] == [], path.name


def test_a_question_about_something_bad_expects_nothing(understood: Reader) -> None:
    plan = a_plan(understood, "## Deploy\n- [ ] x\n## Red flags\n- Error rate > 5%\n")
    question = plan.phases[-1].steps[-1]
    assert (question.expect, question.notes) == ((), ("Must not be: Error rate > 5% (page)",))


def test_lines_with_hard_ends_are_directives_of_their_own(understood: Reader) -> None:
    text = (
        "## Deploy\n**Estimated time**: 2-4 hours  \n**Owner**: ana  \n**Colour**: red\n\n- [ ] x\n"
    )
    plan = a_plan(understood, text)
    assert plan.phases[0].estimate_s == 4 * 3600
    assert plan.phases[0].steps[0].owner == "ana"


def test_a_list_after_expected_belongs_to_the_block_before(understood: Reader) -> None:
    body = "## Smoke tests\n```bash\n./go\n```\n\nExpected results:\n\n- Home: 200\n- Admin: 403\n"
    assert next(a_plan(understood, body).steps()).notes == (
        "Expected: Home: 200",
        "Expected: Admin: 403",
    )
    assert codes(understood, EXPLICIT + body) == ["GN335", "GN335"]


def test_a_numbered_command_as_heading_stays_in_its_phase(understood: Reader) -> None:
    text = EXPLICIT + "## Deployment\n### 1. Monitor the queue\n```bash\n./queue\n```\n"
    assert [p.role for p in a_plan(understood, text).phases] == [Role.DEPLOY]


def test_a_step_whose_block_is_left_out_is_no_step(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deploy\n- [ ] a\n- [ ] b\n\n  ```bash {excludeFromRunAll=true}\n  ./b\n  ```\n"
    )
    assert [s.title for s in a_plan(understood, text).steps()] == ["a"]


def test_a_runbook_without_mistakes_gives_its_plan(catalog: Catalog) -> None:
    plan = assemble(read(Source("x.md", EXPLICIT + "## Deploy\n- [ ] a\n")), catalog)
    assert [p.id for p in plan.phases] == ["deploy"]


def test_what_is_done_by_hand_is_destructive_all_the_same(understood: Reader) -> None:
    text = "## Deploy\n- [ ] x\n## Rollback\n```bash\nrm -rf data\ntail -f x\n```\n"
    back = a_plan(understood, text).rollback
    assert back is not None
    assert back.options[0].steps[0].block is None
    assert back.options[0].destructive
