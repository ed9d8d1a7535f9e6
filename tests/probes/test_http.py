"""HTTP blocks against a small server in the test's own process."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.authority import Authority
from tests.support.kinds import Answering, Silent, a_context

from gonogo.errors import Severity, WorkError
from gonogo.plan.kinds import Context, Effect, Role
from gonogo.plan.units import Quantity
from gonogo.probes.http import Http


def context_for(web: Answering, folder: Path, **variables: str) -> Context:
    return a_context(folder, targets={"app": web.url}, variables=variables)


def test_an_answer_is_seen_whatever_its_status(web: Answering, tmp_path: Path) -> None:
    for status in (200, 204, 301, 403, 404, 429, 500, 503):
        seen = Http(f"GET {{{{app}}}}/status/{status}").perform(context_for(web, tmp_path))
        assert seen.indicators["status"] == status


def test_json_becomes_values_to_the_last_digit(web: Answering, tmp_path: Path) -> None:
    seen = Http("GET {{app}}/json").perform(context_for(web, tmp_path))
    assert seen.indicators["body"] == {
        "checks": {"database": "ok"},
        "ratio": Decimal("0.1000000000000000055511151231257827021181"),
        "n": [1, None],
    }
    header = seen.indicators["header"]
    assert isinstance(header, dict)
    assert header["x-cache"] == "hit"


TEXTS = {
    "/": "<title>home</title>",
    "/gzip": {"a": 1},
    "/latin": "café",
}


@pytest.mark.parametrize("path", TEXTS)
def test_bodies_are_decoded(path: str, web: Answering, tmp_path: Path) -> None:
    seen = Http(f"GET {{{{app}}}}{path}").perform(context_for(web, tmp_path))
    assert seen.indicators["body"] == TEXTS[path]


def test_the_phases_have_their_own_durations(web: Answering, tmp_path: Path) -> None:
    found = Http("GET {{app}}/").perform(context_for(web, tmp_path)).indicators
    for name in ("latency", "response time", "dns", "connect", "first byte"):
        value = found[name]
        assert isinstance(value, Quantity)
        assert value.unit == "s"
        assert value.number >= 0
    assert "tls" not in found
    assert found["latency"] == found["response time"]
    assert found["size"] == Quantity(Decimal(len("<title>home</title>")), "B")
    assert found["remote address"] == "127.0.0.1"
    assert found["http version"] == "1.1"


def test_the_request_is_sent_as_written(web: Answering, tmp_path: Path) -> None:
    text = (
        "\n# a comment\nPOST {{app}}/echo\n  ?q=${WORD}\n  &n=2\n"
        'Authorization: Bearer {{TOKEN}}\nX-Empty:\n\n{"a": "{{WORD}}"}\n\n'
    )
    context = context_for(web, tmp_path, WORD="x", TOKEN="abc")
    Http(text, kind_="check").perform(context)
    method, path, headers, body = web.seen[-1]
    assert (method, path, body) == ("POST", "/echo?q=x&n=2", '{"a": "x"}')
    assert headers["Authorization"] == "Bearer abc"
    assert headers["X-Empty"] == ""
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "gonogo"
    assert "Expect" not in headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_each_method_is_sent_with_and_without_a_body(
    method: str, web: Answering, tmp_path: Path
) -> None:
    for body in ("", "\n\ndata"):
        Http(f"{method} {{{{app}}}}/echo{body}").perform(context_for(web, tmp_path))
        assert web.seen[-1][0] == method
        if method != "HEAD":
            assert web.seen[-1][3] == body.strip()


def test_redirects_are_followed_only_when_asked(web: Answering, tmp_path: Path) -> None:
    seen = Http("GET {{app}}/redirect/2").perform(context_for(web, tmp_path)).indicators
    assert (seen["status"], seen["redirects"]) == (302, 0)
    assert seen["redirect url"] == f"{web.url}/redirect/1"
    seen = (
        Http("GET {{app}}/redirect/2", follow=True).perform(context_for(web, tmp_path)).indicators
    )
    assert (seen["status"], seen["redirects"]) == (200, 2)
    with pytest.raises(WorkError, match="redirects more than 10 times"):
        Http("GET {{app}}/redirect/20", follow=True).perform(context_for(web, tmp_path))


BROKEN = {
    "/big": "longer than 10 MiB",
    "/close": "without an answer|broke",
}


@pytest.mark.parametrize("path", BROKEN)
def test_an_answer_that_does_not_come_to_its_end_is_no_observation(
    path: str, web: Answering, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match=BROKEN[path]) as caught:
        Http(f"GET {{{{app}}}}{path}").perform(context_for(web, tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize(("effect", "failed"), [(Effect.ACTION, True), (Effect.CHECK, False)])
def test_a_late_answer_fails_an_action_but_a_check_could_not_look(
    effect: Effect, failed: bool, web: Answering, tmp_path: Path
) -> None:
    context = a_context(tmp_path, targets={"app": web.url}, timeout_s=0.5, effect=effect)
    with pytest.raises(WorkError, match=r"did not answer within 0.5 s") as caught:
        Http("POST {{app}}/hang").perform(context)
    assert caught.value.failed is failed


def test_no_proxy_is_used_that_the_run_does_not_know(
    web: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    seen = Http("GET {{app}}/").perform(context_for(web, tmp_path))
    assert seen.indicators["status"] == 200


def test_a_proxy_of_the_run_is_used_unless_excepted(web: Answering, tmp_path: Path) -> None:
    with Answering.start() as proxy:
        url = "GET http://example.invalid/json"
        context = context_for(web, tmp_path, HTTP_PROXY=proxy.url)
        Http(url).perform(context)
        assert proxy.seen[-1][1] == "http://example.invalid/json"
        Http(url, proxy=proxy.url).perform(context_for(web, tmp_path))
        assert len(proxy.seen) == 2
        excepted = context_for(web, tmp_path, HTTP_PROXY=proxy.url, NO_PROXY="127.0.0.1")
        assert Http("GET {{app}}/").perform(excepted).indicators["status"] == 200
        direct = context_for(web, tmp_path, HTTP_PROXY=proxy.url)
        assert Http("GET {{app}}/", proxy="none").perform(direct).indicators["status"] == 200
        assert len(proxy.seen) == 2


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of our own."""
    made = Authority.make(tmp_path_factory.mktemp("authority"))
    if made is None:
        pytest.skip("there is no openssl command to make certificates with")
    return made


def test_a_trusted_certificate_tells_its_expiry(authority: Authority, tmp_path: Path) -> None:
    with Answering.start(authority.sign("127.0.0.1", 20)) as web:
        block = Http("GET {{app}}/", ca=str(authority.certificate))
        found = block.perform(context_for(web, tmp_path)).indicators
    assert found["status"] == 200
    expiry, tls = found["certificate expiry"], found["tls"]
    assert isinstance(expiry, Quantity)
    assert isinstance(tls, Quantity)
    assert expiry.unit == "d"
    assert Decimal(18) < expiry.number <= Decimal(20)
    assert tls.number > 0


def test_an_unknown_authority_or_another_name_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    with Answering.start(authority.sign("127.0.0.1", 20)) as web:
        with pytest.raises(WorkError, match="is not trusted") as caught:
            Http("GET {{app}}/").perform(context_for(web, tmp_path))
        assert "ca:" in caught.value.hint
        seen = Http("GET {{app}}/", insecure=True).perform(context_for(web, tmp_path))
        assert seen.indicators["status"] == 200
    with Answering.start(authority.sign("other.example", 20)) as web:
        block, context = (
            Http("GET {{app}}/", ca=str(authority.certificate)),
            context_for(web, tmp_path),
        )
        with pytest.raises(WorkError, match="is not trusted"):
            block.perform(context)


def test_plain_http_on_a_tls_port_and_the_other_way_round(web: Answering, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no TLS connection"):
        Http(f"GET {web.url.replace('http:', 'https:')}/").perform(context_for(web, tmp_path))


def test_no_connection_in_time_is_told_apart_from_no_answer(silent: Silent, tmp_path: Path) -> None:
    context = a_context(tmp_path, timeout_s=0.5)
    with pytest.raises(WorkError, match=r"did not answer within 0.5 s|no connection"):
        Http(f"GET http://127.0.0.1:{silent.port}/").perform(context)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"])
def test_only_http_is_spoken_even_through_a_variable(url: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="neither http nor https"):
        Http("GET ${URL}").perform(a_context(tmp_path, variables={"URL": url}))


def test_a_value_cannot_add_a_header(web: Answering, tmp_path: Path) -> None:
    context = context_for(web, tmp_path, V="a\r\nX-Evil: 1")
    with pytest.raises(WorkError, match="holds a line end"):
        Http("GET {{app}}/echo\nX-A: ${V}").perform(context)


EFFECTS = {"GET": "check", "HEAD": "check", "OPTIONS": "check", "POST": "action", "PUT": "action",
           "PATCH": "action", "DELETE": "action"}  # fmt: skip


@pytest.mark.parametrize("method", EFFECTS)
def test_the_method_tells_whether_a_block_looks_or_changes(method: str) -> None:
    for role in Role:
        assert Http(f"{method} {{{{app}}}}/").effect(role) is Effect(EFFECTS[method])
        assert Http(f"{method} {{{{app}}}}/", kind_="check").effect(role) is Effect.CHECK


MISTAKES = {
    "": ("GN507", 1),
    "# only a comment": ("GN507", 1),
    "FETCH {{app}}/": ("GN514", 1),
    "GET /health": ("GN514", 1),
    "GET ftp://host/": ("GN514", 1),
    "curl -f http://localhost/": ("GN514", 1),
    "@host = x\nGET {{host}}/": ("GN514", 1),
    "GET {{app}}/\nno header": ("GN514", 2),
    "GET {{app}}/\n\nHTTP 200": ("GN514", 3),
    "GET {{app}}/\nHTTP/1.1 200\n[Asserts]": ("GN514", 2),
    "GET {{app}}/\n\n###\nGET {{app}}/b": ("GN515", 3),
    "GET {{app}}/a\nGET {{app}}/b": ("GN515", 2),
    "GET {{app}}/a\n\nGET {{app}}/b": ("GN515", 3),
    "GET https://yourdomain.com/": ("GN501", 1),
    "GET {{app}}/users/<user-id>": ("GN501", 1),
    "GET {{app}}/\nAuthorization: Bearer abcdef0123456789": ("GN505", 2),
    "GET https://user:hunter22@host/": ("GN505", 1),
}
FINE = [
    "GET {{app}}/",
    "https://host/path",
    "get ${URL} HTTP/1.1",
    "### name\nGET {{app}}/\n# comment\nAccept: */*\n",
    "GET {{app}}/\nAuthorization: Bearer {{TOKEN}}",
    "POST {{app}}/\nContent-Type: application/xml\n\n<order><id>1</id></order>",
    'POST {{app}}/\n\n{"url": "http://x/", "text": "see GET /x"}',
]


@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_no_single_request_is_a_mistake_with_its_line(text: str) -> None:
    errors = [d for d in Http(text).review() if d.severity is Severity.ERROR]
    code, line = MISTAKES[text]
    assert [(d.code, d.span.line) for d in errors] == [(code, line)]
    assert errors[0].hint
    assert "hunter22" not in errors[0].message
    assert "abcdef0123456789" not in errors[0].message


@pytest.mark.parametrize("text", FINE)
def test_ordinary_requests_have_no_mistakes(text: str) -> None:
    assert Http(text).review() == ()


def test_names_are_targets_or_variables_with_their_places() -> None:
    text = "# {{old}}\nGET {{app}}/${VERSION}\nX: {{TOKEN}}"
    found = [(v.name, v.span.line, v.span.column) for v in Http(text).variables()]
    assert found == [("app", 2, 5), ("VERSION", 2, 13), ("TOKEN", 3, 4)]


def test_what_is_not_bound_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="`app` is not bound"):
        Http("GET {{app}}/").perform(a_context(tmp_path))


def test_an_insecure_request_says_so() -> None:
    assert Http("GET https://h/", insecure=True).describe() == "GET https://h/ (insecure)"
