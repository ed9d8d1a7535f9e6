"""Finds passwords, tokens and keys that stand in a runbook as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gonogo.redaction import MASK

_VALUE = r"(?P<secret>[^\s\"'`;&|<>()]+)"
_SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token": re.compile(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abposr]-[\w-]{10,}"
        r"|sk_live_\w{10,}|rk_live_\w{10,}|sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{30,}|npm_\w{30,}"
        r"|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_\w{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+)"
    ),
    "a password in a URL": re.compile(
        r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:(?P<secret>[^\s@/'\"]+)@", re.IGNORECASE
    ),
    "a credential in a header": re.compile(
        r"\bauthorization:\s*(?:bearer|basic|token|apikey)\s+"
        + _VALUE
        + r"|\b(?:x-api-key|apikey|x-auth-token|private-token):\s*(?P<other>[^\s\"'`;&|<>()]+)",
        re.IGNORECASE,
    ),
    "a password or token": re.compile(
        r"\b\w*(?:password|passwd|passphrase|secret|secret_?key|token|api_?key|access_?key"
        r"|private_?key)[\"']?\s?=\s?[\"']?" + _VALUE,
        re.IGNORECASE,
    ),
    "a password or token in an option": re.compile(
        r"(?<!\w)--(?:[\w-]*-)?(?:password|passwd|token|secret|api-key|secret-key|access-key)"
        r"(?:=|\s+)[\"']?(?!-)" + _VALUE,
        re.IGNORECASE,
    ),
    "a password for the client": re.compile(
        r"\b(?:sshpass\s+-p\s*|(?:mysql|mysqldump|mariadb)\b[^\n|;&]{0,200}?\s-p"
        r"|(?:redis|valkey)-cli\b[^\n|;&]{0,200}?\s-a\s+|curl\b[^\n|;&]{0,200}?\s(?:-u|--user)\s+[\"']?[^\s:\"']+:)"
        r"[\"']?" + _VALUE
    ),
    "a password in SQL": re.compile(r"\bPASSWORD\s+'(?P<secret>[^']+)'", re.IGNORECASE),
}
_NO_SECRET = re.compile(
    r"[$@{<\[%]|\*+$|•+$|[xX.…]+$|(?:true|false|null|none|yes|no|\d{1,3})$|/run/secrets/|file:"
    r"|(?:env|vault|secret|op|ssm):|your|change_?me|replace|insert|placeholder|redacted|hidden",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """Where a secret stands; its value is not kept."""

    what: str
    at: int
    end: int


def find(text: str) -> tuple[Literal, ...]:
    """Return the literal secrets in a text, comments included: they are published all the same.

    Not a secret: a variable, a placeholder, a path to a file with the value, a mask.
    """
    kept: list[Literal] = []
    for literal in sorted(_found(text), key=lambda one: (one.at, -one.end)):
        if not kept or literal.at >= kept[-1].end:
            kept.append(literal)
    return tuple(kept)


def masked(text: str, mask: str = MASK) -> str:
    """Return a text without the literal secrets in it."""
    parts: list[str] = []
    done = 0
    for literal in find(text):
        parts += [text[done : literal.at], mask]
        done = literal.end
    return "".join((*parts, text[done:])) if parts else text


def _found(text: str) -> Iterator[Literal]:
    for what, pattern in _SHAPES.items():
        for match in pattern.finditer(text):
            group = next((g for g in ("secret", "other") if match.groupdict().get(g)), 0)
            value = match[group]
            if group and (_NO_SECRET.match(value) or len(value) < 4):
                continue
            yield Literal(what, match.start(group), match.end(group))
