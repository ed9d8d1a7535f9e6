"""Which names tell that their value is a secret: `access_token` does, `token_count` does not.

A table of words, one place for every form in which a name and a value may stand: JSON, YAML, a
query, a form, an assignment, a header.
"""

from __future__ import annotations

import functools
import re
from enum import Enum, auto

_SECRET = re.compile(
    r"(?:password|passwd|passphrase|passcode|secret|token|credential|jwt"
    r"|(?:api|private|access|auth|signing|encryption|master|account)key)(?P<plural>s?)\Z"
)
"""How a word ends that names a secret: also `PGPASSWORD`, `authtoken`, `apikeys`."""
_KEYS = frozenset(
    """api private secret access auth signing encryption master account shared session license
    deploy webhook""".split()  # noqa: SIM905
)  # before the word `key`
_LOGINS = frozenset(
    """db database user smtp redis mysql postgres pg admin root ftp ldap mail proxy login""".split()  # noqa: SIM905
)  # before the word `pass`
_LONG = frozenset(("auth", "signature", "sig", "bearer"))
"""Words that also name harmless things: only a value that looks like a key counts."""
_HEADERS = frozenset(("authorization",))
_ABOUT = frozenset(
    """age algorithm alg at attempts audience avg backend bucket budget bytes changed class count
    counts created days duration enabled endpoint errors exists expires expiration expiry failures
    field file format found header hint hits hours id ids in issuer issued kind lag latency left
    length len level lifetime limit limits manager max mean median method min minutes misses mode
    ms name names namespace needed number p param path percent policy prefix present provider rate
    ratio ref remaining requests required reset resets rotated rotation rule s scope scopes
    seconds sent server service set size source state status store strength sum supported time
    timeout total ttl type types uri url usage used valid validity version window""".split()  # noqa: SIM905
)
"""How a name ends that says something about a secret, and not the secret itself."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PARTS = re.compile(r"[^\W_]+")
_WHOLE = ("secret id",)  # exceptions to the table above
_LONGEST = 200


class Told(Enum):
    """What a name tells of its value."""

    NOTHING = auto()
    SECRET = auto()  # `client_secret`, `PGPASSWORD`: also a number of four digits or more
    INSIDE = auto()  # `SECRET_KEY_BASE`: any text, but no number
    SEVERAL = auto()  # `tokens`, `api_keys`: any text, but no number and no measure
    LONG = auto()  # `signature`, `auth`: what looks like a key
    FOLDER = auto()  # `pwd`: a password, where it is no folder
    HEADER = auto()  # `Authorization`: the scheme stays readable


@functools.lru_cache(maxsize=4096)
def told_by(name: str) -> Told:
    """Return what a name tells of its value."""
    words = _words(name[-_LONGEST:])
    while len(words) > 1 and words[-1].isdigit():  # `token_2`
        words.pop()
    if not words:
        return Told.NOTHING
    if " ".join(words[-2:]) in _WHOLE:
        return Told.SECRET
    if words[-1] in _HEADERS:
        return Told.HEADER
    if words[-1] in _ABOUT:
        return Told.NOTHING
    found = [_ends(words, at) for at in range(len(words))]
    if any(found):
        return found[-1] or Told.INSIDE
    if _SECRET.search(_PARTS.findall(name.casefold())[-1]):  # `APIkey`
        return Told.SECRET
    return Told.LONG if words[-1] in _LONG else Told.NOTHING


def _words(name: str) -> list[str]:
    if name.isascii():
        return [word.lower() for word in _WORD.findall(name)]
    return _PARTS.findall(name.casefold())


def _ends(words: list[str], at: int) -> Told | None:
    """Say what is named up to this word: one secret, several, or none."""
    word, before = words[at], words[at - 1] if at else ""
    found = _SECRET.search(word)
    if found is not None:
        return Told.SEVERAL if found["plural"] else Told.SECRET
    if word in ("key", "keys") and before in _KEYS:
        return Told.SEVERAL if word == "keys" else Told.SECRET
    if word == "pass" and before in _LOGINS:
        return Told.SECRET
    return Told.FOLDER if word == "pwd" else None


_REFERENCE = re.compile(
    r"\$\{[A-Za-z_]\w*\}|\{\{\s*[A-Za-z_][\w.-]*\s*\}\}|\$[A-Z_][A-Z0-9_]*|\$\(.*"
)
_CLOSING = "]})\"'`\\"
_PLAIN = frozenset(
    """true false null none nil undefined nan yes no on off ok up down valid invalid expired expires
    present absent missing found empty set unset required optional enabled disabled changed
    unchanged rotated active inactive correct incorrect wrong unknown default redacted masked pass
    passed fail failed error waived done skipped pending firing resolved hold go no-go hidden
    string number boolean object array include omit same-origin bearer basic""".split()  # noqa: SIM905
)
"""Values that say something and are no secrets."""
_NUMBER = re.compile(r"[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_MEASURE = re.compile(
    r"[<>=≤≥~≈]*\s*[-+]?\d[\d.,_]*\s*(?:%|[mµun]?s|min|h|d|[kKMGT]?i?B|(?:tokens?|requests?|seconds?"
    r"|minutes?|hours?|days?|weeks?|x|/|per|of)(?:\s*[\w/]{1,12}){0,3})"
)
_SCHEME = re.compile(
    r"(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)\s+", re.IGNORECASE
)
_LIKE_A_KEY = re.compile(r"[\w.~+/=%-]{16,}")
_LONG_NUMBER = 8
_SHORTEST = 4  # of a value that stands without quotes


def is_reference(text: str) -> bool:
    """Say whether a text is a variable by its name, which is no secret."""
    found = _REFERENCE.match(text)
    return found is not None and not text[found.end() :].strip(_CLOSING)


def secret_from(told: Told, value: str, *, quoted: bool) -> int | None:
    """Return from where on a value is secret, behind the scheme of a header; None: it is none.

    Readable stay words such as `null` and `valid`, measures such as `1.2 s`, variables by their
    name, numbers of three digits, and without quotes any number unless its name is a secret's own.
    """
    text = value.strip() if quoted else _unescaped(value.strip())
    if told is Told.NOTHING or not text or text.lower() in _PLAIN or is_reference(text):
        return None
    if told is Told.HEADER:
        scheme = _SCHEME.match(value)
        if scheme is not None:
            rest = value[scheme.end() :]
            return None if not rest.strip() or is_reference(rest) else scheme.end()
    if told in (Told.LONG, Told.HEADER):
        is_key = _LIKE_A_KEY.fullmatch(text) and not _NUMBER.fullmatch(text)
        return 0 if is_key and _is_mixed(text) else None
    if told is Told.FOLDER and text.startswith(("/", "~", ".")):
        return None
    if _NUMBER.fullmatch(text):
        return 0 if _is_secret_number(told, text, quoted=quoted) else None
    if told is Told.SEVERAL and _MEASURE.fullmatch(text):
        return None
    return 0 if quoted or len(text) >= _SHORTEST else None


def _unescaped(text: str) -> str:
    """Return a number or a plain word without the escapes behind it in JSON that is text."""
    word = text.partition("\\")[0]
    return word if word.lower() in _PLAIN or _NUMBER.fullmatch(word) else text


def _is_mixed(text: str) -> bool:
    return text not in (text.lower(), text.upper()) or any(sign.isdigit() for sign in text)


def _is_secret_number(told: Told, text: str, *, quoted: bool) -> bool:
    digits = len(text) if text.isdigit() else 0
    if told in (Told.SECRET, Told.FOLDER):
        return digits >= _SHORTEST
    return told is Told.INSIDE and quoted and digits >= _LONG_NUMBER
