"""`gonogo alert-test`, in a process of its own, against real channels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.sink import HttpSink, MailSink

ROOT = Path(__file__).parents[2]
RUNBOOK = """\
---
gonogo: 1
service: search
env: { APP_URL: "" }
targets: { app: "${UNBOUND_AND_NOT_NEEDED}" }
contacts:
  ana: { slack: $SLACK_WEBHOOK, page: $PAGERDUTY_KEY, mail: ana@example.org }
  team: { webhook: $HOOK_URL }
alerts: { page: ana, warn: team, smtp: $SMTP_URL }
environments:
  production: { REGION: eu }
---
# Search

## Deployment

- [ ] Tell the team
"""
PROGRAM = """
import sys
from gonogo.cli import alert_test
from gonogo.cli.arguments import Parser
from gonogo.cli.ending import ended
parser = Parser("alert-test", "", "")
alert_test.configure(parser)
try:
    code = alert_test.carry_out(parser.understood(sys.argv[1:]))
except Exception as error:
    code = ended(error)
sys.exit(code)
"""


class Desk:
    """A folder with a runbook, and the addresses of the sinks in the environment."""

    def __init__(self, folder: Path, sink: HttpSink, mails: MailSink) -> None:
        self.folder = folder
        (folder / "deploy.md").write_text(RUNBOOK, encoding="utf-8")
        self.env = {
            "SLACK_WEBHOOK": sink.url("/services/xyzzy-4242"),
            "PAGERDUTY_KEY": sink.pagerduty("xyzzyROUTING42"),
            "HOOK_URL": sink.url("/hook"),
            "SMTP_URL": mails.url(),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "deploy.md", "--by", "ana", *words],
            cwd=self.folder,
            env={**os.environ, **self.env, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def records(self) -> list[dict[str, object]]:
        files = sorted((self.folder / ".gonogo" / "alert-tests").glob("*.json"))
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]


@pytest.fixture
def desk(tmp_path: Path, sink: HttpSink, mails: MailSink) -> Desk:
    return Desk(tmp_path, sink, mails)


def test_one_message_on_every_channel(desk: Desk, sink: HttpSink, mails: MailSink) -> None:
    told = desk.run()
    assert told.returncode == 0, told.stderr
    rows = [line.split() for line in told.stdout.splitlines()]
    assert rows[0] == ["contact", "channel", "id", "result"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [
        ("ana", "slack", "sent"),
        ("ana", "page", "sent"),
        ("ana", "mail", "sent"),
        ("team", "webhook", "sent"),
    ]
    assert sorted(post.path for post in sink.taken) == [
        "/hook",
        "/services/xyzzy-4242",
        "/v2/enqueue",
    ]
    assert "[test]" in mails.mails[0]["Subject"]
    assert rows[1][2] in sink.of("/services/xyzzy-4242")[0].json["text"]  # the id, to be compared
    assert "not confirmed by anybody: ana=slack, ana=page, ana=mail, team=webhook" in told.stderr


def test_a_channel_that_fails_is_named_with_its_reason(
    desk: Desk, sink: HttpSink, mails: MailSink
) -> None:
    sink.by_path = {"/services/xyzzy-4242": 403, "/v2/enqueue": 202}
    sink.body = b"invalid token xyzzy-4242"
    mails.refuse = {"RCPT": "550 no such user"}
    told = desk.run()
    assert told.returncode == 1
    lines = told.stdout.splitlines()
    assert "failed (auth): status 403" in lines[1]
    assert "failed (gone): status 550: no such user" in lines[3]
    assert "not confirmed by anybody: ana=page, team=webhook" in told.stderr
    (record,) = desk.records()
    shown = told.stdout + told.stderr + json.dumps(record)
    assert "xyzzy" not in shown


def test_who_has_seen_it_is_recorded_afterwards(desk: Desk, sink: HttpSink) -> None:
    desk.run()
    sent = len(sink.posts)
    told = desk.run("--confirm", "ana=slack", "--confirm", "team=webhook", "--by", "bob")
    assert told.returncode == 0, told.stderr
    assert len(sink.posts) == sent  # a confirmation sends nothing
    (record,) = desk.records()
    channels = record["channels"]
    assert isinstance(channels, list)
    confirmed = {(c["contact"], c["channel"]): c["confirmed"] for c in channels}
    assert confirmed["ana", "slack"]["by"] == "bob"
    assert confirmed["ana", "page"] is None
    assert "not confirmed by anybody: ana=page, ana=mail" in told.stderr


def test_what_was_not_sent_cannot_have_been_seen(desk: Desk, sink: HttpSink) -> None:
    sink.answer = 500
    desk.run()
    told = desk.run("--confirm", "ana=slack")
    assert told.returncode == 2
    assert "`ana=slack` is no channel on which test" in told.stderr
    assert "hint: sent: `ana=mail`" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--confirm", "ana=slack"], "no test of search was sent that could be confirmed"),
        (["--env", "prod"], "there is no environment `prod`"),
        (["--contact", "eve"], "no contact is named `eve`"),
    ],
    ids=["nothing to confirm", "no such environment", "no such contact"],
)
def test_a_mistake_sends_nothing(desk: Desk, sink: HttpSink, words: list[str], said: str) -> None:
    told = desk.run(*words)
    assert told.returncode == 2
    assert said in told.stderr
    assert sink.posts == []


def test_only_what_the_contacts_need_must_be_bound(desk: Desk, sink: HttpSink) -> None:
    del desk.env["HOOK_URL"]
    told = desk.run()
    assert told.returncode == 2
    assert "`HOOK_URL` has no value" in told.stderr
    assert "UNBOUND_AND_NOT_NEEDED" not in told.stderr
    assert sink.posts == []


def test_a_channel_that_is_off_here_is_left_out(desk: Desk, sink: HttpSink) -> None:
    desk.env["PAGERDUTY_KEY"] = "off"
    told = desk.run("--json", "--env", "production")
    assert told.returncode == 0, told.stderr
    record = json.loads(told.stdout)
    assert [c["channel"] for c in record["channels"]] == ["slack", "mail", "webhook"]
    assert record["environment"] == "production"
    assert sink.of("/v2/enqueue") == []


def test_one_contact_alone(desk: Desk, sink: HttpSink) -> None:
    assert desk.run("--contact", "team").returncode == 0
    assert [post.path for post in sink.posts] == ["/hook"]


def test_a_runbook_without_contacts_says_what_to_write(desk: Desk) -> None:
    (desk.folder / "deploy.md").write_text(RUNBOOK.split("---\n")[2], encoding="utf-8")
    told = desk.run()
    assert told.returncode == 2
    assert "names no contact with a channel" in told.stderr
