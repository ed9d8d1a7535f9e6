"""Secrets leave in no form that we know of."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gonogo.redaction import _REFERENCE, MASK, Redactor, Secret, is_secret
from gonogo.redaction.keys import _PLAIN

secrets = st.text(min_size=4, max_size=30).filter(lambda s: s.strip() == s and s not in MASK)


@given(secret=secrets, before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_known_secret_is_gone_in_each_of_its_forms(secret: str, before: str, after: str) -> None:
    redact = Redactor([secret])
    for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        shown = redact(f"{before}{form}{after}")
        assert MASK in shown
        assert form not in shown.replace(MASK, "") or form in before + after


@given(secret=secrets)
def test_it_is_gone_from_every_depth_of_a_value(secret: str) -> None:
    data = {"a": [secret, {"b": f"x{secret}y"}], f"k{secret}": 1, "n": 3, "none": None}
    shown = Redactor([secret]).value(data)
    assert secret not in str(shown) or secret in str({"a": 0, "b": 0, "n": 3, "none": None})


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("postgresql://app:hunter22@db:5432/x", "hunter22"),
        ("redis://:s3cretpw@cache/0", "s3cretpw"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("API_KEY=abcd1234", "abcd1234"),
        ('password: "correct horse"', "correct"),
    ],
)
def test_what_looks_like_a_secret_is_masked_without_being_known(text: str, gone: str) -> None:
    assert gone not in Redactor()(text)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "postgresql://app:pw@db/x", True),
        ("APP_URL", "https://search.example.org", False),
        ("ADMIN_TOKEN", "abc", True),
        ("SLACK_AUTH", "abc", True),
        ("GIT_AUTHOR_NAME", "root", False),
        ("RELEASE", "v2", False),
        ("SENTRY_DSN", "abc", True),
    ],
)
def test_which_bindings_are_secrets(name: str, value: str, *, expected: bool) -> None:
    assert is_secret(name, value) is expected


def test_a_secret_never_prints_itself() -> None:
    secret = Secret("hunter22")
    assert "hunter22" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter22"
    assert secret == Secret("hunter22")


PIECES = st.sampled_from(
    [
        *("password", "PASSWD", "secret", "token", "api_key", "apikey", "private-key"),
        *("paſſword", "to\u212aen", "key", "authorization", "Bearer ", "basic ", "token "),
        *("=", ":", ": ", " ", "\n", "://", "@", "http", "user", "hunter22", "x", "-", '"', ";"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_redacted_once_stays_as_it_is(text: str) -> None:
    once = Redactor()(text)
    assert Redactor()(once) == once


REFERENCES = [
    'curl -H "Authorization: Bearer $ADMIN_TOKEN" \\\n  http://localhost:3000/api',
    'curl -H "Authorization: Bearer ${ADMIN_TOKEN}" http://localhost:3000/api',
    "curl -H 'Authorization: Bearer '$ADMIN_TOKEN http://localhost",
    "Authorization: Bearer {{REGULAR_USER_TOKEN}}",
    "Authorization: Basic {{ api.login }}",
    "Authorization: Token $API_TOKEN",
    "PGPASSWORD=$DB_PASSWORD psql -c 'SELECT 1'",
    'PGPASSWORD="${DB_PASSWORD}" psql',
    "export API_KEY='{{API_KEY}}'",
    "password: ${DB_PASSWORD}, host: db",
    "token=$(cat /run/token)",
    "psql postgresql://app:$DB_PASSWORD@db:5432/x",
    "psql postgresql://app:${DB_PASSWORD}@db:5432/x",
    "redis://:{{CACHE_PASSWORD}}@cache/0",
]


@pytest.mark.parametrize("text", REFERENCES)
def test_the_name_of_a_variable_is_no_secret(text: str) -> None:
    assert Redactor()(text) == text
    bound = {"DB_PASSWORD": "hunter22", "LOGIN": "${DB_PASSWORD}", "URL": "x://a:${DB_PASSWORD}@b"}
    assert Redactor.of_bindings(bound)(text) == text


PLACES = [
    "Authorization: Bearer {}",
    'curl -H "Authorization: Bearer {}" \\\n http://localhost',
    "curl -H 'authorization: basic {}' http://localhost",
    "API_TOKEN={} ./run",
    'PASSWORD="{}"',
    "password: {}",
    "my-secret-word = '{}'",
    "postgresql://app:{}@db:5432/x",
]
SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+=!#$%*"
LITERAL = st.text(alphabet=SIGNS, min_size=8, max_size=40).filter(
    lambda s: not re.fullmatch(r"\$[A-Z_][A-Z0-9_]*", s) and s.lower() not in _PLAIN
)
MIXED = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "$USER-", "${USER}", "$"]),
    LITERAL,
    st.sampled_from(["", "$USER", "${USER}", "{{USER}}", "}", "}}", "$"]),
)


@given(place=st.sampled_from(PLACES), secret=LITERAL)
def test_a_literal_secret_leaves_nothing_in_any_of_these_places(place: str, secret: str) -> None:
    shown = Redactor()(place.format(secret))
    assert shown == place.format(MASK)


@given(place=st.sampled_from(PLACES[:7]), secret=MIXED)
def test_a_secret_beside_the_name_of_a_variable_is_gone_as_well(place: str, secret: str) -> None:
    assume(not re.fullmatch(_REFERENCE, secret))
    shown = Redactor()(place.format(secret))
    assert shown == place.format(MASK)


@given(
    secret=st.sampled_from(["$ADMIN_TOKEN", "${ADMIN}", "{{ADMIN}}"]), place=st.sampled_from(PLACES)
)
def test_a_known_secret_is_gone_even_where_it_looks_like_a_name(secret: str, place: str) -> None:
    assert secret not in Redactor([secret])(place.format(secret))


def test_a_password_in_small_letters_behind_a_dollar_is_no_name() -> None:
    assert Redactor()("Authorization: Bearer $passw0rd") == f"Authorization: Bearer {MASK}"
