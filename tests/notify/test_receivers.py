"""What `contacts:` and `alerts:` may say, as a runbook says it."""

from __future__ import annotations

import pytest

from gonogo import catalog
from gonogo.errors import Diagnostic
from gonogo.plan.model import Plan
from gonogo.plan.notices import Severity
from gonogo.plan.receivers import Receivers, Rung, secret_parts
from gonogo.plan.receiving import unheard
from gonogo.redaction import Redactor
from gonogo.run.bindings import bind
from gonogo.runbook.assemble import Understanding, understand
from gonogo.runbook.markdown import read
from gonogo.source import Source, Span

CONTACTS = """\
contacts:
  ana: { slack: $SLACK_WEBHOOK, page: $PAGERDUTY_KEY, mail: ana@example.org }
  bob:
    page: ${BOB_KEY}
  lead: lead@example.org
  team: { webhook: "${HOOK_URL}" }
"""
ALERTS = """\
alerts:
  warn: team
  page: [ana, then bob after 10m, then lead and team after 20m]
  repeat: 15m
  group: 10s
  deliver within: 2h
  smtp: ${SMTP_URL}
  from: gonogo@example.org
  silence:
    - { from: 2026-03-01T02:00Z, to: 2026-03-01T02:30Z, by: ana, why: restart, only: error rate }
"""


def understood(front: str, body: str = "") -> Understanding:
    text = f"---\ngonogo: 1\n{front}---\n# Release\n\n## Deployment\n\n- [ ] Tell the team\n{body}"
    return understand(read(Source("deploy.md", text)), catalog.load())


def plan_of(front: str) -> Plan:
    plan = understood(front).plan
    assert plan is not None, understood(front).diagnostics
    return plan


def mistakes(front: str) -> list[Diagnostic]:
    return [d for d in understood(front).diagnostics if d.code.startswith("GN37")]


def test_everything_that_can_be_said() -> None:
    found = plan_of(CONTACTS + ALERTS).receivers
    assert [(c.name, [ch.kind for ch in c.channels]) for c in found.contacts] == [
        ("ana", ["slack", "page", "mail"]),
        ("bob", ["page"]),
        ("lead", ["mail"]),
        ("team", ["webhook"]),
    ]
    assert found.ladder(Severity.PAGE) == (
        Rung(("ana",)),
        Rung(("bob",), 600.0),
        Rung(("lead", "team"), 1200.0),
    )
    assert (found.repeat_s, found.group_s, found.within_s) == (900.0, 10.0, 7200.0)
    assert found.sender == "gonogo@example.org"
    (window,) = found.silences
    assert (window.who, window.reason, window.only) == ("ana", "restart", "error rate")
    assert window.until_ms - window.from_ms == 30 * 60_000
    assert mistakes(CONTACTS + ALERTS) == []


@pytest.mark.parametrize(
    ("severity", "who"),
    [
        ("p0", "ana"),
        ("critical", "ana"),
        ("page", "ana"),
        ("p1", "ana"),
        ("p2", "team"),
        ("warn", "team"),
        ("p3", "team"),
    ],
)
def test_a_severity_without_receivers_of_its_own_has_those_of_its_like(
    severity: str, who: str
) -> None:
    ladder = plan_of(CONTACTS + ALERTS).receivers.ladder(Severity(severity))
    assert ladder[0].contacts == (who,)


def test_a_page_is_never_left_to_those_who_are_warned() -> None:
    assert plan_of(CONTACTS + "alerts: { warn: team }\n").receivers.ladder(Severity.PAGE) == ()


def test_without_alerts_everybody_is_told_and_lint_says_so() -> None:
    found = plan_of(CONTACTS).receivers
    assert found.ladder(Severity.WARN) == (Rung(("ana", "bob", "lead", "team")),)
    assert [(d.code, d.severity.value, d.span.line) for d in mistakes(CONTACTS)] == [
        ("GN378", "note", 4)
    ]


def test_names_alone_are_people_who_are_asked_and_not_told() -> None:
    found = plan_of("contacts: [ana, ben]\n").receivers
    assert [(c.name, c.channels) for c in found.contacts] == [("ana", ()), ("ben", ())]
    assert found.ladder(Severity.PAGE) == ()
    assert mistakes("contacts: [ana, ben]\n") == []


def test_alerts_may_stand_before_contacts() -> None:
    assert mistakes(ALERTS + CONTACTS) == []


def test_the_names_that_must_be_bound_are_those_of_the_contacts() -> None:
    names = {variable.name for variable in plan_of(CONTACTS + ALERTS).variables}
    assert names == {"SLACK_WEBHOOK", "PAGERDUTY_KEY", "BOB_KEY", "HOOK_URL", "SMTP_URL"}


def test_their_values_are_secrets_whatever_they_look_like() -> None:
    plan = plan_of(CONTACTS + ALERTS)
    values = {
        "SLACK_WEBHOOK": "https://hooks.example.org/services/T0A1B2C3D/B0A1B2C3D/xyzzy4242",
        "PAGERDUTY_KEY": "R0UT1NGK3Y",
        "BOB_KEY": "http://B0BK3YB0BK3Y@127.0.0.1/v2/enqueue",
        "HOOK_URL": "https://ops.example.org/hook",
        "SMTP_URL": "smtp://ana:swordfish@mail.example.org",
    }
    bindings = bind(plan, values)
    kept = bindings.journaled("salt")
    assert all(entry["secret"] for entry in kept.values())  # type: ignore[index]
    shown = bindings.redact(" ".join([*values.values(), "xyzzy4242", "B0BK3YB0BK3Y"]))
    for secret in ("xyzzy", "R0UT", "B0BK", "swordfish", "T0A1"):
        assert secret not in shown


def test_a_word_of_an_address_is_no_secret() -> None:
    redact = Redactor(secret_parts("https://ops.example.org/api/alerts/production"))
    assert redact("GET /api/alerts/production of ops.example.org") == (
        "GET /api/alerts/production of ops.example.org"
    )


def alerts(*lines: str) -> str:
    return CONTACTS + "alerts:\n" + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("front", "code", "words", "hint"),
    [
        ("contacts: { ana: { slck: $X } }\n", "GN371", "`slck`", "did you mean `slack`"),
        (
            "contacts: { ana: { slack: https://h.example.org/T1 } }\n",
            "GN372",
            "plain text",
            "$ANA_SLACK",
        ),
        ("contacts: { ana: { page: R0UT1NGK3Y } }\n", "GN372", "plain text", "$ANA_PAGE"),
        ("contacts: { ana: { mail: nobody } }\n", "GN370", "`nobody` is no e-mail", ""),
        ("contacts: { ana: on call }\n", "GN370", "`ana` has no channel", "write `ana:"),
        ("contacts: { ana: { mail: [a@x.org] } }\n", "GN370", "one address", ""),
        ("contacts: [ana, ana]\n", "GN370", "stands twice", ""),
        ("alerts: yes\n", "GN370", "`alerts` must be", ""),
        (alerts("page: anna"), "GN373", "`anna`", "did you mean `ana`"),
        (alerts("pge: ana"), "GN375", "`pge`", "did you mean `page`"),
        (alerts("page: [ana after 10m]"), "GN374", "the first to be told", "grow"),
        (alerts("page: [ana, bob]"), "GN374", "`bob` does not say after how long", "after 10m"),
        (alerts("page: [ana, bob after 10]"), "GN374", "does not end in a duration", ""),
        (alerts("page: [ana, bob after 20m, lead after 10m]"), "GN374", "not later", "grow"),
        (alerts("page: []"), "GN374", "names nobody", ""),
        (alerts("repeat: often"), "GN370", "`repeat` is `often`", "30m"),
        (alerts("repeat: 0s"), "GN370", "`repeat` is `0s`", ""),
        (alerts("deliver_within: 30d"), "GN370", "up to a week", ""),
        (alerts("smtp: smtp://ana:swordfish@mail.example.org"), "GN372", "plain text", "$SMTP_URL"),
        (alerts("smtp: mail server"), "GN370", "`smtp` is `mail server`", "smtps://"),
        (alerts("from: nobody"), "GN370", "`from` is `nobody`", ""),
        (alerts("silence: [{ from: 2026-03-01T02:00Z }]"), "GN379", "lacks `to`, `by`, `why`", ""),
        (
            alerts("silence: { from: 2026-03-02, to: 2026-03-01, by: ana, why: x }"),
            "GN379",
            "no window of time",
            "",
        ),
        ("contacts: [ben]\nalerts: { page: ben }\n", "GN377", "`ben` has no channel", "mail:"),
    ],
)
def test_a_mistake_has_its_line_and_what_to_do(
    front: str, code: str, words: str, hint: str
) -> None:
    (found,) = [d for d in mistakes(front) if d.code != "GN378"]
    assert found.code == code
    assert words in found.message
    assert hint in found.hint
    line = ("---\ngonogo: 1\n" + front).split("\n")[found.span.line - 1]
    assert line.strip(), "the place is a line that the author wrote"
    assert "swordfish" not in found.message + found.hint
    assert "R0UT1" not in found.message + found.hint


def test_all_mistakes_come_at_once() -> None:
    front = alerts("page: anna", "warn: bobb", "repeat: often")
    assert [d.code for d in mistakes(front)] == ["GN373", "GN373", "GN370"]


def test_an_alert_that_nobody_would_hear_is_a_warning() -> None:
    place = Span.of_line(9)
    found = unheard(Receivers(), [(Severity.PAGE, place), (Severity.WARN, place)])
    assert [(d.code, d.severity.value) for d in found] == [("GN376", "warning")] * 2
    assert unheard(plan_of(CONTACTS + ALERTS).receivers, [(Severity.PAGE, place)]) == []


@pytest.mark.parametrize(
    ("text", "beat_s"),
    [("$BEAT", 300), ("$BEAT every 30s", 30), ('"${BEAT} every 1 h"', 3600)],
)
def test_a_heartbeat_is_a_secret_address_with_a_beat(text: str, beat_s: float) -> None:
    found = plan_of(f"{CONTACTS}alerts:\n  page: ana\n  heartbeat: {text}\n")
    assert (found.receivers.heartbeat_s, found.receivers.heartbeat[0]) == (beat_s, "$")
    assert "BEAT" in found.receivers.hidden()
    assert "BEAT" in {variable.name for variable in found.variables}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://watch.example.org/key", "GN372"),
        ("soon", "GN370"),
        ("$BEAT every now and then", "GN370"),
        ("$BEAT every 5s", "GN370"),
        ("$BEAT every 2d", "GN370"),
    ],
)
def test_a_heartbeat_that_cannot_be_is_refused(text: str, code: str) -> None:
    text = f"{CONTACTS}alerts:\n  page: ana\n  heartbeat: {text}\n"
    assert [d.code for d in mistakes(text)] == [code]


@pytest.mark.parametrize(
    ("address", "right"), [("${X}", "write `$X`"), ("https://h/${X}/y", "write `https://h/$X/y`")]
)
def test_braces_inside_braces_are_a_mistake_that_shows_the_right_form(
    address: str, right: str
) -> None:
    found = understood(f"contacts:\n  ana: {{ webhook: {address} }}\n").diagnostics
    (mistake,) = [d for d in found if d.code == "GN301"]
    assert right in mistake.hint
    assert f'"{address}"' in mistake.hint
