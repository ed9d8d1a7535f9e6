"""The library's own services against real servers on this machine."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from tests.notify.conftest import a_notice
from tests.support.sink import HttpSink, MailSink

from gonogo.notify.apprise import Apprise
from gonogo.plan.notices import COPY, Failure

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # of the library


def of_json(sink: HttpSink, path: str = "/xyzzy-4242") -> Apprise:
    return Apprise(f"json://user:xyzzy@127.0.0.1:{sink.port}{path}", timeout_s=5)


def test_a_service_of_the_library_gets_title_and_text(sink: HttpSink) -> None:
    assert of_json(sink).send(a_notice(), key="k").failure is None
    sent = sink.posts[0].json
    assert sent["title"].startswith("[page] search v2.4.0 → production: error rate 3 %")
    assert "acknowledge with: gonogo answer" in sent["message"]
    assert sent["type"] == "failure"


def test_a_team_chat_that_speaks_like_slack(sink: HttpSink) -> None:
    way = Apprise(f"mmost://127.0.0.1:{sink.port}/abcdefgh12345678")
    assert way.send(a_notice(), key="k", is_copy=True).failure is None
    assert COPY in str(sink.posts[0].json)


def test_mail_by_the_library(mails: MailSink) -> None:
    way = Apprise(
        f"mailto://127.0.0.1:{mails.port}?to=ana@example.org&from=g@example.org&mode=insecure"
    )
    told = way.send(a_notice(), key="k")
    assert told.failure is None, told
    assert "error rate 3 %" in str(mails.mails[0]["Subject"])


@pytest.mark.parametrize(
    ("status", "failure"),
    [(401, Failure.AUTH), (404, Failure.GONE), (429, Failure.RATE_LIMITED), (500, Failure.BROKEN)],
)
def test_the_status_is_read_from_its_log(sink: HttpSink, status: int, failure: Failure) -> None:
    sink.answer = status
    assert of_json(sink).send(a_notice(), key="k").failure is failure


def test_a_service_that_hangs_is_left_in_time(sink: HttpSink) -> None:
    sink.answer = "hang"
    way = Apprise(f"json://127.0.0.1:{sink.port}/?rto=0.2", timeout_s=5)
    assert way.send(a_notice(), key="k").failure is Failure.TIMEOUT


def test_nobody_listens() -> None:
    told = Apprise("json://127.0.0.1:9/").send(a_notice(), key="k")
    assert told.failure is Failure.UNREACHABLE


def test_an_address_that_it_does_not_know() -> None:
    assert Apprise("nosuch://x").send(a_notice(), key="k").failure is Failure.GONE


@pytest.mark.parametrize("status", [200, 403, "drop"])
def test_neither_receipt_nor_log_holds_an_address(sink: HttpSink, status: int | str) -> None:
    sink.answer = status
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        told = of_json(sink).send(a_notice(), key="k")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert "xyzzy" not in repr(told) + stream.getvalue()


def test_it_is_loaded_only_when_it_is_used() -> None:
    root = Path(__file__).parents[2]
    code = (
        "import sys; from gonogo.notify import way_of\n"
        "way_of('apprise', 'json://x', {}); way_of('slack', 'http://x', {})\n"
        "print(sorted({'apprise', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root / "src", capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
