"""Mail against a real SMTP server on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from tests.notify.conftest import a_line, a_notice
from tests.support.hostile import saying
from tests.support.sink import MailSink

from gonogo.notify.mail import Mail
from gonogo.plan.notices import COPY, Failure


def mail(mails: MailSink, account: str = "", **more: float) -> Mail:
    return Mail("ana@example.org", mails.url(account), "gonogo@example.org", **more)


def test_a_mail_arrives_with_its_headers(mails: MailSink) -> None:
    told = mail(mails).send(a_notice(), key="7f3a/3/ana/mail")
    assert told.failure is None
    (found,) = mails.mails
    assert found["To"] == "ana@example.org"
    assert found["From"] == "gonogo@example.org"
    assert found["Subject"].startswith("[page] search v2.4.0 → production: error rate 3 %")
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Message-ID"] == told.id
    assert "gonogo answer 'alert/error-rate/1?ack' seen" in found.get_content()
    assert mails.envelopes == [("gonogo@example.org", ["ana@example.org"])]


def test_a_copy_has_the_same_message_id_and_says_so(mails: MailSink) -> None:
    for is_copy in (False, True):
        mail(mails).send(a_notice(), key="7f3a/3/ana/mail", is_copy=is_copy)
    mail(mails).send(a_notice(number=4), key="7f3a/4/ana/mail")
    first, copy, other = mails.mails
    assert first["Message-ID"] == copy["Message-ID"] != other["Message-ID"]
    assert COPY in copy.get_content()
    assert COPY not in first.get_content()


def test_text_of_the_world_cannot_add_a_header(mails: MailSink) -> None:
    mail(mails).send(a_notice(a_line(text="bad\r\nBcc: eve@example.org")), key="k")
    assert mails.mails[0]["Bcc"] is None
    assert mails.envelopes[0][1] == ["ana@example.org"]


def test_a_password_is_given_to_this_machine(mails: MailSink) -> None:
    mails.offers_login = True
    assert mail(mails, "ana:pass%40word@").send(a_notice(), key="k").failure is None
    assert mails.logins == [" ana pass@word"]


def test_a_password_is_not_sent_in_the_clear(mails: MailSink) -> None:
    mails.offers_login = True
    name = socket.gethostname()
    try:
        is_local = socket.gethostbyname(name).startswith("127.")
    except OSError:
        is_local = False
    if not is_local:
        pytest.skip("this machine's own name leads somewhere else")
    way = Mail("ana@example.org", f"smtp://ana:secret@{name}:{mails.port}")
    told = way.send(a_notice(), key="k")
    assert told.failure is Failure.AUTH
    assert mails.logins == []


@pytest.mark.parametrize(
    ("verb", "line", "failure"),
    [
        ("AUTH", "535 no", Failure.AUTH),
        ("RCPT", "550 no such user", Failure.GONE),
        ("RCPT", "450 mailbox busy", Failure.RATE_LIMITED),
        ("MAIL", "554 we do not like you", Failure.REFUSED),
        ("DATA", "451 local error", Failure.BROKEN),
        ("TEXT", "452 no room", Failure.RATE_LIMITED),
        ("EHLO", "421 closing", Failure.BROKEN),
    ],
    ids=["login", "no such user", "busy", "sender refused", "broken", "no room", "closing"],
)
def test_a_refusal_has_its_reason(mails: MailSink, verb: str, line: str, failure: Failure) -> None:
    mails.offers_login = True
    mails.refuse = {verb: line}
    if verb == "EHLO":
        mails.refuse["HELO"] = line
    told = mail(mails, "ana:xyzzy@").send(a_notice(), key="k")
    assert told.failure is failure
    assert "xyzzy" not in repr(told)


def test_a_mail_that_was_taken_is_sent_whatever_the_goodbye(mails: MailSink) -> None:
    mails.refuse = {"QUIT": "421 gone already"}
    assert mail(mails).send(a_notice(), key="k").failure is None


def test_a_server_that_hangs_is_left_in_time(mails: MailSink) -> None:
    mails.hangs = True
    told = mail(mails, timeout_s=0.2).send(a_notice(), key="k")
    assert (told.failure, told.message) == (Failure.TIMEOUT, "no answer within 0.2 s")


@pytest.mark.parametrize(
    ("server", "failure"),
    [
        ("smtp://127.0.0.1:{free}", Failure.UNREACHABLE),
        ("smtp://no-such-host.invalid", Failure.UNREACHABLE),
        ("smtps://127.0.0.1:{sink}", Failure.UNREACHABLE),
        ("smtp://127.0.0.1:99999", Failure.GONE),
    ],
    ids=["nobody listens", "no such host", "no tls there", "no port"],
)
def test_a_server_that_cannot_be_reached(mails: MailSink, server: str, failure: Failure) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    way = Mail("ana@example.org", server.format(free=free, sink=mails.port))
    assert way.send(a_notice(), key="k").failure is failure


def test_an_answer_that_never_ends_is_left() -> None:
    def lines() -> Iterator[bytes]:
        while True:
            yield b"220-and more\r\n" * 1000

    with saying(more=lines) as port:
        told = Mail("ana@example.org", f"smtp://127.0.0.1:{port}").send(a_notice(), key="k")
    assert told.failure is Failure.BROKEN
    assert "without an end" in told.message


def test_an_answer_that_comes_byte_by_byte_is_left_in_time() -> None:
    over = threading.Event()

    def bytewise() -> Iterator[bytes]:
        while not over.wait(0.1):
            yield b"2"

    with saying(more=bytewise) as port:
        way = Mail("ana@example.org", f"smtp://127.0.0.1:{port}", timeout_s=0.3)
        told = way.send(a_notice(), key="k")
        over.set()
    assert told.failure is Failure.TIMEOUT
