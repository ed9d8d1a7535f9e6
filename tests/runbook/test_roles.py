"""What headings say, and how sections settle among each other."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader

from gonogo.plan.kinds import Role
from gonogo.runbook.roles import Topic, guess, is_proof, role_named

_CASES = {
    Role.PREFLIGHT: "Pre-Deployment Checklist|Preflight|Prerequisites|Before you deploy|Preparation"
    "|Monitoring setup|Readiness|Pre-release checks",
    Role.DEPLOY: "Deployment Steps|Release procedure|Rollout|Database migration|Cutover|Deploy to"
    " production|Go-live|Launch day",
    Role.VERIFY: "Smoke Tests|Post-Deployment|Verification|After the release|Sanity checks"
    "|Validation|Post-launch checks",
    Role.LOAD: "Load Testing|Performance tests|Stress test",
    Role.WATCH: "Monitoring and Observability|First 15 minutes|Watch for 24 hours|Hypercare"
    "|Post-deployment monitoring|24 hours",
    Role.ROLLBACK: "Rollback Procedure|Revert|Back out plan|Recovery procedure|Rolling back",
    Role.SIGNOFF: "Success Criteria|Sign-off|Go/No-Go|Approvals|Exit criteria",
    Role.MAINTENANCE: "Maintenance schedule|Weekly|Routine chores|Daily tasks",
    Role.REFERENCE: "Quick Reference|Troubleshooting|Emergency Contacts|Notes|Appendix A|Glossary"
    "|Overview|Background|Lessons learned|Useful links|Table of Contents|Common issues",
    None: "Widgets|Miscellaneous things|Ownership",
}
_MORE = {
    Role.DEPLOY: "Phased rollout (known as testing in production)|Rollout timeline|Canary stages",
    Role.VERIFY: "Final verification (15 minutes)|Nach dem Deployment",
    Role.PREFLIGHT: "Vor dem Release|Voraussetzungen",
    Role.WATCH: "Next steps (first 2 hours)|Monitoring & success metrics"
    "|Warning alerts (look closely)|Abbruchkriterien",
    Role.ROLLBACK: "Rollback triggers & procedure|Abort criteria and rollback plan"
    "|Old version (rollback only)|Zurückrollen",
    Role.SIGNOFF: "Go-live declaration|Abnahme|Success metrics and monitoring",
    Role.REFERENCE: "Incident timeline|Message templates|Rollback history|Rollback evidence",
}


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (role, word)
        for cases in (_CASES, _MORE)
        for role, words in cases.items()
        for word in words.split("|")
    ],
    ids=str,
)
def test_words_of_headings(role: Role | None, words: str) -> None:
    assert guess(words).role is role


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("Rollback triggers", Topic.TRIGGERS), ("When to roll back", Topic.TRIGGERS),
        ("Critical issues that require rollback", Topic.TRIGGERS), ("Triggers", Topic.TRIGGERS),
        ("Roll back if any of these:", Topic.TRIGGERS),
        ("Roll back immediately if:", Topic.TRIGGERS),
        ("Roll back the release when", Topic.TRIGGERS),
        ("Red flags", Topic.RED_FLAGS),
        ("Alert thresholds", Topic.ALERTS), ("Alerts", Topic.ALERTS), ("SLOs", Topic.OBJECTIVES),
        ("Performance targets", Topic.OBJECTIVES), ("Success criteria", Topic.CRITERIA),
        ("Rollback procedure", None), ("Deployment", None),
        ("When to trigger a rollback", Topic.TRIGGERS), ("Abbruchkriterien", Topic.TRIGGERS),
        ("Rollback decision criteria", Topic.TRIGGERS), ("Thresholds", Topic.THRESHOLDS),
        ("Critical alerts (call at once)", Topic.ALERTS), ("Action thresholds", Topic.ALERTS),
        ("Success thresholds", Topic.OBJECTIVES), ("Check the target database", None),
        ("Target environment", None), ("Target metrics", Topic.OBJECTIVES),
    ],
)  # fmt: skip
def test_what_the_lists_of_a_section_hold(words: str, topic: Topic | None) -> None:
    assert guess(words).topic is topic


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("watch", Role.WATCH),
        ("`sign-off`", Role.SIGNOFF),
        ("signoff", Role.SIGNOFF),
        ("smoke tests", Role.VERIFY),
        ("reference", Role.REFERENCE),
        ("notes", None),
        ("x", None),
    ],
)
def test_names_of_phases(words: str, role: Role | None) -> None:
    assert role_named(words) is role


def test_proof_of_a_rollback() -> None:
    assert is_proof("Verify the old version")
    assert is_proof("Afterwards")
    assert is_proof("After the way back")
    assert not is_proof("After a failed migration")
    assert not is_proof("Previous release")


def _roles(understood: Reader, *headings: str) -> list[tuple[str, str]]:
    text = "\n".join(f"{heading}\n- [ ] {n}\n" for n, heading in enumerate(headings))
    plan = understood(text).plan
    assert plan is not None
    found = [(p.role.value, p.title) for p in plan.phases]
    return found + ([("rollback", "")] if plan.rollback else [])


@pytest.mark.parametrize(
    ("headings", "roles"),
    [
        pytest.param(("# Pre-flight", "# Deploy"), [("preflight", "Pre-flight"), ("deploy", "Deploy")],  # noqa: E501
                     id="level-1-headings-are-phases-when-there-are-several"),
        pytest.param(("# Deployment guide",), [("deploy", "Deployment guide")],
                     id="a-title-tells-what-stands-directly-under-it"),
        pytest.param(("## Pre-flight", "### Rollback plan"), [("preflight", "Pre-flight")],
                     id="preparing-a-rollback-is-preparation"),
        pytest.param(("## Rollback", "### Deploy the old version"), [("rollback", "")],
                     id="inside-a-rollback-all-is-rollback"),
        pytest.param(("## Acceptance criteria", "### Deployment", "### Warm-up"),
                     [("sign-off", "Acceptance criteria"), ("deploy", "Deployment"), ("deploy", "Warm-up")],  # noqa: E501
                     id="a-weak-heading-is-outranked-and-strange-ones-go-on"),
        pytest.param(("## Post-deployment", "### Monitoring setup"), [("verify", "Post-deployment")],  # noqa: E501
                     id="nothing-is-prepared-afterwards"),
        pytest.param(("## Deployment", "#### Smoke tests"),
                     [("deploy", "Deployment"), ("verify", "Smoke tests")], id="levels-may-be-skipped"),  # noqa: E501
        pytest.param(("## Sign-off", "### Rollback triggers"),
                     [("sign-off", "Sign-off"), ("watch", "Rollback triggers")],
                     id="triggers-belong-to-a-watch"),
        pytest.param(("## Migration steps", "### Phase 3: Verification (T+15)"),
                     [("deploy", "Migration steps"), ("verify", "Verification (T+15)")],
                     id="a-phase-that-only-verifies-is-one-of-its-own"),
        pytest.param(("## Hypercare", "## Checklists", "### Pre-launch", "### During the launch",
                      "### Post launch"),
                     [("watch", "Hypercare"), ("watch", "Checklists"), ("preflight", "Pre-launch"),
                      ("deploy", "During the launch"), ("verify", "Post launch")],
                     id="under-a-heading-that-says-nothing-strong-words-count"),
        pytest.param(("## First hour", "### Health checks"), [("watch", "First hour")],
                     id="what-is-looked-at-in-a-watch-is-its-own"),
        pytest.param(("## Rollback", "## Odds and ends"), [("preflight", "Odds and ends"), ("rollback", "")],  # noqa: E501
                     id="strange-boxes-never-go-on-with-a-rollback"),
    ],
)  # fmt: skip
def test_headings_settle_among_each_other(
    understood: Reader, headings: tuple[str, ...], roles: list[tuple[str, str]]
) -> None:
    assert _roles(understood, *headings) == roles


def test_two_phases_of_one_name_are_told_apart(understood: Reader) -> None:
    found = understood("## Deploy\n- [ ] a\n## Smoke tests\n- [ ] b\n## Deploy\n- [ ] c\n")
    assert found.plan is not None
    assert [p.id for p in found.plan.phases] == ["deploy", "smoke-tests", "deploy-2"]
    assert [d.code for d in found.diagnostics] == ["GN322"]
