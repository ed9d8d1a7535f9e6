"""HTTP answers that no good server gives: an error or an observation, never a bug or a hang."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.hostile import http, saying
from tests.support.kinds import a_context
from tests.support.works import wanted

from gonogo.errors import WorkError
from gonogo.judge.verdict import Status
from gonogo.probes.http import Http
from gonogo.run.looking import Memory, judged

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
ERRORS = {
    "another service": (b"SSH-2.0-OpenSSH_9.2\r\n", "is no HTTP"),
    "only a body": (b"hello", "is no HTTP"),
    "no status": (b"HTTP/1.1 000 Hm\r\n\r\n", "is no HTTP"),
    "unknown version": (b"HTTP/7.7 200 Hm\r\n\r\n", "is no HTTP"),
    "bytes": (bytes(range(256)), "is no HTTP"),
    "cut off": (HEAD + b"Content-Length: 100\r\n\r\nabc", "cut off"),
    "length in words": (HEAD + b"Content-Length: many\r\n\r\nabc", "Content-Length"),
    "two lengths": (
        HEAD + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        "Content-Length",
    ),
    "no chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
    "header without a colon": (HEAD + b"Nothing\r\n\r\n", "Header without colon"),
    "headers without end": (HEAD + b"X: " + b"a" * 400_000 + b"\r\n\r\n", "larger than allowed"),
    "no gzip": (HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8bnothing of it", "unencoding"),
    "gzip of 20 MB": (
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"a" * 20_000_000),
        "longer than 10 MiB",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_answer_that_is_none_is_an_error_that_says_why(case: str, tmp_path: Path) -> None:
    answer, words = ERRORS[case]
    with saying(answer) as port, pytest.raises(WorkError, match=words):
        Http(f"GET http://127.0.0.1:{port}/").perform(a_context(tmp_path))


def nested(levels: int, start: bytes, end: bytes) -> bytes:
    return b'{"a":' + start * levels + b"1" + end * levels + b"}"


BODIES = {
    "lists in lists": nested(600, b"[", b"]"),
    "objects in objects": nested(600, b'{"a":', b"}"),
    "deeper than Python": nested(100_000, b"[", b"]"),
    "exponent beyond decimals": b'{"a": 1e99999999999999999999}',
    "huge number": b'{"a": ' + b"9" * 5000 + b"}",
    "no number": b'{"a": NaN}',
    "half a character": b'{"a": "\\ud800"}',
    "no UTF-8": b'{"a": "\xff"}',
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_is_judged_whatever_it_is_and_never_passes(case: str, tmp_path: Path) -> None:
    context = a_context(tmp_path)
    with saying(http(BODIES[case])) as port:
        seen = Http(f"GET http://127.0.0.1:{port}/").perform(context)
    told = judged(seen, wanted("body.a = 1", "body.a < 5"), context, Memory())
    assert told.status is Status.UNKNOWN
    assert "expected 1" in told.why
    assert ("read as text: " in told.text) is isinstance(seen.indicators["body"], str)


@pytest.mark.parametrize(
    "charset", ["utf8mb4", "hex", "idna", "undefined", "punycode", "unicode_escape", '"', "a%00"]
)
def test_a_charset_that_is_none_is_taken_as_utf_8(charset: str, tmp_path: Path) -> None:
    answer = http(b'{"a": "caf\xc3\xa9"}', f"application/json; charset={charset}")
    with saying(answer) as port:
        seen = Http(f"GET http://127.0.0.1:{port}/").perform(a_context(tmp_path))
    assert seen.indicators["body"] == {"a": "café"}


def test_an_answer_that_never_begins_is_left(tmp_path: Path) -> None:
    def interim() -> Iterator[bytes]:
        while True:
            yield b"HTTP/1.1 100 Continue\r\n\r\n"

    with saying(b"", more=interim) as port, pytest.raises(WorkError, match=r"Too large|larger"):
        Http(f"GET http://127.0.0.1:{port}/").perform(a_context(tmp_path, timeout_s=2))


@pytest.mark.parametrize("port", ["99999", "[", "-1"])
def test_a_port_that_is_none_is_told(port: str, tmp_path: Path) -> None:
    context = a_context(tmp_path, variables={"PORT": port})
    with pytest.raises(WorkError, match="no valid URL"):
        Http("GET http://127.0.0.1:{{PORT}}/").perform(context)
