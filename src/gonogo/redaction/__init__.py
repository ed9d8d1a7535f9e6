"""Secrets that never print themselves, and a redactor for everything that leaves the process.

Secrets go into the environment of a child or into a connection, never into argv, journal, evidence
or messages. The redactor replaces each known secret value, and what looks like a password inside
a URL or behind a telling name, before a text is stored or shown.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from gonogo.redaction import cookies, pairs
from gonogo.redaction.keys import Told, secret_from, told_by

MASK = "••••"

_BRACED = r"(?:\$\{[A-Za-z_]\w*\}|\{\{\s*[A-Za-z_][\w.-]*\s*\}\})"
_REFERENCE = rf"(?:{_BRACED}|\$[A-Z_][A-Z0-9_]*)"
"""A variable by its name, which is no secret; `$name` in small letters may be a password."""
_NO_REFERENCE = rf"(?!{_REFERENCE}[\"'`]?(?:[\s\\,;|&<>)\]}}]|$))"
_ONLY_BRACED = re.compile(_BRACED)
_URL = r"(?P<head>://[^\s:/@]*:)"
_URL_BINDING = re.compile(rf"{_URL}(?P<secret>[^\s@/]+)(?=@)", re.IGNORECASE)
_URL_PASSWORD = re.compile(
    rf"(?i:{_URL})(?!{_REFERENCE}@)(?P<secret>[^\s@/]+)(?=@)",
)
_AUTH_HEADER = re.compile(
    r"(?P<head>(?i:\bauthorization:\s*(?:bearer|basic|token|digest|apikey|negotiate)\s+)[\"']?)"
    rf"{_NO_REFERENCE}(?P<secret>[^\s\"'](?:\S*[^\s\"'`])?)"
)
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_PRIVATE_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")
_MASKED = rf"\g<head>{MASK}"
_TELLING = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|api[_-]?key|private[_-]?key|credential|_url$|^url$|dsn"
    r"|(?<![a-z])auth(?![a-z])|authorization)",
    re.IGNORECASE,
)
_PLAIN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^@\s]*$", re.IGNORECASE)
_SHORTEST = 4


class Secret:
    """A value that prints as a mask; `reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep `value` out of sight."""
        self._value = value

    def reveal(self) -> str:
        """Return the value, to be handed to the world and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        """Print the mask."""
        return MASK

    def __str__(self) -> str:
        """Print the mask."""
        return MASK

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(("secret", self._value))


def is_telling(name: str) -> bool:
    """Say whether a variable of this name is to be treated as a secret."""
    return bool(_TELLING.search(name))


def is_secret(name: str, value: str) -> bool:
    """Say whether a binding must not be journaled: a password in a URL, or a telling name."""
    if _URL_BINDING.search(value):
        return True
    return is_telling(name) and not _PLAIN_URL.match(value)


class Redactor:
    """Replaces secrets in texts; built once per run from the bindings."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know the values in `secrets` and their usual encodings (URL, base64)."""
        forms: set[str] = set()
        for value in secrets:
            if len(value) < _SHORTEST:
                continue
            encoded = base64.b64encode(value.encode()).decode()
            forms |= {value, quote(value, safe=""), quote_plus(value), encoded}
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    @classmethod
    def of_bindings(cls, bindings: Mapping[str, str], known: Iterable[str] = ()) -> Redactor:
        """Treat each binding with a telling name as a secret, and the password inside each URL.

        `known` are values that are secrets whatever they look like.
        """
        values: list[str] = list(known)
        for name, value in bindings.items():
            match = _URL_BINDING.search(value)
            secret = match["secret"] if match else value
            if (match or is_secret(name, value)) and not _ONLY_BRACED.fullmatch(secret):
                values.append(secret)
        return cls(values)

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced by the mask."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if "PRIVATE KEY-----" in text:
            text = _without_private_keys(text)
        if "AKIA" in text or "ASIA" in text:
            text = _ACCESS_KEY.sub(MASK, text)
        if "://" in text and "@" in text:
            text = _URL_PASSWORD.sub(_MASKED, text)
        if "authorization" in text.lower():
            text = _AUTH_HEADER.sub(_MASKED, text)
        if "cookie" in text.lower():
            text = _without(text, cookies.secrets_in(text))
        return _without(text, pairs.secrets_in(text))

    def value(self, data: object) -> object:
        """Return JSON-like `data` with every string in it redacted (keys too)."""
        if isinstance(data, str):
            return self(data)
        if isinstance(data, Mapping):
            return {self(str(key)): self.named(str(key), item) for key, item in data.items()}
        if isinstance(data, list | tuple):
            return [self.value(item) for item in data]
        return data

    def named(self, name: str, data: object) -> object:
        """Return the value of a name redacted; the name may tell that all of it is a secret."""
        if isinstance(data, str) and cookies.are_under(name):
            return self(_without(data, cookies.values_in(data)))
        told = told_by(name)
        if told is Told.NOTHING or isinstance(data, bool):
            return self.value(data)
        if isinstance(data, list | tuple):
            return [self.named(name, item) for item in data]
        if not isinstance(data, str | int):
            return self.value(data)
        at = secret_from(told, str(data), quoted=isinstance(data, str))
        return self.value(data) if at is None else str(data)[:at] + MASK


def _without(text: str, pieces: Iterable[pairs.Piece]) -> str:
    parts: list[str] = []
    done = 0
    for start, end in pieces:
        parts += [text[done:start], MASK]
        done = end
    return "".join((*parts, text[done:])) if parts else text


def _without_private_keys(text: str) -> str:
    """Return a text without keys in PEM form; one that has no end goes to the end of the text."""
    pieces: list[pairs.Piece] = []
    at = 0
    while (begin := _PRIVATE.search(text, at)) is not None:
        end = _PRIVATE_END.search(text, begin.end())
        assert end is not None
        pieces.append((begin.end(), end.start()))
        at = end.end()
    return _without(text, pieces)
