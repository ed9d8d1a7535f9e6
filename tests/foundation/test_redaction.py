"""Secrets leave in no form that we know of."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.redaction import (
    _ASSIGNED,
    _AUTH_HEADER,
    _URL_PASSWORD,
    MASK,
    Redactor,
    Secret,
    is_secret,
)

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
        *("paſſword", "toKen", "key", "authorization", "Bearer ", "basic ", "token "),
        *("=", ":", ": ", " ", "\n", "://", "@", "http", "user", "hunter22", "x", "-", '"', ";"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_quick_look_lets_nothing_through_that_the_patterns_mask(text: str) -> None:
    slow = text
    for pattern in (_URL_PASSWORD, _AUTH_HEADER, _ASSIGNED):
        slow = pattern.sub(rf"\g<head>{MASK}", slow)
    assert Redactor()(text) == slow
