"""What a run is bound to: values in order of precedence, all gaps at once, no secret kept."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from tests.support.works import a_plan

from gonogo.errors import RunbookError
from gonogo.plan.kinds import Variable
from gonogo.plan.model import Target
from gonogo.redaction import MASK
from gonogo.run.bindings import bind, differences, expand, fingerprint
from gonogo.source import Span

SALT = "0123456789abcdef"


def asking(*names: str, **more):
    found = tuple(Variable(n, Span.of_line(i, 3, len(n))) for i, n in enumerate(names, start=5))
    return a_plan(variables=found, **more)


class TestValues:
    @pytest.mark.parametrize(
        ("default", "ambient", "environment", "expected"),
        [
            ("d", None, None, "d"),
            ("d", "a", None, "a"),
            ("d", "a", "e", "e"),
            (None, "a", None, "a"),
            (None, None, "e", "e"),
        ],
    )
    def test_precedence(self, default, ambient, environment, expected):
        plan = asking(
            "HOST",
            env={"HOST": default} if default else {},
            environments={"prod": {"HOST": environment} if environment else {}},
        )
        given = {"HOST": ambient} if ambient else {}
        assert bind(plan, given, environment="prod").values == {"HOST": expected}

    def test_the_release_and_the_environment_come_first(self):
        plan = asking(
            *("RELEASE", "ENVIRONMENT", "URL"),
            environments={"prod": {"RELEASE": "x", "URL": "https://${ENVIRONMENT}/$RELEASE"}},
        )
        found = bind(plan, {"RELEASE": "y", "ENVIRONMENT": "z"}, environment="prod", release="v2")
        assert found.values == {"RELEASE": "v2", "ENVIRONMENT": "prod", "URL": "https://prod/v2"}

    def test_targets_are_resolved(self):
        plan = asking("HOST", targets=(Target("app", "https://${HOST}/$OTHER", Span.of_line(3)),))
        assert bind(plan, {"HOST": "h"}).targets == {"app": "https://h/$OTHER"}

    def test_children_get_the_whole_environment_with_the_bindings_over_it(self):
        plan = asking("HOST", environments={"prod": {"HOST": "h", "EXTRA": "e"}})
        found = bind(plan, {"PATH": "/bin", "HOST": "x"}, environment="prod")
        assert found.variables == {
            "PATH": "/bin",
            "HOST": "h",
            "EXTRA": "e",
            "ENVIRONMENT": "prod",
        }

    def test_only_names_that_the_plan_asks_for_are_bound(self):
        assert bind(asking("A"), {"A": "1", "B": "2"}).values == {"A": "1"}


class TestUnbound:
    def test_all_of_them_at_once_each_with_its_line(self):
        with pytest.raises(RunbookError) as caught:
            bind(asking("ONE", "TWO", "THREE"), {"TWO": "2"})
        found = caught.value.diagnostics
        assert [(d.code, d.span.line) for d in found] == [("GN450", 5), ("GN450", 7)]
        assert "`ONE` has no value" in found[0].message

    def test_an_empty_value_is_none(self):
        with pytest.raises(RunbookError):
            bind(asking("ONE"), {"ONE": ""})

    def test_the_hint_knows_another_spelling(self):
        with pytest.raises(RunbookError) as caught:
            bind(asking("App_Url"), {"APP_URL": "x"})
        assert caught.value.diagnostics[0].hint == "`APP_URL` is set; is that the one?"

    def test_a_missing_release_is_given_on_the_command_line(self):
        with pytest.raises(RunbookError) as caught:
            bind(asking("RELEASE"), {})
        assert "--release" in caught.value.diagnostics[0].hint

    def test_so_is_a_name_that_an_entry_of_the_environments_is_made_of(self):
        """Else the run would begin with `${STAGE_HOST}` as its address."""
        plan = asking(
            "HOST", "CODE", environments={"stage": {"HOST": "${STAGE_HOST}:80", "CODE": "pa$word"}}
        )
        with pytest.raises(RunbookError) as caught:
            bind(plan, {"HOST": "live"}, environment="stage")
        assert [d.message for d in caught.value.diagnostics] == ["`STAGE_HOST` has no value"]
        ambient = {"HOST": "live", "STAGE_HOST": "stage"}
        found = bind(plan, ambient, environment="stage")
        assert found.values == {"HOST": "stage:80", "CODE": "pa$word"}


class TestJournaled:
    VALUES: ClassVar = {
        "HOST": "search.internal",
        "API_TOKEN": "tok-1234567890",
        "DATABASE_URL": "postgresql://app:s3cr3t-pw@db/search",
    }

    def test_a_secret_leaves_a_fingerprint_and_nothing_else(self):
        found = bind(asking(*self.VALUES), self.VALUES).journaled(SALT)
        text = json.dumps(found)
        assert found["HOST"] == {"secret": False, "value": "search.internal"}
        assert "tok-1234567890" not in text
        assert "s3cr3t-pw" not in text
        assert found["API_TOKEN"]["fingerprint"] == fingerprint("tok-1234567890", SALT)

    def test_everything_that_is_said_is_redacted(self):
        redact = bind(asking(*self.VALUES), self.VALUES).redact
        assert redact("sent tok-1234567890 to db") == f"sent {MASK} to db"
        assert "s3cr3t-pw" not in redact("password s3cr3t-pw refused")

    def test_so_is_a_secret_that_only_an_environment_of_the_runbook_names(self):
        plan = asking("HOST", environments={"prod": {"HOST": "h", "DB_PASSWORD": "$PW_OF_PROD"}})
        redact = bind(plan, {"PW_OF_PROD": "x7-very-secret"}, environment="prod").redact
        assert "x7-very-secret" not in redact("it is x7-very-secret")

    def test_so_is_the_password_inside_a_target(self):
        plan = asking("PW", targets=(Target("db", "postgresql://a:${PW}@h/d", Span.of_line(1)),))
        assert "abcd-1234" not in bind(plan, {"PW": "abcd-1234"}).redact("abcd-1234")


class TestDifferences:
    def test_none_when_nothing_changed(self):
        found = bind(asking(*TestJournaled.VALUES), TestJournaled.VALUES)
        kept = json.loads(json.dumps(found.journaled(SALT)))
        assert differences(kept, found.values, SALT) == ()

    @pytest.mark.parametrize("name", sorted(TestJournaled.VALUES))
    def test_each_changed_name_is_told_and_no_value(self, name):
        kept = bind(asking(*TestJournaled.VALUES), TestJournaled.VALUES).journaled(SALT)
        assert differences(kept, {**TestJournaled.VALUES, name: "another"}, SALT) == (name,)

    def test_a_name_that_is_gone_has_changed(self):
        kept = bind(asking("A"), {"A": "1"}).journaled(SALT)
        assert differences(kept, {}, SALT) == ("A",)

    def test_a_fingerprint_is_worth_nothing_with_another_salt(self):
        assert fingerprint("x", "one") != fingerprint("x", "two")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ("$A", "1"),
        ("$A$B", "12"),
        ("${A}B", "1B"),
        ("$AB", "$AB"),
        ("${C}", "${C}"),
        ("$5 and $", "$5 and $"),
        ("${A:-x}", "${A:-x}"),
    ],
)
def test_expand(text, expected):
    assert expand(text, {"A": "1", "B": "2"}) == expected
