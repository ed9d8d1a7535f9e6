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

MASK = "••••"

_BRACED = r"(?:\$\{[A-Za-z_]\w*\}|\{\{\s*[A-Za-z_][\w.-]*\s*\}\})"
_REFERENCE = rf"(?:{_BRACED}|\$[A-Z_][A-Z0-9_]*)"
"""A variable by its name, which is no secret; `$name` in small letters may be a password."""
_NO_REFERENCE = rf"(?!{_REFERENCE}[\"'`]?(?:[\s\\,;|&<>)\]}}]|$))"
_ONLY_BRACED = re.compile(_BRACED)
_URL = r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@]*:)"
_URL_BINDING = re.compile(rf"{_URL}(?P<secret>[^\s@/]+)(?=@)", re.IGNORECASE)
_URL_PASSWORD = re.compile(
    rf"(?i:{_URL})(?!{_REFERENCE}@)(?P<secret>[^\s@/]+)(?=@)",
)
_AUTH_HEADER = re.compile(
    r"(?P<head>(?i:\bauthorization:\s*(?:bearer|basic|token)\s+)[\"']?)"
    rf"{_NO_REFERENCE}(?P<secret>[^\s\"'](?:\S*[^\s\"'`])?)"
)
_ASSIGNED = re.compile(
    r"(?P<head>(?i:\b[\w-]*(?:password|passwd|secret|token|api[_-]?key|private[_-]?key)[\w-]*)\s*[=:]\s*[\"']?)"
    rf"{_NO_REFERENCE}(?!\$\()(?P<secret>[^\s\"',;&|<>()\{{\}}][^\s\"',;&|<>()]{{3,}})"
)
_TELLS = re.compile("passw|secret|token|key|authorization", re.IGNORECASE)
"""One of these is in all that the two patterns above fit; a quick look before they are tried."""
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
        if ":" not in text and "=" not in text:  # most texts: no pattern below fits without
            return text
        if "://" in text and "@" in text:
            text = _URL_PASSWORD.sub(_MASKED, text)
        if _TELLS.search(text):
            text = _AUTH_HEADER.sub(_MASKED, text)
            text = _ASSIGNED.sub(_MASKED, text)
        return text

    def value(self, data: object) -> object:
        """Return JSON-like `data` with every string in it redacted (keys too)."""
        if isinstance(data, str):
            return self(data)
        if isinstance(data, Mapping):
            return {self(str(key)): self.value(item) for key, item in data.items()}
        if isinstance(data, list | tuple):
            return [self.value(item) for item in data]
        return data
