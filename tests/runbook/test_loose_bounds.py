"""A bound that stands where nobody judges it is said, never taken for a remark."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, METRICS, codes
from tests.runbook.conftest import Reader

from gonogo.errors import Severity

STEP = "\n1. Back\n\n   ```bash\n   true\n   ```\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("## Rollback\nIf error rate > 5% for 5 minutes:\n" + STEP, "GN330", id="lead"),
        pytest.param(
            "## Deploy\n**Note:** stop when error rate > 3 %.\n" + STEP, "GN330", id="bold-label"
        ),
        pytest.param("## Deploy\n> error rate stays < 1%\n" + STEP, "GN330", id="quotation"),
        pytest.param(
            "## Deploy\n- [ ] x\n## Watch for 1 hour\n### Alerts\n- error rate of 5 %\n",
            "GN104",
            id="level-without-comparison",
        ),
        pytest.param(
            "## Deploy\n- [ ] x\n## Watch for 1 hour\n| Metric | Target |\n|---|---|\n"
            "| response time | 200 ms |\n",
            "GN104",
            id="bare-cell",
        ),
    ],
)
def test_a_bound_that_nobody_judges_is_said(understood: Reader, text: str, code: str) -> None:
    assert code in codes(understood, METRICS + text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("## Deploy\nDo all of these:\n" + STEP, id="lead-without-bound"),
        pytest.param(
            "## Deploy\n1. Tag\n   - `TAG=2024-05-06-1 make ship <env> now`\n", id="command"
        ),
        pytest.param(
            "## Deploy\n**Step 2: Migrate (< 5 minutes)**\n\n```bash\ntrue\n```\n", id="step-title"
        ),
        pytest.param(
            "## Deploy\n- [ ] x\n## Watch for 1 hour\n### Alerts\n- 2 customers call\n",
            id="question-with-a-number",
        ),
    ],
)
def test_other_words_are_left_alone(understood: Reader, text: str) -> None:
    assert not {"GN104", "GN330"} & set(codes(understood, METRICS + text))


def test_a_bound_in_prose_beside_an_expectation_is_a_mistake(understood: Reader) -> None:
    step = "## Deploy\n1. a\n   ```bash\n   true\n   ```\n   - Expect: exit code = 0\n"
    assert "GN335" in codes(understood, METRICS + step + "   - Expected: duration < 2s\n")
    assert "GN336" in codes(understood, METRICS + step + "   - Expected: a friendly greeting\n")


# --- the words of a step

CHECK = "## Pre-deployment\n\n- [ ] {title}\n\n  ```{language}\n  {body}\n  ```\n"


@pytest.mark.parametrize(
    ("title", "body", "proposal"),
    [
        ("Disk usage below 80 %", "df -h", "- Expect: output < 80 %"),
        ("Check that latency p95 < 300 ms", "true", "- Expect: output < 300 ms"),
        ("More than 2 GB free on the disk", "df -h", "- Expect: output > 2 GB"),
        ("The newest dump is less than 24 hours old", "ls dumps", "- Expect: output < 24 h"),
    ],
)
def test_a_bound_in_a_title_is_a_warning_that_names_the_line_to_write(
    really_understood: Reader, title: str, body: str, proposal: str
) -> None:
    found = really_understood(EXPLICIT + CHECK.format(title=title, language="bash", body=body))
    said = [d for d in found.diagnostics if d.code == "GN335"]
    assert [d.severity for d in said] == [Severity.WARNING]
    assert proposal in said[0].hint
    assert "`- Expect: exit code = 0`" in said[0].hint
    assert found.plan is not None


def test_a_title_over_a_request_is_compared_with_its_latency(really_understood: Reader) -> None:
    text = CHECK.format(title="Latency under 200 ms", language="http", body="GET http://a.test/")
    (said,) = [d for d in really_understood(EXPLICIT + text).diagnostics if d.code == "GN335"]
    assert "- Expect: latency < 200 ms" in said.hint


@pytest.mark.parametrize(
    ("title", "body"),
    [
        pytest.param("Wait 5 minutes", "sleep 1", id="wait"),
        pytest.param("Take a dump (about 2 minutes)", "./dump", id="about"),
        pytest.param("Take a dump (takes less than 5 minutes)", "./dump", id="takes"),
        pytest.param("Migrate (< 5 minutes)", "./migrate", id="estimate"),
        pytest.param("Go back within 15 minutes", "./back", id="within"),
        pytest.param("Upgrade PostgreSQL to > 15", "./upgrade", id="order"),
        pytest.param("Docker 24.0+", "docker version", id="version"),
        pytest.param("Keep at most 5 releases", "./prune", id="how-many-are-kept"),
        pytest.param("Ramp traffic from 10% to 50%", "./ramp", id="from-to"),
        pytest.param("Disk usage below 80 %", 'test "$(./used)" -lt 80', id="the-block-tests"),
        pytest.param("Disk usage below 80 %", "./check-disk --max 80", id="the-block-has-it"),
    ],
)
def test_times_versions_orders_and_blocks_that_compare_are_no_bounds(
    really_understood: Reader, title: str, body: str
) -> None:
    text = EXPLICIT + CHECK.format(title=title, language="bash", body=body)
    assert not {"GN335", "GN330"} & set(codes(really_understood, text))


def test_an_expect_of_its_own_is_enough_for_a_title(really_understood: Reader) -> None:
    text = EXPLICIT + CHECK.format(title="Disk usage below 80 %", language="bash", body="df -h")
    for condition in ("output < 80 %", "exit code = 0"):
        assert "GN335" not in codes(really_understood, f"{text}\n  - Expect: {condition}\n")


# --- headings


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param(
            "## Deploy\n- [ ] x\n## Watch for 1 hour\n### Error rate < 1 %\n- [ ] y\n",
            "`### Objectives`",
            id="in-a-watch",
        ),
        pytest.param(
            "## Rollback (if error rate > 5% for 5 minutes)\n" + STEP,
            "`### Triggers`",
            id="of-a-rollback",
        ),
        pytest.param(
            "## Rollback\nIf error rate > 5% for 5 minutes:\n" + STEP,
            "`### Triggers`",
            id="under-a-rollback",
        ),
    ],
)
def test_a_bound_in_a_heading_is_said_with_its_right_place(
    understood: Reader, text: str, hint: str
) -> None:
    (said,) = [d for d in understood(METRICS + text).diagnostics if d.code == "GN330"]
    assert said.severity is Severity.ERROR
    assert hint in said.hint


@pytest.mark.parametrize(
    "heading",
    [
        "## Deployment (less than 10 minutes)",
        "## Rollback (< 15 minutes)",
        "## Rollback within 15 minutes",
        "## Watch for at least 30 minutes",
        "## Deployment of version >= 2.4",
        "## Deployment to at most 5 % of the traffic",
    ],
)
def test_times_and_versions_in_headings_are_no_bounds(understood: Reader, heading: str) -> None:
    assert "GN330" not in codes(understood, METRICS + heading + "\n" + STEP)


def test_a_heading_that_is_a_step_is_held_to_its_expect(really_understood: Reader) -> None:
    step = "## Smoke tests\n### Step 1: error rate < 1 %\n\n```bash\n./rate\n```\n"
    assert "GN335" in codes(really_understood, EXPLICIT + step)
    assert "GN330" not in codes(really_understood, EXPLICIT + step)
    assert "GN335" not in codes(really_understood, EXPLICIT + step + "\n- Expect: output < 1 %\n")


# --- other words for a directive

SWITCH = EXPLICIT + "## Deployment\n1. Switch\n\n   ```bash\n   ./x\n   ```\n\n"


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("Rollback: `./back`", "GN312", "- Undo: `./back`"),
        ("Revert: `./back`", "GN312", "- Undo: `./back`"),
        ("Max duration: 3 min", "GN312", "- Timeout: 3 min"),
        ("Time limit: 3 min", "GN312", "- Timeout: 3 min"),
        ("Retires: 3", "GN312", "did you mean `Retry`"),
        ("SLO: 99.9 %", "GN330", "- Expect: …"),
        ('Must: output contains "x"', "GN335", '- Expect: output contains "x"'),
        ("Verify: the page is nice", "GN335", "- Expect: exit code = 0"),
        ("Success: exit code 0", "GN335", "- Expect: exit code 0"),
        ('Fails if: output contains "x"', "GN312", '- Expect: output does not contain "x"'),
        ('The output contains "x"', "GN330", "- Expect: …"),
    ],
)
def test_an_undo_or_expectation_under_another_name_is_an_error(
    really_understood: Reader, line: str, code: str, hint: str
) -> None:
    found = really_understood(f"{SWITCH}   - {line}\n").diagnostics
    said = [d for d in found if d.severity is Severity.ERROR]
    assert [d.code for d in said] == [code]
    assert hint in said[0].hint


@pytest.mark.parametrize(
    "line",
    [
        "Note: ask Ben, 99 %",
        "Why: it is quick",
        "Owner: ana",
        "Contact: Ben",
        "Traffic: 10 %",
        "Rollback: see the section below",
        "Limit: 5 users see it",
    ],
)
def test_prose_under_a_step_stays_a_note(really_understood: Reader, line: str) -> None:
    found = really_understood(f"{SWITCH}   - {line}\n")
    assert found.plan is not None, found.diagnostics
    assert not {"GN312", "GN330", "GN335"} & {d.code for d in found.diagnostics}


@pytest.mark.parametrize("label", ["**Rollback:**\n\n", "**Rollback**:\n\n"])
def test_a_label_over_a_block_that_goes_back_is_no_step(
    really_understood: Reader, label: str
) -> None:
    assert "GN312" in codes(really_understood, f"{SWITCH}{label}```bash\n./back\n```\n")
    back = f"{EXPLICIT}## Rollback\n\n{label}```bash\n./back\n```\n"
    assert "GN312" not in codes(really_understood, back)


def test_in_an_assisted_runbook_such_a_line_stays_with_its_step(really_understood: Reader) -> None:
    text = SWITCH.replace(EXPLICIT, "") + "   - Rollback: `./back`\n"
    found = really_understood(text)
    assert found.plan is not None
    (step,) = found.plan.steps()
    assert "Rollback: ./back" in step.notes
    assert [d.severity for d in found.diagnostics if d.code == "GN312"] == [Severity.WARNING]


# --- what a hint proposes


@pytest.mark.parametrize(
    ("line", "proposal"),
    [
        ('Expected: "migrate"', '- Expect: output contains "migrate"'),
        ("Expected output: `2.4.0`", '- Expect: output = "2.4.0"'),
        ("Expect: output is hi", 'output = "hi"'),
        ("Expect: `hi`", 'output = "hi"'),
        ("Expect: succeeds", "exit code = 0"),
    ],
)
def test_the_hint_is_a_line_that_can_be_written(
    really_understood: Reader, line: str, proposal: str
) -> None:
    (said,) = [
        d
        for d in really_understood(f"{SWITCH}   - {line}\n").diagnostics
        if d.severity is Severity.ERROR
    ]
    assert f"`{proposal}`" in said.hint
    condition = proposal.removeprefix("- Expect: ")
    assert really_understood(f"{SWITCH}   - Expect: {condition}\n").plan is not None


def _told(understood: Reader, text: str) -> list[str]:
    return [d.message for d in understood(text).diagnostics if d.code == "GN325"]


def test_bounds_under_a_heading_that_names_no_phase_are_said_once(understood: Reader) -> None:
    text = (
        "# Plan\n## Waves\n1. A tenth\n   - Sessions without a crash >= 99.2%\n   - P95 < 700ms\n"
    )
    (told,) = _told(understood, f"{text}## Deploy\n- [ ] x\n")
    assert "`Waves`" in told
    assert "99.2%" in told
    assert "1 more" in told


@pytest.mark.parametrize(
    "section",
    [
        "## Waves\n- A tenth of the users\n- about 2 days\n",
        "## Waves\nPython 3.11+ is needed.\n",
        "## References\n- Error rate < 1%\n",
        "## Contacts\n- Error rate < 1%\n",
        "## Troubleshooting\n| Error rate | > 5% |\n|---|---|\n| p95 | > 2s |\n",
    ],
)
def test_sections_without_a_bound_and_reference_text_are_left_alone(
    understood: Reader, section: str
) -> None:
    assert not _told(understood, f"# Plan\n{section}## Deploy\n- [ ] x\n")


def test_bounds_beside_a_block_that_is_not_run_are_said_too(understood: Reader) -> None:
    text = "# Plan\n## Odds\n- Errors > 3%\n\n1. Go\n   ```bash\n   true\n   ```\n"
    found = codes(understood, f"{text}## Deploy\n- [ ] x\n")
    assert {"GN324", "GN325"} <= set(found)


def test_the_conditions_of_an_escalation_are_said_to_be_compared_by_nobody(
    understood: Reader,
) -> None:
    table = "| Condition | Action |\n|---|---|\n| Failed payments > 9% | Roll back |\n"
    (told,) = _told(understood, f"## Deploy\n- [ ] x\n## Escalation\n\n{table}")
    assert "`Failed payments > 9%` stands" in told


@pytest.mark.parametrize("section", ["## Smoke-Tests\n- %s\n", "## Smoke-Tests\n1. Los\n   - %s\n"])
def test_a_comparison_in_german_words_is_said(understood: Reader, section: str) -> None:
    assert {"GN104", "GN330"} & set(
        codes(understood, section % "Die Fehlerquote bleibt unter 3 %.")
    )
    assert "GN104" not in codes(understood, section % "Die Migration ist über 3 Tage alt.")


def test_a_table_under_the_only_heading_is_read_by_its_words(understood: Reader) -> None:
    table = "| Item | Target | Status |\n|---|---|---|\n| Paid orders | >= 97% | ☐ |\n"
    plan = understood(f"# Go / no-go list\n\n{table}").plan
    assert plan is not None
    assert [rule.condition.say() for rule in plan.rules] == ["paid orders >= 97 %"]
    assert [phase.role.value for phase in plan.phases] == ["sign-off"]


@pytest.mark.parametrize(
    ("paragraph", "asked"),
    [
        ("**Wait 12 minutes before the second wave.**", True),
        ("Wait for 12 minutes.", True),
        ("Pause 1 hour, then go on.", True),
        ("Wait 1 hour, then do this:", False),
        ("**Watch the dashboard for 20 minutes**", True),
        ("Waiting 12 minutes is usual.", False),
        ("Wait for the pods.", False),
        ("This takes 12 minutes.", False),
    ],
)
def test_a_wait_between_blocks_is_a_step(
    understood: Reader, paragraph: str, *, asked: bool
) -> None:
    block = "```bash\ntrue\n```\n"
    text = f"## Deploy\n### Wave 1\n{block}\n{paragraph}\n\n### Wave 2\n{block}"
    plan = understood(text).plan
    assert plan is not None
    titles = [step.title for step in plan.phases[0].steps]
    assert len(titles) == 2 + asked
    assert not asked or titles[1] == paragraph.strip("*.")


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# The error rate should fall below 2%", True),
        ("# < 40ms to the cache", True),
        ("# > 15% of the disk must be free", True),
        ("# Answers within 4% of the baseline", True),
        ("# share of rows with an owner (should be 100%)", True),
        ("# what is left over (expected: 0), see above", True),
        ("ls -l # how many there are (it should be 3)", True),
        ("# rows without an owner (there may be some)", False),
        ("# Delete rows older than 30 days", False),
        ("# wait at most 30 s", False),
        ("# retries within the budget", False),
    ],
)
def test_a_bound_in_any_comment_of_a_block_is_said(
    understood: Reader, comment: str, *, told: bool
) -> None:
    text = f"## Deploy\n1. Look\n   ```bash\n   {comment}\n   curl localhost\n   ```\n"
    assert ("GN335" in codes(understood, text)) is told


def test_a_remark_that_is_called_critical_is_no_mistake(understood: Reader) -> None:
    text = "## Deploy\n1. Go\n   ```bash\n   true\n   ```\n   **Critical**: %s\n"
    assert "GN315" not in codes(understood, text % "look at the old schema before you go on.")
    assert "GN315" in codes(understood, text % "perhaps")
    assert "GN315" in codes(understood, EXPLICIT + text % "look at the old schema before.")
