"""Finds names and their values in a text, in whatever form a program wrote them, in one pass.

JSON (also as text inside JSON, with its quotes escaped), YAML, queries, forms, assignments, XML.
Every step looks at a bounded piece of the text or at a piece that is not looked at again, so the
time grows with the length of the text and with nothing else.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from gonogo.redaction.keys import Told, secret_from, told_by

_WORDS = ("pass", "pwd", "secret", "token", "credential", "jwt", "sig", "auth", "bearer", "key")
_TELLS = re.compile(
    r"pass(?:w|phrase|code|(?![a-z]))|pwd|secret|token|credential|jwt|sig(?:nature|(?![a-z]))"
    r"|auth(?:orization|key|(?![a-z]))|bearer|key(?![a-rt-z])"
)
"""One of these is in every name that tells of a secret; for texts in small letters.

Patterns that heed the case and begin with a plain letter are many times faster than others.
"""
_NAME = string.ascii_letters + string.digits + "_-."
_ALONE = "\"'{,"  # before `key`: it is the whole name, which tells nothing
_LONGEST_NAME = 60
_QUOTED = re.compile(
    r"[\w.\-]{0,60}+(?:[ ][\w.\-]{1,30}+){0,4}+(?P<close>\\*[\"'`])\]?\s*(?:=>|:(?!:)|=)\s*"
)
_BARE = re.compile(
    r"(?P<name>[\w.\-]{0,60}+)(?:\]|%5[Dd])?"
    r"[ \t]*(?:=>|:=|==(?=[ \t\"'])|=|:(?!:))[ \t]*"
)
_IN_SQL = re.compile(r"ord[ \t]+(?=')", re.IGNORECASE)
_BEARER = re.compile(r"[ \t]+([\w.~+/-]{16,}=*)")
_OPTION = re.compile(r"(?P<name>[\w-]{0,60}+)[ \t]+")
_SAYS = re.compile(r"(?:[a-z]+|[A-Z_]+)[.,;:?!)]*(?![^\s])|[-<\[(|&;>=]")
"""What stands behind an option and is no value: `--token is missing`, `--token <value>`."""
_TAG = re.compile(r"[\w.\-]{0,60}+>")
_OPEN = re.compile(r"(\\*)([\"'`])")
_QUOTE = {sign: re.compile(rf"(\\+){sign}?|{sign}|[\r\n]") for sign in "\"'`"}
_WORD = re.compile(r"[^\s\"',;&|<>()\{\}\[\]`][^\s\"',;&|<>()]*")
_JSON_WORD = re.compile(r"[^\s\"',;&|<>()\{\}\[\]]+")
_IN_TAG = re.compile(r"[^<\r\n]*")
_BETWEEN = re.compile(r"(?:\s|\\++[nrt])*+,?(?:\s|\\++[nrt])*+")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?[ \t]*(?=\n)")

Piece = tuple[int, int]
"""Where a secret begins and ends in the text."""


def secrets_in(text: str) -> Iterator[Piece]:
    """Yield the places of secret values, in order."""
    for _, pieces, _ in _names_in(text):
        yield from pieces


def open_from(text: str) -> int:
    """Return where a name begins whose value may go on behind the text; its length if none does."""
    last = None
    for begin, _, after in _names_in(text):
        last = begin if after >= len(text) else None
    return len(text) if last is None else last


def _names_in(text: str) -> Iterator[tuple[int, list[Piece], int]]:
    """Yield where each name begins, what is secret behind it, and up to where its value goes."""
    small = _small(text)
    if not any(word in small for word in _WORDS):
        return
    after = 0
    for hit in _TELLS.finditer(small):
        if hit.start() < after or (hit[0] == "key" and small[hit.start() - 1] in _ALONE):
            continue
        before = text[max(hit.start() - _LONGEST_NAME, after) : hit.start()]
        if hit[0] == "key":
            before = before.removesuffix(" ")  # `api key`
        begin = max(hit.start() - _LONGEST_NAME, after) + len(before.rstrip(_NAME))
        pieces, after = _behind(text, begin, hit.end())
        yield begin, pieces, after


def _small(text: str) -> str:
    """Return a text in small letters, sign for sign: `İ` has no small letter of one sign."""
    small = text.lower().replace("ſ", "s")
    if len(small) == len(text):
        return small
    return "".join(low if len(low := sign.lower()) == 1 else sign for sign in text)


def _behind(text: str, begin: int, end: int) -> tuple[list[Piece], int]:
    """Return what is secret behind a name, and up to where the text has been looked at."""
    if begin and text[begin - 1] == "<":
        tag = _TAG.match(text, end)
        if tag is not None:
            inside = _IN_TAG.match(text, tag.end())
            assert inside is not None
            told = told_by(text[begin : tag.end() - 1])
            return _judged(text, told, inside.span(), quoted=True), inside.end()
    key = _QUOTED.match(text, end)
    if key is not None:
        told = told_by(text[begin : key.start("close")])
        return _value(text, key.end(), told, _JSON_WORD)
    key = _BARE.match(text, end)
    if key is None:
        return _without_a_sign(text, begin, end)
    told = told_by(text[begin : key.end("name")])
    block = _BLOCK.match(text, key.end())
    if block is not None and told is not Told.NOTHING:
        start = block.end() + 1
        end = _end_of_block(text, begin, start)
        lines = text[start:end]
        piece = (end - len(lines.lstrip()), end)
        return ([piece] if lines.strip() else []), max(start, end)
    return _value(text, key.end(), told, _WORD)


def _without_a_sign(text: str, begin: int, end: int) -> tuple[list[Piece], int]:
    """Return what is secret in `Bearer eyJ…`, `PASSWORD 'hunter22'` and `--token eyJ…`."""
    bearer = _BEARER.match(text, end) if text[end - 6 : end].lower() == "bearer" else None
    if bearer is not None:
        return _judged(text, Told.LONG, bearer.span(1), quoted=False), bearer.end()
    password = _IN_SQL.match(text, end)
    if password is not None:
        return _value(text, password.end(), Told.SECRET, _WORD)
    option = _OPTION.match(text, end) if text.startswith("--", begin) else None
    if option is not None and not _SAYS.match(text, option.end()):
        return _value(text, option.end(), told_by(text[begin : option.end("name")]), _WORD)
    return [], end


def _value(text: str, at: int, told: Told, word: re.Pattern[str]) -> tuple[list[Piece], int]:
    """Return what is secret in the value that begins here: a word, a quoted text, or a list."""
    if told is Told.NOTHING:
        return [], at
    pieces: list[Piece] = []
    if text[at : at + 1] == "[":
        at = _past_blanks(text, at + 1)
        while (one := _scalar(text, at, told, _JSON_WORD)) is not None:
            pieces += one[0]
            at = _past_blanks(text, one[1])
        return pieces, at
    return _scalar(text, at, told, word) or (pieces, at)


def _scalar(
    text: str, at: int, told: Told, word: re.Pattern[str]
) -> tuple[list[Piece], int] | None:
    opened = _OPEN.match(text, at)
    if opened is not None:
        inner, end = _quoted_text(text, opened)
        return _judged(text, told, inner, quoted=True), end
    found = word.match(text, at)
    if found is None:
        return None
    end = at + (len(found[0].rstrip("\\")) or len(found[0]))
    return _judged(text, told, (at, end), quoted=False), end


def _judged(text: str, told: Told, inner: Piece, *, quoted: bool) -> list[Piece]:
    start, end = inner
    at = secret_from(told, text[start:end], quoted=quoted)
    return [] if at is None else [(start + at, end)]


def _quoted_text(text: str, opened: re.Match[str]) -> tuple[Piece, int]:
    """Return where a quoted text stands, and where it is over: at its quote, else its line's end.

    Inside JSON that is itself text a quote has backslashes before it, and what is escaped inside
    has more: a quote closes when as many are left over as the opening one had.
    """
    depth, start = len(opened[1]), opened.end()
    for found in _QUOTE[opened[2]].finditer(text, start):
        sign, slashes = found[0][-1], len(found[1] or "")
        if sign in "\r\n":
            return (start, found.start()), found.start()
        if sign == opened[2] and slashes % (2 * (depth + 1)) == depth:
            return (start, found.end() - 1 - depth), found.end()
    return (start, len(text)), len(text)


def _past_blanks(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    assert found is not None
    return found.end()


def _end_of_block(text: str, key: int, at: int) -> int:
    """Return where the lines end that stand deeper than the name of a YAML block."""
    margin = key - (text.rfind("\n", 0, key) + 1)
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= margin:
            return at - 1
        at = end + 1
    return len(text)
