"""Which way a limit points: columns, calm tiers, bare thresholds and lists below a category."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader

from gonogo.plan.kinds import Role

START = "## Deploy\n- [ ] x\n\n"


def rules(understood: Reader, text: str) -> list[tuple[str, str]]:
    """Return what each rule of a runbook without `gonogo: 1` is for, and what it compares."""
    plan = understood(START + text).plan
    assert plan is not None
    return [(r.consequence.value, r.condition.say()) for r in plan.rules]


@pytest.mark.parametrize(
    ("head", "well"),
    [
        ("Success Threshold", "objective"), ("Healthy range", "objective"),
        ("Expected", "objective"), ("Pass threshold", "objective"),
        ("OK", "objective"), ("Threshold", "rollback"),
    ],
)  # fmt: skip
def test_a_column_of_what_is_well_stays_so_beside_one_that_rolls_back(
    understood: Reader, head: str, well: str
) -> None:
    table = f"| Metric | {head} | Roll back if |\n|---|---|---|\n| Errors | < 1% | > 4% |\n"
    found = rules(understood, f"## Monitoring\n### Rollback thresholds\n\n{table}")
    assert found == [(well, "errors < 1 %"), ("rollback", "errors > 4 %")]


@pytest.mark.parametrize(
    ("heading", "row", "said"),
    [
        ("Warning alerts", "Error rate | < 3% | Normal", "objective"),
        ("Alert thresholds", "Error rate | < 1% | No action needed", "objective"),
        ("Alert thresholds", "Error rate | > 3% | Look at the logs", "page"),
        ("Key metrics", "Lock waits | > 5 | Keep an eye on it", "warn"),
        ("Key metrics", "Lock waits | > 5 | Healthy", "objective"),
        ("Key metrics", "Uptime | < 99% | Call the team", "warn"),
        ("Key metrics", "Error rate | < 1% | Look at the logs", "objective"),
        ("Key metrics", "Lock waits | > 5 | -", "objective"),
        ("Warning alerts (look closely)", "Queue length | > 50 | Plan more workers", "warn"),
        ("Alerts", "Queue length | > 50 | Plan more workers", "page"),
    ],
)
def test_what_is_done_about_a_row_tells_which_way_it_points(
    understood: Reader, heading: str, row: str, said: str
) -> None:
    table = f"| Metric | Threshold | Action |\n|---|---|---|\n| {row} |\n"
    ((found, _),) = rules(understood, f"## Monitoring\n### {heading}\n\n{table}")
    assert found == said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("Lag < 8s (p99)", "Waiting < 900"), ["objective", "objective"]),
        (("Failed jobs > 2%", "Waiting > 900"), ["page", "page"]),
        (("Waiting < 900",), ["page"]),
        (("Failed jobs < 2%", "Uptime < 99%"), ["objective", "page"]),
    ],
)
def test_bare_thresholds_point_where_their_metric_is_well(
    understood: Reader, lines: tuple[str, ...], said: list[str]
) -> None:
    items = "\n".join(f"- {line}" for line in lines)
    found = rules(understood, f"## Monitoring\n\n**Thresholds:**\n\n{items}\n")
    assert [consequence for consequence, _ in found] == said
    strict = rules(understood, f"## Monitoring\n\n**Alert thresholds:**\n\n{items}\n")
    assert {consequence for consequence, _ in strict} == {"page"}


@pytest.mark.parametrize("calm", ["Normal operation", "healthy", "no action", "all good"])
def test_a_calm_tier_among_alerts_must_hold(understood: Reader, calm: str) -> None:
    text = f"## Monitoring\n### Alerts\n- Errors > 9/min: look at once\n- Errors < 4/h: {calm}\n"
    found = understood(START + text)
    assert found.plan is not None
    assert [r.consequence.value for r in found.plan.rules] == ["page", "objective"]
    assert not [d for d in found.diagnostics if d.code == "GN115" and calm in d.message]


@pytest.mark.parametrize("heading", ["When to trigger a rollback", "Rollback decision criteria"])
def test_a_category_among_triggers_is_no_question_and_its_list_is_read(
    understood: Reader, heading: str
) -> None:
    text = (
        f"## Rollback\n### {heading}\n1. **Slow answers**\n   - P95 > 700ms\n"
        "2. **Losses**\n   - Lost rows > 12\n   - Somebody complains\n"
        "3. Error rate > 4%\n"
    )
    found = understood(START + "## Monitoring\n- [ ] y\n" + text)
    assert found.plan is not None
    said = [(r.consequence.value, r.condition.say()) for r in found.plan.rules]
    assert said == [
        ("rollback", "p95 > 700 ms"),
        ("rollback", "lost rows > 12"),
        ("rollback", "error rate > 4 %"),
    ]
    asked = {step.title for phase in found.plan.phases for step in phase.steps}
    assert "Somebody complains" in asked
    assert not {"Slow answers", "Losses", "Data"} & asked


def test_what_must_hold_after_going_back_is_asked_there(understood: Reader) -> None:
    text = (
        "## Monitoring\n- [ ] y\n## Rollback\n1. Go back\n## After rollback\n"
        "### Dashboards (5 minutes)\n- Error rate below 0.3%\n"
    )
    plan = understood(START + text).plan
    assert plan is not None
    watches = [phase for phase in plan.phases if phase.role is Role.WATCH]
    assert [step.title for phase in watches for step in phase.steps] == ["y"]
    assert not any(phase.checkpoints for phase in watches)
    assert plan.rollback is not None
    assert [option.title for option in plan.rollback.options] == ["Rollback"]
    assert [step.title for step in plan.rollback.proof] == ["Error rate below 0.3%"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("CPU > 85%: scale or tune", "cpu > 85 %"),
        ("Logs > 200MB: rotate, archive and tell the owner", "logs > 200 MB"),
        ("Disk > 75% - clean up the logs, old images", "disk > 75 %"),
        ("Memory > 85%: scale, or error rate > 2%", "memory > 85 % or error rate > 2 %"),
    ],
)
def test_what_is_done_behind_a_colon_is_no_part_of_the_condition(
    understood: Reader, line: str, said: str | None
) -> None:
    found = rules(understood, f"## Monitoring\n### Alerts\n- {line}\n")
    assert [condition for _, condition in found] == ([said] if said else [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("New crash reports: 0", "new crash reports = 0"),
        ("Open circuits (target: 0)", "open circuits = 0"),
        ("Failed logins:", None),
        ("Replicas: 3", None),
    ],
)
def test_a_zero_behind_a_colon_is_a_bound(understood: Reader, line: str, said: str | None) -> None:
    found = rules(understood, f"## Monitoring\n### Objectives\n- {line}\n")
    assert [condition for _, condition in found] == ([said] if said else [])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("The new pods fail to start within 8 minutes", ["GN121"]),
        ("The import does not end within 2 h", ["GN121"]),
        ("The import ends within 2 h", []),
    ],
)
def test_what_fails_within_a_time_is_not_turned_round(
    understood: Reader, line: str, told: list[str]
) -> None:
    found = understood(f"{START}## Monitoring\n### Rollback triggers\n- {line}\n")
    assert found.plan is not None
    assert [d.code for d in found.diagnostics if d.code == "GN121"] == told
    assert len(found.plan.rules) == (not told)
    assert line in {step.title for phase in found.plan.phases for step in phase.steps}


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        ("Rollback can wait if:", []),
        ("NO, look first if:", []),
        ("Do not roll back if:", []),
        ("A rollback is not needed when:", []),
        ("YES, rollback immediately if:", ["rollback"]),
        ("Start the rollback at once if:", ["rollback"]),
        ("Consider rollback if:", ["rollback"]),
    ],
)
def test_a_lead_that_says_no_is_no_trigger(understood: Reader, lead: str, said: list[str]) -> None:
    text = f"## Monitoring\n- [ ] y\n## Rollback\n### %s\n**{lead}**\n- Hurt users > 3 s\n"
    assert [what for what, _ in rules(understood, text % "When to roll back")] == said
    told = understood(START + text % "When to roll back").diagnostics
    assert ("GN330" in {d.code for d in told}) is (not said)
    assert [what for what, _ in rules(understood, text % "Shall we go back?")] == said


def test_each_row_of_a_decision_matrix_is_read_with_its_action(understood: Reader) -> None:
    table = (
        "| Symptom | Severity | Action | Deadline |\n|---|---|---|---|\n"
        "| Lost carts > 2% | High | Roll back | < 9 minutes |\n"
        "| Search p95 > 3s | Critical | Look at the plans | < 2 hours |\n"
        "| Slow exports > 7 | | Tell the team | |\n"
        "| The site is down | Critical | Roll back | at once |\n"
    )
    text = f"## Monitoring\n- [ ] y\n## Rollback decision matrix\n\n{table}"
    assert rules(understood, text) == [
        ("rollback", "lost carts > 2 %"),
        ("critical", "search p95 > 3 s"),
        ("page", "slow exports > 7"),
        ("rollback", 'site = "down"'),
    ]


@pytest.mark.parametrize("head", ["Timeline", "Response time", "Deadline"])
def test_a_time_limit_of_a_decision_is_no_bound(understood: Reader, head: str) -> None:
    table = f"| Severity | Strategy | {head} |\n|---|---|---|\n| High (slow) | Go back | < 3 h |\n"
    text = f"## Monitoring\n- [ ] y\n## Rollback decision matrix\n\n{table}"
    assert rules(understood, text) == []


def test_the_matrix_of_an_escalation_stays_reference(understood: Reader) -> None:
    table = "| Level | Who | Answers within |\n|---|---|---|\n| 1 | Ana | < 15 min |\n"
    plan = understood(f"{START}## Escalation matrix\n\n{table}").plan
    assert plan is not None
    assert not plan.rules
    assert [phase.title for phase in plan.phases] == ["Deploy"]


def test_a_line_with_a_tick_keeps_the_bound_behind_its_colon(understood: Reader) -> None:
    plan = understood(
        f"{START}## Sign-off\n- ✅ Mail: > 93% delivered\n- ✅ Documents written. Long story\n"
    ).plan
    assert plan is not None
    assert [step.title for step in plan.phases[-1].steps] == [
        "Mail: > 93% delivered",
        "Documents written",
    ]


def test_a_zero_in_a_column_of_targets_is_a_bound(understood: Reader) -> None:
    table = "| Metric | Target | Alert |\n|---|---|---|\n| Lost jobs | 0 | > 2 |\n"
    found = rules(understood, f"## Monitoring\n\n{table}")
    assert found == [("objective", "lost jobs = 0"), ("page", "lost jobs > 2")]


def test_the_deadline_of_a_heading_is_no_checkpoint(understood: Reader) -> None:
    text = "## Monitoring\n### Warning alerts (respond within 2 hours)\n- Errors > 4%\n"
    plan = understood(START + text).plan
    assert plan is not None
    assert not any(phase.checkpoints for phase in plan.phases)


def test_a_category_gives_its_severity_to_its_list(understood: Reader) -> None:
    text = (
        "## Monitoring\n### Alerts\n- [ ] **Warnings** (in the chat)\n  - [ ] Errors > 4%\n"
        "- **Critical alerts:**\n  - Errors > 8%\n- Lag > 3 s\n"
    )
    assert [what for what, _ in rules(understood, text.replace("Warnings", "Warning alerts"))] == [
        "warn",
        "critical",
        "page",
    ]


def test_a_procedure_beside_triggers_is_a_way_back(understood: Reader) -> None:
    text = (
        "## Monitoring\n- [ ] y\n## Rollback triggers & procedure\n### Triggers\n- Errors > 4%\n"
        "### Procedure\n1. Switch `FLAG=off`\n2. Tell the team\n"
    )
    plan = understood(START + text).plan
    assert plan is not None
    assert [(r.consequence.value, r.condition.say()) for r in plan.rules] == [
        ("rollback", "errors > 4 %")
    ]
    assert plan.rollback is not None
    (option,) = plan.rollback.options
    assert [step.title for step in option.steps] == ["Switch FLAG=off", "Tell the team"]


@pytest.mark.parametrize("what", ["**Rollback plan:**", "**Steps:**"])
def test_steps_among_triggers_are_no_triggers(understood: Reader, what: str) -> None:
    text = f"## Monitoring\n### Abort criteria\n- Errors > 4%\n- {what}\n  1. Switch it off\n"
    found = understood(START + text)
    assert found.plan is not None
    assert len(found.plan.rules) == 1
    asked = [step.title for phase in found.plan.phases for step in phase.steps]
    assert "Switch it off" not in asked
    (told,) = [d.message for d in found.diagnostics if d.code == "GN325"]
    assert "not carried out" in told


def test_a_column_that_says_nothing_beside_judged_ones_is_said(understood: Reader) -> None:
    table = (
        "| Figure | OK | Worry | Odd | Go back |\n|---|---|---|---|---|\n"
        "| Errors | < 1% | > 2% | > 3% | > 5% |\n| Lag | < 2 s | > 3 s | > 4 s | > 9 s |\n"
    )
    found = understood(f"{START}## Monitoring\n\n{table}")
    assert found.plan is not None
    assert [(r.consequence.value, r.condition.say()) for r in found.plan.rules] == [
        ("objective", "errors < 1 %"),
        ("warn", "errors > 2 %"),
        ("rollback", "errors > 5 %"),
        ("objective", "lag < 2 s"),
        ("warn", "lag > 3 s"),
        ("rollback", "lag > 9 s"),
    ]
    (told,) = [d for d in found.diagnostics if d.code == "GN331"]
    assert "`> 3%`" in told.message
    assert "`Odd`" in told.message
