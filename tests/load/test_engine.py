"""The load against real servers: what they saw themselves is the truth that it is held to."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from tests.load.conftest import Send, a_job
from tests.load.servers import Truthful
from tests.support.authority import Authority
from tests.support.hostile import saying
from tests.support.kinds import closed_port

import gonogo
from gonogo.load import Request, Stage


def test_everything_that_is_due_is_sent_once(web: Truthful, send: Send) -> None:
    found = send(a_job(f"{web.url}/ok"))
    assert found.requests == len(web.arrivals) == 50
    assert (found.good, found.errors, found.dropped) == (50, 0, 0)
    assert found.statuses == {"200": 50}
    assert found.reasons == {}
    began = [arrival.began for arrival in web.arrivals]
    # the last is due 0.49 s after the first, which may itself have been late by no more than `max`
    assert max(began) - min(began) >= 0.49 - (found.latency["max"] or 0.0)


def test_the_three_times_fit_together(web: Truthful, send: Send) -> None:
    found = send(a_job(f"{web.url}/ok"))
    for stat in ("p50", "p90", "p95", "max", "avg"):
        latency, service = found.latency[stat], found.service[stat]
        assert latency is not None
        assert service is not None
        assert 0 < service <= latency
        assert latency <= (found.service["max"] or 0.0) + (found.lateness["max"] or 0.0)


def test_connections_are_used_again(web: Truthful, send: Send) -> None:
    send(a_job(f"{web.url}/ok", connections=2))
    assert len({arrival.connection for arrival in web.arrivals}) <= 2


def test_the_traffic_can_be_told_by_its_user_agent(web: Truthful, send: Send) -> None:
    named = Request("GET", f"{web.url}/ok", (("User-Agent", "shop/2"),))
    send(a_job("", requests=(Request("GET", f"{web.url}/ok"), named), rate=10))
    marker = f"gonogo/{gonogo.__version__} load"
    assert {a.headers["User-Agent"] for a in web.arrivals} == {marker, f"shop/2 {marker}"}


def test_methods_headers_and_bodies_arrive_in_their_shares(web: Truthful, send: Send) -> None:
    requests = (
        Request("GET", f"{web.url}/ok?q=a%20b", weight=3),
        Request("POST", f"{web.url}/cart", (("X-Shop", "é"),), '{"n": "é"}'),
        Request("HEAD", f"{web.url}/ok"),
        Request("DELETE", f"{web.url}/cart", (("Content-Type", "text/csv"),), "1,2"),
    )
    found = send(a_job("", requests=requests, rate=120, seconds="0.5"))
    assert found.errors == 0
    seen = {(a.method, a.path, a.body) for a in web.arrivals}
    assert seen == {
        ("GET", "/ok?q=a%20b", ""),
        ("POST", "/cart", '{"n": "é"}'),
        ("HEAD", "/ok", ""),
        ("DELETE", "/cart", "1,2"),
    }
    assert sum(a.method == "GET" for a in web.arrivals) == 30
    types = {a.method: a.headers.get("Content-Type") for a in web.arrivals}
    assert (types["POST"], types["DELETE"], types["GET"]) == ("application/json", "text/csv", None)


def test_no_cookie_is_kept(web: Truthful, send: Send) -> None:
    send(a_job(f"{web.url}/cookie", rate=20))
    assert len(web.arrivals) == 10
    assert [a for a in web.arrivals if "Cookie" in a.headers] == []


def test_a_warm_up_is_sent_and_not_judged(web: Truthful, send: Send) -> None:
    found = send(a_job(f"{web.url}/ok", warm_up_s=0.25))
    assert (found.warm_up, found.requests) == (25, 25)
    assert len(web.arrivals) == 50
    assert found.judged_s == 0.25


def test_stages_follow_each_other(web: Truthful, send: Send) -> None:
    stages = (
        Stage(Fraction(1, 2), Fraction(0), Fraction(40)),
        Stage(Fraction(1, 2), Fraction(40), Fraction(40)),
    )
    found = send(a_job(f"{web.url}/ok", stages=stages))
    assert found.requests == len(web.arrivals) == 30


def test_a_frozen_server_is_seen_by_those_who_would_have_come(web: Truthful, send: Send) -> None:
    web.freeze.after, web.freeze.seconds = 40, 1.0
    found = send(a_job(f"{web.url}/ok", rate=100, seconds="2"))
    freeze = web.freeze.thawed_at - web.freeze.frozen_at
    assert freeze >= 1.0
    assert found.requests == len(web.arrivals) == 200
    # a hundred are due while it is frozen; half of those wait for at least half of the time
    assert (found.latency["p90"] or 0.0) >= freeze / 2
    assert (found.latency["max"] or 0.0) >= freeze * 0.9


def test_waiting_for_a_connection_is_latency_and_no_fault_of_the_generator(
    web: Truthful, send: Send
) -> None:
    web.freeze.after, web.freeze.seconds = 40, 1.0
    found = send(a_job(f"{web.url}/ok", rate=100, seconds="2", connections=4))
    assert found.requests == len(web.arrivals) == 200
    assert found.waited >= 50
    # only four were under way in the freeze: measured from the sending, nearly all look fast
    assert (found.latency["p90"] or 0.0) >= 0.5 > (found.service["p90"] or 0.0)
    assert (found.lateness["p90"] or 0.0) >= 0.4
    assert (found.own["p90"] or 0.0) < (found.lateness["p90"] or 0.0)


@pytest.mark.parametrize(("status", "errors"), [(500, 10), (404, 10), (429, 10), (302, 0)])
def test_a_share_of_errors_is_counted_exactly(
    web: Truthful, send: Send, status: int, errors: int
) -> None:
    found = send(a_job(f"{web.url}/every/5/{status}", rate=100, seconds="0.5"))
    assert found.statuses == {"200": 40, str(status): 10}
    assert found.errors == errors
    # the limit counts for each that failed, however fast it failed
    assert ((found.latency["p95"] or 0.0) >= 10.0) is bool(errors)
    assert (found.service["p95"] or 0.0) < 10.0


def test_nobody_at_home_ends_the_load_early(send: Send) -> None:
    found = send(a_job(f"http://127.0.0.1:{closed_port()}/", rate=20, seconds="600"))
    assert found.given_up
    assert found.good == 0
    assert set(found.reasons) == {"connection refused"}
    assert found.errors == found.requests < 12_000


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/hang", "no answer in time"), ("/close", "closed without an answer")],
)
def test_a_request_without_an_answer_counts_with_the_limit(
    web: Truthful, send: Send, path: str, reason: str
) -> None:
    found = send(a_job(web.url + path, rate=40, timeout_s=0.4))
    assert found.requests == found.errors == 20
    assert set(found.reasons) == {reason}
    assert (found.latency["p50"] or 0.0) >= 0.4


def test_what_finds_no_connection_is_an_error_and_not_forgotten(web: Truthful, send: Send) -> None:
    found = send(a_job(f"{web.url}/hang", rate=2000, seconds="0.2", timeout_s=0.3, connections=1))
    assert found.requests == found.errors == 400
    assert found.dropped > 0
    assert (found.service["max"] or 0.0) < 5  # the limit counts from the due moment, and ends all
    assert sum(found.reasons.values()) == 400


def test_certificates_are_looked_at(send: Send, tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    if authority is None:
        pytest.skip("there is no openssl command")
    with Truthful.start(authority.sign("127.0.0.1", 10)) as web:
        job = a_job(f"{web.url}/ok", rate=20)
        assert set(send(job).reasons) == {"the certificate is not trusted"}
        trusting = a_job(f"{web.url}/ok", rate=20, ca=str(authority.certificate))
        assert send(trusting).good == 10
        assert send(a_job(f"{web.url}/ok", rate=20, insecure=True)).good == 10


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what answers is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nNothing\r\n\r\n", "what answers is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "the answer was cut off"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", "error 100 of libcurl"),
    ],
    ids=["another service", "no header", "cut off", "headers without end"],
)
def test_an_answer_that_is_none_is_an_error(answer: bytes, reason: str, send: Send) -> None:
    with saying(answer) as port:
        found = send(a_job(f"http://127.0.0.1:{port}/", rate=20))
    assert (found.good, found.errors) == (0, 10)
    assert found.reasons == {reason: 10}
