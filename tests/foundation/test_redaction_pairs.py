"""Values whose name tells that they are secrets leave in no form; all else stays readable."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.leaks import BEGIN, END, documents, shapes

from gonogo.redaction import MASK, Redactor
from gonogo.redaction.flow import Flow
from gonogo.redaction.keys import Told, told_by

SECRET = "hunter2xA9/b8C7+d6=="
MASKED = [
    '{"access_token": "§", "token_type": "bearer", "expires_in": 3600}',
    '{"password" : "§"}',
    "{'password': '§', 'user': 'ana'}",
    '{"apiKey":"§","n":5}',
    '{"api key": "§"}',
    '{"tokens": ["§", "§"], "n": [1, 2]}',
    '{"tokens": [\n  "§",\n  "§"\n]}',
    '{"secret": "§',  # cut off
    r"{\"token\":\"§\",\"n\":1}",
    r"{\\\"token\\\":\\\"§\\\",\\\"n\\\":1}",
    r"{\n  \"tokens\": [\n    \"§\",\n    \"§\"]}",
    '{"Authorization": "Bearer §", "Accept": "*/*"}',
    r"{\"authorization\":\"Basic §\"}",
    "client_secret: §",
    "client_secret: §  # from the vault",
    "- dbPassword: '§'",
    "private_key: |\n  §\nuser: ana",
    "a:\n  - token: >-\n      §\n    user: ana",
    "https://h/login?user=ana&password=§&next=/",
    "grant_type=password&client_secret=§",
    "user[password]=§&user%5Bpassword%5D=§&commit=1",
    "https://acc.blob/x?sv=2020-01-01&sig=§&se=1",
    "<user>ana</user><password>§</password>",
    '<server password="§" port="1"/>',
    "Server=db;Database=x;Uid=app;Pwd=§;",
    "PGPASSWORD=§ psql",
    "SECRET_KEY_BASE=§",
    "DB_PASSWORD_PROD=§",
    "API_TOKEN_2=§",
    "aws_secret_access_key = §",
    "AWS_SESSION_TOKEN: §",
    "X-Api-Key: §",
    "Proxy-Authorization: Basic §",
    "Authorization:[Bearer §]",
    "x: Bearer §",
    ':token => "§", "token"=>"§", params["secret"] = "§"',
    "ENV['TOKEN'] = '§'",
    "{Token:§ Name:x}",
    "CREATE ROLE app PASSWORD '§';",
    "+ curl --token § https://h/",
    "deploy --client-secret '§' --region eu",
    "mysql --password §",
    "< Set-Cookie: sid=§; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    "> Cookie: sid=§; lang=de; other=§",
    '{"set-cookie": "sid=§; Path=/; Secure, csrf=§; SameSite=Lax"}',
    r"{\"Set-Cookie\":\"sid=§; Path=/\"}",
    'header set-cookie "sid=§; Path=/", expected contains "Nope"',
    "headers['Cookie'] = 'sid=§; Domain=example.com'",
    "-----BEGIN RSA PRIVATE KEY-----§-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----§",  # cut off
    'the answer was {"auth": {"session": {"session_token": "§"}}} (200)',
    '{"_auth": "§"}',
    "paſſword=§",
    "İ: 1, to\u212aen: §",
]


@pytest.mark.parametrize("text", MASKED)
def test_the_value_goes_and_the_rest_stays(text: str) -> None:
    assert Redactor()(text.replace("§", SECRET)) == text.replace("§", MASK)


READABLE = [
    "tokens: 412, tokens: 41234, token: 412",
    '{"token_count": 41234, "max_tokens": 4096, "prompt_tokens": 51234, "total_tokens": "51234"}',
    '{"primary_key": 5, "key": "value", "public_key": "ssh-ed25519 AAAAC3Nz", "keys": ["a"]}',
    '{"cache_key": "views:v2:0123456789abcdef", "idempotency_key": "0d9f8e7c6b5a4321"}',
    "password_changed_at: 2026-03-01T14:00:00Z",
    '{"token": null, "secret": "", "password": true, "credentials": false, "api_key": {}}',
    "{'token': None, 'password': True}",
    "token: null\npassword: ~\nsecret: yes",
    '{"token_type": "bearer", "expires_in": 3600, "token_expires_at": "2026", "secret_name": "db"}',
    '{"auth": "ok", "authorization": "ok", "signature": "verified", "credentials": "valid"}',
    'requests_total{token_type="bearer", key="value"} 4120',
    "auth_token_requests_total 41234",
    'auth_tokens_issued_total{job="auth"} 41234',
    "token_refresh_seconds_p95 = 1.25",
    "token refresh p95: 1.2 s, tokens issued: 4120 per minute, secret rotation age: 12 days",
    "tokenizer: sentencepiece, secretary: Roberta, passwordless: enabled",
    '{"token_service": "up", "secret_store": "vault", "password_policy": "strong-and-long"}',
    "PWD=/home/app OLDPWD=/tmp",
    'password authentication failed for user "app"',
    "unexpected token } in JSON at position 41234",
    "SyntaxError: Unexpected token '<'",
    "password=$DB_PASSWORD token=${TOKEN} secret='{{ vault.secret }}' api_key=$(cat /run/key)",
    '{"password": "${DB_PASSWORD}", "headers": {"Authorization": "Bearer $TOKEN"}}',
    "class Token::Type, secret::Store",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "the secret is out; the token was refused: 401",
    "status: pass, key: value, author: ana, design: good, keyboard: en",
    "token: \npassword:\nuser: ana",
    "unknown flag: --token\nusage: deploy --token TOKEN | --token <value> | --password string",
    "--token is required, --secret must be given; see --password-file /run/secrets/Db1",
    "Set-Cookie: theme=on; Path=/; Max-Age=3600",
    "cookie: none\ncookies: 4120, cookie_count=41234, cookie banner: shown",
]


@pytest.mark.parametrize("text", READABLE)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("access_token", Told.SECRET),
        ("accessToken", Told.SECRET),
        ("PGPASSWORD", Told.SECRET),
        ("APIKey", Told.SECRET),
        ("AWS_SECRET_ACCESS_KEY", Told.SECRET),
        ("secret_id", Told.SECRET),
        ("smtp_pass", Told.SECRET),
        ("token_2", Told.SECRET),
        ("APIKEYS", Told.SEVERAL),
        ("max_tokens", Told.SEVERAL),
        ("SECRET_KEY_BASE", Told.INSIDE),
        ("password_digest", Told.INSIDE),
        ("Authorization", Told.HEADER),
        ("signature", Told.LONG),
        ("pwd", Told.FOLDER),
        ("token_count", Told.NOTHING),
        ("api_key_id", Told.NOTHING),
        ("tests_pass", Told.NOTHING),
        ("key", Told.NOTHING),
        ("", Told.NOTHING),
        ("42", Told.NOTHING),
        ("__", Told.NOTHING),
    ],
)
def test_what_a_name_tells(name: str, told: Told) -> None:
    assert told_by(name) is told


def masked(data: Any, name: str = "") -> Any:
    """Return what must become of a document, worked out from how it was made."""
    if isinstance(data, dict):
        return {key: masked(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [masked(value, name) for value in data]
    return MASK if isinstance(data, str) and data.startswith(BEGIN) else data


@given(document=documents, shape=shapes, depth=st.integers(0, 3))
def test_of_json_at_any_depth_of_escaping_the_secrets_go_and_nothing_else(
    document: Any, shape: dict[str, Any], depth: int
) -> None:
    text = json.dumps(document, **shape)
    for _ in range(depth):
        text = json.dumps(text, ensure_ascii=shape.get("ensure_ascii", True))
    shown: Any = Redactor()(text)
    assert BEGIN not in shown
    assert END not in shown
    for _ in range(depth + 1):
        shown = json.loads(shown)
    assert shown == masked(document)


@given(document=documents)
def test_of_data_the_secrets_go_and_nothing_else(document: Any) -> None:
    assert Redactor().value(document) == masked(document)


def taken(pieces: list[str]) -> str:
    shown: list[str] = []
    flow = Flow(Redactor(), lambda _stream, text: shown.append(text))
    for piece in pieces:
        flow.take("stdout", piece)
    flow.finish()
    return "".join(shown)


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted(place % (len(text) + 1) for place in places)
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


places = st.lists(st.integers(0, 10**6), max_size=12)


@given(document=documents, shape=shapes, places=places)
def test_output_in_pieces_is_redacted_as_a_whole(
    document: Any, shape: dict[str, Any], places: list[int]
) -> None:
    text = f"GET /\n{json.dumps(document, **shape)}\ndone\n"
    assert taken(cut(text, places)) == Redactor()(text)


@pytest.mark.parametrize(
    "text",
    [
        "user: ana\nprivate_key: |\n  hunter2x\n  hunter2x\n\n  hunter2x\nport: 5432\n",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2x\nhunter2x\n-----END RSA PRIVATE KEY-----\nok\n",
        'x\n{"token":\n  "hunter2x",\n "n": 1}\n',
        'x\n{"tokens": [\n  "hunter2x",\n\n  "hunter2x"\n], "n": 1}\n',
        "one\npassword=hunter2x\ntwo",
    ],
)
def test_a_secret_on_lines_of_its_own_waits_for_its_end(text: str) -> None:
    for at in range(len(text)):
        assert taken([text[:at], text[at:]]) == Redactor()(text)
    assert taken(list(text)) == Redactor()(text)
    assert "hunter2x" not in Redactor()(text)


def test_streams_do_not_mix_and_lines_do_not_wait() -> None:
    shown: list[tuple[str, str]] = []
    flow = Flow(Redactor(), lambda stream, text: shown.append((stream, text)))
    flow.take("stdout", "one\ntwo pass")
    flow.take("stderr", "oh\n")
    assert shown == [("stdout", "one\n"), ("stderr", "oh\n")]
    flow.take("stdout", "word=hunter2x\n")
    flow.finish()
    assert shown[2:] == [("stdout", f"two password={MASK}\n")]


HARD = {
    "names": "secret",
    "names apart": "a-token ",
    "names with a sign": "token:",
    "quotes that do not close": 'token="',
    "lists that do not close": "token:[",
    "escaped quotes": r"\"token\":",
    "backslashes": "\\",
    "backslashes behind a quote": '"\\',
    "blanks": " ",
    "letters": "a",
    "capitals": "A",
    "headers": "authorization: bearer ",
    "addresses": "://a:",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "YAML blocks": "token: |\n",
    "long s": "ſ",
    "signs of two": "İ",
    "digits": "1",
}


@pytest.mark.parametrize("piece", HARD.values(), ids=HARD)
@pytest.mark.parametrize("head", ["", '"token": "', "token=", "authorization: bearer ", "a://"])
def test_twice_the_text_is_twice_the_work(piece: str, head: str) -> None:
    redact = Redactor()
    once, twice = (calls(lambda n=n: redact(head + piece * n)) for n in (400, 800))
    assert twice <= 2 * once + 40


def calls(work: Callable[[], object]) -> int:
    """Count the steps of Python that some work takes: calls of functions, ours and built in."""
    count = 0

    def step(_frame: FrameType, event: str, _more: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
